"""Profiles as read: what they inherit, and what is said about wrong ones."""

from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode, UsageError
from basestore.profile.document import DocumentError
from basestore.profile.model import (
    DebianFoundation,
    ImageSettings,
    Index,
    Location,
    Project,
    RecordException,
)
from basestore.profile.project import UnknownProfileError, read_project
from basestore.profile.reader import read_profile
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")

ROOT = """python = "3.11"
platforms = ["linux/amd64"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
PARENT = f"""{ROOT}[indexes.extra]
url = "https://example.com/simple"
packages = ["internal"]
[path-conflicts]
"lib/x.py" = ["a", "b"]
"""
FILES = {
    "profiles/runtime.toml": PARENT,
    "profiles/second.toml": 'extends = "runtime"\n',
    "profiles/third.toml": 'extends = "second"\n',
    "option.txt": "# ours\na\n--extra-index-url https://user:secret@example.com/simple\n",
    "credential.txt": "a @ git+https://user:secret@example.com/a.git\n",
    "editable.txt": "-e ../lib\n",
    "hash.txt": "a==1 --hash=sha256:00\n",
    "continued.txt": "a==1 \\\n  --hash=sha256:00\n",
    "constraint.txt": "-c c.txt\n",
    "wrong.txt": "a\n\nb c # d\n",
    "circle.txt": "-r deeper/circle.txt\n",
    "deeper/circle.txt": "a\n--requirement=../circle.txt\n",
    "includes.txt": "-rnone.txt\n",
}
_CASES = Path(__file__).parents[1].joinpath("golden/bad-profiles.txt").read_text()


def write(root: Path, files: dict[str, str]) -> Project:
    """A project with these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return read_project(root)


def _cases() -> list[object]:
    cases = []
    for block in _CASES.split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, answer = rest.partition("\n--- exit ")
        code, message, hint = answer.strip().split("\n")
        text = f"{text}\n".replace("<root>\n", ROOT)
        cases.append(pytest.param(text, int(code), message, hint, id=title))
    return cases


@pytest.mark.parametrize(("text", "code", "message", "hint"), _cases())
def test_wrong_profiles(tmp_path: Path, text: str, code: int, message: str, hint: str) -> None:
    project = write(tmp_path, {**FILES, "profiles/bad.toml": text})
    with pytest.raises(DocumentError) as caught:
        read_profile(project, "bad")
    error = caught.value
    assert (error.exit_code, error.hint) == (code, hint)
    expected, cut, _ = message.partition("…")
    assert error.message.startswith(expected) if cut else error.message == expected
    assert "secret" not in f"{error.message}{error.hint}"
    assert error.line is None or f"{error.file}:{error.line}: " in error.message


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    project = write(tmp_path, FILES)
    (project.profiles / "bad.toml").write_bytes(b'python = "3.11"\n# caf\xe9\n')
    with pytest.raises(DocumentError, match=r"^profiles/bad\.toml:2: not UTF-8 text$"):
        read_profile(project, "bad")


@pytest.mark.parametrize("deep", ["[" * 9000, '{"a"=' * 9000])
def test_nesting_without_end(tmp_path: Path, deep: str) -> None:
    project = write(tmp_path, {"profiles/bad.toml": f"a = {deep}"})
    with pytest.raises(DocumentError):
        read_profile(project, "bad")


def test_unknown_profile(tmp_path: Path) -> None:
    with pytest.raises(UnknownProfileError) as caught:
        read_profile(write(tmp_path, FILES), "runtme")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint.startswith("did you mean 'runtime'?")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "A", "a b", "-a", "a-", "a\n"])
def test_names_that_are_no_plain_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no plain name"):
        read_profile(write(tmp_path, FILES), name)


