"""The frozen values of recipes, and their digests."""

from dataclasses import dataclass

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.lock.model import Deb, Wheel
from basestore.profile.model import VENV as ABSOLUTE_VENV
from basestore.target import Platform

LAYOUT = 0
"""Moves when the same inputs would give other bytes: paths, metadata, encoder, order."""

VENV = ABSOLUTE_VENV.removeprefix("/")
"""Where the virtual environment of every image lies, relative to the image's root."""

APPLICATION = "application"
"""The kind of an application's recipe, and what it is called."""


@dataclass(frozen=True, slots=True)
class FoundationRecipe:
    """OS files and Python out of .debs, what maintainer scripts would have made, an empty venv.

    ``python`` is the full version of the interpreter that the .debs hold.
    """

    platform: Platform
    python: str
    debs: tuple[Deb, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """``name version`` of everything in the layer."""
        return tuple(f"{deb.name} {deb.version}" for deb in self.debs)

    @property
    def inputs(self) -> tuple[Digest, ...]:
        """The blobs the layer is made from."""
        return tuple(deb.sha256 for deb in self.debs)

    @property
    def weight(self) -> int:
        """How much work the layer is, against others: encoding costs ten times copying."""
        return 10 * sum(deb.size for deb in self.debs)

    @property
    def digest(self) -> Digest:
        """The recipe's own digest."""
        return _digest(
            {
                "kind": "foundation",
                "debs": [str(deb.sha256) for deb in self.debs],
                "platform": str(self.platform),
                "python": self.python,
            }
        )


@dataclass(frozen=True, slots=True)
class WheelsRecipe:
    """One or several wheels, installed into the virtual environment.

    ``python``: ``major.minor``. ``omitted``: paths below the virtual environment that a wheel (by
    position) leaves to another one. ``record_exceptions``: names of those wheels, in their order,
    whose RECORD need not be true; it is installed mended.
    """

    python: str
    wheels: tuple[Wheel, ...]
    omitted: tuple[tuple[str, ...], ...]
    record_exceptions: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[str, ...]:
        """``name version`` of everything in the layer."""
        return tuple(f"{wheel.name} {wheel.version}" for wheel in self.wheels)

    @property
    def inputs(self) -> tuple[Digest, ...]:
        """The blobs the layer is made from."""
        return tuple(wheel.sha256 for wheel in self.wheels)

    @property
    def weight(self) -> int:
        """How much work the layer is, against others."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def digest(self) -> Digest:
        """The recipe's own digest."""
        return _digest(
            {
                "kind": "wheels",
                "omitted": [list(paths) for paths in self.omitted],
                "python": self.python,
                "wheels": [str(wheel.sha256) for wheel in self.wheels],
                **self._exceptions(),
            }
        )

    def _exceptions(self) -> dict[str, Json]:
        """Only where there are some: recipes without have the digest they have always had."""
        return {"record-exceptions": list(self.record_exceptions)} if self.record_exceptions else {}


@dataclass(frozen=True, slots=True)
class ApplicationFile:
    """A file of an application: ``path`` from the image's root, ``mode`` 0644 or 0755."""

    path: str
    mode: int
    size: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class ApplicationLink:
    """A symbolic link of an application; ``target`` is relative to the link's folder."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class ApplicationRecipe:
    """Files and links of a project, each sorted by path.

    Their contents are no blobs: they lie in the working folder, and the recipe only tells their
    digests. A folder is there for what lies in it.
    """

    files: tuple[ApplicationFile, ...]
    links: tuple[ApplicationLink, ...] = ()

    @property
    def packages(self) -> tuple[str, ...]:
        """What the layer holds, in the one word that stands for any application."""
        return (APPLICATION,)

    @property
    def inputs(self) -> tuple[Digest, ...]:
        """The blobs the layer is made from: none."""
        return ()

    @property
    def weight(self) -> int:
        """How much work the layer is, against others: all of it is encoded, nothing copied."""
        return 3 * sum(file.size for file in self.files)

    @property
    def digest(self) -> Digest:
        """The recipe's own digest."""
        return _digest(
            {
                "kind": APPLICATION,
                "files": [[one.path, f"{one.mode:04o}", str(one.sha256)] for one in self.files],
                "links": [[one.path, one.target] for one in self.links],
            }
        )


Recipe = FoundationRecipe | WheelsRecipe | ApplicationRecipe


def label(recipe: Recipe) -> str:
    """A recipe in a few words, for people."""
    if isinstance(recipe, FoundationRecipe):
        return f"foundation {recipe.platform}"
    if isinstance(recipe, ApplicationRecipe):
        return APPLICATION
    first = recipe.packages[0]
    return first if len(recipe.packages) == 1 else f"{first} and {len(recipe.packages) - 1} more"


def _digest(body: dict[str, Json]) -> Digest:
    return Digest.of(json_bytes({**body, "layout": LAYOUT, "venv": VENV}))
