"""Blobs that are only opened once this user has hashed them, wherever their bytes come from."""

import mmap
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from layers import digest_of
from services import lacking

from basestore.digest import Digest
from basestore.state import State
from basestore.store import DamagedBlobError, MissingBlobError, Store
from basestore.store.memory import Memory

DATA = bytes(range(256)) * 40
OTHER = DATA[:-1] + b"x"
DIGEST = digest_of(DATA)
STRANGER = 40001


class Hashed:
    """Counts what is hashed."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, amount: int) -> None:
        self.bytes += amount


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state")


@pytest.fixture
def store(tmp_path: Path, state: State) -> Store:
    return Store.open(tmp_path / "store", state=state)


def plant(store: Store, data: bytes, mode: int = 0o444) -> Path:
    """Put a file in the blob's place, as a cache does that is restored."""
    path = store.blobs.path(DIGEST)
    store.folders.make(path.parent)
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def bytes_hashed(store: Store) -> int:
    """What it takes to open the blob; its bytes are right."""
    hashed = Hashed()
    with store.blobs.verified(DIGEST, hashed) as file:
        assert file.read() == DATA
    return hashed.bytes


def refused(store: Store) -> None:
    with pytest.raises(DamagedBlobError) as caught:
        store.blobs.verified(DIGEST)
    assert str(store.blobs.path(DIGEST)) in caught.value.hint


def later(store: Store, state: State) -> Store:
    """The store as the user's next process opens it."""
    return Store.open(store.root, state=State(state.folder))


def test_what_lies_there_is_hashed_once_by_a_user(store: Store, state: State) -> None:
    inode = plant(store, DATA).stat().st_ino
    assert not store.blobs.is_verified(DIGEST)
    assert bytes_hashed(store) == len(DATA)
    assert store.blobs.is_verified(DIGEST)
    assert bytes_hashed(store) == bytes_hashed(later(store, state)) == 0
    assert store.blobs.path(DIGEST).stat().st_ino == inode


def test_each_user_hashes_for_himself(store: Store, tmp_path: Path) -> None:
    plant(store, DATA)
    bytes_hashed(store)
    another = Store.open(store.root, state=State.open(tmp_path / "another"))
    assert bytes_hashed(another) == len(DATA)


def test_what_was_fetched_here_is_not_hashed_again(store: Store, state: State) -> None:
    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        writer.write(DATA)
    assert bytes_hashed(store) == bytes_hashed(later(store, state)) == 0


