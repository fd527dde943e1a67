"""The user's own records: what they promise, and what makes them count for nothing."""

import os
from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.state import State

KEY = Digest.of(b"key")


def test_what_is_remembered_is_recalled_by_the_next_process(tmp_path: Path) -> None:
    State.open(tmp_path / "a" / "state").remember("seen", KEY, {"size": 3})
    assert State.open(tmp_path / "a" / "state").recall("seen", KEY) == {"size": 3}


def test_kinds_and_digests_are_kept_apart(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    state.remember("seen", KEY, 1)
    assert state.recall("made", KEY) is None
    assert state.recall("seen", Digest.of(b"other")) is None


def test_the_last_word_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    state.remember("seen", KEY, 1)
    state.remember("seen", KEY, 2)
    assert state.recall("seen", KEY) == 2
    state.forget("seen", KEY)
    state.forget("seen", KEY)
    assert state.recall("seen", KEY) is None


def test_only_this_user_can_read_or_write_it(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    state.remember("seen", KEY, 1)
    modes = {p: p.stat().st_mode & 0o777 for p in (tmp_path / "state").rglob("*")}
    assert {mode for p, mode in modes.items() if p.is_dir()} == {0o700}
    assert {mode for p, mode in modes.items() if p.is_file()} == {0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o702])
def test_a_folder_that_others_reach_counts_for_nothing(tmp_path: Path, mode: int) -> None:
    State.open(tmp_path / "state").remember("seen", KEY, 1)
    (tmp_path / "state").chmod(mode)
    state = State.open(tmp_path / "state")
    assert state.folder is None
    assert state.recall("seen", KEY) is None


def test_a_link_to_a_folder_counts_for_nothing(tmp_path: Path) -> None:
    State.open(tmp_path / "state").remember("seen", KEY, 1)
    (tmp_path / "link").symlink_to(tmp_path / "state")
    assert State.open(tmp_path / "link").folder is None


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"1 2"])
def test_what_can_not_be_read_is_looked_at_anew(tmp_path: Path, data: bytes) -> None:
    state = State.open(tmp_path / "state")
    state.remember("seen", KEY, 1)
    (file,) = (path for path in (tmp_path / "state").rglob("*") if path.is_file())
    file.write_bytes(data)
    assert state.recall("seen", KEY) is None


def test_a_record_that_is_a_link_or_a_pipe_counts_for_nothing(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    state.remember("seen", KEY, 1)
    (file,) = (path for path in (tmp_path / "state").rglob("*") if path.is_file())
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert state.recall("seen", KEY) is None
    file.unlink()
    os.mkfifo(file)
    assert state.recall("seen", KEY) is None


def test_a_place_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    state = State.open(tmp_path / "file" / "state")
    state.remember("seen", KEY, 1)
    assert state.recall("seen", KEY) is None
    assert State.none().recall("seen", KEY) is None
