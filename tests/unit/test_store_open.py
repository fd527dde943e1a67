"""Opening a store: made where it is missing, refused where it is another's or can't be used."""

import contextlib
import errno
import multiprocessing
from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.files import is_temporary, streamed_file
from basestore.progress import Progress
from basestore.store import Store, StoreUnusableError
from basestore.store.collect import Collector
from basestore.store.format import StoreFormatError
from basestore.store.survey import Spare


class BrokenOffError(Exception):
    """What a test raises in the middle of its work."""


def test_a_store_is_made_with_its_folders(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "deep" / "store")

    assert (store.root / "format").read_bytes() == b"basestore store 1\n"
    assert Store.open(store.root).root == store.root


@pytest.mark.parametrize(
    "content", [b"", b"basestore store 2\n", b"basestore store 1", b"\xff" * 100, b"a\nb"]
)
def test_another_format_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "format").write_bytes(content)

    with pytest.raises(StoreFormatError) as caught:
        Store.open(tmp_path)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert str(tmp_path) in caught.value.message
    assert "\n" not in caught.value.message
    assert (tmp_path / "format").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["format"]


def test_a_format_that_says_nothing_is_told_from_a_newer_one(tmp_path: Path) -> None:
    (tmp_path / "format").write_bytes(b"")
    with pytest.raises(StoreFormatError) as damaged:
        Store.open(tmp_path)
    assert str(tmp_path / "format") in damaged.value.message
    assert "write the line `basestore store 1`" in damaged.value.hint

    (tmp_path / "format").write_bytes(b"basestore store 2\n")
    with pytest.raises(StoreFormatError, match="unknown format 2") as newer:
        Store.open(tmp_path)
    assert "version of basestore" in newer.value.hint


def test_a_full_disk_is_told_with_the_store(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    full = pytest.raises(StoreUnusableError, match="No space left on device")
    with full as caught, store.scratch():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(tmp_path) in caught.value.message
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("where", ["store", "store/below"])
def test_a_file_in_the_way_is_a_store_that_cant_be_used(tmp_path: Path, where: str) -> None:
    (tmp_path / "store").write_bytes(b"a file")

    with pytest.raises(StoreUnusableError) as caught:
        Store.open(tmp_path / where)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert str(tmp_path / where) in caught.value.message
    assert "BASESTORE_STORE" in caught.value.hint


def test_a_folder_in_the_place_of_the_format_cant_be_used(tmp_path: Path) -> None:
    (tmp_path / "format").mkdir()

    with pytest.raises(StoreUnusableError):
        Store.open(tmp_path)


def test_scratch_is_gone_afterwards_whatever_happened(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.scratch() as one, store.scratch() as two:
        assert one != two
        (one / "folder").mkdir()
        (one / "folder" / "file").write_bytes(b"x")
    assert not one.exists()

    with contextlib.suppress(BrokenOffError), store.scratch() as third:
        (third / "file").write_bytes(b"x")
        raise BrokenOffError
    assert not third.exists()


def opened(root: Path) -> None:
    """What a process of its own does."""
    Store.open(root).blobs.add(b"from a process")


def test_processes_may_make_a_store_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=opened, args=(tmp_path / "store",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    names = {path.name for path in (tmp_path / "store").iterdir()}
    assert names == {"format", "blobs", "partials", "leases"}


def test_what_killed_makers_of_a_store_left_is_collected(tmp_path: Path) -> None:
    """Of its format and its roots; what is being written stays."""
    store = Store.open(tmp_path)
    store.register(tmp_path)
    store.lease.release()
    left = [
        tmp_path / ".format-00000000.basestore",
        store.roots.folder / ".abc.json-00000000.basestore",
    ]
    for path in left:
        path.write_bytes(b"x" * 10)

    with streamed_file(store.roots.folder / "other.json") as file:
        file.write(b"new")
        living = [path for path in store.roots.folder.iterdir() if is_temporary(path.name)]
        # Which has removed what lay in its own folder.
        assert len(living) == 1
        left[1].write_bytes(b"x" * 10)
        would = Collector(Store.look(tmp_path), Nothing(), Spare(), Progress()).preview()
        done = Collector(Store.look(tmp_path), Nothing(), Spare(), Progress()).run()
        assert living[0].exists()
    assert would.files == done.files + 1  # the living one's lock is looked at only then
    assert done.files == 2
    assert not any(path.exists() for path in left)
    assert (store.roots.folder / "other.json").read_bytes() == b"new"


class Nothing:
    """A marker of no roots."""

    def mark(self) -> frozenset[Digest]:
        return frozenset()

    def stale(self) -> bool:
        return False
