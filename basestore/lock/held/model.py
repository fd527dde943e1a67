"""The values that a lock is held to its profile by."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from basestore.digest import Digest
from basestore.lock.model import Lock, PlatformLock, Wheel
from basestore.lock.origin import Origin
from basestore.profile.model import Profile
from basestore.target import Platform


class Kind(Enum):
    """What can't be believed where something disagrees.

    ``SHAPE``: the family or the platforms of the lock, so that nothing else can be compared.
    ``FOUNDATION``: its .debs. ``LOCK``: its wheels or settings. ``ORIGIN``: what its origin has
    from the resolver. ``RESTATED``: what the origin says of profile and lock, which can be said
    anew.
    """

    SHAPE = "shape"
    FOUNDATION = "foundation"
    LOCK = "lock"
    ORIGIN = "origin"
    RESTATED = "restated"


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement, as one sentence that names file and package or key.

    ``package``: whose wheel in the lock means nothing by it; empty where none does.
    """

    text: str
    kind: Kind
    package: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Case:
    """A profile's lock and origin, and the lock of its parent, which for a service is its base.

    ``parent_digest``: the digest of the parent's lock. ``moved``: whether files of the profile have
    other bytes than the origin knows, so that places may be others.
    """

    profile: Profile
    lock: Lock
    origin: Origin
    parent: Lock | None = None
    parent_digest: Digest | None = None
    moved: bool = False

    @property
    def file(self) -> str:
        """The lock's file, for findings."""
        return f"locks/{self.profile.name}.lock"

    @property
    def origin_file(self) -> str:
        """The origin's file, for findings."""
        return f"locks/{self.profile.name}.origin.toml"

    @property
    def is_service(self) -> bool:
        """Whether it is a service's, whose lock has what its base lacks."""
        return self.profile.service is not None

    def parents(self, platform: Platform) -> PlatformLock | None:
        """The parent's part for a platform; None without one."""
        parts = self.parent.platforms if self.parent else ()
        return next((one for one in parts if one.platform == platform), None)

    def available(self, part: PlatformLock) -> Mapping[str, Wheel]:
        """The wheels of the image on a platform: of a service also its base's."""
        below = self.parents(part.platform) if self.is_service else None
        return {wheel.name: wheel for one in (below, part) if one for wheel in one.wheels}

    def own(self, part: PlatformLock) -> Iterator[Wheel]:
        """The wheels that the profile itself brings."""
        return (wheel for wheel in part.wheels if wheel.generation == self.profile.name)

    def each(self, look: "Callable[[PlatformLock], Iterable[Finding]]") -> Iterator[Finding]:
        """What is found on each platform, once; where it isn't so on all of them, it says where."""
        found: dict[Finding, list[Platform]] = {}
        for part in self.lock.platforms:
            for one in dict.fromkeys(look(part)):
                found.setdefault(one, []).append(part.platform)
        for one, platforms in found.items():
            where = f" on {' and '.join(map(str, platforms))}"
            everywhere = len(platforms) == len(self.lock.platforms)
            yield one if everywhere else replace(one, text=f"{one.text}{where}")
