"""Patterns of paths, with the meaning that moby gives them (moby/patternmatcher).

Go's ``filepath.Match`` decides what is well-formed, a regular expression over the whole path what
matches. Where moby's translation gives a pattern a meaning that nobody can have wanted (an escaped
letter becomes a class of RE2, wildcards within brackets fall apart), the pattern is refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<deep>\*\*/?) | (?P<star>\*) | (?P<one>\?) | \\(?P<escaped>.)
      | \[(?P<negated>\^?)(?P<members>(?:\\.|[^]\\])+)] | (?P<plain>.)""",
    re.DOTALL | re.VERBOSE,
)
_RANGE = re.compile(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)
_DEEP = "(?:.*/)?"
_SPECIAL = frozenset("*?[\\")
_NO_NAME = frozenset("[*?")

Matches = Callable[[str], bool]
_Token = re.Match[str]


class MalformedPatternError(ValueError):
    """What is wrong with a pattern, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of cleaned paths (see ``clean``).

    ``literal``: the components before the first with a special character. ``depth``: how many
    components whatever matches has; None where the pattern doesn't say.
    """

    text: str
    matches: Matches = field(compare=False, repr=False)
    literal: tuple[str, ...]
    depth: int | None

    def may_match_below(self, folder: str) -> bool:
        """Whether some path below the folder (empty: the context) may match; never wrongly no."""
        parts = tuple(folder.split("/")) if folder else ()
        if self.depth is not None and self.depth <= len(parts):
            return False
        return all(one == other for one, other in zip(self.literal, parts, strict=False))


def parse(text: str) -> Pattern:
    """Read a cleaned pattern; raises MalformedPatternError."""
    components = text.split("/")
    literal = components[: next((n for n, c in enumerate(components) if is_special(c)), None)]
    fixed = "**" not in text and "[" not in text  # [^a] matches a slash
    return Pattern(text, _matcher(text), tuple(literal), len(components) if fixed else None)


def is_special(text: str) -> bool:
    """Whether a text is more than a path: has ``*``, ``?``, brackets or a backslash."""
    return not _SPECIAL.isdisjoint(text)


def clean(path: str) -> str:
    """The path as Go's ``filepath.Clean`` has it, without a leading slash: ``.`` for nothing."""
    parts: list[str] = []
    for part in path.split("/"):
        if part != "..":
            parts += [part] if part not in ("", ".") else []
        elif parts and parts[-1] != "..":
            parts.pop()
        elif not path.startswith("/"):
            parts.append(part)
    return "/".join(parts) or "."


def _matcher(text: str) -> Matches:
    """What matches. Moby compares where it can, and then ``**name`` is any path that ends so."""
    tokens = list(_TOKEN.finditer(text))
    wild = [token for token in tokens if _is_wild(token)]
    if wild == tokens[:1] and text.startswith("**"):
        return _ending(text[2:])
    if wild == tokens[-1:] and text.endswith("**"):
        return lambda path: path.startswith(text[:-2])
    if not wild:
        return lambda path: path == text
    parts = ["", *(_expression(token, len(text)) for token in tokens)]
    # One of several **/ in a row says it all, and is found faster.
    needed = (part for before, part in pairwise(parts) if part != before or part != _DEEP)
    whole = re.compile("".join(needed))
    return lambda path: whole.fullmatch(path) is not None


def _ending(suffix: str) -> Matches:
    return lambda path: path.endswith(suffix) or path == suffix.removeprefix("/")


def _is_wild(token: _Token) -> bool:
    """Whether the token makes moby compile a regular expression."""
    return token.lastgroup != "plain" or token["plain"] in "[]\\"


def _expression(token: _Token, end: int) -> str:
    """The token as a regular expression (RE2 and ``re`` agree on these)."""
    match token.lastgroup:
        case "deep":
            return ".*" if token.end() == end else _DEEP
        case "star":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "escaped":
            return _literal(token["escaped"])
        case "members":
            return f"[{token['negated']}{_members(token['members'])}]"
        case _:
            return _plain(token["plain"])


def _plain(character: str) -> str:
    if character == "[":
        raise MalformedPatternError("has a [ without something in it and a ] behind it")
    if character == "\\":
        raise MalformedPatternError("ends with a backslash that has nothing to escape")
    return "^" if character == "^" else re.escape(character)  # moby leaves it an anchor


def _literal(character: str) -> str:
    """An escaped character; letters, digits and what isn't ASCII would be classes, or nothing."""
    if character.isalnum() or not character.isascii():
        raise MalformedPatternError(f"escapes {character!r}, which needs none")
    return re.escape(character)


def _members(members: str) -> str:
    """The members of a bracket expression, as ``filepath.Match`` reads them."""
    if members == "^":
        raise MalformedPatternError("has [^] with nothing in it")
    ranges = []
    for first, last in _RANGE.findall(members):
        ends = [_member(end) for end in (first, last) if end]
        if len(ends) > 1 and first[-1] > last[-1]:
            raise MalformedPatternError(f"has the range {first}-{last}, which runs backwards")
        ranges.append("-".join(ends))
    return "".join(ranges)


def _member(end: str) -> str:
    if end == "-":
        raise MalformedPatternError("has a - in brackets that stands for no range: escape it")
    if end in _NO_NAME:
        raise MalformedPatternError(f"has a {end} in brackets: escape it")
    return _literal(end[1]) if len(end) > 1 else re.escape(end)
