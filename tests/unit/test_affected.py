"""What has to be done for a change: never less than needed, and little more."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from committing import GIT, commit, git
from locked_project import edit, lock
from serving_project import make_serving_project, write

from basestore.lock.files import IMAGES_FILE
from basestore.pipeline.affected import Impact, affected
from basestore.profile.project import read_project
from basestore.sources.git import Git

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("affected") / "project"
    make_serving_project(folder)
    return folder


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "project", symlinks=True)


def impact(root: Path, since: str = "HEAD") -> Impact:
    return affected(read_project(root), Git(root, GIT).revision(since), NOW)


def verbs(root: Path, since: str = "HEAD") -> dict[str, str]:
    """The first letters of what is to be done with each name."""
    return {
        one.name: "".join(
            letter
            for letter, wanted in (("l", one.lock), ("b", one.build), ("p", one.push))
            if wanted
        )
        for one in impact(root, since).names
    }


def causes(root: Path, name: str) -> list[str]:
    (found,) = (one for one in impact(root).names if one.name == name)
    return [str(cause) for cause in found.causes]


def test_nothing(root: Path) -> None:
    assert impact(root) == Impact((), ())


def test_a_requirement_reaches_everything_below(root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')

    assert verbs(root) == {"cpu": "lbp", "ocr": "lbp", "jobs": "lbp"}
    assert causes(root, "cpu") == ["profiles/cpu.toml:2: rich was added"]
    assert causes(root, "ocr") == ["cpu, which it stands on, has to be locked"]


def test_what_is_locked_already_is_only_built(root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    for name in ("cpu", "ocr"):
        lock(root, name)

    assert verbs(root) == {"cpu": "bp", "ocr": "bp", "jobs": "lbp"}
    assert causes(root, "ocr") == ["cpu, which it stands on, has to be built"]
    commit(root)
    assert verbs(root) == {}
    assert verbs(root, "HEAD~1") == {"cpu": "bp", "ocr": "bp", "jobs": "lbp"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("profiles/runtime.toml", 'python = "3.11"', '# newer\npython   = "3.11"'),
        ("profiles/base.txt", "orjson", "# fast\norjson"),
        ("basestore.toml", "[services.api]", "# one more line\n[services.api]"),
        ("apps/api/README.md", "nothing", "nothing at all"),
        ("apps/api/.dockerignore", "tests", "# comments\ntests"),
        ("apps/jobs/main.py", "print", "print"),
    ],
)
def test_what_says_the_same_affects_nothing(root: Path, file: str, old: str, new: str) -> None:
    edit(root / file, old, new)

    assert verbs(root) == {}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("apps/api/main.py", "api"),
        ("apps/api/deep/new.py", "api"),
        ("libs/shared/words.py", "jobs"),
        ("libs/other/new.py", "jobs"),
        ("apps/jobs/second.py", "jobs"),
    ],
)
def test_code(root: Path, file: str, name: str) -> None:
    write(root, file, "changed = 1\n")

    assert verbs(root) == {name: "bp"}
    assert causes(root, name) == [f"{file}: changed"]
    commit(root)
    assert verbs(root, "HEAD~1") == {name: "bp"}


@pytest.mark.parametrize(
    "file",
    [
        "apps/api/tests/new.py",
        "apps/api/NOTES.md",
        "apps/api/__pycache__/main.cpython-311.pyc",
        "apps/jobs/notes.txt",
        "apps/new/main.py",
        "docs/new.md",
    ],
)
def test_files_that_nobody_copies(root: Path, file: str) -> None:
    write(root, file, "new\n")

    assert verbs(root) == {}
    commit(root)
    assert verbs(root, "HEAD~1") == {}


def test_a_file_that_git_ignores_is_copied_all_the_same(root: Path) -> None:
    write(root, ".gitignore", "*.bin\n")
    write(root, "apps/api/model.bin", "1\n")

    assert causes(root, "api") == ["apps/api/model.bin: changed"]


def test_a_file_that_is_gone(root: Path) -> None:
    (root / "libs/shared/words.py").unlink()
    write(root, "libs/shared/other.py", "")

    assert causes(root, "jobs") == [
        "libs/shared/other.py: changed",
        "libs/shared/words.py: changed",
    ]


def test_rules_that_leave_out_more_or_less(root: Path) -> None:
    write(root, "apps/api/.dockerignore", "tests\n")

    assert causes(root, "api") == ["apps/api/README.md: changed"]
    write(root, "apps/api/.dockerignore", "*.md\ntests\nmain.py\n")
    write(root, "apps/api/other.py", "")
    assert causes(root, "api") == ["apps/api/main.py: changed", "apps/api/other.py: changed"]


def test_modes_and_links(root: Path) -> None:
    (root / "apps/ocr/other.py").symlink_to("main.py")
    commit(root)
    (root / "apps/api/main.py").chmod(0o755)
    (root / "apps/ocr/other.py").unlink()
    (root / "apps/ocr/other.py").symlink_to("requirements.txt")

    assert verbs(root) == {"api": "bp", "ocr": "bp"}
    (root / "apps/api/main.py").chmod(0o644)
    (root / "apps/ocr/other.py").unlink()
    (root / "apps/ocr/other.py").symlink_to("main.py")
    assert verbs(root) == {}


def test_files_that_move_to_where_they_are_the_same(root: Path) -> None:
    """The context is another, the image's files are not; what decides is what is copied."""
    git(root, "mv", "apps/api", "apps/web")
    edit(root / "basestore.toml", "apps/api", "apps/web")

    assert verbs(root) == {}


