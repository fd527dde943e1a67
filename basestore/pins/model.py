"""The values that references are found as."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from basestore.digest import Digest
from basestore.errors import InputError


class PinFileError(InputError):
    """A file of ``[pins]`` that names a base doesn't parse. ``line`` from 1."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(
            f"{file}:{line}: {reason}",
            "mend the file, or leave it out of `files` under [pins]; nothing was changed",
        )
        self.file = file
        self.line = line
        self.reason = reason


class Place(NamedTuple):
    """Bytes ``start`` to ``end`` of a file. ``lead``: what goes before a value put there."""

    file: str
    start: int
    end: int
    lead: str = ""


class Piece(NamedTuple):
    """A text, and where it stands verbatim; None where it stands nowhere like that.

    ``variable``: whose value it is, if it is one's. A variable without a value is an empty piece.
    """

    text: str
    place: Place | None = None
    variable: str = ""

    @property
    def missing(self) -> bool:
        """Whether this is a variable that has no value."""
        return bool(self.variable) and not self.text


Pieces = tuple[Piece, ...]
"""A text that is put together."""

Variables = Mapping[str, Pieces]
"""Names of variables and their values."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a base's pin has to name."""

    repository: str
    lock: Digest
    image: Digest

    @property
    def version(self) -> str:
        """What follows the repository and a colon."""
        return f"{self.lock.hex}@{self.image}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.version}"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A reference to a base in a file.

    ``offset``: where it is used, which may be elsewhere than where its version stands. ``base``:
    None where its repository names none. ``tagged``: whether a tag can be said beside the digest
    there. ``obstacle``: why it can't be rewritten; empty where it can. ``defines``: the variable
    that it is the value of; empty where it names an image itself.
    """

    file: str
    offset: int
    pieces: Pieces
    base: str | None
    tagged: bool = True
    obstacle: str = ""
    defines: str = ""

    @property
    def reference(self) -> str:
        """The whole reference."""
        return text_of(self.pieces)

    @property
    def continued(self) -> tuple[Place, ...]:
        """The places of the variables that more follows."""
        return tuple(one.place for one in self.pieces[:-1] if one.place and one.variable)

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that have no value."""
        return tuple(piece.variable for piece in self.pieces if piece.missing)

    @property
    def place(self) -> Place:
        """Where its version stands: what a reader has to look at."""
        placed = (piece.place for piece in reversed(self.pieces) if piece.place)
        return next(placed, Place(self.file, self.offset, self.offset))


@dataclass(frozen=True, slots=True)
class Build:
    """A Dockerfile that a compose file builds, relative to the project, and its arguments."""

    dockerfile: str
    arguments: Variables = field(default_factory=dict)


def shared_places(pieces: Pieces) -> Iterator[Place]:
    """Where another image's reference stands that a base's may stand, too, with other values.

    Of one that lacks a value, and so names nothing, the places of variables only.
    """
    complete = not any(piece.missing for piece in pieces)
    return (one.place for one in pieces if one.place and (complete or one.variable))


def text_of(pieces: Iterable[Piece]) -> str:
    """The text that pieces make."""
    return "".join(piece.text for piece in pieces)


def cut(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    """The pieces of a part of a text, from one character to before another."""
    at = 0
    for piece in pieces:
        a, b = max(start - at, 0), min(end - at, len(piece.text))
        if a < b:
            yield part_of(piece, a, b)
        at += len(piece.text)


def part_of(piece: Piece, start: int, end: int) -> Piece:
    """A part of a piece's text, with its place."""
    if (start, end) == (0, len(piece.text)):
        return piece
    place = piece.place
    if place is not None:
        # What is put together stands as ASCII: one character, one byte.
        place = Place(place.file, place.start + start, place.start + end)
    return Piece(piece.text[start:end], place, piece.variable)
