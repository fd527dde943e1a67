"""Folders that are whole or not there: what a killed writer left goes with the next one there."""

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from killable import names, process

from basestore.files import filled_folder, is_temporary


def is_full(error: OSError) -> bool:
    """Whether it is about a folder that isn't empty."""
    return error.errno == errno.ENOTEMPTY


def fill_half(path: Path) -> Callable[[Connection], None]:
    """Begin to fill a folder; go on when told."""

    def work(line: Connection) -> None:
        with filled_folder(path) as folder:
            (folder / "half").touch()
            line.send("ready")
            line.recv()
            (folder / "whole").touch()
        line.send("filled")

    return work


def go_on(line: Connection, theirs: Path) -> None:
    assert theirs.exists()
    line.send("on")
    assert line.recv() == "filled"


class BrokenOffError(Exception):
    """What ends a write."""


def test_a_folder_takes_its_name_at_the_end(tmp_path: Path) -> None:
    with filled_folder(tmp_path / "above" / "tree") as folder:
        (folder / "a").mkdir()
        (folder / "a" / "file").write_bytes(b"new")
        assert folder.parent == tmp_path / "above"
        assert not (tmp_path / "above" / "tree").exists()
    assert names(tmp_path / "above") == ["tree"]
    assert (tmp_path / "above" / "tree" / "a" / "file").read_bytes() == b"new"


def test_one_that_is_broken_off_is_gone(tmp_path: Path) -> None:
    with suppress(BrokenOffError), filled_folder(tmp_path / "tree") as folder:
        (folder / "file").touch()
        raise BrokenOffError
    assert names(tmp_path) == []


def test_an_empty_folder_is_replaced_and_another_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with filled_folder(tmp_path / "tree") as folder:
        (folder / "file").touch()
    with pytest.raises(OSError, check=is_full), filled_folder(tmp_path / "tree") as folder:
        (folder / "other").touch()
    assert names(tmp_path) == ["tree"]
    assert names(tmp_path / "tree") == ["file"]


def test_a_killed_one_goes_with_the_next_to_its_place_only(tmp_path: Path) -> None:
    with process(fill_half(tmp_path / "tree")) as (pid, _):
        os.kill(pid, signal.SIGKILL)
    (left,) = tmp_path.iterdir()
    assert is_temporary(left.name)
    with filled_folder(tmp_path / "other"):
        pass
    assert left.exists()
    with filled_folder(tmp_path / "tree"):
        assert not left.exists()
    assert names(tmp_path) == ["other", "tree"]


def test_a_living_one_stays_and_the_first_to_end_wins(tmp_path: Path) -> None:
    with process(fill_half(tmp_path / "tree")) as (_, line):
        (theirs,) = tmp_path.iterdir()
        with pytest.raises(OSError, check=is_full), filled_folder(tmp_path / "tree"):
            go_on(line, theirs)
    assert names(tmp_path) == ["tree"]
    assert names(tmp_path / "tree") == ["half", "whole"]
