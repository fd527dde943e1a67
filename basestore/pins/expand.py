"""Variables in a text: ``$NAME``, ``${NAME}`` and ``${NAME:-default}`` become their values.

Dockerfile reference, "Environment replacement", and Compose file reference, "Interpolation".
"""

import re
from collections.abc import Iterator

from basestore.pins.model import Piece, Pieces, Variables, cut, text_of

_VARIABLE = (
    r"\$(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<op>:?[-+?])(?P<word>(?:[^{}]|\$\{[^{}]*\})*))?\})"
)
_INTERPOLATED = re.compile(rf"(?P<escape>\$\$)|{_VARIABLE}|(?P<text>[^$]+|\$)")
_SHELL = {
    escape: re.compile(
        rf"'(?P<single>[^']*)'|(?P<quote>\")|{re.escape(escape)}(?P<escape>.)|{_VARIABLE}"
        rf"|(?P<text>[^$'\"{re.escape(escape)}]+|.)",
        re.DOTALL,
    )
    for escape in ("\\", "`")
}


def interpolate(pieces: Pieces, values: Variables) -> Pieces:
    """A value of a compose file; ``$$`` is a dollar sign."""
    return tuple(_expand(pieces, values, _INTERPOLATED))


def words(pieces: Pieces, values: Variables, escape: str) -> Pieces:
    """A word of a Dockerfile, without its quotes; ``escape`` is the escaping character."""
    return tuple(_expand(pieces, values, _SHELL[escape]))


def _expand(pieces: Pieces, values: Variables, syntax: re.Pattern[str]) -> Iterator[Piece]:
    for match in syntax.finditer(text_of(pieces)):
        kind = match.lastgroup
        if kind == "quote":
            continue
        if kind in ("text", "single"):
            yield from cut(pieces, *match.span(kind))
        elif kind == "escape":
            yield from cut(pieces, match.end() - 1, match.end())
        else:
            yield from _value(match, pieces, values, syntax)


def _value(
    match: re.Match[str], pieces: Pieces, values: Variables, syntax: re.Pattern[str]
) -> Iterator[Piece]:
    name, op = match["plain"] or match["name"], match["op"] or ""
    value = values.get(name)
    given = value is not None and (bool(text_of(value)) or (op in ("-", "+") and _is_set(value)))
    word = tuple(cut(pieces, *match.span("word"))) if op else ()
    if op.endswith("+"):
        value = tuple(_expand(word, values, syntax)) if given else ()
    elif op.endswith("-") and not given:
        value = tuple(_expand(word, values, syntax))
    found = [Piece(piece.text, piece.place, name) for piece in value or ()]
    yield from found or [Piece("", None, name)]


def _is_set(value: Pieces) -> bool:
    """An argument without a default is declared, and has a place for a value, but isn't set."""
    return not any(piece.place and piece.place.lead for piece in value)
