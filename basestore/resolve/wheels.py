"""Wheels: the closure of a profile's demands on one platform, and one wheel for each package."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from basestore.errors import UnreachableError
from basestore.lock.model import Wheel
from basestore.resolve.ages import left_out, resolve_aged
from basestore.resolve.clash import Newest
from basestore.resolve.explain import ChangedWheelError, Wanted, explain, no_wheel
from basestore.resolve.paths import shortest_path
from basestore.sources.pylock import IndexedPackage, IndexedWheel
from basestore.sources.uv import Found, Question, Target, Uv
from basestore.sources.uv_failure import UnsatisfiableError, mentioned


@dataclass(frozen=True, slots=True)
class Preferences:
    """What an earlier lock is worth. ``pins``: versions by name that are preferred.

    ``upgrade``: names without a preference; ``*`` stands for all. ``fixed``: names of the parent's
    part, which stay whatever is preferred. ``before``: what enters the lock was uploaded before it.
    ``new``: names that enter the lock though they are preferred. ``gone``: names about which no
    index is asked.
    """

    pins: Mapping[str, str] = field(default_factory=dict)
    upgrade: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    before: datetime | None = None
    new: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def keeps(self, name: str) -> bool:
        """Whether a package's earlier version is preferred."""
        return not self.upgrade & {name, "*"}


@dataclass(frozen=True, slots=True)
class Closure:
    """All packages that the demands need on one platform, by name, and how they got in.

    ``requires``: who requires whom. ``indexes``: where each came from; ``urls``: these indexes'
    URLs, empty where there is none. ``roots``: what leads to all else, where no requirement does.
    ``extras``: with which packages are taken, where with any.
    """

    packages: Mapping[str, IndexedPackage]
    requires: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, str]
    urls: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def path(self, name: str, roots: Iterable[str]) -> tuple[str, ...]:
        """The shortest path from a root to a package."""
        return shortest_path(name, list(roots), self.requires)

    def needed_by(self, roots: Iterable[str]) -> Self:
        """The roots and all that they need, without anything else."""
        seen: set[str] = set()
        edge = [root for root in roots if root in self.packages]
        while edge:
            name = edge.pop()
            if name not in seen:
                seen.add(name)
                edge += self.requires.get(name, ())
        return replace(
            self,
            packages={name: self.packages[name] for name in sorted(seen)},
            requires={name: self.requires[name] for name in sorted(seen)},
            indexes={name: self.indexes[name] for name in sorted(seen)},
        )


def resolve_closure(uv: Uv, wanted: Wanted, preferences: Preferences) -> Closure:
    """The closure of the demands, each package from the index that it is named for.

    uv sends only direct requirements to a named index. So a package that is named for one and
    turns up deeper in the closure is asked for directly, and the closure is solved again; what
    then turns out not to be needed is left out.

    Raises ResolutionError and its kinds, and what `Uv.resolve` raises besides.
    """
    roots = frozenset(demand.name for demand in wanted.demands)
    named = frozenset(name for index in wanted.indexes for name in index.packages)
    named -= roots
    forced: dict[str, str] = {}  # and who needs each, for errors
    while True:
        question = _question(wanted, preferences, forced.keys())
        try:
            closure = _ask(uv, question)
        except UnsatisfiableError as error:
            # What only a named index has is not found before it is asked for there.
            unasked = dict.fromkeys(mentioned(error.reason) & named, error.reason)
            if unasked.keys() <= forced.keys():
                too_new = left_out(uv, error, question, wanted)
                raise too_new or explain(error, wanted, _newest(uv, wanted), forced) from error
        else:
            closure = closure.needed_by(roots)
            deeper = closure.packages.keys() & named
            unasked = {name: " -> ".join(closure.path(name, roots)) for name in deeper}
            if unasked.keys() <= forced.keys():
                return closure
        forced = {**unasked, **forced}


def choose(package: IndexedPackage, wanted: Wanted, path: Sequence[str]) -> IndexedWheel:
    """Of the wheels that run on the target the best tag's, then the highest build tag's.

    Raises NoWheelError, which names ``path``.
    """
    candidates = _candidates(package.wheels, wanted.target)
    if not candidates:
        raise no_wheel(package.name, package.version, wanted, path)
    best = min(rank for rank, _, _ in candidates)
    return max((c for c in candidates if c[0] == best), key=lambda c: (c[1], c[2].file))[2]


