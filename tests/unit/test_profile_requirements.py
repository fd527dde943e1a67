"""Requirements in files, as read: what is taken, and what is said about what is not."""

import os
from pathlib import Path

import pytest

from basestore.errors import ExitCode
from basestore.lock.inputs import Part, inputs
from basestore.profile.document import LARGEST, DocumentError, read_regular
from basestore.profile.model import Profile
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile

ROOT = """python = "3.11"
platforms = ["linux/amd64"]
{asked}
[foundation]
debian = "bookworm"
packages = ["python3.11"]
{tables}
"""
FILES = 'requirements-files = ["../app/reqs.txt"]'
OTHER = "https://example.com/other-1.0-py3-none-any.whl"
ONE, TWO = "1" * 64, "2" * 64
_CASES = Path(__file__).parents[1].joinpath("golden/bad-requirements.txt").read_text()


def read(root: Path, asked: str, tables: str = "", **files: str) -> Profile:
    """A profile that asks for this; files by their stem (``reqs`` is app/reqs.txt)."""
    for folder in ("profiles", "app"):
        (root / folder).mkdir(exist_ok=True)
    (root / "profiles/x.toml").write_text(ROOT.format(asked=asked, tables=tables))
    for stem, text in files.items():
        (root / f"app/{stem}.txt").write_text(text)
    return read_profile(read_project(root), "x")


def _cases() -> list[object]:
    cases = []
    for block in _CASES.split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, answer = rest.partition("---\n")
        message, _, hint = answer.strip().partition("\n")
        cases.append(pytest.param(text, message, hint, id=title))
    return cases


@pytest.mark.parametrize(("text", "message", "hint"), _cases())
def test_wrong_requirement_files(tmp_path: Path, text: str, message: str, hint: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/binary.txt").write_bytes(b"\x00\xff")
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, FILES, reqs=text, bounds="a @ https://example.com/a-1.0-py3-none-any.whl\n")
    error = caught.value
    expected, cut, _ = message.partition("…")
    assert error.message.startswith(expected) if cut else error.message == expected
    assert (error.exit_code, error.hint) == (ExitCode.BAD_INPUT, hint)
    assert "secret" not in f"{error.message}{error.hint}"


def test_what_a_requirement_file_may_hold(tmp_path: Path) -> None:
    text = f"""# what the service needs
--require-hashes
--only-binary :all:
-c bounds.txt
-r more.txt  # ours
Web_App[Fast, async]==1.0 ; python_version >= "3" \\
    --hash=sha256:{TWO} \\
    --hash=sha512:00 --hash sha256:{ONE}
    # via us
https://${{TOKEN}}@example.com/w/extra-1.0-py3-none-any.whl#egg=extra&sha256={ONE}
other @ https://us:${{KEY}}@example.com/other-1.0-py3-none-any.whl ; os_name == "posix"
"""
    profile = read(
        tmp_path, FILES, reqs=text, more="-r reqs2.txt\n", reqs2="six\r\n", bounds="a[x]<2"
    )

    asked = [(one.identity, str(one.location)) for one in profile.requirements]
    assert asked == [
        ("extra @ extra-1.0-py3-none-any.whl", "app/reqs.txt:10"),
        (f'other @ {OTHER} ; os_name == "posix"', "app/reqs.txt:11"),
        ("six", "app/reqs2.txt:1"),
        ('web-app[async,fast]==1.0; python_version >= "3"', "app/reqs.txt:6"),
    ]
    assert [digest.hex for digest in profile.requirements[3].hashes] == [ONE, TWO]
    assert [(one.text, str(one.location)) for one in profile.constraints] == [
        ("a<2", "app/bounds.txt:1")
    ]
    assert (
        profile.requirements[0].url == "https://${TOKEN}@example.com/w/extra-1.0-py3-none-any.whl"
    )
    assert "TOKEN" not in repr(profile)
    assert {f"app/{stem}.txt" for stem in ("bounds", "more", "reqs", "reqs2")} < set(profile.files)


def test_a_file_that_is_asked_for_and_bounds(tmp_path: Path) -> None:
    asked = f'{FILES}\nconstraints-files = ["../app/reqs.txt"]'

    profile = read(tmp_path, asked, reqs="a<2\n")

    assert [one.text for one in profile.requirements] == ["a<2"]
    assert [one.text for one in profile.constraints] == ["a<2"]


