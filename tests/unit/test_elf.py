import io
import struct
import sys
from pathlib import Path

import debbytes as d
import pytest

from basestore.layer.elf import Elf, MalformedElfError, read_elf

FULL = d.elf(needed=["libc.so.6", "libm.so.6"], soname="libx.so.1", runpath="$ORIGIN:/opt/lib")


def test_reads_the_dynamic_section():
    assert read_elf(io.BytesIO(FULL)) == Elf(
        62, "libx.so.1", ("libc.so.6", "libm.so.6"), ("$ORIGIN", "/opt/lib")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"#!/bin/sh\n" * 20,
        FULL[:4] + b"\x01" + FULL[5:],
        FULL[:5] + b"\x02" + FULL[6:],
    ],
)
def test_other_files_are_none(data):
    assert read_elf(io.BytesIO(data)) is None


def test_a_file_without_segments_is_not_dynamic():
    assert read_elf(io.BytesIO(FULL[:56] + bytes(2) + FULL[58:])) is None


@pytest.mark.parametrize("size", range(64, len(FULL), 16))
def test_a_truncated_file_is_named_so(size):
    with pytest.raises(MalformedElfError):
        read_elf(io.BytesIO(FULL[:size]))


def test_strings_that_lie_elsewhere_are_named_so():
    start = struct.pack("<qQ", 5, 64 + 2 * 56)
    assert start in FULL
    with pytest.raises(MalformedElfError):
        read_elf(io.BytesIO(FULL.replace(start, struct.pack("<qQ", 5, 2**40))))


@pytest.mark.skipif(sys.platform != "linux", reason="no ELF files")
def test_reads_the_running_interpreter():
    with Path("/proc/self/exe").open("rb") as file:
        elf = read_elf(file)
    assert elf is not None
    assert any(name.startswith("libc.so") for name in elf.needed)
