"""The foundation: .debs that the profile names or that those need, and what they say of Python."""

from collections.abc import Iterator

from basestore.debian.software import glibc_version, python_version
from basestore.debian.version import Version
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.held.reach import reachable, unlike
from basestore.lock.model import Deb, PlatformLock


def foundation(case: Case) -> Iterator[Finding]:
    """What of a foundation isn't as profile and origin have it. A child's is its parent's."""
    if case.is_service:
        return
    if case.profile.parent is None:
        yield from case.each(lambda part: _named(case, part))
        yield from case.each(lambda part: _reached(case, part))
    yield from case.each(lambda part: _versions(case, part))
    names = {deb.name for part in case.lock.platforms for deb in part.debs}
    known = {name: one.requires for name, one in case.origin.debs.items()}
    yield from unlike(case, names, names, known)
    yield from _suites(case)


def _named(case: Case, part: PlatformLock) -> Iterator[Finding]:
    there = {deb.name for deb in part.debs}
    for name in case.profile.foundation.packages:
        if not {name, *_providers(case, name)} & there:
            text = f"{case.profile.file} names {name} for the foundation, and {case.file} has no "
            yield Finding(f"{text}.debs of it", Kind.FOUNDATION)


def _providers(case: Case, name: str) -> Iterator[str]:
    """The .debs that stand for a name of the profile's that no package has."""
    return (deb for deb, how in case.origin.debs.items() if name in how.provides)


def _reached(case: Case, part: PlatformLock) -> Iterator[Finding]:
    named, there = case.profile.foundation.packages, {deb.name for deb in part.debs}
    roots = {one for name in named for one in ([name] if name in there else _providers(case, name))}
    requires = {name: how.requires for name, how in case.origin.debs.items()}
    for name in sorted(there - reachable(roots, requires)):
        text = f"{case.file} has the .deb {name}, and nothing in the foundation asks for it"
        yield Finding(text, Kind.FOUNDATION)


def _versions(case: Case, part: PlatformLock) -> Iterator[Finding]:
    """Python and the C library are those of the .debs, since markers and tags go by them."""
    if part.python.rpartition(".")[0] != case.profile.python:
        text = f"{case.file} is for Python {part.python}, and {case.profile.file} for "
        yield Finding(f"{text}{case.profile.python}", Kind.FOUNDATION)
    debs = {deb.name: deb for deb in part.debs}
    for name, said in ((f"python{case.profile.python}", part.python), ("libc6", part.glibc)):
        deb = debs.get(name)
        if deb is None:
            yield Finding(f"{case.file} has no {name} in its foundation", Kind.FOUNDATION)
        elif _software(deb) != said:
            key = "glibc" if name == "libc6" else "python"
            text = f"{case.file} says {key} {said}, and has the .deb {name} {deb.version}"
            yield Finding(text, Kind.FOUNDATION)


def _software(deb: Deb) -> str:
    """The version of what is in a .deb; empty where its own is none."""
    try:
        version = Version.parse(deb.version)
        return glibc_version(version) if deb.name == "libc6" else python_version(version)
    except ValueError:
        return ""


def _suites(case: Case) -> Iterator[Finding]:
    suite = case.profile.foundation.suite
    for name, how in sorted(case.origin.debs.items()):
        if how.suite not in ("", suite):
            text = f"{case.origin_file} has {name} from {how.suite}, and {case.profile.file} names "
            yield Finding(f"{text}{suite}", Kind.FOUNDATION)
