"""Policies: what may not be in a lock, as ``[policy]`` of a profile or the project states it.

*rule*: one thing that is refused, with the place where it stands. *waiver*: what
``[[policy.allow]]`` and ``[[policy.warn]]`` except from rules, with a reason and up to a day. A
waiver stands beside its rule: it excepts rules of its own file only, so that no child lifts what
its ancestors refuse.
*pattern*: a normalised package name in which ``*`` stands for any characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from basestore.profile.names import matches
from basestore.profile.place import Location


@dataclass(frozen=True, slots=True)
class Forbid:
    """No package may match the pattern. ``listed``: the ready-made list it comes from, or empty."""

    key: ClassVar[str] = "forbid"
    place: Location
    pattern: str
    listed: str = ""


@dataclass(frozen=True, slots=True)
class NotTogether:
    """Packages of at most one alternative may be there; each alternative is patterns."""

    key: ClassVar[str] = "not-together"
    place: Location
    alternatives: tuple[tuple[str, ...], ...]
    listed: str = ""


@dataclass(frozen=True, slots=True)
class RequireIndex:
    """Packages that match come from the index of that name, ``default`` for uv's default one."""

    key: ClassVar[str] = "require-index"
    place: Location
    pattern: str
    index: str


@dataclass(frozen=True, slots=True)
class PackageLimit:
    """No wheel of a package that matches may have more than ``limit`` bytes.

    ``others``: the patterns of the same file; a package is held against the closest one only.
    """

    key: ClassVar[str] = "max-package-size"
    place: Location
    pattern: str
    limit: int
    others: tuple[str, ...] = ()

    def binds(self, package: str) -> bool:
        """Whether this is the limit of its file that a package is held against.

        A name alone is closer than a pattern, a longer pattern closer than a shorter one.
        """
        found = [one for one in (self.pattern, *self.others) if matches(package, (one,))]
        closest = min(found, key=lambda one: ("*" in one, -len(one), one), default=None)
        return closest == self.pattern


@dataclass(frozen=True, slots=True)
class TotalLimit:
    """The wheels and .debs of a platform may not have more than ``limit`` bytes."""

    key: ClassVar[str] = "max-total-size"
    place: Location
    limit: int


@dataclass(frozen=True, slots=True)
class RefuseLicence:
    """No licence may match the pattern: of SPDX identifiers, or ``unknown``; case means nothing."""

    key: ClassVar[str] = "refuse-licences"
    place: Location
    pattern: str
    listed: str = ""


@dataclass(frozen=True, slots=True)
class RefuseYanked:
    """No wheel may be one that its index shows as yanked (PEP 592)."""

    key: ClassVar[str] = "refuse-yanked"
    place: Location


@dataclass(frozen=True, slots=True)
class MinimumAge:
    """Every wheel must have been uploaded so long ago."""

    key: ClassVar[str] = "minimum-age"
    place: Location
    age: timedelta


Rule = (
    Forbid
    | NotTogether
    | RequireIndex
    | PackageLimit
    | TotalLimit
    | RefuseLicence
    | RefuseYanked
    | MinimumAge
)


class Effect(StrEnum):
    """What a waiver makes of a hit: nothing, or a warning."""

    ALLOW = "allow"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Waiver:
    """An exception from the rules of a key in the same file.

    ``package``: a pattern, empty where the rule is about no package. ``until``: the last day on
    which it holds. ``profiles``: it holds for these and what extends them; empty: for all.
    """

    effect: Effect
    place: Location
    rule: str
    package: str
    reason: str
    until: date
    profiles: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What it is for, in words."""
        return f"no {self.package} breaks that rule" if self.package else "the rule isn't broken"

    def is_for(self, lineage: Sequence[str]) -> bool:
        """Whether it holds for a profile of that lineage."""
        return not self.profiles or bool({*self.profiles} & {*lineage})

    def covers(self, rule: Rule, packages: Sequence[str], lineage: Sequence[str]) -> bool:
        """Whether it is about a rule's hit of these packages in a profile of that lineage."""
        return (
            self.rule == rule.key
            and self.place.file == rule.place.file
            and self.is_for(lineage)
            and (not packages or any(matches(name, (self.package,)) for name in packages))
        )


class Need(StrEnum):
    """What rules ask about a package beyond what locking finds out anyway."""

    LICENCES = "licences"
    STANDING = "standing"


_NEEDS: dict[str, Need] = {RefuseLicence.key: Need.LICENCES, RefuseYanked.key: Need.STANDING}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules and waivers in force for a profile: the project's, its ancestors', its own."""

    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def plus(self, other: Self) -> Self:
        """Both policies at once; nothing of either is lifted."""
        return type(self)((*self.rules, *other.rules), (*self.waivers, *other.waivers))

    @property
    def forbidden(self) -> tuple[str, ...]:
        """The patterns of forbidden names, sorted."""
        return tuple(sorted({rule.pattern for rule in self.rules if isinstance(rule, Forbid)}))

    @property
    def refused_licences(self) -> tuple[str, ...]:
        """The patterns of refused licences, sorted."""
        found = {rule.pattern for rule in self.rules if isinstance(rule, RefuseLicence)}
        return tuple(sorted(found))

    @property
    def needs(self) -> frozenset[Need]:
        """What has to be found out about every package for these rules."""
        return frozenset(_NEEDS[rule.key] for rule in self.rules if rule.key in _NEEDS)
