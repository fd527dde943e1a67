"""Fetching: what the store lacks, whatever the servers do."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.digest import Digest
from basestore.progress import Advance, Progress
from basestore.sources.fetch import (
    Artifact,
    ArtifactsUnreachableError,
    FetchReport,
    WrongArtifactsError,
    fetch,
)
from basestore.store import Store, StoreUnusableError
from basestore.transport import Transport

DATA = {f"wheel-{number}.whl": f"content {number} ".encode() * 5000 for number in range(12)}


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as served:
        yield served


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(sleep=lambda seconds: None) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def artifact(name: str, data: bytes | None = None) -> Artifact:
    data = DATA[name] if data is None else data
    return Artifact(name, Digest.of(data), len(data))


ALL = [artifact(name) for name in DATA]
ONE, NAME = ALL[0], ALL[0].name


@dataclass
class Places:
    """Where artifacts lie, and which were asked for."""

    urls: dict[Digest, list[str]] = field(default_factory=dict)
    asked: list[Sequence[Artifact]] = field(default_factory=list)

    def __call__(self, artifacts: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        self.asked.append(artifacts)
        return self.urls

    def add(self, wanted: Artifact, *urls: str) -> None:
        self.urls.setdefault(wanted.digest, []).extend(urls)


@pytest.fixture
def places(server: FaultyServer) -> Places:
    """Every artifact on the server, as it should be."""
    known = Places()
    for wanted in ALL:
        known.add(wanted, server.serve(f"/{wanted.name}", DATA[wanted.name]))
    return known


@dataclass
class Watcher(Progress):
    """Adds up what it is told of each task."""

    told: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        assert verb == "fetch"

        def advance(amount: int) -> None:
            with self.lock:
                self.told[name] = self.told.get(name, 0) + amount

        yield advance


def test_fetches_what_lacks(store: Store, transport: Transport, places: Places) -> None:
    watcher = Watcher()
    store.blobs.add(DATA[NAME])
    report = fetch(store, transport, ALL, places, watcher)
    assert report == FetchReport(tuple(ALL[1:]), (ONE,))
    assert places.asked == [ALL[1:]]
    for wanted in ALL:
        assert store.blobs.read(wanted.digest) == DATA[wanted.name]
    assert watcher.told == {wanted.name: wanted.size for wanted in ALL[1:]}


def test_nothing_lacks(store: Store, transport: Transport, places: Places) -> None:
    store.blobs.add(DATA[NAME])
    assert fetch(store, transport, [ONE], places, Progress()) == FetchReport((), (ONE,))
    assert places.asked == []


def test_one_digest_is_fetched_once(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    twin = Artifact("twin.whl", ONE.digest, ONE.size)
    report = fetch(store, transport, [ONE, twin], places, Progress())
    assert len(report.fetched) == 1
    assert len(server.asked) == 1


def test_an_unknown_size(store: Store, transport: Transport, places: Places) -> None:
    unsized = Artifact(NAME, ONE.digest, None)
    fetch(store, transport, [unsized], places, Progress())
    assert store.blobs.has(ONE.digest)


def test_the_next_place_is_tried(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    other = server.serve("/other", b"x" * len(DATA[NAME]))
    shorter = server.serve("/shorter", DATA[NAME][:-1])
    places.urls[ONE.digest][:0] = [server.url("/gone"), other, shorter]
    fetch(store, transport, [ONE], places, Progress())
    assert store.blobs.read(ONE.digest) == DATA[NAME]


def test_a_wrong_hash_everywhere(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    server.files[f"/{NAME}"] = b"x" * len(DATA[NAME])
    with pytest.raises(WrongArtifactsError) as raised:
        fetch(store, transport, [ONE], places, Progress())
    assert raised.value.exit_code == 5
    assert NAME in raised.value.message
    assert str(ONE.digest) in raised.value.message
    assert server.address in raised.value.message
    assert not store.blobs.has(ONE.digest)
    assert len(server.ranges(f"/{NAME}")) == 1


def test_one_failure_hides_no_other(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    gone, cut, nowhere = ALL[1], ALL[2], ALL[3]
    del server.files[f"/{gone.name}"]
    server.always[f"/{cut.name}"] = Fault(cut=0)
    del places.urls[nowhere.digest]
    with pytest.raises(ArtifactsUnreachableError) as raised:
        fetch(store, transport, ALL, places, Progress())
    assert raised.value.exit_code == 6
    assert [failure.artifact for failure in raised.value.failures] == [gone, cut, nowhere]
    for failed in (gone, cut, nowhere):
        assert failed.name in raised.value.message
        assert not store.blobs.has(failed.digest)
    for wanted in (ONE, *ALL[4:]):
        assert store.blobs.has(wanted.digest)


def test_a_wrong_hash_beside_another_failure_is_told(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    del server.files[f"/{NAME}"]
    server.files[f"/{ALL[1].name}"] = b"other"
    with pytest.raises(WrongArtifactsError) as raised:
        fetch(store, transport, ALL[:2], places, Progress())
    assert len(raised.value.failures) == 2


def test_what_came_before_a_break_is_kept_for_the_next_run(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    path = f"/{NAME}"
    server.faults[path] = [Fault(cut=1000), *[Fault(status=500)] * 5]
    with pytest.raises(ArtifactsUnreachableError):
        fetch(store, transport, [ONE], places, Progress())
    watcher = Watcher()
    server.asked.clear()
    fetch(store, transport, [ONE], places, watcher)
    assert server.ranges(path) == ["bytes=1000-"]
    assert watcher.told == {NAME: ONE.size}
    assert store.blobs.read(ONE.digest) == DATA[NAME]


def test_what_was_kept_may_be_another_things(
    store: Store, transport: Transport, places: Places, server: FaultyServer
) -> None:
    path = f"/{NAME}"
    bad = server.serve("/bad", b"x" * len(DATA[NAME]), Fault(cut=1000), *[Fault(status=500)] * 5)
    good = places.urls[ONE.digest]
    places.urls[ONE.digest] = [bad, *good]
    server.asked.clear()
    fetch(store, transport, [ONE], places, Progress())
    assert store.blobs.read(ONE.digest) == DATA[NAME]
    assert server.ranges(path) == ["bytes=1000-", ""]


def test_no_secret_of_a_url_is_told(
    store: Store, transport: Transport, server: FaultyServer
) -> None:
    places = Places()
    places.add(ONE, f"http://user:canary@{server.address}/gone?token=canary")
    places.add(ALL[1], f"http://user:canary@{server.serve('/b', b'other')[7:]}?token=canary")
    with pytest.raises(WrongArtifactsError) as raised:
        fetch(store, transport, ALL[:2], places, Progress())
    error = raised.value
    assert "canary" not in f"{error!r} {error.message} {error.hint} {error.failures}"


def test_files_of_this_machine(store: Store, transport: Transport, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(DATA[NAME])
    places = Places()
    places.add(ONE, path.as_uri())
    fetch(store, transport, [ONE], places, Progress())
    assert store.blobs.read(ONE.digest) == DATA[NAME]


def test_two_runs_at_once_download_once(store: Store, places: Places, server: FaultyServer) -> None:
    def run(_: int) -> None:
        with Transport(sleep=lambda seconds: None) as transport:
            fetch(Store.open(store.root), transport, [ONE], places, Progress())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert store.blobs.read(ONE.digest) == DATA[NAME]
    assert len(server.asked) == 1


def test_a_store_that_cannot_be_written(store: Store, transport: Transport, places: Places) -> None:
    (store.root / "partials").write_bytes(b"in the way")
    with pytest.raises(StoreUnusableError) as raised:
        fetch(store, transport, ALL, places, Progress())
    assert raised.value.exit_code == 6


def test_nothing_is_left_of_a_fetch_that_went_well(
    store: Store, transport: Transport, places: Places
) -> None:
    fetch(store, transport, ALL, places, Progress())
    assert list((store.root / "partials").iterdir()) == []
