"""Why there is no lock, in the user's own words: requirements by file and line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from basestore.canonical import toml_strings
from basestore.errors import IntegrityError, NoResolutionError
from basestore.lock.model import Wheel
from basestore.profile.model import Index, Requirement
from basestore.profile.names import normalised
from basestore.resolve.clash import Newest, find_clash
from basestore.sources.uv import Target
from basestore.sources.uv_failure import (
    UnsatisfiableError,
    mentioned,
    unknown_package,
    without_wheel,
)


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that has to be in the closure. ``text`` is PEP 508, ``words`` say who wants it.

    ``place``: where a requirement stands. ``generation``: the ancestor that is locked to it; empty
    for a requirement. ``asked``: what the ancestors themselves ask of a package they are locked to.
    ``as_asked``: what uv is to be asked instead of ``text``; it may hold a secret.
    """

    name: str
    text: str
    words: str
    place: str = ""
    generation: str = ""
    asked: tuple[str, ...] = ()
    as_asked: str = field(default="", repr=False)

    @classmethod
    def of(cls, requirement: Requirement, as_asked: str = "") -> Self:
        """What a profile asks for."""
        place = str(requirement.location)
        words = f"{place} asks for {requirement.text}"
        return cls(requirement.name, requirement.text, words, place, as_asked=as_asked)

    @classmethod
    def bound(cls, constraint: Requirement) -> Self:
        """What a constraint allows."""
        place = str(constraint.location)
        return cls(constraint.name, constraint.text, f"{place} allows {constraint.text}", place)

    @classmethod
    def locked(
        cls, wheel: Wheel, path: Sequence[str] = (), because: Sequence[Requirement] = ()
    ) -> Self:
        """What an ancestor is locked to.

        ``path`` leads to it from a package that the ancestors ask for, ``because`` is how they do.
        """
        words = f"profile {wheel.generation} is locked to {wheel.name} {wheel.version}"
        reasons = [f"{one.location} asks for {one.text}" for one in because]
        reasons += [" -> ".join(path)] if len(path) > 1 else []
        words += f" ({', '.join(reasons)})" if reasons else ""
        asked = tuple(one.text for one in because if one.name == wheel.name)
        text = f"{wheel.name}=={wheel.version}"
        return cls(wheel.name, text, words, "", wheel.generation, asked)

    @property
    def version(self) -> str:
        """The version that an ancestor is locked to."""
        return self.text.partition("==")[2]


