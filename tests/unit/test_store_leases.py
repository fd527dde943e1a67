"""Leases and locks: they die with their processes, waits are bounded and name who is waited for."""

import errno
import fcntl
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from layers import digest_of, new_store

from basestore.errors import ExitCode
from basestore.store import Store
from basestore.store.leases import Held, Leases
from basestore.store.locking import locked
from basestore.waiting import LockHeldError, holders_of, taken, wait

ONE, OTHER = digest_of(b"one"), digest_of(b"other")
HOLD = """
import fcntl, os, sys
file = open(sys.argv[1], "a+b")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def held(leases: Leases) -> Held:
    found = Held(leases)
    found.refresh()
    return found


def in_a_child(work: Callable[[], int]) -> int:
    """What a forked process comes to, or 255."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_what_is_held_is_written_down_until_the_end(store: Store) -> None:
    store.lease.hold([ONE])
    assert ONE in held(store.leases)
    assert OTHER not in held(store.leases)

    store.lease.release()
    assert not store.leases.names()


def test_a_lease_says_who_it_belongs_to(store: Store) -> None:
    ((name, who),) = store.leases.living()

    assert name == store.lease.name
    assert re.fullmatch(rf"process {os.getpid()} \(.+\) on \S+", who)


def test_a_lease_that_nobody_refers_to_ends(store: Store) -> None:
    other = Store.open(store.root)
    name = other.lease.name
    assert name in store.leases.names()
    del other
    assert name not in store.leases.names()


def test_what_was_read_is_read_on_where_it_ended(store: Store) -> None:
    found = held(store.leases)
    store.lease.hold([ONE])
    assert ONE not in found
    found.refresh()
    store.lease.hold([ONE, OTHER])
    found.refresh()
    assert ONE in found
    assert OTHER in found


def die(root: Path) -> None:
    store = Store.open(root)
    store.lease.hold([ONE])
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_dead_process_has_no_lease(store: Store) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die, args=(store.root,))
    process.start()
    process.join(60)
    assert len(store.leases.names()) == 2
    assert [name for name, _ in store.leases.living()] == [store.lease.name]

    with store.leases.gate(fcntl.LOCK_EX):
        store.leases.bury()
    assert store.leases.names() == {store.lease.name}


def test_the_next_command_tidies_up_unless_somebody_collects(store: Store) -> None:
    dead = store.leases.folder / "1-dead"
    dead.write_text("process 1 (x) on y\n")
    with store.leases.alone():
        second = Store.open(store.root)
        assert dead.exists()
        second.lease.release()
        assert second.lease.name in store.leases.names()

    Store.open(store.root)
    assert store.leases.names() == {store.lease.name}


def test_a_forked_process_shares_the_lease(store: Store) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        store.lease.hold([ONE])
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    name = store.lease.name
    while ONE not in held(store.leases):
        pass
    store.lease.release()  # which leaves it to the child, but for the name
    assert name not in store.leases.names()
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0


def test_a_process_may_have_any_name(store: Store) -> None:
    """The kernel cuts names after 15 bytes, in the middle of a letter too."""

    def work() -> int:
        Path("/proc/self/comm").write_text("basestore-fü-ü", "utf-8")
        other = Store.open(store.root)
        other.lease.hold([ONE])
        assert ONE in held(other.leases)
        return len(list(other.leases.living()))

    assert in_a_child(work) == 2


# --- where a lease can't be written


def full_disk(root: Path, ready: Event, done: Event) -> None:
    store = Store.open(root)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))  # as a full disk, for this process alone
    store.lease.hold([ONE])
    ready.set()
    done.wait(60)


def test_a_lease_on_a_full_disk_keeps_everything(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=full_disk, args=(store.root, ready, done))
    process.start()
    assert ready.wait(60)
    gate = store.leases.open(".gate")

    assert not taken(gate, fcntl.LOCK_EX)
    assert taken(gate, fcntl.LOCK_SH)
    os.close(gate)
    done.set()
    process.join(60)
    assert process.exitcode == 0
    with store.leases.gate(fcntl.LOCK_EX):
        pass


