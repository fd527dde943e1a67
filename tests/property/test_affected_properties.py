"""Whatever happens to files: a service is affected if and only if it would copy something else."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from committing import GIT, git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from locked_project import lock
from serving_project import NAMES, make_serving_project

from basestore.digest import Digest
from basestore.errors import InputError, PolicyError
from basestore.layer.application import read_application
from basestore.lock.freshness import check
from basestore.pipeline.affected import affected
from basestore.profile.model import Project
from basestore.profile.project import read_project
from basestore.sources.git import Git

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SERVICES = ("api", "ocr", "jobs")
PATHS = (
    "apps/api/main.py",
    "apps/api/notes.md",
    "apps/api/tests/one.py",
    "apps/api/deep/er/two.py",
    "apps/jobs/main.py",
    "apps/jobs/deep/three.py",
    "libs/shared/words.py",
    "libs/new.py",
    "apps/ocr/main.py",
    "apps/elsewhere.py",
    ".dockerignore",
    "apps/api/.dockerignore",
)
RULES = (
    "",
    "*.md\n",
    "tests\n",
    "**/*.py\n!main.py\n",
    "libs\n",
    "deep\n!deep/er\n",
    "apps/jobs\n",
)

_PATH = st.sampled_from(PATHS)
_EDIT = st.one_of(
    st.tuples(st.just("write"), _PATH, st.sampled_from(("", "a = 1\n", "print('api')\n"))),
    st.tuples(st.just("rules"), st.sampled_from(PATHS[-2:]), st.sampled_from(RULES)),
    st.tuples(st.just("delete"), _PATH, st.just("")),
    st.tuples(st.just("chmod"), _PATH, st.just("")),
    st.tuples(st.just("link"), _PATH, st.sampled_from(("main.py", "words.py", "deep"))),
    st.tuples(st.just("move"), _PATH, _PATH),
    st.tuples(st.just("touch"), _PATH, st.just("")),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("affected") / "project"
    make_serving_project(folder)
    return folder


SAYINGS = (
    ("profiles/runtime.toml", '"httpx"]', '"httpx", "rich"]'),
    ("profiles/runtime.toml", "[foundation]", "# a comment\n[foundation]"),
    ("profiles/base.txt", "orjson", "orjson>=1"),
    ("profiles/base.txt", "orjson", "\n# a comment\norjson"),
    ("profiles/cpu.toml", '["torch"]', '["torch", "rich"]'),
    ("profiles/cpu.toml", '["torch"]', '[ "torch" ]'),
    ("apps/ocr/requirements.txt", "pypdf", "pypdf\nrich"),
    ("basestore.toml", 'context = "apps/api"', 'context = "apps/api"\nuser = "1000"'),
    ("basestore.toml", "[services.ocr]", "\n[services.ocr]"),
    ("basestore.toml", "[services.api]", '[policy]\nforbid = ["torch"]\n\n[services.api]'),
    ("basestore.toml", 'base = "runtime"', 'base = "cpu"'),
    ("locks/api.lock", "itsdangerous-1", "itsdangerous-2"),
    ("locks/cpu.origin.toml", "uv 1", "uv 2"),
)
_SAYING = st.one_of(
    st.sampled_from(SAYINGS), st.tuples(st.just("lock"), st.sampled_from(NAMES), st.just(""))
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(_EDIT, max_size=4),
    after=st.lists(_EDIT, max_size=4),
    is_committed=st.booleans(),
)
def test_affected_is_what_would_copy_something_else(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, str, str]],
    after: list[tuple[str, str, str]],
    is_committed: bool,
) -> None:
    root = tmp_path_factory.mktemp("edited") / "project"
    shutil.copytree(template, root, symlinks=True)
    for edit in before:
        apply(root, *edit)
    commit_all(root)
    git(root, "tag", "then")
    then = copied(root)
    for edit in after:
        apply(root, *edit)
    now = copied(root)
    if is_committed:
        commit_all(root)

    found = affected(read_project(root), Git(root, GIT).revision("then"), NOW)

    built = {one.name for one in found.names if one.build}
    differing = {name for name in SERVICES if now[name] != then[name]}
    broken = {name for name in SERVICES if now[name] is then[name] is None}
    assert built - broken == differing


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sayings=st.lists(_SAYING, max_size=6, unique=True))
def test_what_has_to_be_locked_is_what_is_not_fresh(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sayings: list[tuple[str, str, str]],
) -> None:
    """All was fresh in the revision, so whatever isn't is so by the change."""
    root = tmp_path_factory.mktemp("said") / "project"
    shutil.copytree(template, root, symlinks=True)
    for what, old, new in sayings:
        if what == "lock":
            lock(root, old)
        else:
            text = (root / what).read_text()
            (root / what).write_text(text.replace(old, new, 1))

    project = read_project(root)
    found = affected(project, Git(root, GIT).revision("HEAD"), NOW)

    assert {one.name for one in found.names if one.lock} == set(filter(stale(project), NAMES))
    changed = {name for name in NAMES if differs(template, root, f"locks/{name}.lock")}
    built = {one.name for one in found.names if one.build}
    assert changed <= built
    for name, service in project.services.items():
        assert service.base not in built or name in built


def stale(project: Project) -> Callable[[str], bool]:
    def is_stale(name: str) -> bool:
        try:
            return not check(project, name, NOW).fresh
        except (InputError, PolicyError):
            return True

    return is_stale


def differs(one: Path, other: Path, file: str) -> bool:
    return (one / file).read_bytes() != (other / file).read_bytes()


def copied(root: Path) -> dict[str, Digest | None]:
    """What each service copies; None where it can't."""
    project = read_project(root)
    found: dict[str, Digest | None] = {}
    for name in SERVICES:
        try:
            found[name] = read_application(root, project.services[name], "/app").recipe.digest
        except InputError:
            found[name] = None
    return found


def apply(root: Path, what: str, file: str, other: str) -> None:
    """Edit a file, if that can be done."""
    path = root / file
    if what in ("write", "rules", "link"):
        if path.is_dir() or any(parent.is_file() for parent in path.parents):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if what == "link":
            path.symlink_to(other)
        else:
            path.write_text(other)
    elif path.is_symlink() or not path.is_file():
        return
    elif what == "delete":
        path.unlink()
    elif what == "chmod":
        path.chmod(path.stat().st_mode ^ 0o100)
    elif what == "touch":
        path.write_bytes(path.read_bytes())
    elif not (root / other).is_dir() and other != file:
        (root / other).parent.mkdir(parents=True, exist_ok=True)
        path.replace(root / other)


def commit_all(root: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "nothing")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "--amend", "-m", "edits")
