"""Blobs: whole or not there, whoever writes, however often, and whatever breaks."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from layers import digest_of, new_store

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.store import BlobWriter, DamagedBlobError, MissingBlobError, Store, WrongDigestError

DATA = b"0123456789" * 1000
DIGEST = digest_of(DATA)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def left(store: Store) -> list[Path]:
    """The files among blobs and partials."""
    folders = (store.root / "blobs", store.root / "partials")
    return sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())


class BrokenOffError(Exception):
    """What a test raises in the middle of a write."""


def broken_off(store: Store, data: bytes) -> None:
    """A download that got so far."""
    with suppress(BrokenOffError), store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        writer.write(data)
        raise BrokenOffError


# --- read and added


def test_what_was_added_is_there(store: Store) -> None:
    assert not store.blobs.has(DIGEST)
    assert store.blobs.add(DATA) == DIGEST
    assert store.blobs.has(DIGEST)
    assert store.blobs.read(DIGEST) == DATA
    assert store.blobs.size(DIGEST) == len(DATA)
    with store.blobs.open(DIGEST) as file:
        assert os.pread(file.fileno(), 4, 10) == b"0123"


def test_a_blob_lies_where_its_digest_says_and_nobody_may_write_it(store: Store) -> None:
    store.blobs.add(DATA)
    path = store.root / "blobs" / "sha256" / DIGEST.hex[:2] / DIGEST.hex

    assert left(store) == [path]
    assert path.stat().st_mode & 0o777 == 0o444


def test_adding_again_writes_nothing(store: Store) -> None:
    store.blobs.add(DATA)
    before = store.blobs.path(DIGEST).stat()
    store.blobs.add(DATA)

    assert store.blobs.path(DIGEST).stat() == before


def test_what_is_not_there_is_named(store: Store) -> None:
    for read in (store.blobs.open, store.blobs.read, store.blobs.size):
        with pytest.raises(MissingBlobError, match=str(DIGEST)) as caught:
            read(DIGEST)
        assert (caught.value.digest, caught.value.exit_code) == (DIGEST, ExitCode.INTEGRITY)
        assert caught.value.hint


# --- writers


def test_a_writer_names_what_it_took(store: Store) -> None:
    with store.blobs.writer() as writer:
        for at in range(0, len(DATA), 999):
            writer.write(memoryview(DATA)[at : at + 999])
        assert (writer.size, writer.digest) == (len(DATA), DIGEST)
        assert not store.blobs.has(DIGEST)

    assert store.blobs.read(DIGEST) == DATA


def test_a_writer_that_breaks_off_leaves_nothing(store: Store) -> None:
    with suppress(BrokenOffError), store.blobs.writer() as writer:
        writer.write(DATA)
        raise BrokenOffError

    assert left(store) == []


def test_a_draft_that_isnt_kept_is_gone(store: Store) -> None:
    with store.blobs.draft() as draft:
        draft.file.write(DATA)
    assert left(store) == []

    with store.blobs.draft() as draft:
        draft.file.write(DATA)
        draft.keep(DIGEST)
    assert store.blobs.read(DIGEST) == DATA
    assert left(store) == [store.blobs.path(DIGEST)]


# --- partials


def test_a_download_becomes_a_blob(store: Store) -> None:
    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        assert writer.size == 0
        writer.write(DATA)

    assert store.blobs.read(DIGEST) == DATA
    assert left(store) == [store.blobs.path(DIGEST)]


@pytest.mark.parametrize("size", [len(DATA), None])
@pytest.mark.parametrize("taken", [0, 1, 5000, len(DATA)])
def test_a_download_goes_on_where_it_broke_off(store: Store, taken: int, size: int | None) -> None:
    broken_off(store, DATA[:taken])
    assert not store.blobs.has(DIGEST)

    with store.blobs.partial(DIGEST, size, "it") as writer:
        assert (writer.size, writer.digest) == (taken, digest_of(DATA[:taken]))
        writer.write(DATA[taken:])
    assert store.blobs.read(DIGEST) == DATA


def test_a_download_may_begin_anew(store: Store) -> None:
    broken_off(store, b"something else, and longer than it" * 1000)

    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        writer.restart()
        assert (writer.size, writer.digest) == (0, digest_of(b""))
        writer.write(DATA)
    assert store.blobs.read(DIGEST) == DATA


@pytest.mark.parametrize("size", [len(DATA), None])
@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA + b"x", b"x" * len(DATA)])
def test_other_bytes_than_promised_leave_nothing(
    store: Store, data: bytes, size: int | None
) -> None:
    with (
        pytest.raises(WrongDigestError, match="it is not what was asked for") as caught,
        store.blobs.partial(DIGEST, size, "it") as writer,
    ):
        writer.write(data)

    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert caught.value.expected in (str(DIGEST), f"{len(DATA)} bytes")
    assert caught.value.found in (str(digest_of(data)), f"{len(data)} bytes")
    assert left(store) == []


def test_a_damaged_partial_is_found_out_and_the_next_run_begins_anew(store: Store) -> None:
    broken_off(store, b"X" + DATA[1:5000])
    with (
        pytest.raises(WrongDigestError),
        store.blobs.partial(DIGEST, len(DATA), "it") as writer,
    ):
        writer.write(DATA[5000:])

    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        assert writer.size == 0
        writer.write(DATA)
    assert store.blobs.read(DIGEST) == DATA


def test_a_blob_that_is_there_needs_no_download(store: Store) -> None:
    broken_off(store, DATA[:100])
    store.blobs.add(DATA)

    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        assert writer.size == len(DATA)
    assert left(store) == [store.blobs.path(DIGEST)]


# --- at once


def fetch_like(store: Store, turns: "list[int]") -> None:
    """What a fetch does, one byte after the other; notes how many bytes it brought."""
    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        brought = 0
        while writer.size < len(DATA):
            writer.write(DATA[writer.size : writer.size + 1000])
            brought += 1000
        turns.append(brought)


def test_threads_that_want_one_blob_bring_it_once(store: Store) -> None:
    turns: list[int] = []
    ready = threading.Barrier(6)

    def work(_: int) -> None:
        ready.wait()
        fetch_like(store, turns)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert sorted(turns) == [0] * 5 + [len(DATA)]
    assert store.blobs.read(DIGEST) == DATA
    assert left(store) == [store.blobs.path(DIGEST)]


def test_threads_that_add_one_blob_agree(store: Store) -> None:
    ready = threading.Barrier(6)

    def work(_: int) -> Digest:
        ready.wait()
        return store.blobs.add(DATA)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(work, range(6))) == {DIGEST}
    assert left(store) == [store.blobs.path(DIGEST)]


def in_process(root: Path, brought: "multiprocessing.Queue[int]") -> None:
    """Open the store of another process and fetch."""
    turns: list[int] = []
    fetch_like(Store.open(root), turns)
    brought.put(turns[0])


def test_processes_that_want_one_blob_bring_it_once(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    brought: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=in_process, args=(store.root, brought)) for _ in range(3)]
    for process in processes:
        process.start()
    turns = sorted(brought.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0

    assert turns == [0, 0, len(DATA)]
    assert Store.open(store.root).blobs.read(DIGEST) == DATA
    assert left(store) == [store.blobs.path(DIGEST)]


def killed(root: Path) -> None:
    """A download whose process dies without a word."""
    with Store.open(root).blobs.partial(DIGEST, len(DATA), "it") as writer:
        writer.write(DATA[:4000])
        writer.finish()
        os._exit(9)


def test_the_lock_of_a_process_that_died_is_free_and_its_bytes_count(store: Store) -> None:
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(store.root,))
    process.start()
    process.join(60)
    assert process.exitcode == 9

    turns: list[int] = []
    fetch_like(store, turns)
    assert turns == [len(DATA) - 4000]
    assert store.blobs.read(DIGEST) == DATA


@pytest.fixture
def waiting(store: Store) -> Iterator[BlobWriter]:
    """A partial that is held while others want it."""
    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        yield writer
        writer.write(DATA)


def test_different_blobs_dont_wait_for_each_other(store: Store, waiting: BlobWriter) -> None:
    other = digest_of(b"other")
    with store.blobs.partial(other, 5, "other") as writer:
        writer.write(b"other")

    assert store.blobs.has(other)
    assert not store.blobs.has(DIGEST)
    assert waiting.size == 0


def test_a_blob_with_other_bytes_on_the_disk_is_found_out(store: Store) -> None:
    digest = store.blobs.add(DATA)
    store.blobs.check(digest)
    path = store.blobs.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"X" + DATA[1:])

    for look in (store.blobs.check, store.blobs.read):
        with pytest.raises(DamagedBlobError) as caught:
            look(digest)
        assert str(path) in caught.value.hint
