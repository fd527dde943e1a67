"""References in what has lines but no YAML: files of variables, and templates."""

import re
from collections.abc import Iterator

from basestore.pins.bases import Bases, split
from basestore.pins.model import Occurrence, Piece, Place

_VARIABLE = re.compile(
    rb"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*
    (?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s#"'][^\s]*|))""",
    re.MULTILINE | re.VERBOSE,
)
_WORD = re.compile(rb"(?<![\w./:@-])[A-Za-z0-9\[][A-Za-z0-9._/:@\[\]-]*(?:\{\{|\$)?")
_IGNORED = re.compile(
    rb"\{\{-?[ \t]*/\*.*?\*/[ \t]*-?\}\}|(?:^|(?<=[ \t]))#[^\n]*", re.DOTALL | re.MULTILINE
)
_IMAGE = re.compile(rb"image[\"']?[ \t]*[:=][ \t]*[\"']?\Z", re.IGNORECASE)
_PINNED = re.compile(r"[^@]+@sha256:[0-9a-f]{64}(?!\w)")
_FILLED_IN = "a template fills it in: the version isn't written there; pin it where it is"


def variables(file: str, data: bytes) -> dict[str, tuple[Piece, ...]]:
    """The variables of an ``.env`` file; of equal names the last.

    Compose, "Syntax for environment files"; what expands or escapes is taken as it stands.
    """
    return {name: (Piece(piece.text, piece.place, name),) for name, piece in _values(file, data)}


def in_variables(file: str, data: bytes, bases: Bases) -> Iterator[Occurrence]:
    """Variables whose value is a reference to a base."""
    for name, piece in _values(file, data):
        repository, tag, digest = split(piece.text)
        is_image = tag or digest or name.lower().endswith("image")
        if is_image and bases.claims(repository) and piece.place:
            base = bases.base_of(repository)
            yield Occurrence(file, piece.place.start, (piece,), base, defines=name)


def in_template(file: str, data: bytes, bases: Bases) -> Iterator[Occurrence]:
    """References that stand in a template's lines, comments left out.

    With a tag or digest, or behind a key that ends in ``image``.
    """
    shown = _IGNORED.sub(lambda match: b" " * len(match[0]), data)
    for start, word in _words(shown, bases):
        filled = word[-1] in "{$"
        literal = word.rstrip("{$") if filled else word.rstrip(".:@")
        repository, tag, digest = split(literal)
        is_image = tag or digest or _IMAGE.search(shown, max(start - 40, 0), start)
        if is_image and bases.claims(repository):
            piece = Piece(literal, Place(file, start, start + len(literal)))
            obstacle = _FILLED_IN if filled else ""
            yield Occurrence(file, start, (piece,), bases.base_of(repository), True, obstacle)


def in_text(file: str, data: bytes, start: int, end: int, bases: Bases) -> Iterator[Occurrence]:
    """References with a digest within a longer text, such as a command in a YAML value."""
    for at, word in _words(data[start:end], bases):
        pin = _PINNED.match(word)
        repository = split(pin[0])[0] if pin else ""
        if pin and bases.claims(repository):
            place = Place(file, start + at, start + at + len(pin[0]))
            piece = Piece(pin[0], place)
            yield Occurrence(file, place.start, (piece,), bases.base_of(repository))


def _words(data: bytes, bases: Bases) -> Iterator[tuple[int, str]]:
    """What may be a reference to a base, and where it begins."""
    for match in _WORD.finditer(data):
        if bases.needle.search(match[0]):
            yield match.start(), match[0].decode("latin-1")


def _values(file: str, data: bytes) -> Iterator[tuple[str, Piece]]:
    for match in _VARIABLE.finditer(data):
        kind = match.lastgroup or "plain"
        place = Place(file, *match.span(kind))
        yield match["name"].decode("latin-1"), Piece(match[kind].decode("latin-1"), place)
