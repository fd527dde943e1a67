"""The lock file: a golden one, and what is said about files that are none."""

from dataclasses import replace
from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode, InputError
from basestore.lock.codec import DifferingLineError, EditedLockError, parse, write
from basestore.lock.decode import NewerLockError
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Replaced, Wheel
from basestore.target import Platform

GOLDEN = Path(__file__).parents[1].joinpath("golden/family.lock").read_bytes()
GOLDEN_DIGEST = "67ecbb96c19edd4765937fe86be45f821f5b42f55e70d88ae5c5d1934009604d"

ASYNCPG = "asyncpg-0.32.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
FAMILY = Lock(
    profile="ml",
    lineage=("runtime", "cpu", "ml"),
    image=ImageConfig(
        env=(
            "LANG=C.UTF-8",
            "PATH=/opt/venv/bin:/usr/bin:/bin",
            'QUOTE=say "hi"\ttwice',
            "VIRTUAL_ENV=/opt/venv",
        ),
        entrypoint=("tini", "--"),
        cmd=("python",),
        user="1000:1000",
        workdir="/srv/app",
        labels={"tier": "base", "org.example.team": "Plattform für alle"},
    ),
    path_conflicts={"lib/python3.11/site-packages/tests/__init__.py": ("asyncpg", "torch")},
    platforms=(
        PlatformLock(
            Platform("amd64"),
            "3.11.2",
            "2.36",
            (
                Deb("base-files", "12.4+deb12u15", "amd64", 70812, Digest("1" * 64)),
                Deb("tzdata", "2025b-0+deb12u2", "all", 303416, Digest("2" * 64)),
            ),
            (
                Wheel("asyncpg", "0.32.0", ASYNCPG, 3100000, Digest("3" * 64), "runtime"),
                Wheel(
                    "zope-interface",
                    "7.2",
                    "zope.interface-7.2-1-py3-none-any.whl",
                    118204,
                    Digest("4" * 64),
                    "runtime",
                ),
                Wheel(
                    "torch",
                    "2.9.0+cpu",
                    "torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl",
                    184000000,
                    Digest("5" * 64),
                    "cpu",
                ),
                Wheel(
                    "python-docx",
                    "1.0",
                    "python_docx-1.0.0-py3-none-any.whl",
                    1,
                    Digest("6" * 64),
                    "ml",
                ),
            ),
        ),
        PlatformLock(
            Platform("arm64"),
            "3.11.2",
            "2.36",
            (),
            (
                Wheel(
                    "torch",
                    "2.9.0",
                    "torch-2.9.0-cp311-cp311-manylinux_2_28_aarch64.whl",
                    104000000,
                    Digest("7" * 64),
                    "cpu",
                ),
            ),
        ),
    ),
)


def test_golden() -> None:
    assert write(FAMILY) == GOLDEN
    assert parse(GOLDEN, "locks/ml.lock") == FAMILY
    assert Digest.of(GOLDEN).hex == GOLDEN_DIGEST


REPLACING = replace(
    FAMILY,
    platforms=(
        replace(FAMILY.platforms[0], replaced=(Replaced("python-docx", 7, "runtime"),)),
        replace(FAMILY.platforms[1], replaced=(Replaced("torch", 99, "runtime"),)),
    ),
)
ROW = b'  { name = "python-docx", size = 7, from = "runtime" },\n'


def test_replaced_packages_stand_after_the_wheels() -> None:
    data = write(REPLACING)

    assert parse(data, "locks/ml.lock") == REPLACING
    assert b'from = "ml" },\n]\nreplaced = [\n' + ROW + b"]\n\n[[platforms]]\n" in data
    assert data.endswith(b'replaced = [\n  { name = "torch", size = 99, from = "runtime" },\n]\n')


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b'{ name = "flask", size = 7, from = "runtime" }', ".name: no wheel of 'flask' takes its"),
        (
            b'{ name = "torch", size = 7, from = "cpu" }',
            ".from: 'cpu' is no ancestor of the profile",
        ),
        (b'{ name = "torch", size = 7, from = "ml" }', ".from: 'ml' is no ancestor of the profile"),
        (
            b'{ name = "torch", size = 7, from = "gpu" }',
            ".from: 'gpu' is no profile of this family",
        ),
        (b'{ name = "torch", size = 0, from = "runtime" }', ".size: not a number of bytes"),
        (b'{ name = "torch", from = "runtime" }', ".size: missing"),
        (b'{ name = "torch", size = 7, from = "runtime", by = "ml" }', ".by: unknown key"),
    ],
)
def test_what_can_not_have_been_replaced(row: bytes, message: str) -> None:
    data = write(REPLACING).replace(ROW.strip(b" ,\n"), row, 1)
    with pytest.raises(EditedLockError) as caught:
        parse(data, "locks/ml.lock")
    assert caught.value.message.startswith(f"locks/ml.lock:32: platforms[0].replaced[0]{message}")


def test_a_package_is_replaced_once_in_a_generation() -> None:
    with pytest.raises(EditedLockError, match="names a package of a profile twice"):
        parse(write(REPLACING).replace(ROW, ROW + ROW, 1), "locks/ml.lock")


def test_every_byte_is_material() -> None:
    """Exhaustively: a byte left out or replaced is refused or is another lock's file."""
    for at in range(len(GOLDEN)):
        for edited in (
            GOLDEN[:at] + GOLDEN[at + 1 :],
            GOLDEN[:at] + bytes([GOLDEN[at] ^ 1]) + GOLDEN[at + 1 :],
        ):
            try:
                other = parse(edited, "locks/ml.lock")
            except InputError:
                continue
            assert (write(other), other == FAMILY) == (edited, edited == GOLDEN)


