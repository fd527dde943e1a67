"""The format of a store: unknown ones are refused, older ones migrated, by formats made up here.

In format 1 a store's notes lie in one file each; in 2 they lie in a folder; in 3 one file tells
how many there are.
"""

import fcntl
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from basestore.errors import ExitCode
from basestore.files import make_folder, replace_file, sync_folder
from basestore.store import Store, StoreUnusableError
from basestore.store.folders import Folders
from basestore.store.format import (
    FORMAT,
    Format,
    OlderStoreError,
    Step,
    StoreFormatError,
    StoreInUseError,
)
from basestore.store.leases import Leases
from basestore.waiting import taken

CONTEXT = multiprocessing.get_context("fork")
NOTES = {f"note{number}": b"%d" % number for number in range(4)}


def gather(root: Path) -> None:
    """From 1 to 2."""
    make_folder(root / "notes")
    for name in NOTES:
        if (root / name).exists():
            reached()
            (root / name).rename(root / "notes" / name)
    reached()
    sync_folder(root / "notes")
    log(root, "gathered")
    reached()


def count(root: Path) -> None:
    """From 2 to 3."""
    reached()
    replace_file(root / "count", b"%d" % len(list((root / "notes").iterdir())))
    reached()
    log(root, "counted")


def log(root: Path, what: str) -> None:
    with (root.parent / "log").open("a") as file:
        file.write(f"{what}\n")


STEPS: Mapping[int, Step] = {1: gather, 2: count}
OLD, NEW = Format(1, {}), Format(3, STEPS)


class Fuse:
    """Kills this process at the moment that is asked for."""

    left = -1

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


FUSE = Fuse()


