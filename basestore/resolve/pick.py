"""Picking: of a package's wheels the one that the lock gets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from basestore.lock.model import Wheel
from basestore.profile.model import Profile, Requirement
from basestore.resolve.answer import asked_names
from basestore.resolve.direct import ChangedUrlError, Direct, UnnamedUrlError
from basestore.resolve.explain import Wanted
from basestore.resolve.hashes import permitted
from basestore.resolve.known import Known
from basestore.resolve.pin import Pin, with_hashes
from basestore.resolve.wheels import Closure, choose, keep, refuse_changed
from basestore.sources.pylock import IndexedPackage, IndexedWheel
from basestore.sources.uv import DIRECT, Target


@dataclass(frozen=True, slots=True)
class Picker:
    """Picks for one profile. ``upgrade``: packages whose earlier wheel means nothing, ``*`` all."""

    profile: Profile
    known: Known
    upgrade: frozenset[str]
    pin: Pin
    direct: Direct

    def pick(self, name: str, wanted: Wanted, closure: Closure) -> IndexedWheel:
        """What is locked already if it may stay, else the best wheel of those allowed."""
        target = wanted.target
        package = self._hashed(closure.packages[name], target)
        by_url = self._by_url(package, wanted, closure)
        if by_url:
            package = replace(package, wheels=(self._checked(package.wheels[0], by_url, target),))
        asked = (*self.profile.demanded(name), *self.profile.bounds(name))
        kept = self._keep(package, by_url, target)
        if kept and name in self.known.inherited(target.platform, self.profile.replaces):
            permitted(replace(package, wheels=(kept,)), asked, target)
            return kept
        allowed = permitted(package, asked, target)
        if kept and kept in allowed.wheels:
            return kept
        chosen = choose(
            allowed, wanted, closure.path(name, [*asked_names(self.profile), *closure.roots])
        )
        if name not in self.upgrade and not by_url and not self.known.doubted:
            # Who upgrades everything doesn't mean to take other bytes for the same file.
            refuse_changed(chosen, self.known.own(self.profile, target.platform).get(name))
        return chosen

    def _hashed(self, package: IndexedPackage, target: Target) -> IndexedPackage:
        """The package, its best wheel with a digest; one that is locked keeps the lock's."""
        locked = self._locked(package.name, target)
        if locked and self.upgrade & {package.name, "*"} and not self._stays(package.name, target):
            locked = None
        return with_hashes(package, locked, target, self.pin)

    def _by_url(
        self, package: IndexedPackage, wanted: Wanted, closure: Closure
    ) -> tuple[Requirement, ...]:
        """The requirements that ask for a package's one wheel by its URL."""
        name = package.name
        if closure.indexes[name] != DIRECT or not package.wheels or self.profile.team_lock:
            return ()
        asked = self.direct.asked(package.wheels[0], name, wanted.target)
        if not asked and name not in self.known.parents(wanted.target.platform):
            path = closure.path(name, asked_names(self.profile))
            raise UnnamedUrlError(self.profile, package.wheels[0], " -> ".join(path))
        return asked

    def _checked(
        self, wheel: IndexedWheel, asked: Sequence[Requirement], target: Target
    ) -> IndexedWheel:
        """The wheel as it lies at its URL; another one than is locked only where a hash says so."""
        name = asked[0].name
        stays, locked = self._stays(name, target), self._locked(name, target)
        if name in self.upgrade and not stays:
            locked = None
        found = self.direct.checked(wheel, asked, locked)
        meant = not stays and (self.known.doubted or any(one.hashes for one in asked))
        if locked and locked.file == found.file and locked.sha256 != found.sha256 and not meant:
            raise ChangedUrlError(locked, asked[0], found)
        return found

    def _locked(self, name: str, target: Target) -> Wheel | None:
        """A package's wheel in the parent's lock, or else in the previous one that is believed."""
        if self._stays(name, target):
            return self.known.parents(target.platform)[name]
        return self.known.seen(self.profile, target.platform).get(name)

    def _stays(self, name: str, target: Target) -> bool:
        """Whether a package is the parent's, whatever is upgraded."""
        return name in self.known.inherited(target.platform, self.profile.replaces)

    def _keep(
        self, package: IndexedPackage, by_url: Sequence[Requirement], target: Target
    ) -> IndexedWheel | None:
        name, platform = package.name, target.platform
        parents = self.known.parents(platform).get(name)
        if parents is not None and name not in self.profile.replaces:
            return self._believed(package, parents) or keep(package, parents, target)
        same = [w for w in package.wheels if parents is not None and w.sha256 == parents.sha256]
        if same:
            return same[0]
        own = self.known.own(self.profile, platform).get(name)
        if own is None or own.version != package.version or self.upgrade & {name, "*"}:
            return None
        if self.profile.team_lock or by_url:
            return None  # what is asked for is that very file
        if self.known.doubted:
            seen = self.known.seen(self.profile, platform).get(name)
            listed = [wheel for wheel in package.wheels if wheel.sha256 == own.sha256]
            return next(iter(listed), None) or self._believed(package, own if own == seen else None)
        return keep(package, own, target)

    def _believed(self, package: IndexedPackage, kept: Wheel | None) -> IndexedWheel | None:
        """A wheel that is to be believed, though its index lists it no more; else None."""
        if kept is None or not self.known.doubted:
            return None
        if any(kept.sha256 == one.sha256 or kept.file == one.file for one in package.wheels):
            return None
        return IndexedWheel(kept.file, "", kept.sha256, kept.size, None)