def test_parts_appear_only_where_they_say_something(tmp_path: Path) -> None:
    new = {Part.CONSTRAINTS, Part.FROM_LOCK, Part.HASHES}
    plain = inputs(read(tmp_path, FILES, reqs="a\n"), None)
    assert not new & plain.parts.keys()

    hashed = inputs(read(tmp_path, FILES, reqs=f"-c b.txt\na --hash=sha256:{ONE}\n", b="c<1"), None)

    assert new & hashed.parts.keys() == {Part.CONSTRAINTS, Part.HASHES}
    assert plain.parts.items() < hashed.parts.items()


PROJECT = """[project]
name = "App"
dependencies = ["web>=1"]
[project.optional-dependencies]
Fast_Path = ["speed"]
all = ["app[fast-path]", "more"]
[dependency-groups]
base = ["six"]
Prod = ["gunicorn", { include-group = "base" }]
circle = [{ include-group = "circle" }]
odd = [{ include = "base" }]
lost = [{ include-group = "bas" }]
"""


def pyproject(root: Path, wish: str = "", text: str = PROJECT, tables: str = "") -> list[str]:
    """What a profile that takes a project asks for."""
    (root / "app").mkdir(exist_ok=True)
    (root / "app/pyproject.toml").write_text(text)
    taken = f'[[pyproject]]\nfile = "../app/pyproject.toml"\n{wish}\n{tables}'
    return [f"{one.text} {one.location.line}" for one in read(root, "", taken).requirements]


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        ("", ["web>=1 3"]),
        ('extras = ["fast.path"]', ["speed 5", "web>=1 3"]),
        ('extras = ["all", "fast-path"]', ["more 6", "speed 5", "web>=1 3"]),
        ('groups = ["prod"]', ["gunicorn 9", "six 8", "web>=1 3"]),
        ('groups = ["base"]\nextras = []', ["six 8", "web>=1 3"]),
        ('only-groups = ["prod", "base"]', ["gunicorn 9", "six 8"]),
    ],
)
def test_extras_and_groups(tmp_path: Path, wish: str, asked: list[str]) -> None:
    assert pyproject(tmp_path, wish) == asked


@pytest.mark.parametrize(
    ("wish", "more", "message"),
    [
        ('extras = ["fast"]', "", "pyproject[0].extras[0]: app/pyproject.toml has no extra 'fast'"),
        (
            'groups = ["dev"]',
            "",
            "pyproject[0].groups[0]: app/pyproject.toml has no dependency group",
        ),
        (
            'groups = ["circle"]',
            "",
            "toml:10: dependency-groups.circle[0]: goes in a circle: circle -> circle",
        ),
        (
            'groups = ["lost"]',
            "",
            "app/pyproject.toml:12: dependency-groups.lost[0]: there is no dependency group 'bas'",
        ),
        ('groups = ["odd"]', "", "app/pyproject.toml:11: dependency-groups.odd[0]: neither"),
        ('only-groups = ["base"]\nextras = ["all"]', "", "extras beside only-groups"),
        ('only-groups = ["base"]\ngroups = ["prod"]', "", "groups beside only-groups"),
        ("group = []", "", "unknown key"),
        (
            "",
            '[tool.uv.sources]\nweb = { git = "https://x/y" }',
            "toml:3: project.dependencies[0]: [tool.uv.sources] takes web from elsewhere (git)",
        ),
        (
            "",
            '[tool.uv.sources]\nWeb = [{ index = "ours", marker = "x" }]',
            "takes web from elsewhere (index)",
        ),
        (
            "",
            '[tool.uv]\noverride-dependencies = ["six<1"]',
            "app/pyproject.toml:14: tool.uv.override-dependencies: changes",
        ),
        ("", "[tool]\nuv = 1", "tool.uv: an integer, not a table"),
    ],
)
def test_wrong_projects(tmp_path: Path, wish: str, more: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        pyproject(tmp_path, wish, PROJECT + more)
    assert message in caught.value.message
    assert caught.value.line
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "app/pyproject.toml has no [project]"),
        (
            '[project]\nname = "a"\ndynamic = ["dependencies"]',
            "app/pyproject.toml:3: project.dynamic: dep",
        ),
        (
            '[project]\ndependencies = ["a b"]',
            "app/pyproject.toml:2: project.dependencies[0]: 'a b' is no req",
        ),
        (
            '[project]\nrequires-python = ">=3.12"',
            "toml:2: project.requires-python: not for Python 3.11",
        ),
        ('[project]\nrequires-python = "new"', "toml:2: project.requires-python: no versions"),
        ("[project", "app/pyproject.toml:1: not valid TOML"),
    ],
)
def test_projects_that_say_nothing(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        pyproject(tmp_path, "", text)
    assert message in caught.value.message


def test_an_index_of_the_project_that_is_the_profiles_too(tmp_path: Path) -> None:
    text = f'{PROJECT}[tool.uv.sources]\nweb = {{ index = "ours" }}'
    index = '[indexes.ours]\nurl = "https://example.com/simple"\npackages = ["web"]'

    assert pyproject(tmp_path, "", text, index) == ["web>=1 3"]


def test_one_table_for_a_project(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="one table") as caught:
        read(tmp_path, "", '[pyproject]\nfile = "../app/pyproject.toml"')
    assert "[[pyproject]]" in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "table", "message", "hint"),
    [
        ("", "", "profiles/x.toml:7: from-lock.file: missing", 'file = "../app/uv.lock"'),
        ("", 'file = "../app/none.lock"', "none.lock is no lock that can be taken", "uv.lock"),
        ("", 'file = "../app/poetry.lock"', "poetry.lock is no lock", "poetry export"),
        ("", 'file = "../app/uv.lock"', "there is no app/uv.lock", "mend"),
        ("", 'file = "/srv/uv.lock"', "absolute path", "relative"),
        ("", 'file = "../app/pylock.toml"\nonly-groups = ["x"]', "groups alone", "take it out"),
        ("", 'file = "uv.lock"\ngroup = "x"', "unknown key", "'groups'"),
        (
            'requirements = ["a"]',
            'file = "uv.lock"',
            "x.toml:3: requirements: requirements beside",
            "extends",
        ),
    ],
)
def test_wrong_locks_of_teams(
    tmp_path: Path, asked: str, table: str, message: str, hint: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, asked, f"[from-lock]\n{table}")
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.line