def test_a_root_profile(tmp_path: Path) -> None:
    text = """# A base.
python    = "3.11"
platforms = ["linux/arm64", "linux/amd64"]
requirements       = [
  "Fast_API>=0.100",  # the web
  "redis",
]
requirements-files = ["../libs/base.txt"]
[foundation]
debian   = "bookworm"
packages = ["tzdata", "python3.11"]
[image]
user = "1000:1000"
env = { A = "1" }
cmd = []
"""
    files = {
        "basestore.toml": '[policy]\nforbid = ["pytest"]\n',
        "profiles/x.toml": text,
        "libs/base.txt": "# shared\n-r more/web.txt\n\nredis ; python_version>='3'  # cache\n",
        "libs/more/web.txt": "\ufeffuvicorn[standard]\n",
    }
    profile = read_profile(write(tmp_path, files), "x")
    assert profile.python == "3.11"
    assert profile.platforms == (AMD64, ARM64)
    assert profile.foundation == DebianFoundation("bookworm", ("python3.11", "tzdata"))
    assert profile.image == ImageSettings(user="1000:1000", env={"A": "1"}, cmd=())
    assert profile.policy.forbidden == ("pytest",)
    assert [(r.name, r.text, str(r.location)) for r in profile.requirements] == [
        ("fast-api", "fast-api>=0.100", "profiles/x.toml:5"),
        ("redis", "redis", "profiles/x.toml:6"),
        ("redis", 'redis; python_version >= "3"', "libs/base.txt:4"),
        ("uvicorn", "uvicorn[standard]", "libs/more/web.txt:1"),
    ]
    digests = {name: Digest.of(text.encode()) for name, text in files.items()}
    said = Digest.of(b'{"policy":{"forbid":["pytest"]}}')
    assert profile.files == {**digests, "basestore.toml": said}


def test_a_file_included_twice_is_read_once(tmp_path: Path) -> None:
    files = {
        "profiles/x.toml": f'requirements-files = ["a.txt", "b.txt", "a.txt"]\n{ROOT}',
        "profiles/a.txt": "-r b.txt\n",
        "profiles/b.txt": "redis\n",
    }
    (requirement,) = read_profile(write(tmp_path, files), "x").requirements
    assert requirement.location == Location("profiles/b.txt", 1)


def test_a_child_takes_what_it_does_not_state(tmp_path: Path) -> None:
    parent = f"""{PARENT}
[image]
user = "app"
env = {{ A = "1", B = "2" }}
entrypoint = ["tini"]
labels = {{ team = "platform" }}
[policy]
forbid = ["black"]
"""
    child = """
extends = "runtime"
python = "3.11"
requirements = ["torch"]
[foundation]
debian = "bookworm"
[indexes.cpu]
url = "https://example.com/cpu"
packages = ["torch"]
[indexes.extra]
packages = ["more"]
[image]
env = { B = "3", PATH = "/opt/x/bin:/opt/venv/bin:/usr/bin" }
entrypoint = []
[policy]
forbid = ["NVIDIA_*"]
[path-conflicts]
"lib/x.py" = ["c", "a", "b"]
"lib/y.py" = ["c", "D"]
"""
    project = write(tmp_path, {"profiles/runtime.toml": parent, "profiles/cpu.toml": child})
    profile = read_profile(project, "cpu")
    assert [generation.name for generation in profile.lineage] == ["runtime", "cpu"]
    assert profile.foundation == DebianFoundation("bookworm", ("python3.11",))
    assert profile.platforms == (AMD64,)
    assert [requirement.name for requirement in profile.requirements] == ["torch"]
    assert profile.indexes == (
        Index("cpu", "https://example.com/cpu", ("torch",)),
        Index("extra", "https://example.com/simple", ("internal", "more")),
    )
    env = {"A": "1", "B": "3", "PATH": "/opt/x/bin:/opt/venv/bin:/usr/bin"}
    assert profile.image == ImageSettings("app", "", env, (), None, {"team": "platform"})
    assert profile.policy.forbidden == ("black", "nvidia-*")
    assert profile.path_conflicts == {"lib/x.py": ("c", "a", "b"), "lib/y.py": ("c", "d")}
    assert set(profile.files) == {"profiles/runtime.toml", "profiles/cpu.toml"}