def test_without_a_state_it_is_hashed_once_a_process(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    plant(store, DATA)
    assert bytes_hashed(store) == len(DATA)
    assert bytes_hashed(store) == 0
    assert bytes_hashed(Store.open(store.root)) == len(DATA)


def test_two_stores_of_a_user_dont_forget_each_others(tmp_path: Path, state: State) -> None:
    stores = [Store.open(tmp_path / f"store{n}", state=state) for n in range(3)]
    for store in stores:
        plant(store, DATA)
        bytes_hashed(store)
    assert [bytes_hashed(later(store, state)) for store in stores] == [0, 0, 0]


def test_so_many_files_are_remembered_and_no_more(store: Store, state: State) -> None:
    for _ in range(50):
        path = plant(store, DATA)
        path.rename(path.with_name(f"kept-{os.urandom(4).hex()}"))
        plant(store, DATA)
        bytes_hashed(store)
    assert len(state.recall("hashed", DIGEST)) == 8


def as_it_was(path: Path, change: Callable[[Path], None]) -> None:
    """Change a file and give it back its time of writing, which anybody may who owns it."""
    before = path.stat()
    path.chmod(0o644)
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.chmod(0o444)


def overwrite(path: Path) -> None:
    path.write_bytes(OTHER)


def replace(path: Path) -> None:
    path.with_name("new").write_bytes(OTHER)
    path.with_name("new").replace(path)


def write_mapped(path: Path) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[-1:] = b"x"


@pytest.mark.parametrize("change", [overwrite, replace, write_mapped])
def test_bytes_that_changed_since_are_found_out(
    store: Store, change: Callable[[Path], None]
) -> None:
    path = plant(store, DATA)
    bytes_hashed(store)
    as_it_was(path, change)
    refused(store)


def test_a_mapped_page_that_was_not_written_yet_counts(store: Store) -> None:
    """Its file gets no new time when it is changed again, until it is written back."""
    path = plant(store, DATA, 0o644)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[-1:] = DATA[-1:]
        path.chmod(0o444)
        assert bytes_hashed(store) == len(DATA)
        mapped[-1:] = b"x"
        mapped.flush()
        refused(store)


def test_what_is_swapped_while_it_is_open_is_read_as_it_was_hashed(store: Store) -> None:
    path = plant(store, DATA)
    with store.blobs.verified(DIGEST) as file:
        as_it_was(path, replace)
        assert file.read() == DATA
    refused(store)


def anybodys(path: Path) -> None:
    path.chmod(0o664)


def ones_own_to_write(path: Path) -> None:
    path.chmod(0o644)


def a_strangers(path: Path) -> None:
    if os.geteuid() != 0:
        lacking("needs root, to give files away")
    os.chown(path, STRANGER, STRANGER)


def a_link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


FOREIGN = [anybodys, ones_own_to_write, a_strangers, a_link]


@pytest.mark.parametrize("make", FOREIGN)
def test_what_others_may_change_is_copied_while_it_is_hashed(
    store: Store, state: State, make: Callable[[Path], None]
) -> None:
    path = plant(store, DATA)
    make(path)
    foreign = path.stat().st_ino

    assert not store.blobs.is_verified(DIGEST)
    assert bytes_hashed(store) == len(DATA)
    found = path.lstat()
    assert found.st_ino != foreign
    assert (stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)) == (stat.S_IFREG, 0o444)
    assert found.st_uid == os.geteuid()
    assert bytes_hashed(store) == bytes_hashed(later(store, state)) == 0


@pytest.mark.parametrize("make", FOREIGN)
def test_other_bytes_of_others_are_refused_and_not_taken(
    store: Store, make: Callable[[Path], None]
) -> None:
    path = plant(store, OTHER)
    make(path)
    before = path.lstat()
    refused(store)
    assert path.lstat().st_ino == before.st_ino
    assert not list((store.root / "partials").iterdir())


@pytest.mark.parametrize("make", FOREIGN)
def test_a_record_of_a_file_ends_when_others_may_change_it(
    store: Store, make: Callable[[Path], None]
) -> None:
    path = plant(store, DATA)
    bytes_hashed(store)
    make(path)
    assert bytes_hashed(store) == len(DATA)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [a_pipe, a_folder, a_link_to_nowhere])
def test_what_is_no_file_is_no_blob(store: Store, make: Callable[[Path], None]) -> None:
    make(plant(store, DATA))
    for look in (store.blobs.verified, store.blobs.open, store.blobs.read):
        with pytest.raises(MissingBlobError):
            look(DIGEST)
    assert not store.blobs.has(DIGEST)


@pytest.mark.parametrize("data", [DATA, OTHER])
def test_a_seeds_bytes_are_copied_while_they_are_hashed(
    tmp_path: Path, state: State, data: bytes
) -> None:
    seed = Store.open(tmp_path / "seed", state=state)
    path = plant(seed, data)
    store = Store.open(tmp_path / "own", seed.root, state=state)
    if data == OTHER:
        with pytest.raises(DamagedBlobError) as caught:
            store.blobs.verified(DIGEST)
        assert f"BASESTORE_STORE={seed.root} " in caught.value.hint
        assert not store.blobs.path(DIGEST).exists()
        return
    bytes_hashed(seed)
    assert bytes_hashed(store) == len(DATA)
    path.chmod(0o644)
    path.write_bytes(OTHER)
    assert bytes_hashed(store) == 0


