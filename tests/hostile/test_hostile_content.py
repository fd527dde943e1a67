"""`verify --content`: what archives say of their own files, over a whole lock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import debbytes as d
import pytest
from layers import keep, new_store
from wheelmaker import MadeWheel, Row, make_wheel, record_with_wrong_hash

from basestore.digest import Digest
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.wheel.errors import BadRecordError, BadZipError
from basestore.lock import codec
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.pipeline.locked import LockedProfile
from basestore.pipeline.verify import Finding, verify_content
from basestore.progress import Progress
from basestore.store import Store
from basestore.target import Platform

SU = d.file("bin/su", b"x", 0o4755)
SUMS = b"9dd4e461268c8034f5c8564e155c67a6  bin/su\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def stocked(store: Store, sums: bytes) -> Deb:
    data = d.deb(d.control("login"), [d.folder("bin"), SU], {"md5sums": sums})
    return Deb("login", "1.0-1", "amd64", len(data), store.blobs.add(data))


def verified(
    store: Store, wheel: Wheel, *debs: Deb, exceptions: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    platform = PlatformLock(Platform("amd64"), "3.11.2", "2.36", debs, (wheel,))
    lock = Lock("runtime", ImageConfig(), (platform,), ("runtime",))
    data = codec.write(replace(lock, record_exceptions=exceptions or {}))
    locked = LockedProfile("runtime", data, Digest.of(data))
    asked: list[frozenset[Digest]] = []
    found = verify_content(locked, store, lambda _, __, wanted: asked.append(wanted), Progress())
    assert asked == [frozenset({wheel.sha256, *(deb.sha256 for deb in debs)})]
    return found


def test_files_are_counted_and_setuid_programs_are_named(store: Store) -> None:
    (found,) = verified(store, keep(store, make_wheel("demo")), stocked(store, SUMS))

    assert found.holds
    assert found.detail == (
        "3 files of 1 wheels have RECORD's hashes; 1 files of 1 .debs have their md5sums; "
        "setuid or setgid: /bin/su"
    )


def test_without_debs_nothing_is_said_of_them(store: Store) -> None:
    (found,) = verified(store, keep(store, make_wheel("demo")))

    assert found.detail == "3 files of 1 wheels have RECORD's hashes"


def hexadecimal(rows: Sequence[Row], record: str) -> bytes:
    """RECORD as gmsh's own builder writes it."""
    lines = [f"{name},sha256={sha256(data).hexdigest()},{len(data)}" for name, data in rows]
    return "\n".join([*lines, f"{record},,\n"]).encode()


def test_hashes_of_a_record_may_be_hexadecimal(store: Store) -> None:
    (found,) = verified(store, keep(store, make_wheel("demo", record=hexadecimal)))

    assert found.detail == "3 files of 1 wheels have RECORD's hashes"


def test_hexadecimal_hashes_are_held_to_as_well(store: Store) -> None:
    made = make_wheel("demo", record=lambda *of: hexadecimal(*of).replace(b"sha256=", b"sha256=0"))
    with pytest.raises(BadZipError, match="is not what its RECORD says"):
        verified(store, keep(store, made))


def test_a_wheel_that_isnt_what_its_record_says(store: Store) -> None:
    made = make_wheel("demo", record=record_with_wrong_hash("demo/__init__.py"))
    with pytest.raises(BadRecordError, match=r"/__init__\.py is not what its RECORD") as caught:
        verified(store, keep(store, made))
    assert "[record-exceptions] demo = " in caught.value.hint


def test_an_excepted_wheel_is_told_with_its_reason(store: Store) -> None:
    made = make_wheel("demo", record=record_with_wrong_hash("demo/__init__.py"))
    content, exception = verified(
        store, keep(store, made), exceptions={"demo": "rebuilt upstream, #12"}
    )

    assert content.detail == "0 files of 0 wheels have RECORD's hashes"
    assert exception == Finding(
        "exception",
        True,
        "demo-1.0-py3-none-any.whl: 2 files have RECORD's hashes; demo/__init__.py is not what its "
        "RECORD says; the lock excepts it: rebuilt upstream, #12",
        "demo",
        "rebuilt upstream, #12",
    )


def test_an_exception_is_none_from_the_archives_own_checks(store: Store) -> None:
    data = bytearray(make_wheel("demo", stored=["demo/__init__.py"]).data)
    data[data.index(b"VERSION")] ^= 1
    wheel = keep(store, MadeWheel("demo-1.0-py3-none-any.whl", bytes(data)))

    with pytest.raises(BadZipError):
        verified(store, wheel, exceptions={"demo": "old"})


def test_a_deb_that_isnt_what_its_md5sums_say(store: Store) -> None:
    wrong = stocked(store, SUMS.replace(b"9d", b"00"))
    with pytest.raises(MalformedDebError, match=r"login 1\.0-1 .*bin/su is not what its md5sums"):
        verified(store, keep(store, make_wheel("demo")), wrong)
