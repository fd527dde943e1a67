"""Versions: what is one, and dpkg's order (Debian policy 5.6.12)."""

from itertools import pairwise

import pytest

from basestore.debian.version import Version

ASCENDING = [
    "0~~",
    "0~~a",
    "0~",
    "0",
    "0a",
    "0+",
    "0.0~rc1",
    "0.0-0.1",
    "1~rc1-1",
    "1-1",
    "1-1+b1",
    "1-1.1",
    "1.0~bpo1",
    "1.0+dfsg-1",
    "1.0.1",
    "1.2",
    "1.10",
    "9",
    "10",
    "1:0",
    "1:1-1-1",
    "2:0~",
]


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ASCENDING)))
def test_neighbours_are_ordered(lower: str, higher: str) -> None:
    assert Version.parse(lower) < Version.parse(higher)
    assert Version.parse(higher) > Version.parse(lower)
    assert Version.parse(lower) != Version.parse(higher)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1.0-0"), ("1.0", "0:1.0"), ("1.01", "1.1"), ("1.", "1.0"), ("1a", "1a0")],
)
def test_different_texts_can_be_equal_versions(one: str, other: str) -> None:
    assert Version.parse(one) == Version.parse(other)
    assert hash(Version.parse(one)) == hash(Version.parse(other))
    assert not Version.parse(one) < Version.parse(other)


def test_the_parts() -> None:
    version = Version.parse("2:3.11.2-rc-6+deb12u3")
    assert (version.epoch, version.upstream, version.revision) == (2, "3.11.2-rc", "6+deb12u3")
    assert str(version) == "2:3.11.2-rc-6+deb12u3"


def test_numbers_have_any_length() -> None:
    assert Version.parse("1." + "9" * 5000) < Version.parse("1.1" + "0" * 5000)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "a:1", ":1", "1:", "1-", "1_2", "1/2", "1ä", "3000000000:1", "1\n"]
)
def test_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="Debian package"):
        Version.parse(text)