@pytest.mark.parametrize("make", FOREIGN)
def test_who_only_looks_reads_a_copy_that_is_kept_nowhere(
    store: Store, state: State, make: Callable[[Path], None]
) -> None:
    path = plant(store, DATA)
    make(path)
    before = path.lstat()
    looking = Store.look(store.root, state=state)
    for _ in range(2):
        with looking.blobs.verified(DIGEST) as file:
            path.chmod(0o644)
            assert path.write_bytes(OTHER)
            assert file.read() == DATA
        path.write_bytes(DATA)
    assert path.lstat().st_ino == before.st_ino
    assert not looking.blobs.is_verified(DIGEST)


# --- downloads


def begin(store: Store, data: bytes) -> Path:
    """A download of this user that was broken off."""
    path = store.root / "partials" / f"{os.geteuid()}-{DIGEST.hex}"
    store.folders.make(path.parent)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def fetched(store: Store) -> int:
    """Fetch it, from where an earlier run left off; how many bytes that left."""
    with store.blobs.partial(DIGEST, len(DATA), "it") as writer:
        assert (store.root / "partials" / f"{os.geteuid()}-{DIGEST.hex}").stat().st_mode == 0o100600
        left = writer.size
        writer.write(DATA[left:])
    assert bytes_hashed(store) == 0
    return left


def test_ones_own_download_goes_on(store: Store) -> None:
    begin(store, DATA[:100])
    assert fetched(store) == 100


def a_second_name(path: Path) -> None:
    path.with_name("another").hardlink_to(path)


@pytest.mark.parametrize("make", [anybodys, a_strangers, a_link, a_second_name, a_pipe])
def test_a_download_that_others_could_write_begins_anew(
    store: Store, make: Callable[[Path], None]
) -> None:
    path = begin(store, DATA[:100])
    make(path)
    kept = [one for one in path.parent.iterdir() if one != path]
    before = [one.read_bytes() for one in kept]
    assert fetched(store) == 0
    assert [one.read_bytes() for one in kept] == before


def test_a_download_of_before_users_had_their_own_is_left(store: Store) -> None:
    old = store.root / "partials" / DIGEST.hex
    store.folders.make(old.parent)
    old.write_bytes(DATA[:100])
    assert fetched(store) == 0


def test_a_lost_file_is_forgotten(tmp_path: Path, state: State) -> None:
    memory = Memory(state)
    for name in ("one", "other"):
        (tmp_path / name).write_bytes(DATA)
        (tmp_path / name).chmod(0o444)
        memory.note_hashed(DIGEST, (tmp_path / name).stat())
    memory.forget_hashed(DIGEST, (tmp_path / "one").stat())
    assert not Memory(state).is_hashed(DIGEST, (tmp_path / "one").stat())
    assert Memory(state).is_hashed(DIGEST, (tmp_path / "other").stat())
    memory.forget_hashed(DIGEST, (tmp_path / "other").stat())
    assert state.recall("hashed", DIGEST) is None


@pytest.mark.parametrize("said", [{}, [None], [[]], [{"inode": 1}], "x", 3, [[[[]]]]])
def test_what_a_state_says_in_another_form_counts_for_nothing(
    store: Store, state: State, said: object
) -> None:
    plant(store, DATA)
    state.remember("hashed", DIGEST, said)  # type: ignore[arg-type]
    assert bytes_hashed(store) == len(DATA)
    assert bytes_hashed(later(store, state)) == 0


def test_a_digest_is_of_the_bytes_that_are_given(store: Store) -> None:
    """Names of blobs are no more than that."""
    for number in range(3):
        data = b"%d" % number
        digest = store.blobs.add(data)
        with store.blobs.verified(digest) as file:
            assert Digest.of(file.read()) == digest
