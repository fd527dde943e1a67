"""Collecting: what nobody needs goes, all else stays, whoever works at the same time."""

import fcntl
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from layers import digest_of, new_store

from basestore.digest import Digest
from basestore.layer.listing import Listing
from basestore.progress import Progress
from basestore.state import State
from basestore.store import Realisation, Store, inventory
from basestore.store.blobs import Blobs, partial_name
from basestore.store.collect import Collected, Collector
from basestore.store.inventory import Kind
from basestore.store.realisations import Realisations, SegmentTable, place
from basestore.store.survey import Spare
from basestore.waiting import taken

DAY = 24 * 3600
NOTHING = Spare()


@dataclass
class Roots:
    """A marker that a test sets."""

    live: Collection[Digest] = ()
    changes: list[Collection[Digest]] = field(default_factory=list)

    def mark(self) -> Collection[Digest]:
        return self.live

    def stale(self) -> bool:
        """The next change, if there is one left."""
        if self.changes:
            self.live = self.changes.pop(0)
            return True
        return False


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """What a command left that has ended."""
    new_store(tmp_path)
    return Store.look(tmp_path / "store")


def left_by_another(store: Store, *contents: bytes) -> list[Digest]:
    """Blobs that a command kept which has ended since."""
    other = Store.open(store.root)
    found = [other.blobs.add(data) for data in contents]
    other.lease.release()
    return found


def layer(store: Store, data: bytes) -> Realisation:
    """A recorded layer of its own bytes."""
    table = SegmentTable()
    table.add(0, 0, len(data))
    made = Realisation(
        digest_of(data),
        digest_of(b"tar of " + data),
        len(data),
        (store.blobs.add(data),),
        store.blobs.add(table.finish()),
        store.blobs.add(Listing(links={data.decode(): "x"}).to_bytes()),
    )
    store.realisations.record(digest_of(b"recipe of " + data), made)
    return made


def collect(store: Store, roots: Roots, spare: Spare = NOTHING) -> Collected:
    return Collector(store, roots, spare, Progress()).run()


def test_what_nobody_needs_goes(store: Store) -> None:
    needed, unneeded = left_by_another(store, b"needed", b"not needed")

    done = collect(store, Roots([needed]))

    assert store.blobs.read(needed) == b"needed"
    assert not store.blobs.has(unneeded)
    assert (done.files, done.bytes) == (1, len(b"not needed"))
    assert done.after == len(b"needed")


def test_a_preview_tells_the_same_and_deletes_nothing(store: Store) -> None:
    left_by_another(store, b"one", b"another", b"a third")

    told = Collector(store, Roots(), Spare(), Progress()).preview()
    assert told.files == 3
    assert collect(store, Roots()) == told
    assert collect(store, Roots()).files == 0


def test_a_preview_minds_running_commands_and_no_dead_ones(store: Store) -> None:
    one, other = left_by_another(store, b"a running one looked for it", b"a dead one did")
    running = Store.open(store.root)
    assert running.blobs.has(one)
    (store.leases.folder / "1-dead").write_text(f"process 1 (x) on y\n{other.hex}\n")
    (store.leases.folder / "1-ended").symlink_to("nowhere")

    with running.scratch(), running.blobs.draft():
        told = Collector(store, Roots(), Spare(), Progress()).preview()
        assert (told.files, told.bytes) == (1, len(b"a dead one did"))
        assert collect(store, Roots()) == told


def test_layers_go_with_their_records_and_kinds_are_told(store: Store) -> None:
    other = Store.open(store.root)
    gone, kept = layer(other, b"gone"), layer(other, b"kept")
    other.lease.release()

    done = collect(store, Roots({kept.layer, *kept.needs}))

    assert {str(kind): amount.files for kind, amount in done.kinds.items()} == {
        "layer records": 1,
        "recipe records": 1,
        "listings": 1,
        # The bytes of a test's layer are no gzip, and both have tables of one row and one length.
        "other blobs": 1,
    }
    assert store.realisations.claimed(digest_of(b"recipe of kept")) == kept
    assert store.realisations.recorded(gone.layer) is None
    assert store.realisations.layer_of(digest_of(b"recipe of gone")) is None


