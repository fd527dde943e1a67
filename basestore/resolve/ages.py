"""Ages: how new what enters a lock may be (``exclude-newer``). What is locked stays, however new.

uv drops every file that is too new, or whose index tells no upload time, locked or not. So the
packages that are to stay are lifted out of the limit, and put back where they don't stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from basestore.errors import NoResolutionError, UnreachableError
from basestore.profile.names import DEFAULT_INDEX
from basestore.resolve.explain import ResolutionError, Wanted
from basestore.sources.pylock import IndexedPackage
from basestore.sources.uv import Question, Uv
from basestore.sources.uv_failure import UnsatisfiableError

_LIFT = '`--exclude-newer "0 days"` takes them this once'


@dataclass(frozen=True, slots=True)
class Newer:
    """What the limit leaves out: the newest version of a package, and when it was uploaded.

    ``uploaded``: None where its index tells no upload times.
    """

    name: str
    version: str
    uploaded: datetime | None

    def __str__(self) -> str:
        day = f"{self.uploaded.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if self.uploaded else "?"
        return f"{self.name} {self.version}, uploaded {day}"


class TooNewError(ResolutionError):
    """Only versions that are newer than ``exclude-newer`` allows would do."""

    def __init__(self, wanted: Wanted, newer: tuple[Newer, ...], before: datetime) -> None:
        names = {one.name for one in newer}
        demands = [demand for demand in wanted.demands if demand.name in names]
        moment = f"{before.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        reason = f"exclude-newer takes nothing uploaded since {moment}, which leaves out "
        super().__init__(
            wanted,
            demands,
            reason + "; ".join(map(str, newer)),
            f"loosen the requirement or exclude-newer; {_LIFT}",
        )
        self.newer = newer


class UndatedIndexError(NoResolutionError):
    """An index tells no upload times, so that ``exclude-newer`` can't hold for it."""

    def __init__(self, wanted: Wanted, package: str, index: str) -> None:
        lift = f"write exclude-newer = false under [indexes.{index}]"
        if index == DEFAULT_INDEX:
            lift = "use a mirror that tells them"
        super().__init__(
            f"profile {wanted.profile} is to take nothing too new, but the index {index} tells no "
            f"upload times for {package}",
            f"{lift}; {_LIFT}",
        )
        self.package = package
        self.index = index


def resolve_aged(uv: Uv, question: Question) -> tuple[Question, tuple[IndexedPackage, ...]]:
    """The answer to a question, and the question that gives it: pins stay, all else obeys.

    ``any_age`` of the question names packages that are to stay. Raises what `Uv.resolve` raises.
    """
    while True:
        packages = uv.resolve(question)
        moved = {one.name for one in packages if _moved(one, question)}
        if question.before is None or not moved:
            return question, packages
        question = replace(question, any_age=question.any_age - moved)


def left_out(
    uv: Uv, error: UnsatisfiableError, question: Question, wanted: Wanted
) -> NoResolutionError | None:
    """The error for a question whose limit left something out that would have done."""
    if question.before is None:
        return None
    newer = tuple(_newest(uv, error, replace(question, before=None)))
    for one in newer:
        if one.uploaded is None:
            named = (index.name for index in question.indexes if one.name in index.packages)
            return UndatedIndexError(wanted, one.name, next(named, DEFAULT_INDEX))
    return TooNewError(wanted, newer, question.before) if newer else None


def _moved(package: IndexedPackage, question: Question) -> bool:
    """Whether a package was lifted out of the limit to stay, and didn't."""
    pin = question.pins.get(package.name)
    return package.name in question.any_age and pin not in (None, package.version)


def _newest(uv: Uv, error: UnsatisfiableError, unlimited: Question) -> Iterator[Newer]:
    for name in error.too_new:
        alone = replace(unlimited, requirements=(name,), pins={}, upgrade=frozenset())
        try:
            (package,) = uv.resolve(alone, ["--no-deps"])
        except (UnsatisfiableError, UnreachableError):
            continue  # it would only have made the message better
        known = [wheel.uploaded for wheel in package.wheels if wheel.uploaded]
        yield Newer(name, package.version, min(known, default=None))