HINT = "take the lock back from version control, or remove it and run `basestore lock`"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"format = 0\n", b"", "format: missing"),
        (b"format = 0", b"format = -1", "2: format: no format of a lock"),
        (b'profile = "ml"', b'profile = "M l"', "3: profile: not a plain name"),
        (b'"runtime", "cpu"', b'"cpu", "cpu"', "4: extends: names a profile twice"),
        (b'"LANG=C.UTF-8", ', b'"=C.UTF-8", ', "7: image.env: not all of the form NAME=value"),
        (b'"LANG=C.UTF-8", ', b'"PATH=/bin", ', "7: image.env: has a variable twice"),
        (b'"asyncpg", "torch"', b'"asyncpg"', "15: path-conflicts."),
        (b"linux/arm64", b"linux/amd64", "17: platforms: has a platform twice"),
        (b"linux/arm64", b"linux/386", "33: platforms[1].platform: no platform 'linux/386'"),
        (b'"3.11.2"', b'"3.11"', "19: platforms[0].python: '3.11' is no python of a lock"),
        (b'"2.36"', b'"musl"', "20: platforms[0].glibc: 'musl' is no glibc of a lock"),
        (b'"tzdata"', b'"base-files"', "21: platforms[0].debs: names a package twice"),
        (b'"tzdata"', b'"Tz"', "23: platforms[0].debs[1].name: 'Tz' is no name of a lock"),
        (b'"all"', b'"arm64"', "23: platforms[0].debs[1].architecture: 'arm64' doesn't run on"),
        (b"303416", b"0", "23: platforms[0].debs[1].size: not a number of bytes"),
        (b"303416", b"true", "23: platforms[0].debs[1].size: a boolean, not an integer"),
        (b"1" * 64, b"1" * 63, "22: platforms[0].debs[0].sha256: "),
        (b'"zope-interface"', b'"zope_interface"', "27: platforms[0].wheels[1].name: "),
        (b'"7.2"', b'"7.3"', "27: platforms[0].wheels[1].file: no wheel of zope-interface 7.3"),
        (b'"7.2"', b'"7.02"', "27: platforms[0].wheels[1].version: '7.02' is no version"),
        (b"python_docx-1", b"../docx-1", "29: platforms[0].wheels[3].file: no wheel of"),
        (b"none-any.whl", b"none-any.zip", "27: platforms[0].wheels[1].file: no wheel of"),
        (b'from = "ml"', b'from = "gpu"', "29: platforms[0].wheels[3].from: 'gpu' is no profile"),
        (b'"asyncpg", version', b'"torch", version', "26: platforms[0].wheels[0].file: "),
        (b', from = "ml"', b"", "29: platforms[0].wheels[3].from: missing"),
        (b"glibc", b"libc", "20: platforms[0].libc: unknown key"),
        (b"[image]", b"[[image]]", "6: image: an array, not a table"),
        (b"debs = [", b"debs = ", "21: not valid TOML: "),
        (b"format = 0", b"<<<<<<< HEAD\nformat = 0", "2: holds conflict markers of a merge"),
        (b"f\xc3\xbcr", b"f\xfcr", "12: not UTF-8 text"),
    ],
)
def test_what_is_no_lock(old: bytes, new: bytes, message: str) -> None:
    assert old in GOLDEN
    with pytest.raises(EditedLockError) as caught:
        parse(GOLDEN.replace(old, new, 1), "locks/ml.lock")
    separator = ":" if message[0].isdigit() else ": "
    assert caught.value.message.startswith(f"locks/ml.lock{separator}{message}")
    assert (caught.value.exit_code, caught.value.hint) == (ExitCode.BAD_INPUT, HINT)


OTHER = "not as basestore writes it: expected"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"# Written", b"#Written", f"1: {OTHER} '# Written by basestore. I', found '#Written b"),
        (b"303416", b"303_416", f"23: {OTHER} '"),
        (b"\n\n[[pl", b"\n[[pl", f"16: {OTHER} '\\n', found '[[platforms]]\\n'"),
        (b'["python"]', b"['python']", f"9: {OTHER} 'cmd = [\"python\"]\\n', found \"cmd = ['py"),
        (b'workdir = "/srv/app"\n', b'workdir = "/srv/app"\n\n', f"12: {OTHER} 'labels = "),
        (b"\n", b"\r\n", f"1: {OTHER} ' image tag. Do not edit.\\n', found "),
    ],
)
def test_what_means_a_lock_but_is_spelt_otherwise(old: bytes, new: bytes, message: str) -> None:
    assert old in GOLDEN
    with pytest.raises(DifferingLineError) as caught:
        parse(GOLDEN.replace(old, new, 1), "locks/ml.lock")
    assert caught.value.message.startswith(f"locks/ml.lock:{message}")
    assert len(caught.value.message) < 200


def test_the_end_of_the_file() -> None:
    with pytest.raises(DifferingLineError) as caught:
        parse(GOLDEN + b"\n", "x")
    assert (caught.value.expected, caught.value.found) == ("", r"'\n'")
    with pytest.raises(DifferingLineError) as caught:
        parse(GOLDEN[:-1], "x")
    assert (caught.value.expected, caught.value.found) == (r"']\n'", "']'")


def test_a_newer_format_is_named_before_anything_else() -> None:
    data = GOLDEN.replace(b"format = 0", b"format = 7\nshape = 1")
    with pytest.raises(NewerLockError, match=r"^locks/ml\.lock has the format 7;") as caught:
        parse(data, "locks/ml.lock")
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_a_lock_that_can_be_no_file() -> None:
    with pytest.raises(ValueError, match="doesn't end with 'ml'"):
        write(replace(FAMILY, lineage=("runtime",)))
    with pytest.raises(ValueError):  # noqa: PT011  # a tuple's own
        write(replace(FAMILY, lineage=("ml",)))
