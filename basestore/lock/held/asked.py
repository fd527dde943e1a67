"""Requirements and constraints: each is met by a locked wheel, on every platform where it holds."""

from collections.abc import Iterator

from basestore.lock.held.demands import Demand, Demands
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.held.reach import reached
from basestore.lock.model import PlatformLock, Wheel


def asked(case: Case, demands: Demands) -> Iterator[Finding]:
    """What is asked for and isn't there, or not as it is asked for."""
    yield from case.each(lambda part: _unmet(case, demands, part))
    yield from _untaken(case, demands)


def _unmet(case: Case, demands: Demands, part: PlatformLock) -> Iterator[Finding]:
    environment, there = part.platform.markers(part.python), case.available(part)
    for one in demands.requirements:
        if one.holds(environment) and one.name not in there:
            text = f"{one.stated.location} asks for {one.stated.text}, and {case.file} has no "
            yield Finding(f"{text}{one.name}", Kind.LOCK)
        elif one.holds(environment):
            yield from _otherwise(case, one, there[one.name], "asks for")
    if case.is_service and demands.bounds:  # what its base has and it doesn't need isn't bounded
        needed = {*reached(case, demands, part), *(one.name for one in part.wheels)}
        there = {name: wheel for name, wheel in there.items() if name in needed}
    for one in demands.bounds:
        if one.name in there and one.holds(environment):
            yield from _otherwise(case, one, there[one.name], "allows")


def _otherwise(case: Case, demand: Demand, wheel: Wheel, verb: str) -> Iterator[Finding]:
    """What is wrong with a wheel that is asked for."""
    stated, mine = demand.stated, wheel.generation == case.profile.name
    package = wheel.name if mine else ""
    if not demand.allows(wheel):
        text = f"{case.file} has {wheel.name} {wheel.version}, and {stated.location} {verb} "
        yield Finding(f"{text}{stated.text}", Kind.LOCK, package)
    if stated.wheel and wheel.file != stated.wheel:
        text = f"{case.file} has {wheel.file}, and {stated.location} {verb} {stated.wheel}"
        yield Finding(text, Kind.LOCK, package)
    elif stated.hashes and wheel.sha256 not in stated.hashes:
        text = f"{case.file} has {wheel.file} with another SHA-256 than {stated.location} {verb}"
        yield Finding(text, Kind.LOCK, package)


def _untaken(case: Case, demands: Demands) -> Iterator[Finding]:
    """Extras that the profile asks for, and that its origin doesn't know."""
    environments = [part.platform.markers(part.python) for part in case.lock.platforms]
    for one in demands.requirements:
        if not one.extras or one.stated not in demands.own:
            continue
        how = case.origin.packages.get(one.name)
        missing = sorted(one.extras - frozenset(how.extras)) if how else ()
        if missing and any(map(one.holds, environments)):
            text = f"{one.stated.location} asks for {one.stated.text}, and {case.origin_file} "
            yield Finding(f"{text}doesn't have {one.name} with {', '.join(missing)}", Kind.ORIGIN)
