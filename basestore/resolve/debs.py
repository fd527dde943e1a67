"""The .debs that a list of packages comes to: what apt would install into an empty root.

The answer is that of ``apt-get install --no-install-recommends`` with the names in sorted order (to
apt their order counts) where nothing is installed: each name has one candidate, its highest
version; Recommends count for nothing; Essential packages come only where something asks for them.
The resolver is resolvelib's, and the order in which it decides is apt's: the packages asked for,
then depth first, each dependency in the order of its field; a clause that something installed meets
already asks for nothing, any other one takes its first alternative that works.

Identifiers are package names, wanted or unwanted (Conflicts and Breaks), and clauses that several
packages can meet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from resolvelib import (
    AbstractProvider,
    BaseReporter,
    ResolutionImpossible,
    ResolutionTooDeep,
    Resolver,
)
from resolvelib.structs import RequirementInformation, State

from basestore.debian.packages import BinaryPackage, SuiteIndex
from basestore.debian.relations import Clause, clause_text
from basestore.lock.model import Deb
from basestore.resolve.debs_failure import (
    Demand,
    NoDebsError,
    NotSettledError,
    Stance,
    asked_for,
)

MAX_ROUNDS = 100_000
"""Decisions after which the search is given up; a foundation takes about one a package."""

Identifier = str | Clause


@dataclass(frozen=True, slots=True)
class Solution:
    """The packages chosen, by name, and for each the names of those that meet its dependencies."""

    packages: tuple[BinaryPackage, ...]
    requires: Mapping[str, tuple[str, ...]]

    @property
    def debs(self) -> tuple[Deb, ...]:
        """The packages as a lock names them."""
        return tuple(
            Deb(p.name, str(p.version), p.architecture, p.size, p.sha256) for p in self.packages
        )


@dataclass(frozen=True, slots=True)
class _Choice:
    """A decision: ``package`` is installed, stays out (None), or meets the clause it stands for.

    ``path`` and ``trail`` are those of the demand that led to it.
    """

    identifier: Identifier
    package: BinaryPackage | None
    path: tuple[int, ...] = field(compare=False)
    trail: tuple[str, ...] = field(compare=False)


def solve_debs(index: SuiteIndex, names: Iterable[str]) -> Solution:
    """Solve for packages asked for by name; their order doesn't matter.

    Raises UnknownDebError for a name that the suite hasn't, NoDebsError where there is no solution,
    and NotSettledError where the search would take too long.
    """
    wanted = asked_for(index, names)
    decided = _Decided()
    resolver = Resolver(_Provider(index, decided), decided)
    roots = [Demand(name, Stance.WANTED, name, (0, i)) for i, name in enumerate(wanted)]
    try:
        mapping = resolver.resolve(roots, max_rounds=MAX_ROUNDS).mapping
    except ResolutionImpossible as error:
        demands = [cause.requirement for cause in error.causes]
        raise NoDebsError(index, demands) from error
    except ResolutionTooDeep as error:
        raise NotSettledError(index.suite, MAX_ROUNDS) from error
    chosen = (choice.package for name, choice in mapping.items() if isinstance(name, str))
    packages = sorted((p for p in chosen if p is not None), key=lambda p: p.name)
    return Solution(tuple(packages), _requires(index, packages))


class _Decided(BaseReporter[Demand, _Choice, Identifier]):
    """Follows the resolver: what is decided at this moment."""

    def __init__(self) -> None:
        self._mapping: Mapping[Identifier, _Choice] = {}

    def ending_round(self, index: int, state: State[Demand, _Choice, Identifier]) -> None:
        del index
        self._mapping = state.mapping

    def installs(self, choice: _Choice) -> bool:
        """Whether the package of a choice is installed already."""
        if choice.package is None:
            return False
        decided = self._mapping.get(choice.package.name)
        return decided is not None and decided.package is not None


class _Options(Sequence[_Choice]):
    """The packages that can meet a clause, those already installed first.

    A sequence that orders itself whenever it is gone through: only when the clause's turn comes is
    it known what is installed, and resolvelib keeps what an iterator once gave.
    """

    def __init__(self, choices: list[_Choice], decided: "_Decided") -> None:
        self._choices = choices
        self._decided = decided

    def __len__(self) -> int:
        return len(self._choices)

    def __iter__(self) -> Iterator[_Choice]:
        return iter(sorted(self._choices, key=lambda choice: not self._decided.installs(choice)))

    @overload
    def __getitem__(self, index: int) -> _Choice: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Choice]: ...
    def __getitem__(self, index: int | slice) -> _Choice | Sequence[_Choice]:
        return list(self)[index]


class _Provider(AbstractProvider[Demand, _Choice, Identifier]):
    """What resolvelib asks about packages."""

    def __init__(self, index: SuiteIndex, decided: _Decided) -> None:
        self._index = index
        self._decided = decided
        self._demands: dict[str, tuple[tuple[Identifier, Stance, str], ...]] = {}

    def identify(self, requirement_or_candidate: Demand | _Choice) -> Identifier:
        return requirement_or_candidate.identifier

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[Identifier],
        resolutions: Mapping[Identifier, _Choice],
        candidates: Mapping[Identifier, Iterator[_Choice]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Demand, _Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Demand, _Choice]],
    ) -> Iterable[Identifier]:
        del resolutions, candidates, backtrack_causes
        return [min(identifiers, key=lambda identifier: _first_path(information[identifier]))]

    def get_preference(self, *args: Any, **kwargs: Any) -> int:
        """Never decides: the selection is down to one before."""
        del args, kwargs
        return 0

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Demand]],
        incompatibilities: Mapping[Identifier, Iterator[_Choice]],
    ) -> Sequence[_Choice]:
        demands = list(requirements[identifier])
        refused = list(incompatibilities[identifier])
        if isinstance(identifier, str):
            choices = self._package_choices(identifier, demands)
            return [choice for choice in choices if choice not in refused]
        first = min(demands, key=lambda demand: demand.path)
        options = (
            _Choice(identifier, package, first.path, first.trail)
            for package in _options(self._index, identifier)
        )
        return _Options([o for o in options if o not in refused], self._decided)

    def is_satisfied_by(self, requirement: Demand, candidate: _Choice) -> bool:
        if requirement.stance is Stance.CLAUSE:
            return True
        return (candidate.package is not None) is (requirement.stance is Stance.WANTED)

    def get_dependencies(self, candidate: _Choice) -> Iterable[Demand]:
        if candidate.package is None:
            return
        name = candidate.package.name
        if not isinstance(candidate.identifier, str):
            text = clause_text(candidate.identifier)
            path = (*candidate.path, 0)
            yield Demand(name, Stance.WANTED, text, path, candidate.trail)
            return
        if name not in self._demands:
            self._demands[name] = tuple(_demands(self._index, candidate.package))
        trail = (*candidate.trail, name)
        for position, (identifier, stance, text) in enumerate(self._demands[name]):
            yield Demand(identifier, stance, text, (*candidate.path, position), trail)

    def _package_choices(self, name: str, demands: list[Demand]) -> list[_Choice]:
        stances = {demand.stance for demand in demands}
        if len(stances) > 1:
            return []
        first = min(demands, key=lambda demand: demand.path)
        package = self._index.candidate(name) if first.stance is Stance.WANTED else None
        # What the profile asks for is all decided (0) before anything's dependencies (1).
        path = first.path if first.trail else (1, *first.path[1:])
        return [_Choice(name, package, path, first.trail)]


def _first_path(information: Iterator[RequirementInformation[Demand, _Choice]]) -> tuple[int, ...]:
    return min(cause.requirement.path for cause in information)


def _demands(index: SuiteIndex, package: BinaryPackage) -> Iterator[tuple[Identifier, Stance, str]]:
    """What a package asks for, in the order in which apt looks at it."""
    for relation in package.conflicts:
        for other in index.matches(relation):
            if other.name != package.name:
                yield other.name, Stance.UNWANTED, str(relation)
    for clause in package.depends:
        options = _options(index, clause)
        if len(options) == 1:
            yield options[0].name, Stance.WANTED, clause_text(clause)
        elif package not in options:
            yield clause, Stance.CLAUSE, clause_text(clause)


def _options(index: SuiteIndex, clause: Clause) -> tuple[BinaryPackage, ...]:
    """The candidates that meet a clause, the preferred one first."""
    return tuple(
        {found.name: found for relation in clause for found in index.matches(relation)}.values()
    )


def _requires(index: SuiteIndex, packages: Sequence[BinaryPackage]) -> dict[str, tuple[str, ...]]:
    chosen = {package.name for package in packages}
    requires = {}
    for package in packages:
        met = (
            next((option.name for option in _options(index, clause) if option.name in chosen), None)
            for clause in package.depends
        )
        requires[package.name] = tuple(sorted({name for name in met if name is not None}))
    return requires
