"""Two users with one store, and a store that is only read beside one's own."""

import fcntl
import multiprocessing
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from layers import digest_of, new_store, realised
from services import lacking
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.pipeline.store_roots import ProjectMarker, UnreadableProjectError
from basestore.progress import Progress
from basestore.sources.git import Git
from basestore.store import DamagedBlobError, Realisation, Store, StoreUnusableError
from basestore.store.blobs import partial_name
from basestore.store.check import Checker
from basestore.store.collect import Collector
from basestore.store.format import StoreFormatError
from basestore.store.inventory import Kind
from basestore.store.store import NoSeedError
from basestore.store.survey import Spare
from basestore.waiting import taken

ALICE, BOB, TEAM = 40001, 40002, 40003
DATA = b"x" * 3000


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a group may write, and whose group what is new in it gets."""
    if os.geteuid() != 0:
        lacking("needs root, to be two other users")
    root = tmp_path_factory.mktemp("shared") / "store"
    for folder in (root.parent, *root.parent.parents):
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o711)
    root.mkdir()
    os.chown(root, ALICE, TEAM)
    root.chmod(0o2775)
    return root


def become(user: int, work: Callable[[Store], None], root: Path, umask: int) -> None:
    """Do something in a store as a user of the team."""
    os.setgroups([TEAM])
    os.setgid(user)
    os.setuid(user)
    os.umask(umask)
    work(Store.open(root))


def as_user(user: int, work: Callable[[Store], None], root: Path, umask: int = 0o002) -> None:
    """The same in a process of its own."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=become, args=(user, work, root, umask))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def layer(store: Store, data: bytes) -> Realisation:
    """A recorded layer of one blob; nothing is imported for it, which another user may not read."""
    blob, empty = store.blobs.add(data), store.blobs.add(b"")
    made = Realisation(blob, blob, len(data), (blob,), empty, empty)
    store.realisations.record(digest_of(b"recipe of " + data), made)
    return made


def keep_layer(store: Store) -> None:
    layer(store, b"one")
    store.register(store.root)
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"x")


def keep_another(store: Store) -> None:
    for data in (b"other", b"one"):
        made = layer(store, data)
        assert store.realisations.of_recipe(digest_of(b"recipe of " + data)) == made
    store.register(store.root)


class BrokenOffError(Exception):
    """What ends a download."""


def begin(store: Store) -> None:
    with (
        suppress(BrokenOffError),
        store.blobs.partial(digest_of(DATA), len(DATA), "it") as writer,
    ):
        writer.write(DATA[:1000])
        raise BrokenOffError


def end(store: Store) -> None:
    """Another's download is his: what he can still write is never gone on with."""
    with store.blobs.partial(digest_of(DATA), len(DATA), "it") as writer:
        assert writer.size == 0
        writer.write(DATA)
    assert store.blobs.read(digest_of(DATA)) == DATA


class Nothing:
    """A marker of no roots."""

    def mark(self) -> frozenset[Digest]:
        return frozenset()

    def stale(self) -> bool:
        return False


def clear(store: Store) -> None:
    here = Store.look(store.root)
    store.lease.release()
    done = Collector(here, Nothing(), Spare(), Progress()).run()
    assert done.after == 0
    assert done.files > 5


def finish(store: Store) -> None:
    """A download that is killed between being read-only and having its name."""
    partials = store.root / "partials"
    partials.joinpath(partial_name(digest_of(DATA))).write_bytes(DATA)
    partials.joinpath(partial_name(digest_of(DATA))).chmod(0o444)


def go_on(store: Store) -> None:
    with store.blobs.partial(digest_of(DATA), len(DATA), "it") as writer:
        assert writer.size == len(DATA)
    assert store.blobs.read(digest_of(DATA)) == DATA


def begin_anew(store: Store) -> None:
    with store.blobs.partial(digest_of(DATA), len(DATA), "it") as writer:
        assert writer.size == 0
        writer.write(DATA)
    assert store.blobs.read(digest_of(DATA)) == DATA


