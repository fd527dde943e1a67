"""Policies held against facts. Pure.

*hit*: a rule and the packages that break it. *verdict*: the hits that count, those that waivers
make warnings, and what has to be known first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from basestore.errors import PolicyError
from basestore.lock.facts import Facts, Package, PlatformFacts
from basestore.lock.graph import Path
from basestore.lock.rules import more_than, shown_size, wrong
from basestore.profile.names import matches
from basestore.profile.policy import (
    Effect,
    Forbid,
    MinimumAge,
    NotTogether,
    PackageLimit,
    Policy,
    RefuseLicence,
    RefuseYanked,
    RequireIndex,
    Rule,
    TotalLimit,
    Waiver,
)
from basestore.target import Platform

_NEAR = 0.75  # from there on a name is taken for a misspelling of another
_LARGEST = 3
"""So many packages are named where all together are too large."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that is broken: ``what`` in words, by which packages, and how they got in.

    ``platforms``: empty where it is so on all of them. ``waiver``: the one that makes it a
    warning, or the last one that has run out. ``meant``: one that may be for it, misspelt.
    """

    rule: Rule
    what: str
    packages: tuple[str, ...]
    paths: tuple[Path, ...]
    platforms: tuple[Platform, ...] = ()
    waiver: Waiver | None = None
    meant: Waiver | None = None

    def __str__(self) -> str:
        rule = f"{self.rule.place}: policy.{self.rule.key}"
        ways = "; ".join(map(_way, self.paths))
        where = f" on {' and '.join(map(str, self.platforms))}" if self.platforms else ""
        return f"{self.what}{where} ({rule})" + (f"; {ways}" if ways else "") + self._waived()

    def _waived(self) -> str:
        if self.meant:
            return f"; the exception in {self.meant.place} is for {self.meant.package}, not for it"
        waiver = self.waiver
        if waiver is None:
            return ""
        if waiver.effect is Effect.WARN:
            return f"; only a warning until {waiver.until}: {waiver.reason}"
        return f"; its exception in {waiver.place} expired on {waiver.until}: {waiver.reason}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says. ``waived``: the last day of the waiver in use that ends first.

    ``unknown``: keys of rules that can't be judged before the index or the wheels are asked.
    ``idle``: waivers for the profile that except nothing.
    """

    hits: tuple[Hit, ...] = ()
    warnings: tuple[Hit, ...] = ()
    waived: date | None = None
    unknown: tuple[str, ...] = ()
    idle: tuple[Waiver, ...] = ()


class PolicyHitError(PolicyError):
    """A lock, or what would become one, holds what the policy refuses."""

    def __init__(self, subject: str, hits: Sequence[Hit]) -> None:
        if len(hits) == 1:
            message = f"the policy refuses {subject}: {hits[0]}"
        else:
            lines = "".join(f"\n  {hit}" for hit in hits)
            message = f"the policy refuses {subject} for {len(hits)} reasons:{lines}"
        super().__init__(message, _hint(hits))
        self.subject = subject
        self.hits = tuple(hits)


def check(policy: Policy, facts: Facts, now: datetime | None) -> Verdict:
    """Hold facts against a policy.

    ``now`` decides on ages and on waivers that have run out; without it nothing is too young and
    no waiver has run out.
    """
    court = _Court(policy, facts, now)
    hits = list(court.hits())
    judged = [court.judge(hit) for hit in hits]
    kept = [hit for hit, waived in judged if hit and waived is None]
    warned = [hit for hit, waived in judged if hit and waived is not None]
    ends = [waived for _, waived in judged if waived]
    unknown = sorted({rule.key for rule in policy.rules if court.lacks(rule)})
    idle = tuple(court.idle(hits) if not unknown else ())
    return Verdict(tuple(kept), tuple(warned), min(ends, default=None), tuple(unknown), idle)


