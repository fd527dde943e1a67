"""The frozen values a lock is read into. Every field is material: it changes the image."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from basestore.digest import Digest
from basestore.profile.model import Healthcheck
from basestore.target import Platform

FORMAT = 0
"""The number of layout, plan and encoder; it moves only if the same lock gave other bytes."""


@dataclass(frozen=True, slots=True)
class Deb:
    """A binary package of Debian; ``architecture`` is its own (``amd64``, ``arm64``, ``all``)."""

    name: str
    version: str
    architecture: str
    size: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel: ``name`` normalised (PEP 503), ``file`` its file name (PEP 427), ``size`` in bytes.

    ``generation`` is the profile of the family that brought it (``from`` in the file).
    """

    name: str
    version: str
    file: str
    size: int
    sha256: Digest
    generation: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """A wheel of an ancestor that a younger generation has replaced by one of its own.

    Not in the image; but where the ancestor's other wheels lie is planned with it.
    """

    name: str
    size: int
    generation: str


@dataclass(frozen=True, slots=True)
class PlatformLock:
    """All artifacts of one platform. ``python`` full (``3.11.2``), ``glibc`` such as ``2.36``.

    ``debs`` are sorted by name, ``wheels`` and ``replaced`` by generation (ancestors first), then
    name.
    """

    platform: Platform
    python: str
    glibc: str
    debs: tuple[Deb, ...]
    wheels: tuple[Wheel, ...]
    replaced: tuple[Replaced, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What goes into the image's config, complete (OCI image-spec, "config").

    ``ports``: of TCP. ``healthcheck``: of Docker's image specification.
    """

    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    healthcheck: Healthcheck | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A whole lock. ``lineage``: generations, ancestors first, this profile last.

    ``base``: for a service's lock the profile it stands on, else empty. A service's lock has the
    wheels that its base lacks and nothing else, and its lineage is itself alone.

    ``path_conflicts``: a path below the virtual environment, and the packages that bring it with
    different content; the last one wins. ``record_exceptions``: the packages, normalised (PEP 503),
    among this lock's own wheels whose RECORD need not say what their archive holds, and why.
    """

    profile: str
    image: ImageConfig
    platforms: tuple[PlatformLock, ...]
    lineage: tuple[str, ...] = ()
    path_conflicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    base: str = ""
    format: int = FORMAT
    record_exceptions: Mapping[str, str] = field(default_factory=dict)

    def platform(self, platform: Platform) -> PlatformLock:
        """The artifacts of one platform; raises KeyError where the lock hasn't it."""
        for candidate in self.platforms:
            if candidate.platform == platform:
                return candidate
        raise KeyError(str(platform))
