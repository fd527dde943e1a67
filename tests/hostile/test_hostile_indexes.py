"""Indexes of archives that break their own rules, signed or not."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.debian.packages import MalformedStanzaError, PackagesIndex, SuiteIndex
from basestore.debian.release import parse_release
from basestore.digest import Digest
from basestore.errors import ExitCode

DIGEST = hashlib.sha256(b"x").hexdigest()
STANZA = (
    f"Package: pkg\nVersion: 1\nArchitecture: amd64\nFilename: pool/pkg.deb\nSize: 1\n"
    f"SHA256: {DIGEST}\n"
).encode()
ARCHIVE = "http://archive.example"


def index(data: bytes) -> PackagesIndex:
    return PackagesIndex(ARCHIVE, data)


def test_a_file_name_that_is_no_text_is_refused_by_its_stanza() -> None:
    suite = SuiteIndex("bookworm", [index(STANZA.replace(b"pool/", b"pool/\xff"))])
    for ask in (lambda: suite.location(Digest(DIGEST)), lambda: suite.candidate("pkg")):
        with pytest.raises(MalformedStanzaError, match=r"archive\.example") as caught:
            ask()
        assert caught.value.exit_code is ExitCode.INTEGRITY


def test_provides_above_every_name_are_nobodys() -> None:
    assert index(b"Provides: x\n\n" + STANZA).providers("x") == ()
    assert index(b"Provides: x\n").providers("x") == ()


def test_a_name_that_is_no_text_is_a_name_that_nobody_asks_for() -> None:
    data = b"Package: \xff\nProvides: x\n\n" + STANZA
    found = index(data)

    assert "pkg" in list(found.names())
    assert len(found.providers("x")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"Size: 1", b"Size: many"),
        (b"Size: 1", b"Size: " + b"9" * 5000),
        (b"Version: 1", b"Version: 1 2"),
        (b"Version: 1", b"Version: 9999999999:1"),
        (b"SHA256: ", b"SHA256: 0"),
        (b"Architecture: amd64\n", b""),
        (b"Package: pkg", b"Package: pkg\nDepends: ,(("),
    ],
)
def test_a_broken_field_names_archive_and_package(field: bytes, value: bytes) -> None:
    with pytest.raises(MalformedStanzaError, match="pkg"):
        list(index(STANZA.replace(field, value)).packages("pkg"))


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"Valid-Until: tomorrow\n",
        b"Valid-Until: Sat, 99 Nov 9999 99:99:99 +9999\n",
        b"Valid-Until: Sat, 28 Nov %s 14:08:03 UTC\n" % (b"9" * 40),
        b"Valid-Until: Sat, 28 Nov 2026 14:08:%s UTC\n" % (b"9" * 10),
        b"SHA256:\n 0 1 x\n",
        b"SHA256:\n too few\n",
        b"no field\n",
        b" begins\n",
    ],
)
def test_a_release_that_is_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_release(text)


@given(st.integers(0, len(STANZA) - 1), st.integers(0, 255))
def test_one_changed_byte_is_refused_or_read(at: int, byte: int) -> None:
    data = bytearray(STANZA)
    data[at] = byte
    suite = SuiteIndex("bookworm", [index(bytes(data))])
    with contextlib.suppress(MalformedStanzaError):
        suite.candidate("pkg")
        suite.location(Digest(DIGEST))
        list(suite.names())
