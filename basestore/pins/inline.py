"""A Dockerfile within a YAML value (Compose file reference, "dockerfile_inline")."""

from collections.abc import Iterator

from basestore.pins.dockerfile import references
from basestore.pins.expand import interpolate
from basestore.pins.model import Piece, Pieces, PinFileError, Place, Variables, cut, text_of

_INSIDE = "\0"
"""What the text within is called while it is read: no file has that name."""


def inline_references(pieces: Pieces, given: Variables, values: Variables) -> Iterator[Pieces]:
    """Every image that a Dockerfile in a value names; ``values`` are interpolated first.

    Raises PinFileError, for a file that isn't there.
    """
    whole = interpolate(pieces, values)
    data = text_of(whole).encode("latin-1")
    for _, found in references(_INSIDE, data, given, {}):
        yield tuple(part for one in found for part in _placed(one, whole))


def lines_of(file: str, start: int, raw: bytes, value: str) -> Pieces:
    """The lines of a value, with the places that they have in ``raw``, which begins at ``start``.

    A block's lines are indented; what is written otherwise has no places. Bytes stand as Latin-1.
    """
    rows = raw.split(b"\n")
    lines = value.encode().split(b"\n")
    at, offsets = start, []
    for row in rows:
        offsets.append(at)
        at += len(row) + 1
    first = next((n for n, row in enumerate(rows) if n and row.strip()), 0)
    found: list[Piece] = []
    for number, line in enumerate(lines, first):
        row = rows[number].rstrip(b"\r") if number < len(rows) else b""
        begin = offsets[number] + len(row) - len(line) if row.endswith(line) else None
        place = None if begin is None else Place(file, begin, begin + len(line))
        found += [Piece("\n")] if found else []
        found += [Piece(line.decode("latin-1"), place)] if line else []
    return tuple(found)


def _placed(piece: Piece, whole: Pieces) -> Iterator[Piece]:
    """A piece of the text within where it stands in the file."""
    place = piece.place
    if place is None or place.file != _INSIDE:
        yield piece
    elif place.start == place.end:
        yield piece._replace(place=None)
    else:
        for part in cut(whole, place.start, place.end):
            yield part._replace(variable=piece.variable or part.variable)


def reason_of(error: PinFileError) -> str:
    """What is wrong within, with the line there."""
    return f"line {error.line} of the Dockerfile in it: {error.reason}"