def test_what_the_user_knew_of_what_goes_is_forgotten(store: Store, tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    other = Store.open(store.root, state=state)
    gone, kept = layer(other, b"gone"), layer(other, b"kept")
    for made in (gone, kept):
        other.blobs.verified(made.blobs[0]).close()
    other.lease.release()

    collect(Store.look(store.root, state=state), Roots({kept.layer, *kept.needs}))

    def known(made: Realisation, name: bytes) -> list[bool]:
        keys = (("hashed", made.blobs[0]), ("layers", made.layer), ("recipes", digest_of(name)))
        return [state.recall(kind, key) is not None for kind, key in keys]

    assert known(gone, b"recipe of gone") == [False] * 3
    assert known(kept, b"recipe of kept") == [True] * 3


def test_what_a_running_command_looked_for_stays(store: Store) -> None:
    here, asked_for, other = left_by_another(store, b"here", b"asked for", b"other")
    running = Store.open(store.root)
    assert running.blobs.has(asked_for)
    assert not running.blobs.has(digest_of(b"not there yet"))
    written = running.blobs.add(b"written")

    assert collect(store, Roots()).files == 2
    assert store.blobs.has(asked_for)
    assert store.blobs.has(written)
    assert not store.blobs.has(here)
    assert not store.blobs.has(other)

    running.lease.release()
    assert collect(store, Roots()).files == 2


def opened(blobs: Blobs, digest: Digest) -> None:
    blobs.open(digest).close()


@pytest.mark.parametrize("look", [Blobs.has, Blobs.size, opened, Blobs.check])
def test_whatever_a_running_command_looks_at_stays(
    store: Store, look: Callable[[Blobs, Digest], object]
) -> None:
    blob, _ = left_by_another(store, b"looked at", b"not looked at")
    running = Store.open(store.root)
    look(running.blobs, blob)

    assert collect(store, Roots()).files == 1
    assert running.blobs.read(blob) == b"looked at"


def test_a_record_that_a_running_command_found_stays_whole(store: Store) -> None:
    other = Store.open(store.root)
    made = layer(other, b"layer")
    other.lease.release()
    running = Store.open(store.root)
    found = running.realisations.claimed(digest_of(b"recipe of layer"))

    assert collect(store, Roots()).files == 0
    assert found == made
    assert running.realisations.of_layer(made.layer) == made


def cut_layer(store: Store) -> Realisation:
    """A recorded layer that is cut from two blobs, neither of which is the layer."""
    table = SegmentTable()
    table.add(0, 0, 3)
    table.add(1, 1, 3)
    made = Realisation(
        digest_of(b"onether"),
        digest_of(b"tar"),
        6,
        (store.blobs.add(b"one"), store.blobs.add(b"other")),
        store.blobs.add(table.finish()),
        store.blobs.add(Listing().to_bytes()),
    )
    store.realisations.record(digest_of(b"recipe"), made)
    return made


def test_a_layer_that_a_running_command_found_stays_recorded(store: Store) -> None:
    other = Store.open(store.root)
    made = cut_layer(other)
    other.lease.release()
    running = Store.open(store.root)
    assert running.realisations.of_layer(made.layer) == made

    collect(store, Roots())

    assert running.realisations.of_layer(made.layer) == made


def test_what_a_running_command_wrote_stays_though_it_never_asked_for_it(store: Store) -> None:
    running = Store.open(store.root)
    made = cut_layer(running)
    with running.blobs.writer() as writer:
        writer.write(b"written")

    assert collect(store, Roots()).files == 0
    assert store.blobs.has(digest_of(b"written"))
    assert store.realisations.claimed(digest_of(b"recipe")) == made


def test_a_record_that_goes_while_it_is_read_is_none(store: Store) -> None:
    other = Store.open(store.root)
    made = cut_layer(other)
    other.lease.release()

    class Late:
        """A lease that is too late: the record has gone by then."""

        name = "late"
        writes = True

        def hold(self, digests: Iterable[Digest]) -> None:
            if made.layer in tuple(digests):
                place(store.root / "layers", made.layer).unlink(missing_ok=True)

    realisations = Realisations(store.folders, store.blobs, Late(), None, store.memory)
    assert realisations.recorded(made.layer) == made
    assert realisations.of_layer(made.layer) is None


def step_by_step(store: Store, roots: Roots) -> Collector:
    return Collector(store, roots, Spare(), Progress())


def test_what_is_looked_for_between_two_batches_stays(store: Store) -> None:
    blobs = left_by_another(store, *(b"%d" % n for n in range(200)))
    collector = step_by_step(store, Roots())
    steps = collector.steps()
    next(steps)
    running = Store.open(store.root)
    there = [digest for digest in blobs if running.blobs.has(digest)]
    next(steps, None)
    more = [digest for digest in blobs if running.blobs.has(digest)]
    for _ in steps:
        pass

    assert there == more == blobs
    assert all(map(store.blobs.has, blobs))


def test_a_command_that_begins_and_ends_between_two_batches_counts(store: Store) -> None:
    (blob,) = left_by_another(store, b"old")
    steps = step_by_step(store, Roots()).steps()
    with store.leases.alone():
        next(steps)
        running = Store.open(store.root)
        assert running.blobs.has(blob)
        new = running.blobs.add(b"new")
        running.lease.release()
        assert Store.open(store.root).leases.names()  # a third one tidies nothing away
        for _ in steps:
            pass

    assert store.blobs.has(blob)
    assert store.blobs.has(new)


def deleted_by_batch(store: Store) -> list[int]:
    """How many blobs go in each."""
    steps = step_by_step(store, Roots()).steps()
    left = [sum(map(len, map(list, inventory.blobs(store.root)))) for _ in steps]
    return [before - after for before, after in pairwise(left)]


def test_batches_are_small(store: Store) -> None:
    left_by_another(store, *(b"%d" % n for n in range(150)))
    assert deleted_by_batch(store) == [64, 64, 22]


def test_batches_of_large_files_are_smaller(store: Store) -> None:
    for digest in left_by_another(store, *(b"%d" % n for n in range(5))):
        store.blobs.path(digest).chmod(0o644)
        os.truncate(store.blobs.path(digest), 128 * 1024 * 1024)  # which takes no room
    assert deleted_by_batch(store) == [2, 2, 1]


def test_where_there_are_many_roots_fewer_batches_look_at_them(store: Store) -> None:
    left_by_another(store, *(b"%d" % n for n in range(150)))
    for n in range(100):
        store.roots.register(store.root / f"{n}")
    assert deleted_by_batch(store) == [100, 50]


def test_roots_are_read_again_before_each_batch(store: Store) -> None:
    one, other = left_by_another(store, b"one", b"other")

    done = collect(store, Roots([], changes=[[one], [one, other]]))

    assert done.files == 0
    assert store.blobs.has(one)
    assert store.blobs.has(other)


def test_it_may_be_ended_anywhere_and_run_again(store: Store) -> None:
    other = Store.open(store.root)
    kept = layer(other, b"kept")
    for n in range(100):
        layer(other, b"layer %d" % n)
    other.lease.release()
    roots = Roots({kept.layer, *kept.needs})
    steps = step_by_step(store, roots).steps()
    for _ in range(3):
        next(steps)
    steps.close()

    assert store.realisations.claimed(digest_of(b"recipe of kept")) == kept
    collect(store, roots)
    assert store.realisations.claimed(digest_of(b"recipe of kept")) == kept
    assert collect(store, roots).files == 0
    left = (store.root / "layers").rglob("*.json")
    assert [path.stem for path in left] == [kept.layer.hex]


# --- what broken-off work left


def test_downloads_under_way_stay_and_what_is_left_of_others_goes(store: Store) -> None:
    held, wanted, unwanted, there, old = (digest_of(b"%d" % n) for n in range(5))
    folder = store.root / "partials"
    folder.mkdir(exist_ok=True)
    left_by_another(store, b"3")
    for digest in (wanted, unwanted, there):
        (folder / partial_name(digest)).write_bytes(b"begun")
    (folder / old.hex).write_bytes(b"begun before users had their own")
    (folder / "new-1-dead-x").write_bytes(b"of a process that died")
    names = {partial_name(held), held.hex}
    with ExitStack() as files:
        for name in names:
            file = files.enter_context((folder / name).open("w+b"))
            fcntl.flock(file, fcntl.LOCK_EX)
        done = collect(store, Roots([wanted, there, old]))

        assert {path.name for path in folder.iterdir()} == {*names, partial_name(wanted)}
    assert {kind: amount.files for kind, amount in done.kinds.items()} == {Kind.PARTIAL: 4}


def test_drafts_and_scratch_of_running_commands_stay(store: Store) -> None:
    running = Store.open(store.root)
    (store.root / "scratch" / "1-dead-x" / "deep").mkdir(parents=True)
    (store.root / "scratch" / "1-dead-x" / "deep" / "file").write_bytes(b"12345")
    with running.scratch() as folder, running.blobs.writer() as writer:
        (folder / "file").write_bytes(b"x")
        writer.write(b"draft")
        done = collect(store, Roots())
        assert (folder / "file").read_bytes() == b"x"

    assert running.blobs.has(digest_of(b"draft"))
    assert done.kinds[Kind.SCRATCH].bytes == 5
    assert not (store.root / "scratch" / "1-dead-x").exists()


def test_what_a_command_begins_between_two_batches_stays(store: Store) -> None:
    """Its files are listed before its lease is read."""
    left_by_another(store, *(b"%d" % n for n in range(100)))
    steps = step_by_step(store, Roots()).steps()
    next(steps)
    next(steps)
    running = Store.open(store.root)
    with running.scratch() as folder, running.blobs.draft() as draft:
        (folder / "file").write_bytes(b"x")
        draft.file.write(b"draft")
        for _ in steps:
            pass
        draft.keep(digest_of(b"draft"))
        assert (folder / "file").read_bytes() == b"x"
    assert running.blobs.read(digest_of(b"draft")) == b"draft"


@pytest.mark.parametrize("folder", ["layers", "recipes"])
def test_what_a_broken_off_record_left_goes_unless_somebody_writes_it(
    store: Store, folder: str
) -> None:
    mine, others = digest_of(b"mine"), digest_of(b"other")
    running = Store.open(store.root)
    running.lease.hold([mine])
    paths = [store.root / folder / d.hex[:2] / f".{d.hex}.json-abc" for d in (mine, others)]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"{")

    collect(store, Roots())

    assert [path.exists() for path in paths] == [True, False]


