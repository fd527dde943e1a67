"""Why there is no set of .debs, in the words of the profile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from basestore.debian.packages import SuiteIndex
from basestore.debian.relations import Clause, Relation
from basestore.errors import NoResolutionError


class Stance(Enum):
    """What a demand says of its subject."""

    WANTED = "wanted"
    UNWANTED = "unwanted"
    CLAUSE = "clause"


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing asked for: a package, a package's absence, or that a clause be met.

    ``text`` is the relation or clause as its field has it; ``path`` the place in apt's depth-first
    order; ``trail`` the packages that led here, the profile's own first, the asking one last.
    """

    identifier: str | Clause
    stance: Stance
    text: str
    path: tuple[int, ...]
    trail: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.trail:
            return f"the profile asks for {self.text}"
        asking = " -> ".join(self.trail)
        if self.stance is not Stance.UNWANTED:
            return f"{asking} needs {self.text}"
        brought = "" if self.text.split()[0] == self.identifier else f", which is {self.identifier}"
        return f"{asking} conflicts with {self.text}{brought}"


class UnknownDebError(NoResolutionError):
    """The profile asks for a package that the suite hasn't."""

    def __init__(self, suite: str, name: str, near: Sequence[str]) -> None:
        hint = "write the name of a package of that suite into [foundation]"
        if near:
            hint += f"; did you mean {' or '.join(near)}?"
        super().__init__(f"the suite {suite} has no package {name}", hint)
        self.suite = suite
        self.name = name
        self.near = tuple(near)


class NoDebsError(NoResolutionError):
    """The packages that the profile asks for can't be installed together.

    ``demands`` are those that met in a contradiction.
    """

    def __init__(self, index: SuiteIndex, demands: Iterable[Demand]) -> None:
        self.demands = tuple(sorted(set(demands), key=lambda demand: demand.path))
        reasons = "; ".join(_reason(index, demand) for demand in self.demands)
        super().__init__(
            f"the foundation's packages have no solution in {index.suite}: {reasons}",
            "change the packages of [foundation] in the profile",
        )


class NotSettledError(NoResolutionError):
    """The search for a solution was given up."""

    def __init__(self, suite: str, rounds: int) -> None:
        super().__init__(
            f"no set of packages of {suite} was found in {rounds} decisions",
            "name the alternative that you want among the packages of [foundation]",
        )
        self.suite = suite
        self.rounds = rounds


def asked_for(index: SuiteIndex, names: Iterable[str]) -> list[str]:
    """The packages meant by the names of a profile, sorted.

    Like apt, a name that no package has stands for the one package that provides it. Raises
    UnknownDebError where none or several do.
    """
    return sorted({_meant(index, name) for name in names})


def stand_ins(index: SuiteIndex, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The packages that stand for names that no package has, and those names, sorted.

    Raises what `asked_for` raises.
    """
    meant: dict[str, tuple[str, ...]] = {}
    for name in sorted({*names}):
        if (package := _meant(index, name)) != name:
            meant[package] = (*meant.get(package, ()), name)
    return meant


def _meant(index: SuiteIndex, name: str) -> str:
    if index.candidate(name) is not None:
        return name
    providers = [package.name for package in index.providers(name)]
    if len(providers) != 1:
        raise UnknownDebError(index.suite, name, providers or _near(index, name))
    return providers[0]


def _near(index: SuiteIndex, name: str) -> list[str]:
    """The packages with a name like this one."""
    # A name's own first letter is rarely what was mistyped, and 60,000 names take long.
    alike = {other for other in index.names() if other[:1] == name[:1]}
    return get_close_matches(name, sorted(alike), n=3, cutoff=0.75)


def _reason(index: SuiteIndex, demand: Demand) -> str:
    if demand.stance is not Stance.CLAUSE or isinstance(demand.identifier, str):
        return str(demand)
    has = [_what_there_is(index, relation) for relation in demand.identifier]
    return f"{demand}, but {index.suite} has {' and '.join(has)}"


def _what_there_is(index: SuiteIndex, relation: Relation) -> str:
    package = index.candidate(relation.name)
    return f"{relation.name} {package.version}" if package else f"no {relation.name}"
