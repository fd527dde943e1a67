"""Roots: which projects a store is kept for, and what they need of it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from layers import digest_of, new_store
from locked_project import lock
from stored_project import StoredProject, stored_project

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.image.stored import image_of, read_image
from basestore.lock.model import Wheel
from basestore.pipeline.recorded import Records
from basestore.pipeline.store_gc import NoRootsError, clear, preview
from basestore.pipeline.store_roots import ProjectMarker, UnreadableProjectError
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.sources.git import Git
from basestore.store import Store
from basestore.store.roots import DamagedRootError
from basestore.store.survey import Spare


@pytest.fixture
def built(tmp_path: Path) -> StoredProject:
    return stored_project(tmp_path, new_store(tmp_path))


def git_in(folder: Path) -> Git:
    return Git(folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder)})


def marker(store: Store, **options: object) -> ProjectMarker:
    return ProjectMarker(Store.look(store.root), git_in, **options)  # type: ignore[arg-type]


def collected(store: Store, **options: object) -> int:
    """How many files a collection deletes, once nobody works in the store."""
    store.lease.release()
    here = Store.look(store.root)
    return clear(here, marker(store, **options), Spare(), Progress()).collected.files


def test_a_project_is_known_by_its_path_once(tmp_path: Path) -> None:
    roots = new_store(tmp_path).roots
    odd = tmp_path / "od\udcffd \n name"
    odd.mkdir()
    for project in (tmp_path, odd, odd / ".." / odd.name):
        roots.register(project)

    assert set(roots.projects()) == {tmp_path, odd}
    assert len(list(roots.files())) == 2
    assert roots.forget(odd)
    assert not roots.forget(odd)
    assert list(roots.projects()) == [tmp_path]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"path": 1}', b'{"path": "/elsewhere"}'])
def test_a_damaged_root_stops_a_collection(built: StoredProject, damage: bytes) -> None:
    (file,) = built.store.roots.files()
    file.write_bytes(damage)

    with pytest.raises(DamagedRootError) as caught:
        collected(built.store)
    assert caught.value.exit_code is ExitCode.INTEGRITY


def test_a_built_image_stays_whole(built: StoredProject) -> None:
    before = {path: path.read_bytes() for path in built.store.root.rglob("*/*/*.json")}
    assert collected(built.store) == 0

    store = Store.open(built.store.root)
    recorded = Records.read(read_project(built.root)).required("runtime")
    image = read_image(store, recorded.image)
    assert image_of(store, recorded.image, recorded.lock) == image
    assert {path: path.read_bytes() for path in before} == before


def test_what_the_lock_names_stays_before_anything_is_built(built: StoredProject) -> None:
    shutil.rmtree(built.store.root / "layers")
    (built.root / "locks" / "images.toml").unlink()

    collected(built.store)

    store = Store.look(built.store.root)
    assert all(map(store.blobs.has, built.index))


def test_what_an_image_needs_stays_though_its_lock_has_moved_on(built: StoredProject) -> None:
    project = read_project(built.root)
    recorded = Records.read(project).required("runtime")
    lock(built.root, "runtime")

    assert collected(built.store) == 0
    assert image_of(Store.look(built.store.root), recorded.image, recorded.lock)


def test_a_project_that_is_gone_keeps_nothing_and_is_told(built: StoredProject) -> None:
    shutil.rmtree(built.root)
    here = Store.look(built.store.root)
    built.store.lease.release()

    told = preview(here, marker(here), Spare(), Progress())
    assert told.gone == [built.root]
    done = clear(here, marker(here), Spare(), Progress())
    assert done.gone == [built.root]
    assert done.collected.after == 0
    assert not list(here.roots.files())
    with pytest.raises(NoRootsError) as caught:
        clear(here, marker(here), Spare(), Progress())
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("file", ["runtime.lock", "images.toml", "services.toml"])
def test_a_project_that_cant_be_read_stops_the_collection(built: StoredProject, file: str) -> None:
    path = built.root / "locks" / file
    path.write_bytes(b"<<<<<<< ours\n")

    with pytest.raises(UnreadableProjectError) as caught:
        collected(built.store)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert str(built.root) in caught.value.message
    assert f"locks/{file}" in caught.value.message
    assert "--ignore-project" in caught.value.hint

    assert collected(built.store, ignored=(built.root,)) > 0
    assert list(built.store.roots.projects()) == [built.root]


def test_a_broken_file_of_the_project_itself_doesnt_matter(built: StoredProject) -> None:
    (built.root / "basestore.toml").write_bytes(b"[[[")
    (built.root / "profiles" / "runtime.toml").write_bytes(b"\xff")

    assert collected(built.store) == 0


def test_a_project_without_locks_needs_nothing(built: StoredProject) -> None:
    shutil.rmtree(built.root / "locks")
    assert collected(built.store) > 0


def test_images_of_other_things_are_no_trouble(built: StoredProject) -> None:
    odd = built.store.blobs.add(b'{"manifests": 3, "layers": [1, {"digest": "x"}], "config": []}')
    text = (built.root / "locks" / "images.toml").read_text()
    digest = Records.read(read_project(built.root)).required("runtime").image
    (built.root / "locks" / "images.toml").write_text(text.replace(str(digest), str(odd)))

    assert collected(built.store) == 2  # manifest and config: nothing names them any more


# --- earlier revisions


def commit(root: Path, message: str) -> None:
    names = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
    for words in (["add", "-A"], [*names, "commit", "-qm", message]):
        subprocess.run(["git", "-C", str(root), *words], check=True)


def wheel(store: Store, name: str) -> Wheel:
    data = f"PK {name}".encode()
    digest = store.blobs.add(data)
    return Wheel(name, "1", f"{name}-1-py3-none-any.whl", len(data), digest, "runtime")


def test_earlier_revisions_count_as_far_back_as_asked_for(built: StoredProject) -> None:
    subprocess.run(["git", "init", "-q", str(built.root)], check=True)
    wheels = [wheel(built.store, name) for name in ("a", "b", "c")]
    for one in wheels:
        lock(built.root, "runtime", wheels=(one,))
        commit(built.root, one.name)
        (built.root / "README").write_text(one.name)
        commit(built.root, f"nothing of locks, after {one.name}")
    built.store.lease.release()

    def there() -> list[bool]:
        return [Store.look(built.store.root).blobs.has(one.sha256) for one in wheels]

    collected(built.store, revisions=3)
    assert there() == [True, True, True]
    collected(built.store, revisions=2)
    assert there() == [False, True, True]
    collected(built.store, revisions=0)
    assert there() == [False, False, True]


def test_a_broken_lock_in_an_earlier_revision_is_named(built: StoredProject) -> None:
    subprocess.run(["git", "init", "-q", str(built.root)], check=True)
    file = built.root / "locks" / "runtime.lock"
    good = file.read_bytes()
    file.write_bytes(b"broken\n")
    commit(built.root, "broken")
    file.write_bytes(good)
    commit(built.root, "good")

    with pytest.raises(UnreadableProjectError, match=r"in its commit [0-9a-f]{12}"):
        collected(built.store, revisions=5)
    assert collected(built.store, revisions=1) == 0


def test_a_project_outside_of_git_has_no_revisions(built: StoredProject) -> None:
    assert collected(built.store, revisions=5) == 0


# --- while it runs


def test_a_lock_that_changes_meanwhile_counts(built: StoredProject) -> None:
    late = wheel(built.store, "late")
    found = marker(built.store)
    assert late.sha256 not in found.mark()
    assert not found.stale()

    lock(built.root, "runtime", wheels=(late,))

    assert found.stale()
    assert late.sha256 in found.mark()
    assert not found.stale()


def test_another_branch_that_is_checked_out_meanwhile_counts(built: StoredProject) -> None:
    """Its lock is as long, has one time of writing and changing, and may get the same inode."""
    git = ["git", "-C", str(built.root)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    one, other = wheel(built.store, "one"), wheel(built.store, "two")
    lock(built.root, "runtime", wheels=(one,))
    commit(built.root, "one")
    subprocess.run([*git, "checkout", "-qb", "branch"], check=True)
    lock(built.root, "runtime", wheels=(other,))
    commit(built.root, "other")
    for _ in range(5):  # inodes come back when a file is written where one was removed
        for branch, needed in (("main", one), ("branch", other)):
            found = marker(built.store)
            found.mark()
            subprocess.run([*git, "checkout", "-q", branch], check=True)
            assert found.stale()
            assert needed.sha256 in found.mark()


def test_a_project_that_comes_meanwhile_counts(built: StoredProject, tmp_path: Path) -> None:
    found = marker(built.store)
    found.mark()
    other = shutil.copytree(built.root, tmp_path / "other")
    built.store.register(other)

    assert found.stale()
    found.mark()
    assert set(found.projects()) == {built.root, other}


def test_a_digest_is_needed_whether_it_is_there_or_not(built: StoredProject) -> None:
    missing = Wheel("m", "1", "m-1-py3-none-any.whl", 9, digest_of(b"missing"), "runtime")
    lock(built.root, "runtime", wheels=(missing,))

    assert Digest(missing.sha256.hex) in marker(built.store).mark()