class ResolutionError(NoResolutionError):
    """A profile's demands contradict each other, or what they need."""

    def __init__(self, wanted: "Wanted", demands: Sequence[Demand], reason: str, hint: str) -> None:
        said = "; ".join(demand.words for demand in demands)
        super().__init__(
            f"{wanted.who} has no resolution on {wanted.target.platform} with Python "
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


class ChangedWheelError(IntegrityError):
    """The wheel that a package is locked to is not what its index has today."""

    def __init__(self, wheel: Wheel, found: str, where: str = "its index") -> None:
        super().__init__(
            f"{wheel.file} is locked with sha256 {wheel.sha256.hex}, but {where} {found}",
            f"find out why before you trust it; `basestore lock {wheel.generation} "
            f"--upgrade-package {wheel.name}` locks what is there today",
        )
        self.wheel = wheel


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a profile wants on one platform.

    ``indexes``: where some packages come from. ``replaces``: packages of its parent that it brings
    itself. ``constraints``: bounds for what is needed anyway. ``base``: of a service, the profile
    whose packages bound it.
    """

    profile: str
    target: Target
    demands: tuple[Demand, ...]
    indexes: tuple[Index, ...] = ()
    replaces: tuple[str, ...] = ()
    constraints: tuple[Demand, ...] = ()
    base: str = ""

    @property
    def who(self) -> str:
        """What wants it, for people."""
        return f"{'service' if self.base else 'profile'} {self.profile}"

    @property
    def project(self) -> str:
        """A package name that stands for the profile, and for nothing else, in uv's reasons."""
        return normalised(f"basestore-profile-{self.profile}").rstrip("-")


def explain(
    error: UnsatisfiableError,
    wanted: Wanted,
    newest: Newest = lambda _: None,
    forced: Mapping[str, str] = MappingProxyType({}),
) -> ResolutionError:
    """uv's reason with the demands that it speaks of in front, and the way out.

    ``forced``: packages that were asked for only because their index is named, and who needs them.
    """
    names = mentioned(error.reason)
    reason = _retell(error.reason, wanted)
    needed = [forced[name] for name in sorted(forced.keys() & names)]
    if needed and names.isdisjoint(demand.name for demand in wanted.demands):
        reason += f" ({'; '.join(_retell(text, wanted) for text in needed)})"
        names = names.union(*map(mentioned, needed))
    stated = (*wanted.demands, *wanted.constraints)
    demands = [demand for demand in stated if demand.name in names]
    if unknown := unknown_package(error.reason):
        return UnknownPackageError(wanted, demands, reason, _unknown_hint(unknown, wanted))
    if missing := without_wheel(error.reason):
        return NoWheelError(wanted, demands, reason, _no_wheel_hint(missing, wanted))
    if any(demand.generation for demand in demands):
        return _contradiction(wanted, demands, reason, newest)
    return ResolutionError(wanted, demands, reason, _loosen_hint(error))


def no_wheel(package: str, version: str, wanted: Wanted, path: Sequence[str]) -> NoWheelError:
    """The error for a version none of whose wheels runs on the platform."""
    demands = [demand for demand in wanted.demands if demand.name == path[0]]
    reason = f"{package} {version} has no wheel that runs there"
    if len(path) > 1:
        reason += f" ({' -> '.join(path)})"
    return NoWheelError(wanted, demands, reason, _no_wheel_hint(package, wanted))


def _retell(reason: str, wanted: Wanted) -> str:
    told = reason.replace(wanted.project, wanted.who).rstrip(".")
    return told[:1].lower() + told[1:]


def _contradiction(
    wanted: Wanted, demands: Sequence[Demand], reason: str, newest: Newest
) -> ContradictionError:
    """What is asked for, what is locked against it, and the newest version that each allows."""
    asking = [demand for demand in demands if not demand.generation]
    locked = [demand for demand in demands if demand.generation]
    found = {one: find_clash(one.name, one.version, one.asked, reason, newest) for one in locked}
    clashes = {demand: clash for demand, clash in found.items() if clash}
    named = [*asking, *(clashes or locked)]
    told = "; ".join([*map(str, clashes.values()), reason])
    places = dict.fromkeys(demand.place for demand in asking)
    loosen = f"loosen {' or '.join(places) or 'the requirement'}"
    if clashes and all(clash.hopeless for clash in clashes.values()):
        return ContradictionError(wanted, named, told, loosen)
    older = any(clash.older for clash in clashes.values())
    anew = _anew(list(clashes or locked), older, "the base" if wanted.base else "the parent")
    if wanted.base:  # it never brings another version of what its base has
        return ContradictionError(wanted, named, told, f"{loosen}; or {anew}")
    own = _own(wanted, list(clashes or locked))
    return ContradictionError(wanted, named, told, f"{loosen}; or {anew}; or {own}")


def _anew(locked: Sequence[Demand], older: bool, whose: str) -> str:
    """An ancestor with too new a version doesn't get an older one by an upgrade."""
    generations = sorted({demand.generation for demand in locked})
    if older:
        return f"lock {whose} anew, with the same requirement in {' and '.join(generations)}"
    upgrades = " ".join(f"--upgrade-package {demand.name}" for demand in locked)
    return f"lock {whose} anew, `basestore lock {' '.join(generations)} {upgrades}`"


def _own(wanted: Wanted, locked: Sequence[Demand]) -> str:
    names = sorted({*wanted.replaces, *(demand.name for demand in locked)})
    return f"let {wanted.profile} bring its own, replaces = {toml_strings(names)}"


def _unknown_hint(name: str, wanted: Wanted) -> str:
    for index in wanted.indexes:
        if name in index.packages:
            return (
                f"{name} comes from the index {index.name} only, which has none: check the "
                f"spelling, or take it out of [indexes.{index.name}] packages"
            )
    return f"check the spelling of {name}, or name its index under [indexes.<name>] packages"


def _no_wheel_hint(name: str, wanted: Wanted) -> str:
    return (
        f"ask for a version of {name} that has a wheel, build a wheel and put that into an index, "
        f"or take {wanted.target.platform} out of the profile's platforms"
    )


def _loosen_hint(error: UnsatisfiableError) -> str:
    if error.prereleases:
        return "only pre-releases would do: name one in the requirement, such as >=2.0rc1"
    return "loosen one of these requirements"
