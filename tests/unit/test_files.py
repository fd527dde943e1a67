"""Files that are whole or not there: what killed writers leave goes, what others write stays."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from killable import names, process

from basestore.errors import ExitCode
from basestore.files import (
    ChangedFileError,
    edit_files,
    is_at,
    is_temporary,
    locked_folder,
    remove_unheld,
    replace_file,
    replace_files,
    streamed_file,
)
from basestore.waiting import LockHeldError


def write_half(path: Path) -> Callable[[Connection], None]:
    """Begin to write a file; go on when told."""

    def work(line: Connection) -> None:
        with streamed_file(path) as file:
            file.write(b"half")
            file.flush()
            line.send("ready")
            line.recv()
            file.write(b" whole")
        line.send("written")

    return work


def stay_in(folder: Path) -> Callable[[Connection], None]:
    """Hold a folder's lock; make a file in it for each word, to which is answered."""

    def work(line: Connection) -> None:
        with locked_folder(folder):
            line.send("ready")
            while name := line.recv():
                (folder / name).touch()
                line.send(name)

    return work


def killed_writer(path: Path) -> Path:
    """What a writer of a file leaves that is killed."""
    with process(write_half(path)) as (pid, _):
        os.kill(pid, signal.SIGKILL)
    (left,) = (one for one in path.parent.iterdir() if is_temporary(one.name))
    return left


# --- one at a time in a folder


def test_whoever_waits_for_a_folder_is_told_who_is_in_it(tmp_path: Path) -> None:
    with (
        process(stay_in(tmp_path)) as (pid, _),
        pytest.raises(LockHeldError) as caught,
        locked_folder(tmp_path, patience=0.05),
    ):
        pytest.fail("two were in there")
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert f"process {pid} " in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert [one.pid for one in caught.value.holders] == [pid]


def test_a_killed_holder_of_a_folder_holds_up_nobody(tmp_path: Path) -> None:
    with process(stay_in(tmp_path)) as (pid, _):
        os.kill(pid, signal.SIGKILL)
        with locked_folder(tmp_path, patience=5):
            assert names(tmp_path) == []


def test_who_works_in_a_folder_is_waited_for(tmp_path: Path) -> None:
    """Longer than the patience, as long as files come."""
    done = threading.Event()

    def wait() -> None:
        with locked_folder(tmp_path, patience=0.4):
            done.set()

    with process(stay_in(tmp_path)) as (_, line):
        waiter = threading.Thread(target=wait)
        waiter.start()
        for number in range(8):
            assert not done.wait(0.1)
            line.send(f"file{number}")
            line.recv()
        line.send("")
        assert done.wait(30)
        waiter.join(30)


def test_a_folder_is_made_to_be_locked(tmp_path: Path) -> None:
    with locked_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    with locked_folder(tmp_path / "a" / "b", patience=0):
        pass


# --- what people wrote


@pytest.mark.parametrize("now", [b"theirs", b"", None])
def test_a_file_that_changed_since_it_was_read_is_left(tmp_path: Path, now: bytes | None) -> None:
    """And so are all others of the same edit."""
    (tmp_path / "one").write_bytes(b"1")
    if now is not None:
        (tmp_path / "two").write_bytes(now)
    edits = {tmp_path / "one": (b"1", b"new"), tmp_path / "two": (b"2", b"new")}

    with pytest.raises(ChangedFileError, match="two was changed") as raised:
        edit_files(edits)

    assert raised.value.exit_code == 3
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == {"one": b"1", **({"two": now} if now is not None else {})}


def test_a_file_that_came_since_is_left(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"theirs")
    with pytest.raises(ChangedFileError):
        edit_files({tmp_path / "one": (None, b"new")})
    edit_files({tmp_path / "two": (None, b"new")})
    assert (tmp_path / "one").read_bytes() == b"theirs"
    assert (tmp_path / "two").read_bytes() == b"new"


# --- what is left


