"""Locks and origins that were changed together: what METADATA and control files tell, what solving
again tells, and that what is as it was made raises no alarm.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forging import (
    DEBS,
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
