"""Versions of packages and their order (Debian policy 5.6.12)."""

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Self

_EPOCH = re.compile(r"[0-9]+")
_UPSTREAM = re.compile(r"[A-Za-z0-9.+~:-]+")
_REVISION = re.compile(r"[A-Za-z0-9.+~]+")
_PARTS = re.compile(r"([^0-9]*)([0-9]*)")

_EPOCH_LIMIT = str(2**31 - 1)  # dpkg holds it in an int

# One character of a non-digit part: "~" before the end of the part, letters before all others.
_TILDE, _END, _OTHERS = -1, 0, 256

_Part = tuple[int, ...] | tuple[int, str]
_Key = tuple[tuple[int, str], tuple[_Part, ...], tuple[_Part, ...]]


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version. Two texts can be equal versions: ``1.0`` and ``0:1.0-0``."""

    text: str
    epoch: int
    upstream: str
    revision: str
    _key: _Key = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[epoch:]upstream[-revision]``; raises ValueError for anything else."""
        epoch, _, rest = text.partition(":") if ":" in text else ("0", "", text)
        upstream, dash, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
        if not (
            _EPOCH.fullmatch(epoch)
            and _UPSTREAM.fullmatch(upstream)
            and (_REVISION.fullmatch(revision) or not dash)
        ):
            raise ValueError(f"{text!r} is not a version of a Debian package")
        if _number(epoch) > _number(_EPOCH_LIMIT):
            raise ValueError(f"{text!r} has an epoch that no Debian package has")
        return cls(
            text,
            int(epoch),
            upstream,
            revision,
            (_number(epoch), _order(upstream), _order(revision)),
        )

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Self) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _order(part: str) -> tuple[_Part, ...]:
    """A part of a version as tuples whose order is dpkg's: non-digits, digits, non-digits, ...

    The last one stands for the end, so that a part that goes on with "~" sorts before it.
    """
    pieces = [match.groups() for match in _PARTS.finditer(part)]
    while len(pieces) > 1 and pieces[-1] == ("", ""):
        pieces.pop()
    key: list[_Part] = []
    for text, digits in pieces:
        key += [(*map(_weight, text), _END), _number(digits)]
    return (*key, (_END,))


def _weight(character: str) -> int:
    if character == "~":
        return _TILDE
    return ord(character) + (0 if character.isalpha() else _OTHERS)


def _number(digits: str) -> tuple[int, str]:
    """Digits by value, however many there are."""
    significant = digits.lstrip("0")
    return (len(significant), significant)
