"""Why a layer has to be made: what its packages were before. Pure.

Layers are compared by the packages they hold, ``name version`` each, as recipes and the history of
images name them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Packages = Sequence[str]
"""``name version`` of everything in a layer."""


class Why(StrEnum):
    """What happened to a package of a layer."""

    ADDED = "added"
    DROPPED = "dropped"
    BUMPED = "bumped"
    CAME = "came from another layer"
    LEFT = "went to another layer"


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened to one package; a version is None where the package isn't there."""

    why: Why
    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        match self.why:
            case Why.BUMPED:
                return f"{self.name} {self.old} -> {self.new}"
            case Why.ADDED:
                return f"{self.name} {self.new} added"
            case Why.DROPPED:
                return f"{self.name} dropped"
            case _:
                return f"{self.name} {self.why.value}"


def causes(
    packages: Packages, before: Sequence[Packages], after: Sequence[Packages]
) -> list[Cause]:
    """Why a layer of these packages is none of the layers before.

    ``before`` and ``after``: the layers of the image, this one among the latter. Empty where the
    packages are those of a layer before: then their files are others, or how they are laid out.
    """
    old, new = _places(before), _places(after)
    here = dict(map(_split, packages))
    home = _home(here, old)
    return [*_present(here, old, home), *_absent(here, old, new, home)]


def _present(
    here: Mapping[str, str], old: Mapping[str, tuple[str, int]], home: int | None
) -> Iterator[Cause]:
    for name, version in here.items():
        was, place = old.get(name, (None, None))
        if was is None:
            yield Cause(Why.ADDED, name, None, version)
        elif was != version:
            yield Cause(Why.BUMPED, name, was, version)
        elif place != home:
            yield Cause(Why.CAME, name, was, version)


def _absent(
    here: Mapping[str, str],
    old: Mapping[str, tuple[str, int]],
    new: Mapping[str, tuple[str, int]],
    home: int | None,
) -> Iterator[Cause]:
    for name, (was, place) in old.items():
        if place == home and name not in here:
            now = new[name][0] if name in new else None
            yield Cause(Why.LEFT if now else Why.DROPPED, name, was, now)


def _home(here: Mapping[str, str], old: Mapping[str, tuple[str, int]]) -> int | None:
    """The layer before in which most of these packages were."""
    places = Counter(old[name][1] for name in here if name in old)
    return places.most_common(1)[0][0] if places else None


def _places(layers: Sequence[Packages]) -> Mapping[str, tuple[str, int]]:
    """Each package's version and the number of its layer."""
    return {
        name: (version, number)
        for number, packages in enumerate(layers)
        for name, version in map(_split, packages)
    }


def _split(package: str) -> tuple[str, str]:
    name, _, version = package.partition(" ")
    return name, version
