"""What a wheel's METADATA declares: whose it is, what it requires, and which Python.

PyPA, "Core metadata specifications" and "Dependency specifiers". Old packages wrote specifiers that
these don't allow; what uv mends of them is mended here too, since uv has resolved by it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from basestore.profile.names import ENDLESS_NUMBER, normalised

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

_EXTRA = re.compile(r"\bextra\b")
_ONE_EXTRA = re.compile(r"\bextra\s*==")
_HEAD = re.compile(r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?")

# `>=1.0.*`, `!=3.0*`, a comma at the end, and none between two bounds.
_STAR_AFTER_BOUND = re.compile(r"([<>]=?|~=)(\s*[0-9.]*[0-9])\.\*")
_STAR_WITHOUT_DOT = re.compile(r"([0-9])\*")
_LAST_COMMA = re.compile(r",\s*(?=\)|$)")
_NO_COMMA = re.compile(r"([0-9*])\s+(?=[<>=!~])")

_LOWER_BOUNDS = frozenset({">=", ">", "~=", "==", "==="})


class UnreadableMetadataError(ValueError):
    """A METADATA of which nobody can tell what it declares; the text says why."""


@dataclass(frozen=True, slots=True)
class Declared:
    """``name`` normalised; ``python`` and ``requires`` as written, ``python`` may be empty."""

    name: str
    version: str
    python: str
    requires: tuple[str, ...]

    def needs(self, environment: Mapping[str, str], extra: str = "") -> Iterator["Needed"]:
        """What is required in an environment of markers for an extra alone, or without one.

        Raises UnreadableMetadataError for a requirement that can't be read.
        """
        for text in self.requires:
            marker = text.partition(";")[2]
            if _may_hold(marker, extra):
                needed, parsed = _parsed(text)
                if parsed is None or parsed.evaluate({**environment, "extra": extra}):
                    yield needed

    def names(self) -> frozenset[str]:
        """All that is required anywhere with any extra, as far as it can be told."""
        heads = (_HEAD.match(text) for text in self.requires)
        return frozenset(normalised(head["name"]) for head in heads if head)

    def runs_on(self, python: str) -> bool:
        """Whether a full version of Python is new enough. Upper bounds mean nothing, as to uv.

        Raises UnreadableMetadataError.
        """
        from packaging.version import Version

        here = Version(python)
        lower = (one for one in _specifiers(self.python) if one.operator in _LOWER_BOUNDS)
        return all(
            here > Version(one.version)
            if one.operator == ">"
            else here >= Version(one.version.removesuffix(".*"))
            for one in lower
        )


@dataclass(frozen=True, slots=True)
class Needed:
    """A requirement of a wheel: ``name`` and ``extras`` normalised, ``text`` without its marker."""

    name: str
    extras: frozenset[str]
    bounds: "SpecifierSet"
    text: str

    def admits(self, version: str) -> bool:
        """Whether a version will do; pre-releases are no matter of bounds."""
        from packaging.version import Version

        return all(
            # To uv `===` is about a version, not about a text.
            Version(version) == Version(one.version)
            if one.operator == "==="
            else one.contains(version, prereleases=True)
            for one in self.bounds
        )


def read_declared(metadata: bytes) -> Declared:
    """Read a METADATA; raises UnreadableMetadataError."""
    from email.parser import HeaderParser

    message = HeaderParser().parsestr(metadata.decode(errors="replace"))
    name, version, python = (
        " ".join(str(message.get(field, "")).split())
        for field in ("Name", "Version", "Requires-Python")
    )
    if not name or not version:
        raise UnreadableMetadataError("it has no Name or no Version")
    requires = (" ".join(str(one).split()) for one in message.get_all("Requires-Dist", []))
    return Declared(normalised(name), version, python, tuple(requires))


def _may_hold(marker: str, extra: str) -> bool:
    """Whether a marker is worth reading: most are of one extra, and most extras nobody asks for."""
    of_extra = _EXTRA.search(marker) is not None
    if extra:
        return of_extra  # what is in force without it counts already
    return not (of_extra and _ONE_EXTRA.search(marker) and " or " not in marker)


@lru_cache(maxsize=16384)
def _parsed(text: str) -> "tuple[Needed, Marker | None]":
    requirement = _requirement(text)
    extras = frozenset(map(normalised, requirement.extras))
    shown = f"{requirement.name}{_shown(requirement)}"
    needed = Needed(normalised(requirement.name), extras, requirement.specifier, shown)
    return needed, requirement.marker


def _shown(requirement: "Requirement") -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{extras}{requirement.specifier}"


def _requirement(text: str) -> "Requirement":
    from packaging.requirements import InvalidRequirement, Requirement

    if ENDLESS_NUMBER.search(text):
        raise UnreadableMetadataError("it requires a version of a thousand digits")
    for one in (text, _mended(text)):
        try:
            return Requirement(one)
        except InvalidRequirement:
            continue
        except RecursionError:
            break
    head = _HEAD.match(text)
    raise UnreadableMetadataError(f"what it requires of {head['name'] if head else text[:60]!r}")


def _specifiers(text: str) -> "SpecifierSet":
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if not ENDLESS_NUMBER.search(text):
        for one in (text, _mended(text)):
            try:
                return SpecifierSet(one)
            except InvalidSpecifier:
                continue
    raise UnreadableMetadataError("which Python it requires")


def _mended(text: str) -> str:
    specifiers, semicolon, marker = text.partition(";")
    specifiers = _STAR_AFTER_BOUND.sub(r"\1\2", specifiers.strip())
    specifiers = _STAR_WITHOUT_DOT.sub(r"\1.*", specifiers)
    specifiers = _NO_COMMA.sub(r"\1,", _LAST_COMMA.sub("", specifiers))
    return f"{specifiers} {semicolon}{marker}".strip()
