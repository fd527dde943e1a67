"""The frozen values that ``[services.NAME]`` of ``basestore.toml`` is read into.

A *service* is an image on top of a base: the packages that the base lacks, and an *application*,
which is files of the project. What decides its wheels and its image's config is read as a profile
that extends the base; what stands here is the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from basestore.profile.document import Table
from basestore.profile.place import Location

DEFAULT_WORKDIR = "/app"
"""Where a service's files go, if neither it nor its base says otherwise."""

DEFAULT_LIMIT = 256 * 1024 * 1024
"""The most bytes of an application, unless its service sets another limit."""

LAYERS = 20
"""The most layers of a service on top of its base's, the application's included."""


class BuiltBy(StrEnum):
    """What builds a service's image (``builder``)."""

    BASESTORE = "basestore"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class Copy:
    """Files that go into the image.

    ``source``: a path relative to the context, ``.`` for all of it, or a pattern with ``*``, ``?``
    and ``**``. ``target``: an absolute path in the image; empty for the same relative path below
    the working folder. ``place``: where it is asked for.
    """

    source: str
    target: str
    place: Location


@dataclass(frozen=True, slots=True)
class Service:
    """A service, but for what its profile has.

    ``image``: its repository below the registry. ``context``: the folder, relative to the project,
    that ``files`` and ``.dockerignore`` are relative to; ``.`` for the project's. ``limit``: the
    most bytes that ``files`` may come to. ``dockerfile``, relative to the project, and
    ``build_args`` only matter where the engine builds it. ``place``: where it stands, ``table``
    what stands there, for those who read its packages.
    """

    name: str
    base: str
    image: str
    place: Location
    table: Table = field(repr=False, compare=False)
    context: str = "."
    files: tuple[Copy, ...] = ()
    limit: int = DEFAULT_LIMIT
    builder: BuiltBy = BuiltBy.BASESTORE
    dockerfile: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
