"""Reading what uv resolved: what the standard promises, and what it doesn't promise but we need."""

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.digest import Digest
from basestore.resolve.pin import pin_nothing
from basestore.sources.pylock import (
    DirectUrlError,
    MissingHashError,
    PylockError,
    read_pylock,
    write_preferences,
)

HEAD = 'lock-version = "1.0"\ncreated-by = "uv"\n'
HASH = "0a" * 32
URL = "http://127.0.0.1/lib-1.0-py3-none-any.whl"
SDIST = f'sdist = {{ url = "http://127.0.0.1/c-1.0.tar.gz", hashes = {{ sha256 = "{HASH}" }} }}'


def package(wheels: str, name: str = "lib") -> str:
    return f'[[packages]]\nname = "{name}"\nversion = "1.0"\n{wheels}\n'


def wheels(hashes: str = f'sha256 = "{HASH}"', more: str = "", url: str = URL) -> str:
    return f'wheels = [{{ url = "{url}", hashes = {{ {hashes} }}{more} }}]'


def read(*packages: str) -> object:
    return read_pylock((HEAD + "".join(packages)).encode())


def test_a_wheel_with_all_that_an_index_may_tell() -> None:
    moment = ", upload-time = 2026-01-02T03:04:05Z, size = 7"
    (found,) = read_pylock((HEAD + package(wheels(more=moment))).encode())

    (wheel,) = found.wheels
    assert (found.name, found.version) == ("lib", "1.0")
    assert (wheel.file, wheel.url, wheel.size) == ("lib-1.0-py3-none-any.whl", URL, 7)
    assert wheel.sha256 == Digest(HASH)
    assert wheel.uploaded is not None
    assert wheel.uploaded.isoformat() == "2026-01-02T03:04:05+00:00"


def test_an_upload_time_without_an_offset_is_in_utc() -> None:
    (found,) = read_pylock(
        (HEAD + package(wheels(more=", upload-time = 2026-01-02T03:04:05"))).encode()
    )

    assert found.wheels[0].uploaded == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_size_of_nothing_is_unknown() -> None:
    (found,) = read_pylock((HEAD + package(wheels(more=", size = 0"))).encode())

    assert found.wheels[0].size is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/other-1.0-py3-none-any.whl", "is no wheel of lib 1.0"),
        ("http://127.0.0.1/lib-2.0-py3-none-any.whl", "is no wheel of lib 1.0"),
        ("http://127.0.0.1/lib.whl", "is no wheel's name"),
        ("http://[127/lib-1.0-py3-none-any.whl", "the URL of lib is none"),
    ],
)
def test_an_archive_is_a_wheel_of_its_package(url: str, reason: str) -> None:
    archive = f'archive = {{ url = "{url}", hashes = {{ sha256 = "{HASH}" }} }}'

    with pytest.raises(PylockError, match=reason):
        read(package(archive))


def test_packages_come_sorted() -> None:
    texts = [package(wheels(url=URL.replace("lib", name)), name) for name in "ba"]
    found = read_pylock("".join([HEAD, *texts, package(SDIST, "c")]).encode())

    assert [(one.name, len(one.wheels)) for one in found] == [("a", 1), ("b", 1), ("c", 0)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("lock-version = ", "Invalid value"),
        (HEAD.replace("1.0", "9.0") + package(wheels()), "9.0"),
        (HEAD + package(wheels()) * 2, "lib stands in it twice"),
        (HEAD + package(wheels(more=", size = -1")), "size -1"),
        (HEAD + package(wheels('sha256 = "AB"')), "hexadecimal"),
        (HEAD + package('wheels = [{ path = "lib-1.0-py3-none-any.whl", hashes = { a = "b" } }]'),
         "no URL"),
        (HEAD + package("wheels = 1"), "wheels"),
        (HEAD + "packages = [{}]", "name"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PylockError) as failure:
        read_pylock(text.encode())
    assert reason in failure.value.message


@pytest.mark.parametrize(
    "data", [b"\xff", b"a = " + b"9" * 5000, b"a = " + b"[" * 5000, b'a = "' + b"9" * 5000]
)
def test_bytes_that_are_no_document(data: bytes) -> None:
    with pytest.raises(PylockError):
        read_pylock(data)


def test_another_hash_is_no_hash() -> None:
    (found,) = read(package(wheels('md5 = "abc"')))
    (unhashed,) = found.unhashed
    assert (unhashed.file, found.wheels) == ("lib-1.0-py3-none-any.whl", ())
    with pytest.raises(MissingHashError, match=r"127\.0\.0\.1 tells no SHA-256 for lib-1\.0"):
        pin_nothing(unhashed)


@pytest.mark.parametrize(
    "direct",
    [
        f'archive = {{ url = "http://127.0.0.1/lib.tgz", hashes = {{ sha256 = "{HASH}" }} }}',
        'vcs = { type = "git", url = "http://127.0.0.1/x", commit-id = "a" }',
        'directory = { path = "." }',
    ],
)
def test_a_reference_that_is_no_wheels(direct: str) -> None:
    with pytest.raises(DirectUrlError, match="lib is asked for by a reference that is no wheel's"):
        read(package(direct))


def test_a_wheel_by_its_url() -> None:
    (lib,) = read(package(f'archive = {{ url = "{URL}", hashes = {{ sha256 = "{HASH}" }} }}'))

    (wheel,) = lib.wheels
    assert (wheel.file, wheel.url, wheel.sha256.hex) == (URL.rpartition("/")[2], URL, HASH)


names = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}(rc1)?(\+cpu)?", fullmatch=True)


@given(st.dictionaries(names, versions))
def test_preferences_are_a_pylock_with_names_and_versions(pins: dict[str, str]) -> None:
    pylock = write_preferences(pins)

    packages = tomllib.loads(pylock.decode()).get("packages", [])
    assert packages == [{"name": name, "version": pins[name]} for name in sorted(pins)]
    assert write_preferences(dict(reversed(pins.items()))) == pylock