# --- what may stay


def aged(store: Store, data: bytes, used: float) -> Digest:
    (digest,) = left_by_another(store, data)
    os.utime(store.blobs.path(digest), (used, used))
    return digest


def test_what_was_used_lately_may_stay(store: Store) -> None:
    old, new = aged(store, b"old", 10 * DAY), aged(store, b"new", 20 * DAY)

    collect(store, Roots(), Spare(since=15 * DAY))

    assert not store.blobs.has(old)
    assert store.blobs.has(new)


def test_a_store_gets_as_small_as_asked_for_the_oldest_first(store: Store) -> None:
    blobs = [aged(store, b"%d" % n * 100, n * DAY) for n in range(10)]

    done = collect(store, Roots([blobs[0]]), Spare(size=500))

    assert [store.blobs.has(blob) for blob in blobs] == [True] + [False] * 5 + [True] * 4
    assert done.after == 500
    assert collect(store, Roots(), Spare(size=500)).files == 0


def test_what_commands_rely_on_makes_no_room(store: Store) -> None:
    blobs = [aged(store, b"%d" % n * 100, n * DAY) for n in range(5)]
    running = Store.open(store.root)
    assert running.blobs.has(blobs[0])

    assert collect(store, Roots(), Spare(size=300)).after == 300
    assert [store.blobs.has(blob) for blob in blobs] == [True, False, False, True, True]


