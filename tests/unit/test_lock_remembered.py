"""Checks that are remembered: what is, for how long, and what makes them be made again."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from held_project import HeldProject, make_held_project, wheel

from basestore.lock.freshness import Freshness, check
from basestore.lock.policy import PolicyHitError
from basestore.profile.project import read_project
from basestore.state import State

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = datetime(2027, 2, 1, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, written once."""
    folder = tmp_path_factory.mktemp("held")
    make_held_project(folder)
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> HeldProject:
    """The project, to be changed."""
    shutil.copytree(template, tmp_path / "project")
    return HeldProject(tmp_path / "project")


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A memory without anything in it."""
    return State.open(tmp_path / "state")


def looked(
    project: HeldProject, state: State, name: str = "ml", now: datetime | None = NOW
) -> Freshness:
    """What a check with a memory finds."""
    return check(read_project(project.root), name, now, state)


def records(state: State) -> int:
    """How many checks are remembered."""
    assert state.folder
    return sum(path.is_file() for path in state.folder.rglob("*"))


def test_a_check_that_passed_is_remembered_with_its_parents(
    project: HeldProject, state: State
) -> None:
    first = looked(project, state)
    assert (first.fresh, records(state)) == (True, 2)
    assert looked(project, state) == first
    assert looked(project, state, now=None) == first
    assert records(state) == 2


def _forge(name: str) -> Callable[[HeldProject], None]:
    def change(project: HeldProject) -> None:
        draft = project.draft(name)
        draft.put(wheel("miner", "1.0", name))
        project.save(name, draft)

    return change


def _edit(file: str, old: str, new: str) -> Callable[[HeldProject], None]:
    return lambda project: project.edit(file, old, new)


CHANGES = {
    "lock and origin": _forge("ml"),
    "lock": _edit("locks/ml.lock", "sympy-1.13-py3-none-any.whl", "sympy-1.13-py2-none-any.whl"),
    "origin": _edit("locks/ml.origin.toml", 'requires = ["sympy"]', ""),
    "profile": _edit("profiles/ml.toml", "torch==2.13.0", "torch==2.14.0"),
    "parent's profile": _edit("profiles/base.toml", "fastapi>=0.100", "fastapi>=0.200"),
    "parent's requirements": _edit("profiles/pinned.txt", "numpy==2.1.0", "numpy==2.2.0"),
    "parent's constraints": _edit("profiles/bounds.txt", "anyio<5", "anyio<4"),
    "parent's lock and origin": _forge("base"),
    "parent's origin": _edit("locks/base.origin.toml", 'requires = ["anyio"]', ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_read_makes_it_be_looked_at_again(
    project: HeldProject, state: State, change: Callable[[HeldProject], None]
) -> None:
    assert looked(project, state).fresh
    change(project)
    assert not looked(project, state).fresh


def test_a_new_policy_is_judged(project: HeldProject, state: State) -> None:
    assert looked(project, state).fresh
    project.write("basestore.toml", 'policy.forbid = ["torch"]\n')
    with pytest.raises(PolicyHitError):
        looked(project, state)


def test_a_check_of_another_project_with_the_same_files_counts(
    project: HeldProject, state: State, tmp_path: Path
) -> None:
    assert looked(project, state).fresh
    shutil.copytree(project.root, tmp_path / "copy")
    assert looked(HeldProject(tmp_path / "copy"), state).fresh
    assert records(state) == 2


def test_what_isnt_noted_yet_or_isnt_fresh_is_not_remembered(
    project: HeldProject, state: State
) -> None:
    project.edit("profiles/ml.toml", "extends", "# ours\nextends")
    assert looked(project, state).moved == ("profiles/ml.toml",)
    _forge("team")(project)
    assert not looked(project, state, "team").fresh
    assert records(state) == 1  # their parent's


def test_what_an_exception_lets_pass_is_looked_at_each_time(
    project: HeldProject, state: State
) -> None:
    project.edit(
        "profiles/ml.toml",
        'requirements = ["anyio',
        'policy.forbid = ["torch"]\npolicy.allow = [{ rule = "forbid", package = "torch", '
        'reason = "for now", until = 2026-12-31 }]\nrequirements = ["anyio',
    )
    project.restate("ml")

    assert (looked(project, state).fresh, records(state)) == (True, 1)
    with pytest.raises(PolicyHitError, match="expired"):
        looked(project, state, now=LATER)


def test_what_is_old_enough_is_so_from_that_day_on(project: HeldProject, state: State) -> None:
    project.edit("profiles/ml.toml", "extends", 'policy.minimum-age = "10 days"\nextends')
    draft = project.draft("ml")
    for part in draft.lock.platforms:
        for one in part.wheels:
            draft.say(one.name, uploaded=datetime(2026, 11, 10, tzinfo=UTC))
    project.save("ml", draft)
    project.restate("ml")

    assert looked(project, state, now=None).fresh
    assert records(state) == 1  # without a day only their parent's
    assert (looked(project, state).fresh, records(state)) == (True, 2)
    assert looked(project, state, now=LATER).fresh
    with pytest.raises(PolicyHitError, match="too young"):
        looked(project, state, now=EARLIER)


def test_a_spoilt_memory_is_none(project: HeldProject, state: State) -> None:
    assert looked(project, state).fresh
    assert state.folder
    for text in ("", "[]", '{"since": 3}', "{", '{"since": "9999-01-01"}'):
        for path in state.folder.rglob("*"):
            if path.is_file():
                path.write_text(text)
        assert looked(project, state).fresh
