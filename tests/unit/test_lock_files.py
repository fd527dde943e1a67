"""The files in ``locks/``: read, and replaced whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from locked_project import lock, make_project

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.files import replace_files
from basestore.lock import codec
from basestore.lock.files import (
    NoLockError,
    UnreadableLockError,
    UnwritableError,
    lock_digests,
    read_images,
    read_lock,
    read_origin,
    write_images,
    write_lock,
)
from basestore.lock.images import ImageRecord
from basestore.lock.inputs import Part
from basestore.profile.document import DocumentError
from basestore.profile.project import read_project
from basestore.target import Platform


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two locked profiles, one the other's parent."""
    make_project(tmp_path)
    return tmp_path


def test_a_lock_is_read_back(root: Path) -> None:
    project = read_project(root)
    found, digest = read_lock(project, "cpu")
    assert found.lineage == ("runtime", "cpu")
    origin = read_origin(project, "cpu")
    assert origin is not None
    assert origin.head.lock == digest
    assert origin.parts.keys() == set(Part) - {
        Part.CONSTRAINTS,
        Part.FROM_LOCK,
        Part.HASHES,
        Part.RECORD_EXCEPTIONS,
        Part.REPLACES,
    }
    assert lock_digests(project)["cpu"] == digest


def test_a_lock_that_is_missing_or_another_profiles(root: Path) -> None:
    project = read_project(root)
    with pytest.raises(NoLockError, match=r"there is no locks/gpu\.lock$") as caught:
        read_lock(project, "gpu")
    assert caught.value.exit_code is ExitCode.DISAGREEMENT
    assert read_origin(project, "gpu") is None
    (root / "locks/gpu.lock").write_bytes((root / "locks/cpu.lock").read_bytes())
    with pytest.raises(DocumentError, match=r"^locks/gpu\.lock: profile: the lock of 'cpu'"):
        read_lock(project, "gpu")


def test_writing_what_is_there_touches_nothing(root: Path) -> None:
    files = sorted((root / "locks").iterdir())
    before = [(file, file.stat().st_mtime_ns, file.stat().st_ino) for file in files]
    lock(root, "runtime")
    files = sorted((root / "locks").iterdir())
    assert [(file, file.stat().st_mtime_ns, file.stat().st_ino) for file in files] == before


def test_nothing_is_half_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    (tmp_path / "file").touch()
    with pytest.raises((FileExistsError, NotADirectoryError)):
        replace_files({tmp_path / "one": b"new", tmp_path / "file" / "two": b"new"})
    assert (tmp_path / "one").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "one"]
    replace_files({tmp_path / "one": b"new", tmp_path / "folder" / "two": b"new"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "folder/two").read_bytes() == b"new"
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    with pytest.raises(UnwritableError, match=r"^locks/.* can't be written: ") as caught:
        write_images(read_project(tmp_path), ())
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_lock_that_would_not_be_read_back_is_not_written(root: Path) -> None:
    project = read_project(root)
    found, _ = read_lock(project, "runtime")
    origin = read_origin(project, "runtime")
    assert origin is not None
    with pytest.raises(ValueError, match="the origin describes"):
        write_lock(project, replace(found, image=replace(found.image, user="x")), origin)
    wrong = replace(found, image=replace(found.image, env=("NO VALUE",)))
    head = replace(origin.head, lock=Digest.of(codec.write(wrong)))
    with pytest.raises(UnreadableLockError, match=r"locks/runtime\.lock can't be read back: .*env"):
        write_lock(project, wrong, replace(origin, head=head))


def test_the_images_file(root: Path) -> None:
    project = read_project(root)
    _, digest = read_lock(project, "cpu")
    record = ImageRecord("cpu", digest, digest, {Platform("amd64"): digest})
    write_images(project, [record])
    assert read_images(project) == (record,)