def test_no_record_stays_without_what_it_names(store: Store) -> None:
    other = Store.open(store.root)
    old, new = layer(other, b"old"), layer(other, b"new")
    other.lease.release()
    for made, used in ((old, 10 * DAY), (new, 20 * DAY)):
        for blob in (*made.blobs, made.listing):
            os.utime(store.blobs.path(blob), (used, used))

    collect(store, Roots(), Spare(since=15 * DAY))

    assert store.realisations.recorded(old.layer) is None
    assert store.realisations.claimed(digest_of(b"recipe of new")) == new


# --- processes


def killed_while_it_collects(root: Path) -> None:
    steps = Collector(Store.look(root), Roots(), Spare(), Progress()).steps()
    next(steps)
    next(steps)
    os.kill(os.getpid(), signal.SIGKILL)


def killed_while_it_writes(root: Path, digest: Digest) -> None:
    store = Store.open(root)
    assert store.blobs.has(digest)
    with store.scratch(), store.blobs.draft():
        os.kill(os.getpid(), signal.SIGKILL)


def ended(target: object, *arguments: object) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def test_a_killed_collection_leaves_a_store_to_go_on_with(store: Store) -> None:
    blobs = left_by_another(store, *(b"%d" % n for n in range(200)))
    ended(killed_while_it_collects, store.root)

    left = sum(map(store.blobs.has, blobs))
    assert 0 < left < 200
    assert collect(store, Roots()).files == left


def test_a_killed_command_holds_nothing_any_more(store: Store) -> None:
    (blob,) = left_by_another(store, b"blob")
    ended(killed_while_it_writes, store.root, blob)
    assert store.leases.names()

    collect(store, Roots())

    assert not store.blobs.has(blob)
    assert not store.leases.names()
    assert not list((store.root / "scratch").iterdir())
    assert not list((store.root / "partials").iterdir())


def test_the_gate_is_open_again_after_each_batch(store: Store) -> None:
    left_by_another(store, *(b"%d" % n for n in range(200)))
    for _ in step_by_step(store, Roots()).steps():
        descriptor = store.leases.open(".gate")
        assert taken(descriptor, fcntl.LOCK_SH)
        os.close(descriptor)


ROUNDS = 60


def work(root: Path, seed: int) -> None:
    """Commands one after the other: each looks for what another may have left, and uses it."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        store = Store.open(root)
        for number in chance.sample(range(30), 5):
            data = b"%d" % number * 100
            if not store.blobs.has(digest_of(data)):
                store.blobs.add(data)
            made = store.realisations.claimed(digest_of(b"recipe of " + data))
            made = made or layer(store, data)
            assert store.blobs.read(digest_of(data)) == data
            assert store.realisations.of_layer(made.layer) == made
            assert b"".join(store.layer_stream(made)) == data
        store.lease.release()


def test_processes_work_while_all_that_they_leave_is_collected(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(store.root, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    deleted = 0
    while any(worker.is_alive() for worker in workers):
        deleted += collect(store, Roots()).files
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert deleted > ROUNDS
    collect(store, Roots())
    assert collect(store, Roots()).before == 0