@dataclass(frozen=True, slots=True)
class _Court:
    policy: Policy
    facts: Facts
    now: datetime | None

    def hits(self) -> Iterator[Hit]:
        """Every rule that is broken, once for all platforms on which it is so in the same way."""
        found: dict[Hit, list[Platform]] = {}
        for rule in dict.fromkeys(self.policy.rules):
            for one in self.facts.platforms:
                for hit in self._broken(rule, one):
                    found.setdefault(hit, []).append(one.platform)
        for hit, platforms in found.items():
            everywhere = len(platforms) == len(self.facts.platforms)
            yield hit if everywhere else replace(hit, platforms=tuple(platforms))

    def judge(self, hit: Hit) -> tuple[Hit | None, date | None]:
        """A hit as it counts, None if it doesn't; and the day up to which a waiver covers it."""
        found = [
            waiver
            for waiver in self.policy.waivers
            if waiver.covers(hit.rule, hit.packages, self.facts.lineage)
        ]
        if not found:
            return replace(hit, meant=self._meant(hit)), None
        last = max(found, key=lambda one: (one.until, one.effect is Effect.ALLOW, one.place))
        if self.now is not None and last.until < self.now.date():
            return replace(hit, waiver=replace(last, effect=Effect.ALLOW)), None
        in_force = [one for one in found if self.now is None or one.until >= self.now.date()]
        if any(one.effect is Effect.ALLOW for one in in_force):
            return None, last.until
        return replace(hit, waiver=last), last.until

    def idle(self, hits: Sequence[Hit]) -> Iterator[Waiver]:
        """The waivers for this profile that cover no hit."""
        lineage = self.facts.lineage
        for waiver in dict.fromkeys(self.policy.waivers):
            if waiver.is_for(lineage) and not any(
                waiver.covers(hit.rule, hit.packages, lineage) for hit in hits
            ):
                yield waiver

    def _meant(self, hit: Hit) -> Waiver | None:
        """A waiver that names no package there is, but nearly the one of a hit."""
        from difflib import get_close_matches

        there = {name for one in self.facts.platforms for name in one.packages}
        for one in self.policy.waivers:
            beside = one.rule == hit.rule.key and one.place.file == hit.rule.place.file
            idle = beside and not any(matches(name, (one.package,)) for name in there)
            if idle and get_close_matches(one.package, hit.packages, n=1, cutoff=_NEAR):
                return one
        return None

    def lacks(self, rule: Rule) -> bool:
        """Whether a rule asks for what hasn't been found out about some package."""
        packages = (one for part in self.facts.platforms for one in part.packages.values())
        if isinstance(rule, RefuseLicence):
            return any(one.licences is None for one in packages)
        return isinstance(rule, RefuseYanked) and any(one.standing is None for one in packages)

    def _broken(self, rule: Rule, part: PlatformFacts) -> Iterator[Hit]:
        match rule:
            case NotTogether():
                yield from _together(rule, part)
            case TotalLimit():
                yield from _total(rule, part)
            case _:
                for package in part.packages.values():
                    if what := wrong(rule, package, self.now, self.policy.refused_licences):
                        yield _hit(rule, f"{package} {what}", [package])


def _together(rule: NotTogether, part: PlatformFacts) -> Iterator[Hit]:
    there = []
    for patterns in rule.alternatives:
        found = [one for one in part.packages.values() if matches(one.name, patterns)]
        there += [found] if found else []
    everyone = {one.name: one for found in there for one in found}
    if min(len(there), len(everyone)) < 2:
        return
    # One of each; where patterns overlap that may be one and the same, and another one is told.
    first = list({found[0].name: found[0] for found in there}.values())
    first = first if len(first) > 1 else list(everyone.values())[:2]
    by = f" by {rule.listed}" if rule.listed else ""
    what = f"{' and '.join(map(str, first))} exclude each other{by}"
    yield replace(_hit(rule, what, first), packages=tuple(sorted(everyone)))


def _total(rule: TotalLimit, part: PlatformFacts) -> Iterator[Hit]:
    if part.size <= rule.limit:
        return
    largest = sorted(part.packages.values(), key=lambda one: (-one.size, one.name))[:_LARGEST]
    named = ", ".join(f"{one} {shown_size(one.size)}" for one in largest)
    yield Hit(
        rule,
        f"everything has {more_than(part.size, rule.limit)}"
        + (f"; the largest are {named}" if named else ""),
        (),
        (),
    )


def _hit(rule: Rule, what: str, packages: Sequence[Package]) -> Hit:
    paths = tuple(package.path for package in packages if package.path)
    return Hit(rule, what, tuple(package.name for package in packages), paths)


def _way(path: Path) -> str:
    """How people say it: ``profiles/ml.toml:3 asks for a, a -> b``."""
    asked = f"{path.place} asks for {path.names[0]}"
    return f"{asked}, {' -> '.join(path.names)}" if len(path.names) > 1 else asked


_WAYS_OUT = {
    Forbid: "ask for something that doesn't need it",
    NotTogether: "ask for one of them only",
    RequireIndex: "name it for that index under [indexes] of the profile",
    PackageLimit: "take a smaller build of it",
    TotalLimit: "drop what isn't needed (`basestore why PROFILE PACKAGE --size`)",
    RefuseLicence: "take something else in its place",
    RefuseYanked: "take another version",
    MinimumAge: "wait, or keep new versions out with `exclude-newer`",
}


def _hint(hits: Sequence[Hit]) -> str:
    kinds = {type(hit.rule) for hit in hits}
    way = _WAYS_OUT[kinds.pop()] if len(kinds) == 1 else "mend each"
    if len(hits) == 1 and isinstance(hits[0].rule, Forbid) and hits[0].paths:
        way = _without(hits[0].paths[0].names)
    files = ", ".join(sorted({hit.rule.place.file for hit in hits}))
    return f"{way}, or except it for a time with [[policy.allow]] or [[policy.warn]] in {files}"


def _without(path: Sequence[str]) -> str:
    if len(path) == 1:
        return f"drop {path[0]}"
    return (
        f"drop {path[0]}, take {' or '.join(path[:-1])} in a version or from an index "
        f"([indexes.<name>]) that needs no {path[-1]}"
    )
