"""The origin file: its form, its head, and what is said about files that are none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.inputs import Part
from basestore.lock.origin import (
    DebOrigin,
    Head,
    MalformedOriginError,
    Origin,
    PackageOrigin,
    parse,
    parse_head,
    write,
)
from basestore.profile.model import Location

ONE, TWO, THREE = (Digest(c * 64) for c in "123")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

ORIGIN = Origin(
    head=Head(ONE, TWO, {"profiles/x.toml": THREE, "libs/base.txt": ONE}),
    resolver="uv 0.13.8",
    resolved=NOON,
    parts={Part.PYTHON: ONE, Part.FOUNDATION: TWO},
    direct={"fastapi": (Location("profiles/x.toml", 3), Location("libs/base.txt", 1))},
    packages={
        "starlette": PackageOrigin("default"),
        "fastapi": PackageOrigin("default", ("pydantic", "starlette"), NOON),
    },
    debs={"tzdata": DebOrigin("bookworm-updates"), "libc6": DebOrigin("bookworm", ("libgcc-s1",))},
    stated={
        Location("libs/base.txt", 1): ("fastapi",),
        Location("profiles/x.toml", 3): ("fastapi>=0.100", "starlette"),
        Location("profiles/x.toml", 12): ("anyio",),
    },
    bounds={Location("libs/bounds.txt", 2): ("idna<4",)},
)
TEXT = f"""\
# Written by basestore: how the lock came about. It decides nothing about the image.
lock = "sha256:{"1" * 64}"
inputs = "sha256:{"2" * 64}"
files = {{ "libs/base.txt" = "sha256:{"1" * 64}", "profiles/x.toml" = "sha256:{"3" * 64}" }}
resolver = "uv 0.13.8"
resolved = 2026-11-20T12:00:00Z

[parts]
foundation = "sha256:{"2" * 64}"
python = "sha256:{"1" * 64}"

[direct]
fastapi = ["profiles/x.toml:3", "libs/base.txt:1"]

[stated]
"libs/base.txt:1" = ["fastapi"]
"profiles/x.toml:3" = ["fastapi>=0.100", "starlette"]
"profiles/x.toml:12" = ["anyio"]

[bounds]
"libs/bounds.txt:2" = ["idna<4"]

[packages.fastapi]
index = "default"
requires = ["pydantic", "starlette"]
uploaded = 2026-11-20T12:00:00Z

[packages.starlette]
index = "default"

[debs.libc6]
suite = "bookworm"
requires = ["libgcc-s1"]

[debs.tzdata]
suite = "bookworm-updates"
"""


def test_the_file() -> None:
    assert write(ORIGIN).decode() == TEXT
    assert parse(TEXT.encode(), "x") == ORIGIN


def test_the_head_is_read_without_the_rest() -> None:
    head, _, _ = TEXT.partition("[direct]")
    assert parse_head(TEXT.encode(), "x") == ORIGIN.head
    assert parse_head(f"{head}[no toml".encode(), "x") == ORIGIN.head


def test_moments_are_written_in_utc() -> None:
    east = Origin(ORIGIN.head, "uv", NOON.astimezone(timezone(timedelta(hours=2))))
    assert b"resolved = 2026-11-20T12:00:00Z\n" in write(east)
    assert parse(write(east), "x") == east


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('lock = "sha256:1', 'lock = "sha256:g', "x:2: lock: "),
        ("inputs = ", "input = ", "x:3: input: unknown key"),
        (TEXT[: TEXT.index("resolver")], "", "x: lock: missing"),
        ('"libs/base.txt" = "sha256:1', '"libs/base.txt" = "md5:1', 'x:4: files."libs/base.txt": '),
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00", "x:6: resolved: a date and time without"),
        ("2026-11-20T12:00:00Z", "2026-11-20", "x:6: resolved: a date, not a date and"),
        ("foundation =", "fundament =", "x:9: parts.fundament: unknown key"),
        ("profiles/x.toml:3", "profiles/x.toml", "x:13: direct.fastapi: 'profiles/x.toml' is no"),
        ('index = "default"\n', "", "x:23: packages.fastapi.index: missing"),
        ("[debs.tzdata]", "[debs]", "x:36: debs.suite: a string, not a table"),
        ("[direct]", "<<<<<<< HEAD", "x:12: not valid TOML"),
    ],
)
def test_what_is_no_origin(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(MalformedOriginError) as caught:
        parse(TEXT.replace(old, new, 1).encode(), "x")
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert "basestore lock" in caught.value.hint


def test_a_head_that_is_none() -> None:
    with pytest.raises(MalformedOriginError, match=r"^x:1: not valid TOML"):
        parse_head(b"<<<<<<< HEAD\n" + TEXT.encode(), "x")