def test_a_lease_that_kept_everything_ends_too(store: Store) -> None:
    def work() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        other = Store.open(store.root)
        gate = store.leases.open(".gate")
        assert not taken(gate, fcntl.LOCK_EX)
        other.lease.release()
        return taken(gate, fcntl.LOCK_EX)

    assert in_a_child(work) == 1


def test_digests_are_read_after_a_line_that_was_cut_off(store: Store) -> None:
    """The disk was full for one process of a command, and there is room again for the others."""
    end = (store.leases.folder / store.lease.name).stat().st_size

    def work() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (end + 30, end + 30))
        store.lease.hold([OTHER])
        files = len(os.listdir("/proc/self/fd"))
        store.lease.hold([digest_of(b"a third")])
        opened = len(os.listdir("/proc/self/fd")) - files
        return opened or taken(store.leases.open(".gate"), fcntl.LOCK_EX)

    assert in_a_child(work) == 0  # which held the gate open instead
    store.lease.hold([ONE])

    found = held(store.leases)
    assert ONE in found
    assert OTHER not in found


def test_a_gate_that_cant_be_opened_is_an_error_and_not_taken_for_none(store: Store) -> None:

    def work() -> int:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        try:
            store.lease.hold([ONE])
        except OSError as error:
            return error.errno or 0
        return 0

    assert in_a_child(work) == errno.EMFILE
    store.lease.hold([ONE])
    assert ONE in held(store.leases)


def test_a_digest_is_written_down_once(store: Store) -> None:
    store.lease.hold([ONE, OTHER])
    size = (store.leases.folder / store.lease.name).stat().st_size
    store.lease.hold([OTHER, ONE])
    assert (store.leases.folder / store.lease.name).stat().st_size == size


def test_a_lease_that_has_ended_writes_into_no_other_file(store: Store, tmp_path: Path) -> None:
    store.lease.release()
    others = [tmp_path / f"{n}" for n in range(20)]
    with ExitStack() as stack:
        for path in others:  # one of which gets the number that the lease's file had
            stack.enter_context(path.open("wb"))
        store.lease.hold([ONE])
    assert {path.read_bytes() for path in others} == {b""}


# --- waiting


def test_a_wait_is_bounded_and_names_the_holder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    words = [sys.executable, "-c", HOLD, str(file), "--password=secret"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        with file.open("rb") as opened:
            with pytest.raises(LockHeldError) as caught:
                wait(opened.fileno(), fcntl.LOCK_EX, "the file", patience=0.01)
            (holder,) = holders_of(opened.fileno())
    error = caught.value
    assert error.exit_code is ExitCode.UNREACHABLE
    assert error.holders == (holder,)
    assert holder.pid == process.pid
    assert f"process {process.pid} (" in error.message
    assert os.uname().nodename in error.message
    assert "secret" not in error.message + error.hint
    with file.open("rb") as opened:
        wait(opened.fileno(), fcntl.LOCK_EX, "the file", patience=0)


def test_the_wait_goes_on_while_something_moves(tmp_path: Path) -> None:
    file = tmp_path / "file"
    moves = iter(range(50))
    with file.open("ab") as holder, file.open("ab") as opened:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(LockHeldError):
            wait(opened.fileno(), fcntl.LOCK_EX, "it", lambda: next(moves, None), patience=0.0001)
    assert next(moves, None) is None


def test_a_file_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with locked(file, "it") as opened:
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.stat().st_ino == os.fstat(opened.fileno()).st_ino


def test_one_command_at_a_time_is_alone(store: Store) -> None:
    with store.leases.alone():
        descriptor = store.leases.open(".collector")
        assert not taken(descriptor, fcntl.LOCK_EX)
        os.close(descriptor)
