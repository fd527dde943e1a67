"""The rows of a lock that are its parent's, and the tags of those that are its own."""

from collections.abc import Iterator

from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.held.tags import runs
from basestore.lock.model import PlatformLock, Replaced


def rows(case: Case) -> Iterator[Finding]:
    """Rows that aren't the parent's though they are said to be, or that don't run here."""
    yield from case.each(lambda part: _tags(case, part))
    if case.parent is None:
        yield from case.each(lambda part: _strangers(case, part))
    elif case.is_service:
        yield from case.each(lambda part: _on_base(case, part))
    else:
        yield from case.each(lambda part: _inherited(case, part))
        yield from _replaces(case)


def _tags(case: Case, part: PlatformLock) -> Iterator[Finding]:
    fits = runs(part.platform, part.python, part.glibc)
    for wheel in case.own(part):
        if not fits(wheel.file):
            text = f"{case.file} has {wheel.file}, which doesn't run with Python {part.python} and "
            yield Finding(f"{text}glibc {part.glibc}", Kind.LOCK, wheel.name)


def _strangers(case: Case, part: PlatformLock) -> Iterator[Finding]:
    for row in part.replaced:
        yield Finding(f"{case.file} has {row.name} as replaced, and no parent", Kind.LOCK)


def _on_base(case: Case, part: PlatformLock) -> Iterator[Finding]:
    base = case.parents(part.platform)
    if base is None:
        return
    where = f"locks/{case.lock.base}.lock"
    if (part.python, part.glibc) != (base.python, base.glibc):
        text = f"{case.file} is for Python {part.python} and glibc {part.glibc}, and {where} has "
        yield Finding(f"{text}{base.python} and {base.glibc}", Kind.LOCK)
    for name in sorted({one.name for one in part.wheels} & {one.name for one in base.wheels}):
        yield Finding(f"{case.file} has {name}, which its base has: {where}", Kind.LOCK, name)


def _inherited(case: Case, part: PlatformLock) -> Iterator[Finding]:
    """What isn't the parent's of a child's part: foundation, wheels, what is replaced."""
    parent, profile = case.parents(part.platform), case.profile
    if parent is None or profile.parent is None:
        return
    where = f"locks/{profile.parent.name}.lock"
    for key in ("python", "glibc"):
        if getattr(part, key) != getattr(parent, key):
            there = f"{getattr(part, key)}, and {where} {getattr(parent, key)}"
            yield Finding(f"{case.file} has {key} {there}", Kind.FOUNDATION)
    for name in _other(part.debs, parent.debs):
        text = f"{case.file} has the .deb {name} otherwise than {where}"
        yield Finding(text, Kind.FOUNDATION)
    theirs = {wheel.name: wheel for wheel in parent.wheels}
    here = {wheel.name: wheel for wheel in part.wheels}
    kept = {name for name, wheel in theirs.items() if here.get(name) == wheel}
    for name in sorted(theirs.keys() - kept):
        own = here.get(name)
        brought = own is not None and own.generation == profile.name
        if not (brought and name in profile.replaces):
            text = f"{case.file} has {name} otherwise than {where}, and {profile.file} doesn't "
            yield Finding(f"{text}replace it", Kind.LOCK, name)
        elif own and own.sha256 == theirs[name].sha256:
            text = f"{case.file} has the wheel of {name} as {profile.name}'s, and it is that of "
            yield Finding(f"{text}{where}", Kind.LOCK, name)
    for name, wheel in here.items():
        if name not in theirs and wheel.generation != profile.name:
            text = f"{case.file} has {name} from {wheel.generation}, and {where} has none"
            yield Finding(text, Kind.LOCK, name)
    gone = {(one.name, one.size, one.generation) for one in theirs.values() if one.name not in kept}
    wanted = {Replaced(*row) for row in gone} | {*parent.replaced}
    for row in sorted(wanted ^ {*part.replaced}, key=lambda one: (one.name, one.generation)):
        text = f"{case.file} has {row.name} of {row.generation} otherwise as replaced than {where} "
        yield Finding(f"{text}and {profile.file} say", Kind.LOCK)


def _other(here: tuple[object, ...], there: tuple[object, ...]) -> list[str]:
    """The names of rows that only one side has so."""
    if here == there:
        return []
    return sorted({str(getattr(one, "name", one)) for one in {*here} ^ {*there}})


def _replaces(case: Case) -> Iterator[Finding]:
    """A profile can replace what its parent has, and nothing else."""
    parts = map(case.parents, case.profile.platforms)
    known = {wheel.name for part in parts if part for wheel in part.wheels}
    parent = case.profile.parent.name if case.profile.parent else ""
    for name, place in case.profile.replaces.items():
        if name not in known:
            yield Finding(f"{place}: locks/{parent}.lock has no {name} to replace", Kind.LOCK)
