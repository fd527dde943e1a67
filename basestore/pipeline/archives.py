"""Archives: what a lock and its origin say of who requires whom, held to what wheels and .debs say.

Only what is in the store is read, and only where its bytes are those of its digest; the rest is
told as unproven. Nothing is fetched.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Self

from basestore.debian.packages import BinaryPackage, read_package
from basestore.digest import Digest
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.control import parse_control
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.metadata import read_metadata
from basestore.lock.deb_edges import DebSite, judge_debs
from basestore.lock.declared import Declared, UnreadableMetadataError, read_declared
from basestore.lock.edges import Judged, WheelSite, judge_identities, judge_wheels
from basestore.lock.files import read_lock
from basestore.lock.model import Deb, Lock, PlatformLock, Wheel
from basestore.lock.origin import Origin
from basestore.pipeline.edges import CHECK
from basestore.pipeline.verify import Finding
from basestore.profile.model import Profile, Project, Requirement
from basestore.profile.reader import read_profile
from basestore.store import Store

_TOLD = 8  # faults, or packages, in a finding


def judge_archives(
    project: Project, name: str, origin: Origin, store: Store | None
) -> tuple[Finding, ...]:
    """What the archives of a lock declare, as far as the store has them, against lock and origin.

    The lock is fresh. Raises DamagedBlobError, and what reading profile and locks raises.
    """
    case = _Case.read(project, name, origin)
    return tuple(_findings(case, case.judge(Archives(store))))


@dataclass(frozen=True, slots=True)
class _Judgements:
    """Of wheels and of .debs, whose names may be the same; and how many of each were read."""

    wheels: Judged
    debs: Judged
    read: tuple[int, int]

    @property
    def faults(self) -> tuple[str, ...]:
        return (*self.wheels.faults, *self.debs.faults)


class Archives:
    """What the archives in a store declare, each read once; None where that can't be told."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._known: dict[Digest, Declared | BinaryPackage | None] = {}
        self.refused: dict[str, str] = {}  # why an archive that is there was not read, by package

    def wheel(self, wheel: Wheel) -> Declared | None:
        """What a wheel's METADATA declares."""
        if wheel.sha256 not in self._known:
            self._known[wheel.sha256] = self._wheel(wheel)
        found = self._known[wheel.sha256]
        return found if isinstance(found, Declared) else None

    def deb(self, deb: Deb) -> BinaryPackage | None:
        """What the control file of a .deb declares."""
        if deb.sha256 not in self._known:
            self._known[deb.sha256] = self._deb(deb)
        found = self._known[deb.sha256]
        return found if isinstance(found, BinaryPackage) else None

    def _wheel(self, wheel: Wheel) -> Declared | None:
        if self._store is None or not self._store.blobs.has(wheel.sha256):
            return None
        try:
            with _read(self._store, wheel.sha256) as file:
                return read_declared(read_metadata(file, wheel.file))
        except (BadZipError, UnreadableMetadataError) as error:
            self.refused[wheel.name] = str(error)
            return None

    def _deb(self, deb: Deb) -> BinaryPackage | None:
        if self._store is None or not self._store.blobs.has(deb.sha256):
            return None
        label = f"{deb.name} {deb.version}"
        try:
            with _read(self._store, deb.sha256) as file:
                control = parse_control(DebArchive(file, label).control()["control"], label)
            fields = {name.lower(): value for name, value in control.fields.items()}
            known = {"size": str(deb.size), "sha256": deb.sha256.hex, "filename": ""}
            return read_package("", {**fields, **known})
        except (MalformedDebError, ValueError) as error:
            self.refused[deb.name] = str(error)
            return None


@contextmanager
def _read(store: Store, digest: Digest) -> Iterator[BinaryIO]:
    """An archive that this user has hashed; raises DamagedBlobError."""
    with store.blobs.verified(digest) as file:
        yield file


