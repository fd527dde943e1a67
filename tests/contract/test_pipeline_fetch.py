"""Fetching a lock's artifacts: the lock says what, the index says where, the digest decides."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import World, profile
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.lock.model import Lock
from basestore.pipeline.fetch import fetch_artifacts
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.sources.debian import Debian
from basestore.sources.fetch import ArtifactsUnreachableError, WrongArtifactsError
from basestore.transport import Transport

LARGE = make_wheel("large", files={"large.bin": bytes(range(251)) * 1000}, stored=["*"])
SMALL = make_wheel("small")
WANTED = profile("large", "small")


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(LARGE, SMALL) as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    """A machine, and a foundation without packages: .debs have their own tests."""
    return World(tmp_path, index, foundation=SolvedFoundation((), "3.11.2", "2.36", {}))


@pytest.fixture
def lock(world: World) -> Lock:
    return world.solve(WANTED).lock


def fetch(world: World, lock: Lock) -> None:
    wanted = frozenset(wheel.sha256 for one in lock.platforms for wheel in one.wheels)
    with Transport(sleep=lambda _: None) as transport:
        debian = Debian(world.store, transport, datetime.now(UTC))
        fetch_artifacts(WANTED, lock, wanted, debian, world.uv, Progress())


def has(world: World, wheel: MadeWheel) -> bool:
    """Whether the store has it, whole."""
    digest = Digest(wheel.sha256)
    return world.store.blobs.has(digest) and world.store.blobs.read(digest) == wheel.data


def test_everything_comes_with_the_lock_alone(world: World, lock: Lock) -> None:
    fetch(world, lock)

    assert has(world, LARGE)
    assert has(world, SMALL)


def test_what_is_there_is_not_asked_for(world: World, lock: Lock, index: LoopbackIndex) -> None:
    world.store.blobs.add(SMALL.data)
    index.requests.clear()

    fetch(world, lock)

    assert [path for _, path in index.requests if path.endswith(SMALL.file)] == []


def test_other_bytes_than_locked(world: World, lock: Lock, index: LoopbackIndex) -> None:
    index.change(LARGE.file, data=LARGE.data[:-1] + b"!")

    with pytest.raises(
        WrongArtifactsError, match=f"{LARGE.file} can't be had: the file from 127.0.0.1:.* expected"
    ):
        fetch(world, lock)

    assert has(world, SMALL)
    assert not world.store.blobs.has(Digest(LARGE.sha256))
    assert mended(world, lock, index)


def test_a_truncated_download(world: World, lock: Lock, index: LoopbackIndex) -> None:
    index.change(LARGE.file, data=LARGE.data[:-100])

    with pytest.raises(WrongArtifactsError, match=rf"expected {len(LARGE.data)} bytes"):
        fetch(world, lock)

    assert has(world, SMALL)
    assert not world.store.blobs.has(Digest(LARGE.sha256))
    assert mended(world, lock, index)


def test_a_file_that_the_index_no_longer_has(
    world: World, lock: Lock, index: LoopbackIndex
) -> None:
    """One missing file doesn't hide the rest, and is named."""
    index.remove(LARGE.file)

    with pytest.raises(ArtifactsUnreachableError, match=LARGE.file) as caught:
        fetch(world, lock)

    assert [failure.artifact.name for failure in caught.value.failures] == [LARGE.file]
    assert has(world, SMALL)


def mended(world: World, lock: Lock, index: LoopbackIndex) -> bool:
    """With the right bytes in the index, the same command ends well."""
    index.change(LARGE.file, data=LARGE.data)
    fetch(world, lock)
    return has(world, LARGE)