def nested(depth: int) -> str:
    """A requirement whose marker stands in that many parentheses."""
    return f"lib ; {'(' * depth}python_version > '3'{')' * depth}"


def test_a_marker_that_is_nested_deeply(tmp_path: Path) -> None:
    (found,) = read(tmp_path, FILES, reqs=f"{nested(50)}\n").requirements
    assert found.text == "lib; python_version > '3'".replace("'", '"')


@pytest.mark.parametrize("depth", [51, 100, 5000])
def test_a_marker_that_is_nested_too_deeply(tmp_path: Path, depth: int) -> None:

    with pytest.raises(DocumentError, match=r"app/reqs\.txt:2: a marker that is nested too deeply"):
        read(tmp_path, FILES, reqs=f"web\n{nested(depth)}\n")


def test_a_number_that_nobody_can_read(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"app/reqs\.txt:2: a number of a thousand digits"):
        read(tmp_path, FILES, reqs=f"web\nlib >= {'9' * 5000}\n")


def test_a_pipe_or_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(LARGEST + 1)
    (tmp_path / "most.txt").write_bytes(b"\n" * 10)

    for name, reason in (("pipe.txt", "no regular file"), ("huge.txt", "more than 64 MiB")):
        with pytest.raises(OSError, match=reason):
            read_regular(tmp_path / name)
    assert read_regular(tmp_path / "most.txt") == b"\n" * 10


@pytest.mark.parametrize("asked", ["-r ../../outside.txt", "-c ../../outside.txt", "-r link.txt"])
@pytest.mark.parametrize(
    "line",
    [
        "root:$6$canary:19000:0:99999:7:::",
        "canary secret",
        "--canary=1",
        "canary --hash=md5:0",
        "https://host/canary",
        "https://host/canary.whl",
        "-r canary.txt",
        "-e canary",
    ],
)
def test_nothing_is_shown_of_a_file_outside_of_the_project(
    tmp_path: Path, asked: str, line: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.txt").write_text(f"# one\n{line}\n")
    (project / "app").mkdir()
    (project / "app/link.txt").symlink_to("../../outside.txt")

    with pytest.raises(DocumentError) as caught:
        read(project, FILES, reqs=asked)

    place = "app/link.txt:2" if "link" in asked else "../outside.txt:2"
    assert caught.value.message.startswith(f"{place}: can't be taken")
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"
    assert "copy the file into the project" in caught.value.hint


def test_requirements_outside_of_the_project_are_taken(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.txt").write_text("web\n")

    profile = read(project, FILES, reqs="-r ../../outside.txt")

    assert [str(one.location) for one in profile.requirements] == ["../outside.txt:1"]


def test_a_url_of_a_package_that_is_named_for_an_index(tmp_path: Path) -> None:
    tables = '[indexes.ours]\nurl = "https://example.com/simple"\npackages = ["other"]'

    with pytest.raises(DocumentError, match=r"^app/reqs\.txt:2: other by a URL, which \[indexes"):
        read(tmp_path, FILES, tables, reqs=f"web\n{OTHER}\n")

    assert read(tmp_path, FILES, tables, reqs="web\nother\n").requirements