@dataclass(frozen=True, slots=True)
class _Case:
    """A lock with its profile and origin. ``base``: a service's base's lock."""

    profile: Profile
    lock: Lock
    origin: Origin
    base: Lock | None

    @classmethod
    def read(cls, project: Project, name: str, origin: Origin) -> Self:
        profile = read_profile(project, name)
        lock, _ = read_lock(project, name)
        base = read_lock(project, profile.parent.name)[0] if profile.parent else None
        return cls(profile, lock, origin, base if profile.service else None)

    def judge(self, archives: Archives) -> _Judgements:
        wheels = [self._wheels(one, archives) for one in self.lock.platforms]
        debs = [self._debs(one, archives) for one in self.lock.platforms if one.debs]
        read = (_count(site.declared for site in wheels), _count(site.declared for site in debs))
        if self.profile.team_lock:
            found = [judge_identities(site) for site in wheels]
            faults = dict.fromkeys(fault for one in found for fault in one.faults)
            unread = {name: why for one in found for name, why in one.unread.items()}
            judged = Judged(tuple(faults), unread)
        else:
            judged = judge_wheels(wheels, self.origin.packages)
        return _Judgements(
            _with_reasons(judged, archives.refused),
            _with_reasons(judge_debs(debs, self.origin.debs), archives.refused),
            read,
        )

    def _wheels(self, here: PlatformLock, archives: Archives) -> WheelSite:
        below = self.base.platform(here.platform).wheels if self.base else ()
        held = {wheel.name: wheel for wheel in (*below, *here.wheels)}
        declared = {name: archives.wheel(wheel) for name, wheel in held.items()}
        return WheelSite(
            here.platform,
            here.python,
            held,
            frozenset(wheel.name for wheel in here.wheels),
            self._roots(here),
            {name: one for name, one in declared.items() if one},
            {name: one.requires for name, one in self.origin.packages.items()},
        )

    def _debs(self, here: PlatformLock, archives: Archives) -> DebSite:
        declared = {deb.name: archives.deb(deb) for deb in here.debs}
        return DebSite(
            {deb.name: deb for deb in here.debs},
            self.profile.foundation.packages,
            {name: one for name, one in declared.items() if one},
        )

    def _roots(self, here: PlatformLock) -> Mapping[str, frozenset[str]]:
        """What was asked of uv: what a parent is locked to by name alone, a base's as it is."""
        own = self.profile.name
        inherited = [wheel.name for wheel in here.wheels if wheel.generation != own]
        roots: dict[str, frozenset[str]] = dict.fromkeys(inherited, frozenset())
        for name, extras in _asked(self.profile, here):
            roots[name] = roots.get(name, frozenset()) | extras
        return roots


def _asked(profile: Profile, here: PlatformLock) -> Iterator[tuple[str, frozenset[str]]]:
    """The profile's requirements in force on a platform, and its ancestors' of what it replaces."""
    from packaging.requirements import Requirement as Parsed

    environment = here.platform.markers(here.python)
    theirs: list[Requirement] = [r for n in profile.replaces for r in profile.demanded(n)]
    for one in (*theirs, *(r for r in profile.requirements if r.name not in profile.replaces)):
        parsed = Parsed(one.text)
        if parsed.marker is None or parsed.marker.evaluate(environment):
            yield one.name, frozenset(parsed.extras)


def _with_reasons(judged: Judged, refused: Mapping[str, str]) -> Judged:
    return Judged(judged.faults, {n: why or refused.get(n, "") for n, why in judged.unread.items()})


def _count(sites: Iterable[Mapping[str, object]]) -> int:
    return len({name for site in sites for name in site})


def _findings(case: _Case, judged: _Judgements) -> Iterator[Finding]:
    faults = judged.faults
    wheels, debs = judged.read
    if faults:
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        yield Finding(CHECK, False, "; ".join(faults[:_TOLD]) + more)
    elif wheels or debs:
        yield Finding(CHECK, True, _said(case, wheels, debs))
    for kind, one in (("wheels", judged.wheels), ("debs", judged.debs)):
        if one.unread:
            yield Finding(CHECK, None, _unproven(case, kind, one.unread))


def _said(case: _Case, wheels: int, debs: int) -> str:
    if case.profile.team_lock:
        said = f"{wheels} wheels are what they are locked as; a team's lock says what they require"
    else:
        said = f"{wheels} wheels require what the lock has, within their bounds"
    return f"{said}; {debs} .debs require what it has" if debs else said


def _unproven(case: _Case, kind: str, unread: Mapping[str, str]) -> str:
    what = "wheels" if kind == "wheels" else ".debs"
    away = [name for name, why in unread.items() if not why]
    told = [f"{name}: {why}" for name, why in unread.items() if why]
    if away:
        named = ", ".join(away[:_TOLD]) + (", …" if len(away) > _TOLD else "")
        told.append(
            f"{named}: not in the store; `basestore verify {case.profile.name} --content` "
            "brings them"
        )
    return f"unproven of {len(unread)} {what}: {'; '.join(told[:_TOLD])}"