def test_a_file_that_git_forgets_and_that_is_the_same(root: Path) -> None:
    git(root, "rm", "-q", "--cached", "apps/api/main.py")

    assert verbs(root) == {}


def test_a_service_entry(root: Path) -> None:
    edit(root / "basestore.toml", '["itsdangerous"]', '["itsdangerous", "rich"]')
    edit(root / "basestore.toml", '"apps/jobs/*.py"', '"apps/jobs/*.md"')

    assert verbs(root) == {"api": "lbp", "jobs": "bp"}
    assert causes(root, "api") == ["basestore.toml:6: rich was added"]
    (cause,) = causes(root, "jobs")
    assert "apps/jobs/*.md" in cause


def test_an_environment_is_locked(root: Path) -> None:
    edit(root / "basestore.toml", 'context = "apps/api"', 'context = "apps/api"\nuser = "10001"')

    assert verbs(root) == {"api": "lbp"}


def test_a_requirements_file_of_a_service(root: Path) -> None:
    write(root, "apps/ocr/requirements.txt", "pypdf\nrich\n")

    assert verbs(root) == {"ocr": "lbp"}
    assert causes(root, "ocr") == [
        "apps/ocr/requirements.txt:2: rich was added",
        "apps/ocr/requirements.txt: changed",
    ]


def test_what_is_new(root: Path) -> None:
    write(root, "profiles/web.toml", 'extends = "runtime"\n')
    text = '[services.mail]\nbase = "web"\ncontext = "apps/api"\n'
    write(root, "basestore.toml", (root / "basestore.toml").read_text() + text)

    assert verbs(root) == {"web": "lbp", "mail": "lbp"}


def test_another_base(root: Path) -> None:
    edit(root / "basestore.toml", 'base = "runtime"', 'base = "cpu"')

    assert verbs(root) == {"api": "lbp"}


def test_other_repositories_are_pushed_to(root: Path) -> None:
    edit(root / "basestore.toml", 'base = "runtime"', 'base = "runtime"\nimage = "web-api"')
    assert verbs(root) == {"api": "p"}

    edit(root / "basestore.toml", "example.com/team", "example.com/other")
    assert verbs(root) == dict.fromkeys(("runtime", "cpu", "api", "jobs", "ocr"), "p")


def test_a_policy_that_refuses(root: Path) -> None:
    text = (root / "basestore.toml").read_text()
    write(root, "basestore.toml", f'{text}[policy]\nforbid = ["torch"]\n')

    assert verbs(root) == dict.fromkeys(("cpu", "jobs", "ocr"), "lbp")
    (cause,) = causes(root, "cpu")
    assert cause.endswith("torch 1 is forbidden as 'torch'")


def test_what_can_not_be_taken(root: Path) -> None:
    """It is a cause, so that the job that locks or builds tells it."""
    edit(root / "profiles/cpu.toml", "requirements", "requires")
    shutil.rmtree(root / "apps/api")

    assert verbs(root) == {"cpu": "lbp", "api": "bp", "jobs": "lbp", "ocr": "lbp"}
    assert "unknown key" in causes(root, "cpu")[0]


def test_a_merged_lock(root: Path) -> None:
    edit(root / "locks/cpu.lock", '"torch-1-', '"torch-2-')

    assert verbs(root)["cpu"] == "lbp"


def test_an_image_of_the_same_lock(root: Path) -> None:
    """Another version of the tool gave the lock another image: services stand on that."""
    digest = read_lock_hex(root, "cpu")
    row = '{{ profile = "cpu", lock = "{}", image = "sha256:{}", platforms = {{}} }},\n'
    write(root, IMAGES_FILE, f"images = [\n  {row.format(digest, '1' * 64)}]\n")
    commit(root)
    write(root, IMAGES_FILE, f"images = [\n  {row.format(digest, '2' * 64)}]\n")

    assert verbs(root) == {"cpu": "bp", "jobs": "bp", "ocr": "bp"}