def keep(package: IndexedPackage, kept: Wheel, target: Target) -> IndexedWheel | None:
    """The wheel that an earlier lock has for this very version, as the index shows it today.

    None where it doesn't run on the target any more. Raises ChangedWheelError where the index has
    it no more, or other bytes under its name.
    """
    if not run_on([kept.file], target):
        return None
    for wheel in package.wheels:
        if wheel.sha256 == kept.sha256:
            return wheel
    for wheel in package.wheels:
        if wheel.file == kept.file:
            raise ChangedWheelError(kept, f"has it with sha256 {wheel.sha256.hex}")
    raise ChangedWheelError(kept, "has it no more")


def refuse_changed(chosen: IndexedWheel, before: Wheel | None) -> None:
    """Raise ChangedWheelError where the file of an earlier lock is chosen with other bytes."""
    if before and before.file == chosen.file and before.sha256 != chosen.sha256:
        raise ChangedWheelError(before, f"has it with sha256 {chosen.sha256.hex}")


def _newest(uv: Uv, wanted: Wanted) -> Newest:
    """What the indexes have for a requirement by itself."""

    def newest(text: str) -> str | None:
        question = Question(wanted.project, (text,), wanted.target, wanted.indexes)
        try:
            return uv.resolve(question, ["--no-deps"])[0].version
        except UnsatisfiableError:
            return ""
        except UnreachableError:
            return None  # it would only have made the message better

    return newest


def _question(wanted: Wanted, preferences: Preferences, forced: Collection[str]) -> Question:
    # What is the parent's is asked for by its version; an older lock's pin means nothing there.
    free = preferences.pins.keys() - preferences.fixed
    pins = {n: preferences.pins[n] for n in sorted(free) if preferences.keeps(n)}
    requirements = {*forced, *(demand.as_asked or demand.text for demand in wanted.demands)}
    return Question(
        wanted.project,
        tuple(sorted(requirements)),
        wanted.target,
        wanted.indexes,
        pins,
        preferences.upgrade,
        preferences.before,
        frozenset(pins) - preferences.new | preferences.fixed,
        constraints=tuple(demand.as_asked or demand.text for demand in wanted.constraints),
        left_out=preferences.gone,
    )


def _ask(uv: Uv, question: Question) -> Closure:
    question, packages = resolve_aged(uv, question)
    found = uv.trace(question, packages)
    return Closure(
        {package.name: package for package in packages},
        _requires(found),
        {entry.name: entry.index for entry in found},
        {entry.name: entry.url for entry in found},
        extras={entry.name: entry.extras for entry in found if entry.extras},
    )


def _requires(found: Sequence[Found]) -> Mapping[str, tuple[str, ...]]:
    requires: dict[str, set[str]] = {entry.name: set() for entry in found}
    for entry in found:
        for name in entry.required_by:
            requires.setdefault(name, set()).add(entry.name)
    return {name: tuple(sorted(names)) for name, names in sorted(requires.items())}


def _candidates(
    wheels: Iterable[IndexedWheel], target: Target
) -> list[tuple[int, tuple[int, str], IndexedWheel]]:
    """Rank of the best tag (0 is best), build tag and wheel, of those that run on the target."""
    runs = run_on([wheel.file for wheel in wheels], target)
    return [(*runs[wheel.file], wheel) for wheel in wheels if wheel.file in runs]


def run_on(files: Iterable[str], target: Target) -> dict[str, tuple[int, tuple[int, str]]]:
    """Rank and build tag by file name, of the wheels that run on the target."""
    from packaging.utils import parse_wheel_filename

    tags = target.platform.tags(target.python, target.glibc)
    ranks = {tag: rank for rank, tag in enumerate(tags)}
    runs: dict[str, tuple[int, tuple[int, str]]] = {}
    for file in files:
        try:
            _, _, build, offered = parse_wheel_filename(file)
        except ValueError:  # InvalidWheelFilename is one, and so are thousands of digits
            continue
        found = [ranks[tag] for tag in offered if tag in ranks]
        if found:
            runs[file] = (min(found), build or (-1, ""))
    return runs
