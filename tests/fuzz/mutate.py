"""Mutations of inputs: bits, numbers, ranges moved about, pieces of other inputs, known words."""

import random
import struct
from collections.abc import Callable, Sequence

LONGEST = 64 * 1024
"""Inputs are cut to that, in bytes: mistakes need no more, and long ones are slow."""

_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 511, 512, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
_BLOCK = 512


class Mutator:
    """Makes inputs out of inputs; the same seed makes the same ones."""

    def __init__(self, seed: int, tokens: Sequence[bytes] = ()) -> None:
        self._random = random.Random(seed)
        self._tokens = tuple(tokens)
        self._kinds: tuple[Callable[[bytearray, bytes], None], ...] = (
            self._flip,
            self._byte,
            self._number,
            self._cut,
            self._double,
            self._move,
            self._splice,
            self._token,
            self._repeat,
        )

    def mutated(self, inputs: Sequence[bytes]) -> bytes:
        """One of the inputs with a few changes."""
        data = bytearray(self._random.choice(inputs))
        other = self._random.choice(inputs)
        for _ in range(1 << self._random.randrange(4)):
            self._random.choice(self._kinds)(data, other)
        return bytes(data[:LONGEST])

    def _at(self, data: bytearray, room: int = 0) -> int:
        return self._random.randrange(max(len(data) - room, 0) + 1)

    def _range(self, data: bytes | bytearray) -> tuple[int, int]:
        length = 1 << self._random.randrange(11)
        start = self._random.randrange(len(data) + 1)
        return start, min(start + self._random.randrange(length) + 1, len(data))

    def _flip(self, data: bytearray, other: bytes) -> None:
        if data:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _byte(self, data: bytearray, other: bytes) -> None:
        if data:
            data[self._random.randrange(len(data))] = self._random.randrange(256)

    def _number(self, data: bytearray, other: bytes) -> None:
        form = self._random.choice(("<H", "<I", "<Q", ">I", ">Q"))
        number = self._random.choice(_NUMBERS) + self._random.randrange(-1, 2)
        size = struct.calcsize(form)
        at = self._at(data, size)
        data[at : at + size] = struct.pack(form, number % (1 << 8 * size))

    def _cut(self, data: bytearray, other: bytes) -> None:
        start, end = self._range(data)
        del data[start:end]

    def _double(self, data: bytearray, other: bytes) -> None:
        start, end = self._range(data)
        at = self._at(data)
        data[at:at] = data[start:end]

    def _move(self, data: bytearray, other: bytes) -> None:
        start, end = self._range(data)
        piece = data[start:end]
        del data[start:end]
        at = self._at(data)
        data[at:at] = piece

    def _splice(self, data: bytearray, other: bytes) -> None:
        start, end = self._range(other)
        at = self._at(data)
        data[at : at + self._random.choice((0, end - start))] = other[start:end]

    def _token(self, data: bytearray, other: bytes) -> None:
        if self._tokens:
            at = self._at(data)
            data[at:at] = self._random.choice(self._tokens)

    def _repeat(self, data: bytearray, other: bytes) -> None:
        """Much of one thing: what is nested, or slow, shows by that."""
        start, end = self._range(data)
        at = self._at(data)
        data[at:at] = bytes(data[start:end][:64]) * (1 << self._random.randrange(9))


def sealed(data: bytes) -> bytes:
    """Tar blocks with right checksums where they look like headers (POSIX ustar)."""
    blocks = bytearray(data)
    for at in range(0, len(blocks) - _BLOCK + 1, _BLOCK):
        block = blocks[at : at + _BLOCK]
        if block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
            blocks[at : at + _BLOCK] = block
    return bytes(blocks)
