"""Rules that are about one package: what each has against it, in words. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from basestore.lock.facts import Package
from basestore.lock.origin import OFFERED, UNTOLD
from basestore.profile.names import matches
from basestore.profile.policy import (
    Forbid,
    MinimumAge,
    PackageLimit,
    RefuseLicence,
    RefuseYanked,
    RequireIndex,
    Rule,
)

_BY_URL = "direct"  # what origins call the index of a wheel that is asked for by its URL


def wrong(
    rule: Rule, package: Package, now: datetime | None, refused: Sequence[str] = ()
) -> str | None:
    """What a rule has against a package, as a predicate; None where it keeps the rule.

    ``refused``: the patterns of licences that all rules together refuse.
    """
    match rule:
        case Forbid():
            return _forbidden(rule, package)
        case RequireIndex():
            return _elsewhere(rule, package)
        case PackageLimit():
            return _large(rule, package)
        case RefuseLicence():
            return _licensed(rule, package, refused)
        case RefuseYanked():
            return _yanked(package)
        case MinimumAge():
            return _young(rule, package, now)
        case _:
            return None


def _forbidden(rule: Forbid, package: Package) -> str | None:
    if not matches(package.name, (rule.pattern,)):
        return None
    return f"is forbidden as {rule.pattern!r}{_of(rule.listed)}"


def _elsewhere(rule: RequireIndex, package: Package) -> str | None:
    if package.index in ("", rule.index) or not matches(package.name, (rule.pattern,)):
        return None
    where = "a URL" if package.index == _BY_URL else f"the index {package.index}"
    return f"comes from {where}, not from {rule.index}"


def _large(rule: PackageLimit, package: Package) -> str | None:
    if package.size <= rule.limit or not rule.binds(package.name):
        return None
    return f"has {more_than(package.size, rule.limit)}"


def _licensed(rule: RefuseLicence, package: Package, others: Sequence[str]) -> str | None:
    from basestore.lock.licences import refused

    if package.licences is None:
        return None
    found = refused(package.licences, rule.pattern, others)
    if not found:
        return None
    pattern = "" if found == (rule.pattern,) else f", refused as {rule.pattern!r}"
    return f"has the licence {' and '.join(found)}{pattern}{_of(rule.listed)}"


def _yanked(package: Package) -> str | None:
    if package.standing in (None, OFFERED):
        return None
    if package.standing == UNTOLD:
        return "may be yanked: nothing tells the index that it came from"
    _, _, reason = package.standing.partition(": ")
    return f"was yanked from its index{f', because {reason!r}' if reason else ''}"


def _young(rule: MinimumAge, package: Package, now: datetime | None) -> str | None:
    if now is None or not package.index:
        return None
    if package.uploaded is None:
        where = "a URL" if package.index == _BY_URL else f"the index {package.index}"
        return f"has no age: {where} tells no upload times"
    if now - package.uploaded >= rule.age:
        return None
    allowed = package.uploaded + rule.age
    return f"was uploaded {_minute(package.uploaded)}, so it is too young until {_minute(allowed)}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def more_than(size: int, limit: int) -> str:
    """A size and the limit that it is above, exactly where they would look the same."""
    words = shown_size(size), shown_size(limit)
    if words[0] == words[1]:
        words = f"{size} B", f"{limit} B"
    return ", more than ".join(words)


def shown_size(size: int) -> str:
    """Decimal units with three digits."""
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= one:
            return f"{size / one:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{size} B"


def _of(listed: str) -> str:
    return f" of {listed}" if listed else ""