@pytest.mark.parametrize(("user", "work", "left"), [(ALICE, go_on, 0), (BOB, begin_anew, 1)])
def test_a_finished_download_without_a_name(
    shared: Path, user: int, work: Callable[[Store], None], left: int
) -> None:
    as_user(ALICE, begin, shared)
    as_user(ALICE, finish, shared)

    as_user(user, work, shared)

    (blob,) = (shared / "blobs").glob("sha256/*/*")
    assert stat.S_IMODE(blob.stat().st_mode) == 0o444
    assert len(list((shared / "partials").iterdir())) == left


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_two_users_fill_and_clear_one_store(shared: Path, umask: int) -> None:
    as_user(ALICE, keep_layer, shared, umask)
    as_user(BOB, keep_another, shared, umask)
    as_user(ALICE, begin, shared, umask)
    as_user(BOB, end, shared, umask)
    as_user(BOB, clear, shared, umask)
    as_user(ALICE, keep_another, shared, umask)

    folders = [path for path in shared.rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o2070 for path in folders} == {0o2070}
    assert {path.stat().st_gid for path in folders} == {TEAM}
    files = [path for path in shared.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o440 for path in files} == {0o440}


def keep_and_be_killed(store: Store) -> None:
    """A command that ends with its lease in place."""
    layer(store, b"killed")
    with store.blobs.partial(digest_of(DATA), len(DATA), "it"), store.scratch():
        os._exit(0)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_what_a_killed_command_of_another_user_left_is_cleared(shared: Path, umask: int) -> None:
    as_user(ALICE, keep_and_be_killed, shared, umask)
    (lease,) = (shared / "leases").glob("[!.]*")
    as_user(BOB, clear_what_is_left, shared, umask)
    assert not lease.exists()
    assert not list((shared / "partials").iterdir())


def clear_what_is_left(store: Store) -> None:
    here = Store.look(store.root)
    store.lease.release()
    done = Collector(here, Nothing(), Spare(), Progress()).run()
    assert done.kinds[Kind.LAYER].files == done.kinds[Kind.PARTIAL].files == 1


def test_what_another_user_relies_on_stays(shared: Path) -> None:
    as_user(ALICE, keep_data, shared)
    mine = Store.open(shared)
    assert mine.blobs.has(digest_of(DATA))
    as_user(BOB, clear_nothing, shared, 0o077)
    assert mine.blobs.read(digest_of(DATA)) == DATA


def clear_nothing(store: Store) -> None:
    here = Store.look(store.root)
    collector = Collector(here, Nothing(), Spare(), Progress())
    assert collector.preview().files == collector.run().files == 0


def test_a_lease_that_one_may_not_read_is_nobodys_end(shared: Path) -> None:
    """Its process was killed before it gave the file its mode: nobody knows what it relied on."""
    as_user(ALICE, keep_data, shared)
    file = shared / "leases" / "1-unreadable"
    file.write_bytes(b"")
    os.chown(file, ALICE, TEAM)
    file.chmod(0o600)
    as_user(BOB, clear_unreadably, shared)
    assert file.exists()
    as_user(ALICE, clear_data, shared)
    assert not file.exists()


def clear_unreadably(store: Store) -> None:
    assert store.lease.name in store.leases.names()
    collector = Collector(Store.look(store.root), Nothing(), Spare(), Progress())
    with pytest.raises(PermissionError):
        collector.run()
    assert store.blobs.has(digest_of(DATA))


def clear_data(store: Store) -> None:
    here = Store.look(store.root)
    assert Collector(here, Nothing(), Spare(), Progress()).run().files == 1


