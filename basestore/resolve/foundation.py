"""The foundation, solved first: its Python and its C library decide markers and wheel tags."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from basestore.debian.packages import SuiteIndex
from basestore.debian.software import glibc_version, python_version
from basestore.debian.version import Version
from basestore.errors import NoResolutionError
from basestore.lock.model import Deb
from basestore.profile.model import DebianFoundation
from basestore.resolve.debs import Solution, solve_debs
from basestore.resolve.debs_failure import stand_ins
from basestore.target import Platform

_INTERPRETER = re.compile(r"python(3\.[0-9]+)")


class NoPythonError(NoResolutionError):
    """The foundation has no interpreter of the version that the profile wants."""

    def __init__(self, suite: str, python: str, offered: Sequence[str]) -> None:
        if python in offered:
            hint = f'add "python{python}" to the packages of [foundation]'
        else:
            hint = f"write another python into the profile, or a suite that has Python {python}"
        super().__init__(
            f"the foundation brings no Python {python}; {suite} offers {_listed(offered)}", hint
        )
        self.suite = suite
        self.python = python
        self.offered = tuple(offered)


class NoGlibcError(NoResolutionError):
    """The foundation has no GNU C library."""

    def __init__(self, suite: str, platform: Platform) -> None:
        super().__init__(
            f"the foundation of {suite} for {platform} brings no libc6",
            'add "libc6" to the packages of [foundation]',
        )


@dataclass(frozen=True, slots=True)
class SolvedFoundation:
    """A foundation's .debs by name, and the facts that wheels need.

    ``python`` is the interpreter's full version (``3.11.2``), ``glibc`` such as ``2.36``.
    ``requires``: for each .deb the names of those that meet its dependencies. ``provides``: of
    those that stand for names that no package has, the names that they were asked for by.
    """

    debs: tuple[Deb, ...]
    python: str
    glibc: str
    requires: Mapping[str, tuple[str, ...]]
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def solve_foundation(
    index: SuiteIndex, foundation: DebianFoundation, python: str, platform: Platform
) -> SolvedFoundation:
    """Solve a profile's foundation; ``python`` is ``major.minor`` and ``index`` the platform's.

    Raises NoPythonError, NoGlibcError and what ``solve_debs`` raises.
    """
    solution = solve_debs(index, foundation.packages)
    interpreter = _version(solution, f"python{python}")
    if interpreter is None:
        raise NoPythonError(foundation.suite, python, offered_pythons(index))
    library = _version(solution, "libc6")
    if library is None:
        raise NoGlibcError(foundation.suite, platform)
    return SolvedFoundation(
        solution.debs,
        python_version(interpreter),
        glibc_version(library),
        solution.requires,
        stand_ins(index, foundation.packages),
    )


def offered_pythons(index: SuiteIndex) -> tuple[str, ...]:
    """The Pythons that a suite has interpreters of, as ``major.minor``, oldest first."""
    found = {match[1] for name in index.names() if (match := _INTERPRETER.fullmatch(name))}
    return tuple(sorted(found, key=lambda python: int(python.partition(".")[2])))


def _version(solution: Solution, name: str) -> Version | None:
    return next((p.version for p in solution.packages if p.name == name), None)


def _listed(pythons: Sequence[str]) -> str:
    return ", ".join(pythons) or "none"
