"""Locks and origins that were changed together: what METADATA and control files tell, what solving
again tells, and that what is as it was made raises no alarm.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forging import (
    DEBS,
    PROFILE,
    WHEELS,
    Change,
    Forgery,
    both,
    deb_origin,
    deb_rows,
    made,
    nothing,
    package,
    row,
    town,
    wheel_of,
    wheels,
)
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import NoResolutionError
from basestore.pipeline.edges import verify_edges
from basestore.state import State
from basestore.store.blobs import DamagedBlobError

OTHER = Digest("e" * 64)
STRAY_DEB = DEBS[3].deb


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def forgery(tmp_path: Path, index: LoopbackIndex) -> Forgery:
    return town(tmp_path, index)


def at(name: str, version: str) -> Change:
    """A package locked to another version of its index."""
    return wheels((name, wheel_of(made(name, version))))


DECLARED: dict[str, tuple[Change, str]] = {
    "a required package dropped": (
        both(wheels(("helper", None)), package("tool", requires=("web",))),
        "tool 1.0 requires helper, which is not in the lock",
    ),
    "one that an extra requires dropped": (
        both(
            wheels(("helper", None), ("tool", None)),
            package("web", requires=("core",), extras=()),
        ),
        "web 1.0 requires tool, which is not in the lock",
    ),
    "a version below its bound": (at("core", "0.9"), "the lock has core 0.9"),
    "a version above its bound": (at("core", "2.0"), "requires core<2,>=1, and"),
    "a package that nobody asked for": (
        wheels(("stray", wheel_of(made("stray", "1.0")))),
        "nothing that is asked for requires stray 1.0",
    ),
    "one that a forged edge leads to": (
        both(
            wheels(("stray", wheel_of(made("stray", "1.0")))),
            package("core", requires=("stray",)),
        ),
        "the origin says that core requires stray, and its METADATA doesn't",
    ),
    "an edge that isn't there": (
        package("core", requires=("helper",)),
        "the origin says that core requires helper",
    ),
    "an edge left out": (
        package("tool", requires=("web",)),
        "tool requires helper, which the origin leaves out",
    ),
    "an extra that nothing asks for": (
        package("core", extras=("fast",)),
        "the origin has core with its extra fast, which nothing asks for",
    ),
    "another Python": (
        both(
            wheels(("future", wheel_of(made("future", "1.0")))),
            package("core", requires=("future",)),
        ),
        "future 1.0 requires Python >=3.12, and the lock has Python 3.11.2",
    ),
    "another package's bytes": (
        row("helper", sha256=Digest(made("stray", "1.0").sha256)),
        "helper-1.1-py3-none-any.whl is stray 1.0 by its METADATA",
    ),
    "another version's bytes": (
        row("helper", sha256=Digest(made("helper", "1.0").sha256)),
        "helper-1.1-py3-none-any.whl is helper 1.0 by its METADATA",
    ),
    "a .deb dropped": (
        both(
            deb_rows(lambda rows: rows.pop("plain-mime")),
            deb_origin("python3.11", requires=("libc6",)),
        ),
        "python3.11 3.11.2-6 requires mime | plain-mime, which no .deb of the lock is",
    ),
    "a .deb that nobody asked for": (
        deb_rows(lambda rows: rows.update({"stray-deb": STRAY_DEB})),
        "nothing that is asked for requires the .deb stray-deb 1",
    ),
    "a .deb that a forged edge leads to": (
        both(
            deb_rows(lambda rows: rows.update({"stray-deb": STRAY_DEB})),
            deb_origin("libc6", requires=("stray-deb",)),
        ),
        "the origin says that libc6 requires stray-deb, and its control file doesn't",
    ),
    "an edge of a .deb left out": (
        deb_origin("python3.11", requires=("libc6",)),
        "python3.11 requires plain-mime, which the origin leaves out",
    ),
    "a .deb in conflict": (
        deb_rows(lambda rows: rows.update({"old-libc": DEBS[4].deb})),
        "old-libc 1 conflicts with libc6, which libc6 is",
    ),
    "another .deb's bytes": (
        deb_rows(lambda rows: rows.update(libc6=replace(rows["libc6"], sha256=STRAY_DEB.sha256))),
        "libc6 2.36-9 (amd64) is stray-deb 1 (amd64) by its control file",
    ),
}


@pytest.mark.parametrize("case", DECLARED)
def test_what_archives_declare_finds(forgery: Forgery, case: str) -> None:
    change, said = DECLARED[case]
    forgery.forge(change)

    told = [finding.detail for finding in forgery.edges() if finding.holds is False]

    assert len(told) == 1
    assert said in told[0]


SOLVED: dict[str, tuple[Change, str]] = {
    **{
        name: (DECLARED[name][0], said)
        for name, said in {
            "a required package dropped": "helper is not locked, and is needed: 1.1",
            "a version below its bound": "core is locked to 0.9, and has to be 1.1",
            "a version above its bound": "core is locked to 2.0, and has to be 1.1",
            "a package that nobody asked for": "stray 1.0 is locked, and nothing",
            "one that a forged edge leads to": "stray 1.0 is locked, and nothing",
            "an edge that isn't there": "the origin has requires helper for core",
            "an edge left out": "the origin has requires web for tool",
            "another package's bytes": "helper-1.1-py3-none-any.whl is locked with sha256",
            "a .deb that nobody asked for": "nothing that is asked for requires the .deb stray-deb",
            "a .deb dropped": "python3.11 3.11.2-6 requires mime | plain-mime",
            "an edge of a .deb left out": "python3.11 requires plain-mime",
        }.items()
    },
    "bytes that no index has": (
        row("core", sha256=OTHER),
        f"core-1.1-py3-none-any.whl is locked with sha256 {OTHER.hex}, and its index has it with",
    ),
    "a wheel that no index has": (
        row("core", file="core-1.1-cp311-none-any.whl", sha256=OTHER),
        "core 1.1 is locked as core-1.1-cp311-none-any.whl, and its index has core-1.1-py3",
    ),
    "another size": (row("core", size=7), "core-1.1-py3-none-any.whl is locked with 7 bytes"),
    "another index": (package("core", index="special"), "the origin has index special for core"),
    "another upload": (
        package("core", uploaded=datetime(2020, 1, 1, tzinfo=UTC)),
        "the origin has uploaded 2020-01-01 00:00:00+00:00 for core",
    ),
    "a hash that the index is said not to tell": (
        package("core", told=False),
        "the origin has sha256-from the file for core",
    ),
    "another suite": (deb_origin("libc6", suite="trixie"), "the origin has libc6 from 'trixie'"),
    "another environment": (
        lambda lock, how: (replace(lock, image=replace(lock.image, env=("PATH=/x",))), how),
        "image.env.PATH is /x in the lock",
    ),
    "a .deb that no index has": (
        deb_rows(lambda rows: rows.update(libc6=replace(rows["libc6"], sha256=OTHER))),
        "is in no signed index of bookworm",
    ),
    "a .deb of another version": (
        deb_rows(lambda rows: rows.update(libc6=replace(rows["libc6"], version="2.36-1"))),
        "the .deb libc6 2.36-1 (amd64,",
    ),
    "a .deb of another size": (
        deb_rows(lambda rows: rows.update(libc6=replace(rows["libc6"], size=7))),
        "is in no signed index of bookworm",
    ),
    "a package that the origin says is asked for": (
        lambda lock, how: (lock, replace(how, direct={**how.direct, "core": how.direct["web"]})),
        "the origin says that core is asked for",
    ),
}


@pytest.mark.parametrize("since", [None, "HEAD"])
@pytest.mark.parametrize("case", SOLVED)
def test_what_solving_again_finds(forgery: Forgery, case: str, since: str | None) -> None:
    change, said = SOLVED[case]
    forgery.commit()
    forgery.forge(change)
    before = {file: file.read_bytes() for file in forgery.root.rglob("locks/*")}

    found = forgery.again(since)

    assert not found.holds
    assert any(said in line for line in found.differences), found.differences
    assert {file: file.read_bytes() for file in forgery.root.rglob("locks/*")} == before


HARMLESS: dict[str, Change] = {
    "nothing": nothing,
    "an older version within all bounds": at("core", "1.0"),
    "an older version that nothing bounds": at("helper", "1.0"),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_is_as_it_may_be_raises_no_alarm(forgery: Forgery, case: str) -> None:
    forgery.commit()
    forgery.forge(HARMLESS[case])

    assert [finding.holds for finding in forgery.edges()] == [True]
    assert forgery.again().differences == ()
    assert forgery.again("HEAD").differences == ()


def test_newer_versions_in_the_index_change_nothing(forgery: Forgery, index: LoopbackIndex) -> None:
    index.add(make_wheel("core", "1.9"), make_wheel("web", "1.2"))

    assert forgery.again().differences == ()


def gone(forgery: Forgery, index: LoopbackIndex, *files: str) -> None:
    """The index loses files, and uv forgets what it knew."""
    for file in files:
        index.remove(f"{file}-py3-none-any.whl")
    shutil.rmtree(forgery.machine.folder / "uv-cache")


def test_a_wheel_that_is_gone_is_an_error_in_new_rows_alone(
    forgery: Forgery, index: LoopbackIndex
) -> None:
    """tool is gone as a whole, of core only the version that is locked."""
    forgery.commit()
    forgery.write(PROFILE.replace('["web[most]"]', '["web[most]", "stray"]'))
    forgery.lock()
    gone(forgery, index, "tool-1.0", "core-1.1")

    found = forgery.again("HEAD")

    assert found.differences == ()
    assert found.notes == tuple(
        f"{name}: its index has the wheel no more; it was locked before"
        for name in ("core", "tool")
    )
    with pytest.raises(NoResolutionError):
        forgery.again()


def test_a_new_row_of_what_is_gone(forgery: Forgery, index: LoopbackIndex) -> None:
    forgery.commit()
    forgery.forge(at("core", "1.0"))
    gone(forgery, index, "core-1.0")

    found = forgery.again("HEAD")

    assert found.differences == ("core is locked to 1.0, and has to be 1.1 (linux/amd64)",)


def test_what_is_gone_hides_nothing_else(forgery: Forgery, index: LoopbackIndex) -> None:
    forgery.commit()
    gone(forgery, index, "tool-1.0")
    forgery.forge(wheels(("stray", wheel_of(made("stray", "1.0")))))
    assert any(
        "stray 1.0 is locked, and nothing" in line for line in forgery.again("HEAD").differences
    )

    forgery.forge(
        both(wheels(("stray", None)), package("tool", requires=("core", "helper", "web")))
    )
    assert any(
        "requires core, helper, web for tool" in line for line in forgery.again("HEAD").differences
    )


def test_what_is_as_at_the_revision_is_not_resolved(forgery: Forgery, index: LoopbackIndex) -> None:
    forgery.commit()
    index.status, forgery.suite = 503, ()

    assert forgery.again("HEAD").as_at == "HEAD"


@pytest.mark.parametrize("file", ["locks/runtime.lock", "profiles/runtime.toml", "basestore.toml"])
def test_whatever_a_lock_is_made_of_counts(forgery: Forgery, file: str) -> None:
    forgery.commit()
    place = forgery.root / file
    if file.startswith("locks"):
        forgery.forge(at("core", "1.0"))
    elif file.startswith("profiles"):
        place.write_text(f"# words\n{PROFILE}")
    else:
        place.write_text('[policy]\nforbid = ["never"]\n')

    found = forgery.again("HEAD")

    assert (found.as_at, found.differences) == ("", ())
    assert forgery.asked_for.count("bookworm linux/amd64") == 1  # when it was locked


def test_a_new_wheel_is_held_to_exclude_newer(forgery: Forgery, index: LoopbackIndex) -> None:
    """What is younger than the profile allows stays if it was locked before, and only then."""
    forgery.commit()
    index.change("core-1.1-py3-none-any.whl", uploaded="2026-11-19T00:00:00Z")
    index.change("helper-1.1-py3-none-any.whl", uploaded="2026-11-19T00:00:00Z")
    shutil.rmtree(forgery.machine.folder / "uv-cache")
    forgery.write(f'exclude-newer = "7 days"\n{PROFILE}')
    forgery.lock()
    assert forgery.again("HEAD").differences == ()

    found = forgery.again()

    assert any("core is locked to 1.1, and has to be 1.0" in one for one in found.differences)
    assert any("helper is locked to 1.1, and has to be 1.0" in one for one in found.differences)


CHILD = 'extends = "runtime"\nreplaces = ["core"]\nrequirements = ["stray", "core==1.0"]\n'


def test_a_child_that_replaces_and_what_its_parent_hides(forgery: Forgery) -> None:
    forgery.write(CHILD, "ml")
    forgery.lock("ml")
    forgery.commit()

    assert [finding.holds for finding in forgery.edges("ml")] == [True]
    assert forgery.again(name="ml").differences == ()
    forgery.forge(package("stray", requires=("core",)), "ml")
    (told,) = forgery.edges("ml")
    assert "the origin says that stray requires core" in told.detail
    assert forgery.again("HEAD", "ml").differences == (
        "the origin has requires core for stray, and it has to be none",
    )


def test_what_is_not_in_the_store_is_unproven(forgery: Forgery, tmp_path: Path) -> None:
    forgery.machine.folder = tmp_path / "other"
    (none_there,) = (one for one in forgery.edges() if "wheels" in one.detail)
    assert none_there.holds is None
    assert none_there.detail.startswith("unproven of 4 wheels: core, helper, tool, web: not in")

    forgery.have(*(one for one in WHEELS if not one.file.startswith("tool")), *DEBS)
    assert [finding.holds for finding in forgery.edges()] == [True, None]
    forgery.forge(package("core", requires=("helper",)))
    assert [finding.holds for finding in forgery.edges()] == [False, None]


def test_other_bytes_under_a_wheels_digest(forgery: Forgery) -> None:
    place = forgery.machine.store.blobs.path(Digest(made("core", "1.1").sha256))
    place.chmod(0o644)
    place.write_bytes(made("core", "1.0").data)

    with pytest.raises(DamagedBlobError):
        forgery.edges()


def test_a_check_that_holds_is_remembered(forgery: Forgery, tmp_path: Path) -> None:
    """By all that it was of: nothing of a forged origin."""
    state = State.open(tmp_path / "state")
    store = forgery.machine.store
    first = verify_edges(forgery.project, "runtime", store, state)

    assert verify_edges(forgery.project, "runtime", None, state) == first
    forgery.forge(package("core", requires=("helper",)))
    assert [one.holds for one in verify_edges(forgery.project, "runtime", store, state)] == [False]
    assert [one.holds for one in verify_edges(forgery.project, "runtime", store, state)] == [False]