def read_lock_hex(root: Path, name: str) -> str:
    from basestore.digest import Digest

    return Digest.of((root / f"locks/{name}.lock").read_bytes()).hex


def test_pins_of_a_base_that_is_to_be_another(root: Path) -> None:
    text = (root / "basestore.toml").read_text()
    write(root, "basestore.toml", f'{text}[pins]\nfiles = ["deploy/*"]\n')
    for name in ("runtime", "cpu"):
        reference = f"registry.example.com/team/base-{name}:{'1' * 64}@sha256:{'2' * 64}"
        write(root, f"deploy/{name}.Dockerfile", f"FROM {reference}\n")
    commit(root)

    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')

    assert impact(root).pins == ("deploy/cpu.Dockerfile",)
    edit(root / "profiles/runtime.toml", '"httpx"', '"httpx", "rich"')
    assert impact(root).pins == ("deploy/cpu.Dockerfile", "deploy/runtime.Dockerfile")


def test_pins_that_name_the_new_image_already(root: Path) -> None:
    text = (root / "basestore.toml").read_text()
    write(root, "basestore.toml", f'{text}[pins]\nfiles = ["deploy/*"]\n')
    commit(root)
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    digest, image = lock(root, "cpu").hex, "1" * 64
    row = f'{{ profile = "cpu", lock = "{digest}", image = "sha256:{image}", platforms = {{}} }}'
    write(root, IMAGES_FILE, f"images = [\n  {row},\n]\n")
    pin = f"FROM registry.example.com/team/base-cpu:{digest}@sha256:{image}\n"
    write(root, "deploy/new.Dockerfile", pin)
    write(root, "deploy/old.Dockerfile", pin.replace(digest, "0" * 64))

    assert verbs(root)["cpu"] == "bp"
    assert impact(root).pins == ("deploy/old.Dockerfile",)


def test_a_project_below_the_repository(tmp_path: Path) -> None:
    """Paths are the project's; what has changed beside it is not its."""
    root = tmp_path / "repository/bases"
    make_serving_project(root)
    shutil.rmtree(root / ".git")
    git(root.parent, "init", "-q")
    commit(root.parent)

    write(root.parent, "elsewhere/new.py", "")
    write(root, "apps/api/main.py", "")

    assert verbs(root) == {"api": "bp"}
    assert causes(root, "api") == ["apps/api/main.py: changed"]


def test_a_service_that_an_engine_builds(root: Path) -> None:
    """All of its context may be copied by its Dockerfile, which may lie outside of it."""
    edit(root / "basestore.toml", 'base = "runtime"', 'base = "runtime"\nbuilder = "docker"')
    assert causes(root, "api") == ["basestore.toml:3: is built otherwise"]
    edit(root / "basestore.toml", 'builder = "docker"', 'builder = "docker"\ndockerfile = "api.df"')
    write(root, "api.df", "FROM x\n")
    commit(root)

    write(root, "api.df", "FROM y\n")
    assert causes(root, "api") == ["api.df: changed"]
    commit(root)
    write(root, "apps/api/anything.txt", "")
    write(root, "apps/api/NOTES.md", "")
    assert causes(root, "api") == ["apps/api/anything.txt: changed"]
    commit(root)
    edit(root / "basestore.toml", '"api.df"', '"api.df"\nbuild-args = { A = "1" }')
    assert causes(root, "api") == ["basestore.toml:3: is built otherwise"]


def test_a_context_that_is_a_link(root: Path) -> None:
    (root / "current").symlink_to("apps/api")
    edit(root / "basestore.toml", 'context = "apps/api"', 'context = "current"')
    assert verbs(root) == {}
    commit(root)

    write(root, "apps/api/main.py", "changed = 1\n")
    assert causes(root, "api") == ["apps/api/main.py: changed"]
    commit(root)
    (root / "current").unlink()
    (root / "current").symlink_to("apps/jobs")
    assert verbs(root) == {"api": "bp"}


def test_a_project_file_that_could_not_be_read(root: Path) -> None:
    """Then nothing is known of what it said, and everything may be another."""
    text = (root / "basestore.toml").read_text()
    write(root, "basestore.toml", f"nonsense = 1\n{text}")
    commit(root)
    write(root, "basestore.toml", text)

    assert verbs(root) == {"runtime": "p", "cpu": "p", "api": "bp", "jobs": "bp", "ocr": "bp"}
