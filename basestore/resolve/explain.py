"""Why there is no lock, in the user's own words: requirements by file and line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from basestore.errors import IntegrityError, NoResolutionError, PolicyError
from basestore.lock.model import Wheel
from basestore.profile.model import Requirement
from basestore.profile.names import normalised
from basestore.sources.uv import Target
from basestore.sources.uv_failure import UnsatisfiableError
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that has to be in the closure. ``text`` is PEP 508, ``words`` say who wants it.

    ``generation``: the ancestor that is locked to it; empty for a requirement.
    """

    name: str
    text: str
    words: str
    generation: str = ""

    @classmethod
    def of(cls, requirement: Requirement) -> Self:
        """What a profile asks for."""
        words = f"{requirement.location} asks for {requirement.text}"
        return cls(requirement.name, requirement.text, words)

    @classmethod
    def locked(cls, wheel: Wheel) -> Self:
        """What an ancestor is locked to."""
        words = f"profile {wheel.generation} is locked to {wheel.name} {wheel.version}"
        return cls(wheel.name, f"{wheel.name}=={wheel.version}", words, wheel.generation)


class ResolutionError(NoResolutionError):
    """A profile's demands contradict each other, or what they need."""

    def __init__(self, wanted: "Wanted", demands: Sequence[Demand], reason: str, hint: str) -> None:
        said = "; ".join(demand.words for demand in demands)
        super().__init__(
            f"profile {wanted.profile} has no resolution on {wanted.target.platform} with Python "
            f"{wanted.target.python}: {said}{'; ' if said else ''}{reason}",
            hint,
        )
        self.demands = tuple(demands)
        self.reason = reason


class ContradictionError(ResolutionError):
    """What a child asks for contradicts what its parent is locked to."""


class UnknownPackageError(ResolutionError):
    """An index has no package of that name."""


class NoWheelError(ResolutionError):
    """A package has no wheel for a platform."""


class ForbiddenPackageError(PolicyError):
    """A policy forbids a package of the closure. ``path``: from a direct requirement to it."""

    def __init__(self, package: str, rule: str, platform: Platform, path: Sequence[str]) -> None:
        super().__init__(
            f"the policy forbids {package} (rule {rule!r}), which {' -> '.join(path)} brings in "
            f"on {platform}",
            f"drop {path[0]}, ask for a version of it without {package}, or change `forbid`",
        )
        self.package = package
        self.rule = rule
        self.path = tuple(path)


class ChangedWheelError(IntegrityError):
    """The wheel that a package is locked to is not what its index has today."""

    def __init__(self, wheel: Wheel, found: str) -> None:
        super().__init__(
            f"{wheel.file} is locked with sha256 {wheel.sha256.hex}, but its index {found}",
            f"find out why before you trust it; `--upgrade-package {wheel.name}` locks what is "
            "there today",
        )
        self.wheel = wheel


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a profile wants on one platform."""

    profile: str
    target: Target
    demands: tuple[Demand, ...]

    @property
    def project(self) -> str:
        """A package name that stands for the profile, and for nothing else, in uv's reasons."""
        return normalised(f"basestore-profile-{self.profile}").rstrip("-")


_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NO_WHEEL = re.compile(
    r"(?P<name>[\w.-]+)(?P<version>[=<>][^\s,]*)? ha(?:s|ve) no (?:usable wheels|wheels with a "
    r"matching)"
)
_UNKNOWN = re.compile(r"(?P<name>[\w.-]+) was not found in the (?:package registry|cache)")


def explain(error: UnsatisfiableError, wanted: Wanted) -> ResolutionError:
    """uv's reason with the demands that it speaks of in front, and the way out."""
    reason = _retell(error.reason, wanted)
    names = mentioned(error.reason)
    demands = [demand for demand in wanted.demands if demand.name in names]
    if unknown := _UNKNOWN.search(error.reason):
        return UnknownPackageError(wanted, demands, reason, _unknown_hint(unknown["name"]))
    if missing := _NO_WHEEL.search(error.reason):
        return NoWheelError(wanted, demands, reason, _no_wheel_hint(missing["name"], wanted))
    locked = [demand for demand in demands if demand.generation]
    if locked:
        return ContradictionError(wanted, demands, reason, _contradiction_hint(locked))
    return ResolutionError(wanted, demands, reason, _loosen_hint(error))


def mentioned(reason: str) -> frozenset[str]:
    """All that may be a package's name in a reason of uv's, normalised."""
    return frozenset(normalised(word) for word in _WORD.findall(reason))


def no_wheel(package: str, version: str, wanted: Wanted, path: Sequence[str]) -> NoWheelError:
    """The error for a version none of whose wheels runs on the platform."""
    demands = [demand for demand in wanted.demands if demand.name == path[0]]
    reason = f"{package} {version} has no wheel that runs there"
    if len(path) > 1:
        reason += f" ({' -> '.join(path)})"
    return NoWheelError(wanted, demands, reason, _no_wheel_hint(package, wanted))


def shortest_path(
    package: str, roots: Sequence[str], requires: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The shortest path from one of the roots to a package, the first by name of equal ones.

    A package that no root leads to is its own path.
    """
    paths: dict[str, tuple[str, ...]] = {root: (root,) for root in sorted(set(roots))}
    edge = list(paths)
    while edge and package not in paths:
        reached: list[str] = []
        for name in edge:
            for needed in sorted(requires.get(name, ())):
                if needed not in paths:
                    paths[needed] = (*paths[name], needed)
                    reached.append(needed)
        edge = reached
    return paths.get(package, (package,))


def _retell(reason: str, wanted: Wanted) -> str:
    told = reason.replace(wanted.project, f"profile {wanted.profile}").rstrip(".")
    return told[:1].lower() + told[1:]


def _unknown_hint(name: str) -> str:
    return f"check the spelling of {name}, or name its index under [indexes.<name>] packages"


def _no_wheel_hint(name: str, wanted: Wanted) -> str:
    return (
        f"ask for a version of {name} that has a wheel, or take {wanted.target.platform} out of "
        "the profile's platforms"
    )


def _contradiction_hint(locked: Sequence[Demand]) -> str:
    upgrades = sorted({demand.generation for demand in locked})
    names = " ".join(f"--upgrade-package {demand.name}" for demand in locked)
    return (
        f"loosen the requirement, or lock the parent anew: `basestore lock {' '.join(upgrades)} "
        f"{names}`"
    )


def _loosen_hint(error: UnsatisfiableError) -> str:
    if error.prereleases:
        return "only pre-releases would do: name one in the requirement, such as >=2.0rc1"
    return "loosen one of these requirements"