def reached() -> None:
    """Here a migration may be killed."""
    FUSE.burn()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of format 1."""
    store = Store.open(tmp_path / "store", form=OLD)
    store.lease.release()
    for name, data in NOTES.items():
        (store.root / name).write_bytes(data)
    return store.root


def leases(root: Path) -> Leases:
    return Leases(root / "leases", Folders(root))


def run(work: Callable[[], object]) -> int | None:
    """Do it in a process of its own; its exit code."""
    worker = CONTEXT.Process(target=work)
    worker.start()
    worker.join(60)
    return worker.exitcode


def migrated(root: Path) -> bool:
    """Whether it is of format 3 and has all that it had."""
    notes = {path.name: path.read_bytes() for path in (root / "notes").iterdir()}
    return (
        (root / "format").read_bytes() == b"basestore store 3\n"
        and notes == NOTES
        and (root / "count").read_bytes() == b"4"
        and {path.name for path in root.iterdir()} == {"count", "format", "leases", "notes"}
    )


def steps_done(root: Path) -> list[str]:
    return (root.parent / "log").read_text().split()


def test_todays_format_is_the_first() -> None:
    assert (FORMAT.number, dict(FORMAT.steps)) == (1, {})


def test_an_older_store_is_migrated_when_it_is_opened(root: Path) -> None:
    store = Store.open(root, form=NEW)
    assert len(store.leases.names()) == 1
    store.lease.release()
    assert migrated(root)
    assert steps_done(root) == ["gathered", "counted"]
    Store.open(root, form=NEW).lease.release()
    assert steps_done(root) == ["gathered", "counted"]


def test_nobody_collects_meanwhile(root: Path) -> None:
    alone = []

    def in_peace(folder: Path) -> None:
        descriptor = leases(folder).open(".collector")
        alone.append(not taken(descriptor, fcntl.LOCK_SH))
        os.close(descriptor)

    Format(2, {1: in_peace}).settle(leases(root))
    assert alone == [True]


def test_a_new_store_has_the_newest_format_at_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", form=NEW)
    assert (store.root / "format").read_bytes() == b"basestore store 3\n"
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("moment", range(1, 10))
def test_a_migration_may_be_killed_anywhere(root: Path, moment: int) -> None:
    def migrate() -> None:
        FUSE.left = moment
        Store.open(root, form=NEW)

    killed = run(migrate) == -signal.SIGKILL
    assert killed == (moment < 9)
    if killed:
        assert not migrated(root)
    Store.open(root, form=NEW).lease.release()
    assert migrated(root)


@pytest.mark.parametrize("moment", range(1, 7))
def test_a_migration_that_was_killed_leaves_an_older_store(root: Path, moment: int) -> None:
    """The format says so last: who knows the older one only still opens it."""

    def migrate() -> None:
        FUSE.left = moment
        Store.open(root, form=NEW)

    assert run(migrate) == -signal.SIGKILL
    Store.open(root, form=OLD).lease.release()


def test_many_migrate_at_once(root: Path) -> None:
    def migrate(barrier: Event) -> None:
        barrier.wait(30)
        Store.open(root, form=NEW)

    barrier = CONTEXT.Event()
    workers = [CONTEXT.Process(target=migrate, args=(barrier,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    barrier.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert steps_done(root) == ["gathered", "counted"]
    run(lambda: Store.open(root, form=NEW))
    leases(root).bury()
    assert migrated(root)


def at_work(root: Path, line: Connection) -> None:
    """A command of an older version."""
    store = Store.open(root, form=OLD)
    line.send(str(os.getpid()))
    line.recv()
    assert (store.root / "note0").exists()
    store.lease.release()
    line.send("ended")


def test_a_running_command_is_waited_for_and_named(root: Path) -> None:
    here, there = CONTEXT.Pipe()
    worker = CONTEXT.Process(target=at_work, args=(root, there))
    worker.start()
    pid = here.recv()

    with pytest.raises(StoreInUseError) as caught:
        NEW.settle(leases(root), patience=0.15)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert f"process {pid} " in caught.value.message
    assert str(root) in caught.value.message
    assert not (root.parent / "log").exists()

    here.send("go on")
    assert here.recv() == "ended"
    NEW.settle(leases(root), patience=30)
    assert migrated(root)
    worker.join(60)
    assert worker.exitcode == 0


def test_a_command_that_was_killed_is_not_waited_for(root: Path) -> None:
    here, there = CONTEXT.Pipe()
    worker = CONTEXT.Process(target=at_work, args=(root, there))
    worker.start()
    here.recv()
    worker.kill()
    worker.join(60)
    NEW.settle(leases(root), patience=0)
    assert migrated(root)


class Announced(Format):
    """Tells when it has found the format right, before a lease is taken."""

    settled = CONTEXT.Event()

    def settle(self, leases: Leases, patience: float = 60) -> None:
        super().settle(leases, patience)
        self.settled.set()


def begin(root: Path, go: Event) -> None:
    go.wait(30)
    with pytest.raises(StoreFormatError):
        Store.open(root, form=Announced(1, {}))


def test_a_command_that_begins_meanwhile_finds_the_format_changed(root: Path) -> None:
    go = CONTEXT.Event()
    worker = CONTEXT.Process(target=begin, args=(root, go))
    worker.start()  # not in a step, whose locks it would share

    def in_company(folder: Path) -> None:
        go.set()
        assert Announced.settled.wait(30)
        gather(folder)

    Format(3, {1: in_company, 2: count}).settle(leases(root))
    worker.join(60)
    assert worker.exitcode == 0
    leases(root).bury()
    assert not leases(root).names()
    assert migrated(root)


@pytest.mark.parametrize("line", [b"basestore store 4\n", b"basestore store 0\n", b"basestore"])
def test_an_unknown_format_is_refused_and_left_alone(root: Path, line: bytes) -> None:
    (root / "format").write_bytes(line)
    before = sorted(root.rglob("*"))
    for opened in (Store.open, Store.look):
        with pytest.raises(StoreFormatError) as caught:
            opened(root, form=NEW)
        assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert sorted(root.rglob("*")) == before
    assert (root / "format").read_bytes() == line


def test_a_format_without_steps_is_refused(root: Path) -> None:
    with pytest.raises(StoreFormatError):
        Store.open(root, form=Format(3, {2: count}))


def test_who_only_reads_is_told_the_way_out(root: Path, tmp_path: Path) -> None:
    with pytest.raises(OlderStoreError) as caught:
        Store.look(root, form=NEW)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert (caught.value.found, caught.value.wanted) == (1, 3)
    assert f"BASESTORE_STORE={root}" in caught.value.hint

    with pytest.raises(OlderStoreError) as caught:
        Store.open(tmp_path / "own", root, NEW)
    assert str(root) in caught.value.message
    assert not leases(tmp_path / "own").names()
    assert (root / "note0").exists()


def read_on(root: Path) -> None:
    os.setgroups([])
    os.setgid(40004)
    os.setuid(40004)
    with pytest.raises(OlderStoreError):
        Store.open(root, form=NEW)


def test_who_may_only_read_an_older_store_cant_migrate_it(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to be another user")
    for folder in (root.parent, *root.parent.parents):
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o711)
    assert run(lambda: read_on(root)) == 0
    assert (root / "note0").exists()


def test_a_step_that_fails_leaves_the_format(root: Path) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    with pytest.raises(StoreUnusableError, match="No space left"):
        Store.open(root, form=Format(2, {1: full}))
    Store.open(root, form=OLD).lease.release()
