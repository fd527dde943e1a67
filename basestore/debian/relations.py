"""Relations between packages (Debian policy 7.1, 7.5)."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from basestore.debian.version import Version

_RELATION = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?::(?P<qualifier>[a-z0-9-]+))?"
    r"(?:\s*\(\s*(?P<comparison><<|<=|=|>=|>>|<|>)\s*(?P<version>[^\s()]+)\s*\))?"
)

# Policy 7.1: the old "<" and ">" mean what "<=" and ">=" mean.
_COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    "<<": operator.lt,
    "<=": operator.le,
    "<": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.ge,
    ">>": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """A name, which versions of it are meant (``comparison`` empty: all) and which architecture.

    ``qualifier`` is empty, ``any`` or an architecture's name.
    """

    name: str
    comparison: str = ""
    version: Version | None = None
    qualifier: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name[:qualifier] [(comparison version)]``; raises ValueError."""
        match = _RELATION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text.strip()!r} is not a relation to a package")
        version = Version.parse(match["version"]) if match["version"] else None
        return cls(match["name"], match["comparison"] or "", version, match["qualifier"] or "")

    def __str__(self) -> str:
        name = f"{self.name}:{self.qualifier}" if self.qualifier else self.name
        return f"{name} ({self.comparison} {self.version})" if self.version else name

    def accepts(self, version: Version | None) -> bool:
        """Whether a version is meant; None is that of an unversioned Provides, which meets no
        relation with a version (7.5).
        """
        if self.version is None:
            return True
        return version is not None and _COMPARISONS[self.comparison](version, self.version)


Clause = tuple[Relation, ...]
"""Alternatives, the preferred one first; one of them must hold."""


def parse_clauses(text: str) -> tuple[Clause, ...]:
    """The value of a Depends field and its like: ``a, b | c (>= 1)``. Raises ValueError."""
    return tuple(
        tuple(Relation.parse(part) for part in clause.split("|"))
        for clause in text.split(",")
        if clause.strip()
    )


def parse_relations(text: str) -> tuple[Relation, ...]:
    """The value of a Conflicts, Breaks or Provides field. Raises ValueError, also for ``|``."""
    return tuple(Relation.parse(part) for part in text.split(",") if part.strip())


def clause_text(clause: Clause) -> str:
    """A clause as a Depends field has it."""
    return " | ".join(str(relation) for relation in clause)
