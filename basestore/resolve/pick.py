"""Picking: of a package's wheels the one that the lock gets."""

from dataclasses import dataclass, replace

from basestore.profile.model import Profile
from basestore.resolve.answer import asked_names
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

    def pick(self, name: str, wanted: Wanted, closure: Closure) -> IndexedWheel:
        """What is locked already if it may stay, else the best wheel of those allowed."""
        target = wanted.target
        package = self._hashed(closure.packages[name], target)
        asked = (*self.profile.demanded(name), *self.profile.bounds(name))
        kept = self._keep(package, closure.indexes[name], target)
        if kept and name in self.known.inherited(target.platform, self.profile.replaces):
            permitted(replace(package, wheels=(kept,)), asked, target)
            return kept
        allowed = permitted(package, asked, target)
        if kept and kept in allowed.wheels:
            return kept
        chosen = choose(
            allowed, wanted, closure.path(name, [*asked_names(self.profile), *closure.roots])
        )
        if name not in self.upgrade:
            # Who upgrades everything doesn't mean to take other bytes for the same file.
            refuse_changed(chosen, self.known.own(self.profile, target.platform).get(name))
        return chosen

    def _hashed(self, package: IndexedPackage, target: Target) -> IndexedPackage:
        """The package, its best wheel with a digest; one that is locked keeps the lock's."""
        locked = self.known.parents(target.platform).get(package.name)
        if locked is None or package.name in self.profile.replaces:
            locked = self.known.own(self.profile, target.platform).get(package.name)
            if self.upgrade & {package.name, "*"}:
                locked = None
        return with_hashes(package, locked, target, self.pin)

    def _keep(self, package: IndexedPackage, index: str, target: Target) -> IndexedWheel | None:
        name, platform = package.name, target.platform
        parents = self.known.parents(platform).get(name)
        if parents is not None and name not in self.profile.replaces:
            return keep(package, parents, target)
        same = [w for w in package.wheels if parents is not None and w.sha256 == parents.sha256]
        if same:
            return same[0]
        own = self.known.own(self.profile, platform).get(name)
        if own is None or own.version != package.version or self.upgrade & {name, "*"}:
            return None
        if self.profile.team_lock or (index == DIRECT and own.file != package.wheels[0].file):
            return None  # another file is asked for
        return keep(package, own, target)
