"""Changes of locks, records, stores and registries: some of what `make mutations` tries."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mutations.model import Mutation
from mutations.table import TABLE
from mutations.trial import try_out
from mutations.world import World, world
from services import need_program

pytestmark = [pytest.mark.network, pytest.mark.long]

SOME = (
    "lock/cmd",
    "told/drop-needed",
    "told/lowered",
    "told/deb-sha256",
    "built/add-unasked",
    "built/env-added",
    "origin/package-requires-less",
    "images/image",
    "services/base",
    "profile/application",
    "combined/application-with-the-old-image",
    "combined/layer-more-in-a-changed-image",
    "store/wheel-in-place",
    "registry/wheels-short",
    "registry/wheels-changed",
    "engine/exchanged",
    "harmless/constraints-renamed",
    "honest/requirement",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world that all work on copies of."""
    need_program("docker-registry")
    with world(tmp_path_factory.mktemp("mutations") / "world") as found:
        yield found


def test_they_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [one.name for one in TABLE]
    harmless = [one for one in names if one.startswith(("harmless/", "honest/"))]

    assert len(set(names)) == len(names)
    assert len(names) - len(harmless) >= 150
    assert len(harmless) >= 25


@pytest.mark.parametrize(
    "mutation", [one for one in TABLE if one.name in SOME], ids=lambda m: m.name
)
def test_it_is_found_or_harmless(made: World, tmp_path: Path, mutation: Mutation) -> None:
    result = try_out(made, mutation, tmp_path / "copy")
    assert not result.wrong, f"{result.wrong}: {result.by} {result.code} {result.said}"
