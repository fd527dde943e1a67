"""The frozen values a project is read into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from basestore.digest import Digest
from basestore.profile.cutoff import Cutoff
from basestore.profile.pins import Pins
from basestore.profile.place import Location as Location  # noqa: PLC0414 - part of this model
from basestore.profile.policy import Policy
from basestore.profile.service import Service
from basestore.target import Platform

VENV = "/opt/venv"
"""Where every image keeps its virtual environment."""

DEFAULT_IMAGE_NAME = "base-{profile}"
"""What images are called where ``basestore.toml`` says nothing."""

PROJECT_FILE = "basestore.toml"
"""The project's own file, beside the folder of the profiles."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: ``name`` normalised (PEP 503), ``text`` in packaging's canonical PEP 508.

    ``url``: where the wheel asked for lies, as written, with ``${NAME}`` for what only the
    environment knows; ``text`` has it without userinfo, query and fragment, and ``wheel`` is the
    file's name there. ``hashes``: the wheels that will do, all of them where it is empty.
    """

    name: str
    text: str
    location: Location
    url: str = field(default="", repr=False)
    wheel: str = ""
    hashes: tuple[Digest, ...] = ()

    @property
    def identity(self) -> str:
        """What decides about a lock: a wheel whose hash is told may lie anywhere."""
        if not (self.url and self.hashes):
            return self.text
        name, _, rest = self.text.partition(" @ ")
        return f"{name} @ {self.wheel}{rest[len(rest.partition(' ')[0]) :]}"


@dataclass(frozen=True, slots=True)
class TeamLock:
    """A lock of another tool that a profile takes as it is.

    ``file`` relative to the project, ``data`` its bytes. ``project``: for ``uv.lock`` the bytes of
    the ``pyproject.toml`` beside it. ``extras`` and ``groups``: what is taken besides the project's
    own dependencies, ``only_groups`` instead of them. ``place``: where the profile says so.
    """

    file: str
    data: bytes = field(repr=False)
    project: bytes = field(repr=False)
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    only_groups: tuple[str, ...]
    place: Location


@dataclass(frozen=True, slots=True)
class DebianFoundation:
    """OS files and Python out of .debs: a suite's codename and the packages asked for by name."""

    suite: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How an engine finds out whether a container is well (Docker's image specification 1.2).

    ``command`` is run without a shell. Times in seconds, 0 for the engine's own.
    """

    command: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What people say about the image's config; what they leave open is decided in ``lock``.

    ``cmd``: None where nobody stated one, which is not the same as stating an empty one.
    ``ports``: TCP ports that a service listens on.
    """

    user: str = ""
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    healthcheck: Healthcheck | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """A package index besides the default one; only the ``packages`` named come from it.

    ``dated``: whether it tells upload times, so that ``exclude-newer`` can hold for its files.
    """

    name: str
    url: str
    packages: tuple[str, ...]
    dated: bool = True


@dataclass(frozen=True, slots=True)
class RecordException:
    """Why a package's RECORD need not say what its wheel holds (PyPA, "Recording installed
    projects"), and where it is excepted.
    """

    reason: str
    place: Location


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as read, its parent's settings merged in, its requirements its own only.

    Nothing here depends on the order or layout of the file: platforms, requirements, packages,
    indexes and patterns are sorted, and all but the requirements are free of duplicates.

    ``path_conflicts``: a path below the virtual environment and the packages that bring it with
    different content, the last of which wins. ``policy``: what may not be in the closure, the
    project's and the parents' rules included. ``replaces``: packages that it brings itself instead
    of its ancestors', and where it says so; its own only. ``constraints``: bounds for what the
    closure needs anyway, the parents' included but for what it replaces. ``team_lock``: what it
    takes instead of resolving. ``exclude_newer``: how new what enters its lock may be; not an input
    of the lock. ``service``: what a service has besides; its ``parent`` is its base. ``files``: raw
    digest of every file that was read, by its path relative to the project, parents' included;
    of ``basestore.toml`` the digest of what it says about this profile. ``indexed``: where it names
    packages for indexes; its own only. ``record_exceptions``: the packages, by normalised name,
    whose RECORD need not say what their wheel holds, the parents' included, but not a base's.
    """

    name: str
    python: str
    platforms: tuple[Platform, ...]
    foundation: DebianFoundation
    requirements: tuple[Requirement, ...]
    image: ImageSettings = field(default_factory=ImageSettings)
    indexes: tuple[Index, ...] = ()
    policy: Policy = field(default_factory=Policy)
    path_conflicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parent: "Profile | None" = None
    replaces: Mapping[str, Location] = field(default_factory=dict)
    constraints: tuple[Requirement, ...] = ()
    team_lock: TeamLock | None = None
    exclude_newer: Cutoff | None = None
    service: Service | None = None
    files: Mapping[str, Digest] = field(default_factory=dict)
    indexed: Mapping[str, Location] = field(default_factory=dict)
    record_exceptions: Mapping[str, RecordException] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file that holds it, relative to the project."""
        return PROJECT_FILE if self.service else profile_file(self.name)

    @property
    def lineage(self) -> tuple["Profile", ...]:
        """The oldest ancestor first, this profile last."""
        return (*(self.parent.lineage if self.parent else ()), self)

    def index_of(self, package: str) -> str | None:
        """The index that a package is named for; None for the default one."""
        return next((index.name for index in self.indexes if package in index.packages), None)

    def demanded(self, package: str) -> tuple[Requirement, ...]:
        """The requirements of the lineage that are in force for a package.

        Those of a profile that replaces it stand for all that its ancestors have.
        """
        own = tuple(one for one in self.requirements if one.name == package)
        if self.parent is None or (own and package in self.replaces):
            return own
        return (*self.parent.demanded(package), *own)

    def bounds(self, package: str) -> tuple[Requirement, ...]:
        """The constraints on a package."""
        return tuple(one for one in self.constraints if one.name == package)


def profile_file(name: str) -> str:
    """A profile's file, relative to the project."""
    return f"profiles/{name}.toml"


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder and its ``basestore.toml`` (absent file: all defaults).

    ``registry``: ``host[:port][/path]`` or None. ``image_name``: a template with ``{profile}``.
    ``services`` by name. ``digests``: of what ``basestore.toml`` says about each service, and under
    the empty name about all profiles.
    """

    root: Path
    registry: str | None = None
    image_name: str = DEFAULT_IMAGE_NAME
    policy: Policy = field(default_factory=Policy)
    services: Mapping[str, Service] = field(default_factory=dict)
    digests: Mapping[str, Digest] = field(default_factory=dict)
    pins: Pins = field(default_factory=Pins)

    @property
    def profiles(self) -> Path:
        """The folder of the profiles."""
        return self.root / "profiles"

    @property
    def locks(self) -> Path:
        """The folder of the locks."""
        return self.root / "locks"

    def file_of(self, name: str) -> str:
        """The file that holds a profile or service, relative to the project."""
        return PROJECT_FILE if name in self.services else profile_file(name)

    def said_of(self, name: str) -> Digest | None:
        """The digest of what ``basestore.toml`` says of a profile or service; None for nothing."""
        return self.digests.get(name if name in self.services else "")

    def image(self, name: str) -> str:
        """The name of a profile's or service's image, without registry and tag."""
        service = self.services.get(name)
        return service.image if service else self.image_name.replace("{profile}", name)
