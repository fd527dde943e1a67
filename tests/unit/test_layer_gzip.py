"""Gzip members against gzip and zlib, and the encoder's bytes."""

import gzip as standard
import hashlib
import random
import zlib

import pytest
from layers import gunzip

from basestore.layer import gzip

CONTENTS = [b"", b"a", b"a" * 100_000, bytes(range(256)) * 64, random.Random(1).randbytes(70_000)]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_member_is_read_by_gzip_and_zlib(content: bytes) -> None:
    member = gzip.member(content)

    assert standard.decompress(member) == zlib.decompress(member, wbits=31) == content


def test_a_chain_of_members_is_one_content() -> None:
    assert gunzip(b"".join(map(gzip.member, CONTENTS))) == b"".join(CONTENTS)


def test_the_header_says_nothing_that_could_differ() -> None:
    """No name, no time, no system (RFC 1952, 2.3)."""
    assert gzip.member(b"x")[:10] == bytes.fromhex("1f8b08000000000000ff")


def test_the_encoders_bytes_are_part_of_the_format() -> None:
    """Another libdeflate, level or way of calling it shows here first."""
    text = b"".join(b"%d squared is %d\n" % (n, n * n) for n in range(20_000))
    digest = hashlib.sha256(gzip.member(text) + gzip.member(CONTENTS[-1])).hexdigest()

    assert digest == "33b2395c462b6dba6a75bdb963c7b8b61ca5f6a65211e09c550896e62e06e48e"


def test_a_trailer_holds_the_size_modulo_two_to_the_32() -> None:
    assert gzip.trailer(0x01020304, 2**32 + 5) == bytes.fromhex("04030201" + "05000000")


def test_stored_blocks_are_deflate() -> None:
    content = random.Random(2).randbytes(gzip.STORED_BLOCK + 10)
    first, second = content[: gzip.STORED_BLOCK], content[gzip.STORED_BLOCK :]
    blocks = gzip.stored_header(len(first), False) + first + gzip.stored_header(10, True) + second

    assert zlib.decompress(blocks, wbits=-15) == content
