"""The gate and the collector's lock: who waits for whom, with processes that really wait."""

import fcntl
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from layers import digest_of, new_store

from basestore.digest import Digest
from basestore.progress import Progress
from basestore.store import Store, WrongDigestError
from basestore.store.collect import Collector
from basestore.store.leases import Held
from basestore.store.survey import Spare
from basestore.waiting import taken

BLOB = digest_of(b"blob")
PATIENCE = 60.0  # seconds for a process to begin or end
MANY = 150


class Nothing:
    """A marker of no roots."""

    def mark(self) -> frozenset[Digest]:
        return frozenset()

    def stale(self) -> bool:
        return False


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def opens(root: Path) -> None:
    Store.open(root)


def holds(root: Path) -> None:
    Store.look(root).leases.prepare()
    Store.open(root).lease.hold([BLOB])


def registers(root: Path) -> None:
    Store.look(root).register(root)


def collects(root: Path) -> None:
    Collector(Store.look(root), Nothing(), Spare(), Progress()).run()


def fetches(root: Path) -> None:
    with Store.open(root).blobs.partial(BLOB, 4, "it") as writer:
        writer.write(b"blob"[writer.size :])


def holds_later(root: Path, ready: Event, go: Event) -> None:
    store = Store.open(root)
    ready.set()
    go.wait(PATIENCE)
    store.lease.hold([BLOB])


def begun(work: Callable[[Path], None], root: Path) -> BaseProcess:
    # Spawned, since a forked process would share the opening that has the gate's lock.
    process = multiprocessing.get_context("spawn").Process(target=work, args=(root,))
    process.start()
    return process


def is_asleep(process: BaseProcess) -> bool:
    """Whether it waits between two tries for a lock (proc(5), wchan), and hasn't ended."""
    assert process.is_alive(), "it did not wait"
    return "nanosleep" in Path(f"/proc/{process.pid}/wchan").read_text()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end


def ends(process: BaseProcess) -> bool:
    process.join(PATIENCE)
    return process.exitcode == 0


def state(root: Path) -> dict[Path, int]:
    """All files but the two that are locked, with their sizes."""
    files = (path for path in root.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path: path.stat().st_size for path in files}


@pytest.mark.parametrize("work", [opens, registers, collects])
def test_nobody_passes_the_gate_while_it_is_closed(
    store: Store, work: Callable[[Path], None]
) -> None:
    (store.leases.folder / "1-dead").write_text("process 1 (x) on y\n")
    before = state(store.root)
    with store.leases.gate(fcntl.LOCK_EX):
        process = begun(work, store.root)
        until(lambda: is_asleep(process))
        assert state(store.root) == before
    assert ends(process)
    assert state(store.root) != before


def test_a_digest_is_written_down_while_the_gate_is_open(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    process = context.Process(target=holds_later, args=(store.root, ready, go))
    process.start()
    assert ready.wait(PATIENCE)
    with store.leases.gate(fcntl.LOCK_EX):
        go.set()
        until(lambda: is_asleep(process))
        found = Held(store.leases)
        found.refresh()
        assert BLOB not in found
    assert ends(process)


def test_one_download_of_a_blob_waits_for_another(store: Store) -> None:
    with store.blobs.partial(BLOB, 4, "it") as writer:
        process = begun(fetches, store.root)
        until(lambda: is_asleep(process))
        writer.write(b"blob")
    assert ends(process)
    assert store.blobs.read(BLOB) == b"blob"


def test_whoever_waited_for_a_download_that_was_wrong_begins_a_new_file(store: Store) -> None:
    waiting = []
    with suppress(WrongDigestError), store.blobs.partial(BLOB, 4, "it") as writer:
        waiting.append(begun(fetches, store.root))
        until(lambda: is_asleep(waiting[0]))
        writer.write(b"blub")
    assert ends(waiting[0])
    assert store.blobs.read(BLOB) == b"blob"


def held_open(store: Store) -> AbstractContextManager[None]:
    return store.leases.gate(fcntl.LOCK_SH)


def test_whoever_collects_waits_for_those_in_the_gate(store: Store) -> None:
    (store.leases.folder / "1-dead").write_text("process 1 (x) on y\n")
    with held_open(store):
        process = begun(collects, store.root)
        until(lambda: is_asleep(process))
        assert "1-dead" in store.leases.names()
    assert ends(process)
    assert "1-dead" not in store.leases.names()


def test_those_in_the_gate_keep_nobody_else_out(store: Store) -> None:
    with held_open(store):
        for work in (opens, holds, registers):
            assert ends(begun(work, store.root))
        store.lease.hold([BLOB])


def test_the_gate_is_closed_only_while_a_batch_is_looked_at_and_deleted(store: Store) -> None:
    for n in range(100):
        Store.open(store.root).blobs.add(b"%d" % n)
    looks: list[tuple[str, bool, bool]] = []

    class Looking(Nothing):
        def mark(self) -> frozenset[Digest]:
            looks.append(("mark", is_free(store, ".gate"), is_free(store, ".collector")))
            return frozenset()

        def stale(self) -> bool:
            looks.append(("stale", is_free(store, ".gate"), is_free(store, ".collector")))
            return len(looks) == 2

    Collector(Store.look(store.root), Looking(), Spare(), Progress()).run()

    assert looks == [
        ("mark", True, False),
        ("stale", False, False),
        ("mark", True, False),
        *[("stale", False, False)] * 2,
    ]
    assert is_free(store, ".collector")


def is_free(store: Store, name: str) -> bool:
    """Whether anybody could pass now who shares the lock."""
    descriptor = store.leases.open(name)
    try:
        return taken(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def test_two_collections_don_t_run_at_once(store: Store) -> None:
    blob = Store.open(store.root).blobs.add(b"nobody needs it")
    with store.leases.alone():
        process = begun(collects, store.root)
        until(lambda: is_asleep(process))
        assert store.blobs.path(blob).exists()
    assert ends(process)
    assert not store.blobs.path(blob).exists()


def comes_and_goes(root: Path) -> None:
    for _ in range(MANY):
        store = Store.open(root)
        assert store.lease.name in {name for name, _ in store.leases.living()}
        store.lease.release()


@pytest.fixture
def passers(store: Store) -> Iterator[BaseProcess]:
    """Commands that begin and end, one after the other."""
    process = begun(comes_and_goes, store.root)
    yield process
    assert ends(process)


def test_a_preview_minds_no_command_that_ends_meanwhile(store: Store, passers: BaseProcess) -> None:
    blob = store.blobs.add(b"relied on")
    here = Store.look(store.root)
    while passers.is_alive():
        assert Collector(here, Nothing(), Spare(), Progress()).preview().files == 0
    assert store.blobs.has(blob)
