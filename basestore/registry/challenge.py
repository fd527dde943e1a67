"""Challenges: what a server demands in ``WWW-Authenticate`` (RFC 9110 11.6.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105
_PIECE = re.compile(
    rf"""\s*(?:,|(?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))"""
    rf"""|(?P<scheme>{_TOKEN})(?=\s|,|$))""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One demand: ``scheme`` and the names of ``parameters`` in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header, or of several joined by commas; what is malformed ends it."""
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while piece := _PIECE.match(header, position):
        position = piece.end()
        if piece["scheme"]:
            found.append((piece["scheme"].lower(), {}))
        elif piece["name"] and found:
            quoted = piece["quoted"]
            value = piece["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1][1].setdefault(piece["name"].lower(), value)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)