def test_a_project_that_one_may_not_look_into_stops_the_collection(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = tmp_path_factory.mktemp("project")
    (project / "locks").mkdir()
    as_user(ALICE, keep_data, shared)
    Store.look(shared).register(project)
    project.chmod(0o700)
    as_user(BOB, clear_for_projects, shared)
    assert Store.look(shared).blobs.has(digest_of(DATA))


def clear_for_projects(store: Store) -> None:
    here = Store.look(store.root)
    marker = ProjectMarker(here, lambda folder: Git(folder, {}))
    with pytest.raises(UnreadableProjectError, match="ermission"):
        Collector(here, marker, Spare(), Progress()).run()


def test_what_one_may_not_read_is_told_by_a_check(shared: Path) -> None:
    as_user(ALICE, keep_layer, shared)
    for path in shared.rglob("*.json"):
        if path.parent.parent.name in ("layers", "recipes"):
            path.chmod(0o600)
    as_user(BOB, check, shared)


def check(store: Store) -> None:
    found = Checker(Store.look(store.root), lambda *_: "", 1, Progress()).run()
    assert {(one.what, one.reason) for one in found.damage} == {
        ("layer record", "Permission denied"),
        ("recipe record", "Permission denied"),
    }


def test_in_a_store_of_ones_own_the_umask_decides(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        store = new_store(tmp_path)
        store.blobs.add(DATA)
    finally:
        os.umask(before)
    assert store.blobs.path(digest_of(DATA)).parent.stat().st_mode & 0o777 == 0o700


def look_on(store: Store) -> None:
    """What somebody does who may only read: the gate is held for as long as that lasts."""
    assert store.blobs.read(digest_of(DATA)) == DATA
    assert not store.leases.names()
    store.register(store.root)
    with (store.root / "leases" / ".gate").open("rb") as gate:
        assert not taken(gate.fileno(), fcntl.LOCK_EX)


def test_who_may_only_read_a_store_keeps_all_of_it_meanwhile(shared: Path) -> None:
    as_user(ALICE, keep_data, shared)
    for path in (shared, *shared.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    as_user(BOB, look_on, shared)


def read_data(store: Store) -> None:
    assert store.blobs.read(digest_of(DATA)) == DATA


def test_who_may_only_read_a_store_that_was_never_collected_reads_it(shared: Path) -> None:
    as_user(ALICE, keep_data, shared)
    shutil.rmtree(shared / "leases")
    shared.chmod(0o755)
    as_user(BOB, read_data, shared)
    assert not (shared / "leases").exists()


def keep_data(store: Store) -> None:
    store.blobs.add(DATA)


def write_unwritable(store: Store) -> None:
    with pytest.raises(PermissionError):
        store.blobs.add(b"new")


def test_who_may_only_read_a_store_cant_write_it(shared: Path) -> None:
    as_user(ALICE, keep_data, shared)
    for path in (shared, *shared.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    as_user(BOB, write_unwritable, shared)


# --- a seed


@pytest.fixture
def seed(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "seed")


def seeded(tmp_path: Path, seed: Store) -> Store:
    return Store.open(tmp_path / "own", seed.root)


def test_what_the_seed_has_is_read_and_not_written(tmp_path: Path, seed: Store) -> None:
    made = realised(seed, make_wheel("demo"))
    wheel = made.blobs[1]
    before = sorted(seed.root.rglob("*"))
    store = seeded(tmp_path, seed)

    assert store.blobs.has(wheel)
    assert store.blobs.size(wheel) == seed.blobs.size(wheel)
    assert store.blobs.read(wheel) == seed.blobs.read(wheel)
    store.blobs.check(wheel)
    assert store.blobs.add(seed.blobs.read(wheel)) == wheel
    assert store.realisations.of_layer(made.layer) == made
    assert b"".join(store.layer_stream(made)) == b"".join(seed.layer_stream(made))
    with store.blobs.partial(wheel, None, "it") as writer:
        assert writer.size == seed.blobs.size(wheel)
    assert sorted(seed.root.rglob("*")) == before
    assert not (store.root / "layers").exists()


def test_what_is_made_goes_into_ones_own(tmp_path: Path, seed: Store) -> None:
    realised(seed, make_wheel("demo"))
    store = seeded(tmp_path, seed)
    before = {path: path.stat().st_mtime_ns for path in seed.root.rglob("*.json")}
    made = realised(store, make_wheel("demo"), make_wheel("other"))

    assert store.realisations.of_layer(made.layer) == made
    assert seed.realisations.of_layer(made.layer) is None
    assert {path: path.stat().st_mtime_ns for path in seed.root.rglob("*.json")} == before
    # What it is made of was copied while it was hashed: the seed's owner may change it any time.
    assert Store.look(store.root).realisations.of_layer(made.layer) == made


def test_a_damaged_blob_of_the_seed_is_found_out_and_mended_in_ones_own(
    tmp_path: Path, seed: Store
) -> None:
    digest = seed.blobs.add(DATA)
    path = seed.blobs.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"y" * len(DATA))
    store = seeded(tmp_path, seed)

    with pytest.raises(DamagedBlobError) as caught:
        store.blobs.read(digest)
    assert str(path) in caught.value.hint
    store.blobs.add(DATA)
    assert store.blobs.read(digest) == DATA
    assert path.read_bytes() == b"y" * len(DATA)


def test_a_seed_must_be_a_store(tmp_path: Path, seed: Store) -> None:
    with pytest.raises(NoSeedError) as caught:
        Store.open(tmp_path / "own", tmp_path / "nowhere")
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "BASESTORE_STORE_SEED" in caught.value.hint
    with pytest.raises(NoSeedError):
        Store.open(seed.root, seed.root)
    (seed.root / "format").write_bytes(b"basestore store 2\n")
    with pytest.raises(StoreFormatError):
        Store.open(tmp_path / "own", seed.root)


def test_looking_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusableError):
        Store.look(tmp_path / "store")
    assert not (tmp_path / "store").exists()