def test_exceptions_from_record(tmp_path: Path) -> None:
    parent = f'{PARENT}[record-exceptions]\nZope_Interface = "{"ü" * 200}"\nold = "no RECORD"\n'
    child = 'extends = "runtime"\nrecord-exceptions = { Own = "ours → theirs", old = "still" }\n'
    project = write(tmp_path, {"profiles/runtime.toml": parent, "profiles/cpu.toml": child})

    runtime = read_profile(project, "runtime").record_exceptions
    cpu = read_profile(project, "cpu").record_exceptions

    assert runtime == {
        "old": RecordException("no RECORD", Location("profiles/runtime.toml", 13)),
        "zope-interface": RecordException("ü" * 200, Location("profiles/runtime.toml", 12)),
    }
    assert list(cpu.items()) == [
        ("old", RecordException("still", Location("profiles/cpu.toml", 2))),
        ("own", RecordException("ours → theirs", Location("profiles/cpu.toml", 2))),
        ("zope-interface", runtime["zope-interface"]),
    ]


@pytest.mark.parametrize("unseen", ["\\u0085", "\\u009b", "\\u2028", "\\u202e", "\\u007f", "\\t"])
def test_a_reason_is_one_line_without_what_nobody_sees(tmp_path: Path, unseen: str) -> None:
    text = f'{ROOT}[record-exceptions]\ndemo = "its{unseen}RECORD"\n'
    with pytest.raises(DocumentError, match=r"record-exceptions\.demo: has a control character"):
        read_profile(write(tmp_path, {"profiles/x.toml": text}), "x")


def test_a_child_that_replaces_packages(tmp_path: Path) -> None:
    child = """extends = "runtime"
replaces = [
  "Torch",
  "numpy", "torch",
]
requirements = ["torch>=2"]
"""
    grandchild = 'extends = "cpu"\nrequirements = ["torch<3", "numpy<2"]\n'
    parent = f'requirements = ["torch<2", "numpy"]\n{PARENT}'
    project = write(
        tmp_path,
        {
            "profiles/runtime.toml": parent,
            "profiles/cpu.toml": child,
            "profiles/ml.toml": grandchild,
        },
    )
    profile = read_profile(project, "cpu")

    assert list(profile.replaces.items()) == [
        ("numpy", Location("profiles/cpu.toml", 4)),
        ("torch", Location("profiles/cpu.toml", 3)),
    ]
    assert [r.text for r in profile.demanded("torch")] == ["torch>=2"]
    assert [r.text for r in profile.demanded("numpy")] == ["numpy"]
    youngest = read_profile(project, "ml")
    assert youngest.replaces == {}
    assert [r.text for r in youngest.demanded("torch")] == ["torch>=2", "torch<3"]
    assert [r.text for r in youngest.demanded("numpy")] == ["numpy", "numpy<2"]


def test_a_child_may_name_a_package_for_another_index(tmp_path: Path) -> None:
    parent = PARENT.replace('["internal"]', '["internal", "torch", "vision"]')
    child = """extends = "runtime"
[indexes.default]
packages = ["Vision"]
[indexes.cuda]
url = "https://example.com/cuda"
packages = ["torch"]
"""
    project = write(tmp_path, {"profiles/runtime.toml": parent, "profiles/gpu.toml": child})
    profile = read_profile(project, "gpu")

    assert profile.indexes == (
        Index("cuda", "https://example.com/cuda", ("torch",)),
        Index("extra", "https://example.com/simple", ("internal",)),
    )
    found = [profile.index_of(name) for name in ("torch", "internal", "vision")]
    assert found == ["cuda", "extra", None]


def test_a_wrong_parent_is_named_with_its_own_file(tmp_path: Path) -> None:
    files = {
        "profiles/a.toml": 'extends = "b"\n',
        "profiles/b.toml": 'extends = "a"\n',
        "profiles/c.toml": 'extends = "d"\n',
        "profiles/d.toml": f"colour = 1\n{ROOT}",
    }
    project = write(tmp_path, files)
    with pytest.raises(DocumentError, match=r"profiles/b\.toml:1: extends: .*: a -> b -> a$"):
        read_profile(project, "a")
    with pytest.raises(DocumentError, match=r"^profiles/d\.toml:1: colour: unknown key$"):
        read_profile(project, "c")