def test_a_killed_writer_leaves_its_own_name_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    left = killed_writer(tmp_path / "file")
    assert left.name.startswith(".file-")
    assert left.read_bytes() == b"half"
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: replace_file(folder / "other", b"new"),
        lambda folder: replace_files({folder / "other": b"new"}),
        lambda folder: edit_files({folder / "other": (b"old", b"new")}),
    ],
    ids=["replace one", "replace several", "edit"],
)
def test_the_next_writer_removes_it(tmp_path: Path, write: Callable[[Path], None]) -> None:
    (tmp_path / "other").write_bytes(b"old")
    killed_writer(tmp_path / "file")
    killed_writer_too = tmp_path / ".gone.lock-abcd_123.basestore"
    killed_writer_too.touch()
    write(tmp_path)
    assert names(tmp_path) == ["other"]
    assert (tmp_path / "other").read_bytes() == b"new"


def test_a_stream_removes_it_too(tmp_path: Path) -> None:
    killed_writer(tmp_path / "file")
    with streamed_file(tmp_path / "file") as file:
        file.write(b"new")
    assert names(tmp_path) == ["file"]


def test_a_living_writer_keeps_what_it_writes(tmp_path: Path) -> None:
    """Also one that is stopped, and of the very same file."""
    with process(write_half(tmp_path / "file")) as (pid, line):
        os.kill(pid, signal.SIGSTOP)
        replace_file(tmp_path / "file", b"mine")
        replace_file(tmp_path / "other", b"mine")
        assert len(names(tmp_path)) == 3
        os.kill(pid, signal.SIGCONT)
        line.send("on")
        assert line.recv() == "written"
    assert (tmp_path / "file").read_bytes() == b"half whole"
    assert names(tmp_path) == ["file", "other"]


@pytest.mark.parametrize(
    "name",
    [
        ".compose.yaml-original",
        ".compose.yaml-original.bak",
        "compose.yaml-original.basestore",
        ".compose.yaml-short.basestore",
        ".compose.yaml-ORIGINAL.basestore",
        ".compose.yaml-original.basestore~",
        ".basestore",
    ],
)
def test_what_people_keep_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"theirs")
    replace_file(tmp_path / "compose.yaml", b"new")
    assert (tmp_path / name).read_bytes() == b"theirs"


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / ".a-00000000.basestore").mkdir()
    (tmp_path / ".b-00000000.basestore").symlink_to("theirs")
    replace_file(tmp_path / "file", b"new")
    assert (tmp_path / ".a-00000000.basestore").is_dir()
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_only_what_nobody_holds_is_removed(tmp_path: Path) -> None:
    left = killed_writer(tmp_path / "file")
    assert remove_unheld(left)
    assert not remove_unheld(left)
    with process(write_half(tmp_path / "file")):
        (held,) = tmp_path.iterdir()
        assert not remove_unheld(held)
        assert held.exists()


def write_often(folder: Path) -> Callable[[Connection], None]:
    def work(line: Connection) -> None:
        for number in range(40):
            replace_files({folder / "one": b"%d" % number, folder / "two": b"%d" % number})
        line.send("ready")
        line.recv()

    return work


def test_writers_in_one_folder_dont_take_each_others_files(tmp_path: Path) -> None:
    work = write_often(tmp_path)
    with process(work), process(work), process(work):
        pass
    assert names(tmp_path) == ["one", "two"]
    assert (tmp_path / "one").read_bytes() == b"39"


def clear_always(folder: Path) -> Callable[[Connection], None]:
    """Remove whatever looks left, as fast as that goes."""

    def work(line: Connection) -> None:
        line.send("ready")
        while not line.poll():
            for name in filter(is_temporary, os.listdir(folder)):
                remove_unheld(folder / name)

    return work


def test_a_file_that_was_removed_before_it_was_locked_is_made_again(tmp_path: Path) -> None:
    with process(clear_always(tmp_path)):
        for number in range(300):
            with suppress(BrokenOffError), streamed_file(tmp_path / "file") as file:
                file.write(b"new")
                assert is_at(file, next(filter(_temporary, tmp_path.iterdir()))), number
                raise BrokenOffError  # which spares waiting for the disk
    assert names(tmp_path) == []


class BrokenOffError(Exception):
    """What ends a write."""


def _temporary(path: Path) -> bool:
    return is_temporary(path.name)
