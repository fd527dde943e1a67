"""Opening a store: made where it is missing, refused where it is another's or can't be used."""

import contextlib
import multiprocessing
from pathlib import Path

import pytest

from basestore.errors import ExitCode
from basestore.store import Store, StoreUnusableError
from basestore.store.store import StoreFormatError


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
