"""`store verify --deep`: packages held to what they say of themselves, by the locks that name them.

The store's bytes are right throughout; it is the packages that are not what they list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import debbytes as d
import pytest
from layers import keep, new_store
from wheelmaker import make_wheel, record_with, record_with_wrong_hash

from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.wheel.content import Compared
from basestore.layer.wheel.errors import BadRecordError
from basestore.lock import codec
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.pipeline.store_packages import Naming, PackageChecker, Packages
from basestore.pipeline.store_roots import ProjectMarker
from basestore.progress import Progress
from basestore.sources.git import Git
from basestore.store import Store
from basestore.target import Platform

UNTRUE = make_wheel("demo", record=record_with_wrong_hash("demo/__init__.py"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def project(
    store: Store,
    folder: Path,
    wheels: Sequence[Wheel] = (),
    debs: Sequence[Deb] = (),
    exceptions: Mapping[str, str] | None = None,
) -> Path:
    """A registered project with one lock, ``runtime``, of these packages."""
    locks = folder / "locks"
    locks.mkdir(parents=True)
    platform = PlatformLock(Platform("amd64"), "3.11.2", "2.36", tuple(debs), tuple(wheels))
    lock = Lock("runtime", ImageConfig(), (platform,), ("runtime",))
    lock = replace(lock, record_exceptions=exceptions or {})
    (locks / "runtime.lock").write_bytes(codec.write(lock))
    store.register(folder)
    return folder


def checked(store: Store) -> Packages:
    here = Store.look(store.root)
    marker = ProjectMarker(here, lambda folder: Git(folder, {}))
    return PackageChecker(here, marker, 2, Progress()).run()


def stocked(store: Store, sums: bytes) -> Deb:
    files = [d.folder("bin"), d.file("bin/su", b"x")]
    data = d.deb(d.control("login"), files, {"md5sums": sums})
    return Deb("login", "1.0-1", "amd64", len(data), store.blobs.add(data))


def test_packages_that_are_what_they_say(store: Store, tmp_path: Path) -> None:
    deb = stocked(store, b"9dd4e461268c8034f5c8564e155c67a6  bin/su\n")
    project(store, tmp_path / "a", [keep(store, make_wheel("demo"))], [deb])

    assert checked(store) == Packages(2, (), ())


def test_a_wheel_that_isnt_is_told_once_with_all_locks_that_name_it(
    store: Store, tmp_path: Path
) -> None:
    wheel = keep(store, UNTRUE)
    one, two = (project(store, tmp_path / name, [wheel]) for name in ("a", "b"))

    found = checked(store)

    assert found.checked == 1
    (untrue,) = found.untrue
    assert isinstance(untrue.error, BadRecordError)
    assert "demo-1.0-py3-none-any.whl" in untrue.error.message
    assert set(untrue.package.strict) == {Naming(one, "runtime"), Naming(two, "runtime")}


def test_a_deb_that_isnt(store: Store, tmp_path: Path) -> None:
    project(store, tmp_path / "a", debs=[stocked(store, b"0" * 32 + b"  bin/su\n")])

    (untrue,) = checked(store).untrue
    assert isinstance(untrue.error, MalformedDebError)
    assert "login 1.0-1" in untrue.error.message


def test_an_excepted_wheel_is_told_and_no_fault(store: Store, tmp_path: Path) -> None:
    root = project(store, tmp_path / "a", [keep(store, UNTRUE)], exceptions={"demo": "old"})

    found = checked(store)

    assert found.untrue == ()
    (excepted,) = found.excepted
    assert excepted.package.namings == (Naming(root, "runtime", "old"),)
    assert excepted.compared == Compared(2, ("demo/__init__.py is not what its RECORD says",))


def test_a_lock_that_doesnt_except_it_is_told(store: Store, tmp_path: Path) -> None:
    wheel = keep(store, make_wheel("demo", record=record_with("ghost")))
    project(store, tmp_path / "a", [wheel], exceptions={"demo": "old"})
    strict = project(store, tmp_path / "b", [wheel])

    (untrue,) = checked(store).untrue

    assert untrue.package.strict == (Naming(strict, "runtime"),)
    assert len(untrue.package.namings) == 2


def test_what_cant_be_looked_at_is_passed_over(store: Store, tmp_path: Path) -> None:
    """Packages that aren't there, that are damaged, and projects whose locks can't be read."""
    here, gone, damaged = (keep(store, make_wheel(name)) for name in ("demo", "gone", "other"))
    store.blobs.path(gone.sha256).unlink()
    project(store, tmp_path / "a", [here, gone, damaged])
    broken = project(store, tmp_path / "b", [keep(store, UNTRUE)])
    (broken / "locks" / "runtime.lock").write_text("<<<<<<<\n")

    look = Store.look(store.root)
    marker = ProjectMarker(look, lambda folder: Git(folder, {}))
    found = PackageChecker(look, marker, 2, Progress()).run({damaged.sha256})

    assert found == Packages(1, (), ())


def test_a_wheel_that_no_lock_names_is_just_a_blob(store: Store, tmp_path: Path) -> None:
    keep(store, UNTRUE)
    project(store, tmp_path / "a")

    assert checked(store) == Packages(0, (), ())
