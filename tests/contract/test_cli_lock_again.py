"""`lock --check --resolve` as CI runs it: what it says, in which form, and how it ends."""

from dataclasses import replace
from pathlib import Path

import pytest
from clicases import command_line_on, index_of_wheels
from commandline import CommandLine, contents
from committing import commit, git

from basestore.lock.files import read_lock, read_origin, write_lock
from basestore.profile.project import read_project

AGAIN = ("lock", "--check", "--resolve", "--since", "HEAD")


@pytest.fixture
def root(root: Path) -> Path:
    """The locked project, committed."""
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


def forge(root: Path, name: str, **fields: object) -> None:
    """Give a package of the base another row in its origin."""
    project = read_project(root)
    how = read_origin(project, "runtime")
    assert how is not None
    rows = {**how.packages, name: replace(how.packages[name], **fields)}
    write_lock(project, read_lock(project, "runtime")[0], replace(how, packages=rows))


def test_what_is_as_it_was_asks_nobody(basestore: CommandLine) -> None:
    done = basestore(*AGAIN).expect(0)

    assert done.out.splitlines() == [
        "cpu: fresh",
        "runtime: fresh",
        "runtime: as at HEAD, not resolved again",
        "cpu: as at HEAD, not resolved again",
    ]


def test_what_differs_is_named_and_nothing_is_written(root: Path) -> None:
    forge(root, "httpx", requires=("redis",))
    before = contents(root)

    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        done = basestore(*AGAIN, "runtime").expect(3)
        document = basestore(*AGAIN, "cpu", "--json").expect(3).json

    said = "the origin has requires redis for httpx, and it has to be none"
    assert done.out.splitlines() == [
        "runtime: fresh",
        "runtime: NOT what resolving gives",
        f"  {said}",
    ]
    (above,) = document["above"]
    assert (above["profile"], above["resolved"]["differences"]) == ("runtime", [said])
    (cpu,) = document["locks"]
    assert cpu["resolved"] == {"holds": True, "as_at": None, "differences": [], "notes": []}
    assert contents(root) == before


def test_a_stale_lock_is_not_resolved(basestore: CommandLine, root: Path) -> None:
    (root / "profiles/base.txt").write_text("orjson>=1\n")

    done = basestore(*AGAIN).expect(3)

    assert "resolving gives" not in done.out
    assert "runtime: stale" in done.out


def test_an_index_out_of_reach(basestore: CommandLine, root: Path) -> None:
    forge(root, "httpx", requires=("redis",))

    basestore(*AGAIN).expect(6)
    basestore(*AGAIN, "--offline").expect(6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lock --resolve", "--resolve without --check"),
        ("lock --check --since HEAD", "--since without --resolve"),
        ("lock --check --resolve --upgrade", "--upgrade beside --check"),
        ("lock --check --resolve --since nowhere", "there is no git revision 'nowhere'"),
    ],
)
def test_wrong_usage(basestore: CommandLine, words: str, said: str) -> None:
    assert said in basestore(*words.split()).expect(2).err
