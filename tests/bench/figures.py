"""What measuring gives: figures with their rounds and bounds, and what a measurement is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median

ROUNDS = 5


class Unit(Enum):
    """What a figure counts: its word, and the digits after the point that mean anything."""

    SECONDS = ("s", 3)
    MEGABYTES = ("MB", 1)
    BYTES = ("bytes", 0)
    TIMES = ("times", 2)
    SHARE = ("times", 4)
    COUNT = ("", 0)

    @property
    def word(self) -> str:
        """The unit as it is written; empty for a number of things."""
        return self.value[0]

    def show(self, value: float) -> str:
        """A value without its unit, for people."""
        digits = self.value[1] if value < 10 or self is not Unit.SECONDS else 1
        return f"{value:,.{digits}f}"


class Side(Enum):
    """On which side of its limit a figure has to stay."""

    AT_MOST = "at most"
    BELOW = "less than"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Bound:
    """What the project holds a figure to."""

    side: Side
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a value keeps to it."""
        if self.side is Side.AT_LEAST:
            return value >= self.limit
        return value < self.limit or (self.side is Side.AT_MOST and value == self.limit)


def at_most(limit: float) -> Bound:
    """An upper bound."""
    return Bound(Side.AT_MOST, limit)


def below(limit: float) -> Bound:
    """An upper bound that may not be reached."""
    return Bound(Side.BELOW, limit)


def at_least(limit: float) -> Bound:
    """A lower bound."""
    return Bound(Side.AT_LEAST, limit)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, in each round; its median counts."""

    name: str
    values: tuple[float, ...]
    unit: Unit
    bound: Bound | None = None

    @property
    def median(self) -> float:
        """What is told, and held to the bound."""
        return median(self.values)

    @property
    def holds(self) -> bool:
        """Whether the bound is met, if there is one."""
        return self.bound is None or self.bound.holds(self.median)


def seconds(name: str, values: Sequence[float], bound: Bound | None = None) -> Figure:
    """A time."""
    return Figure(name, tuple(values), Unit.SECONDS, bound)


def megabytes(name: str, values: Sequence[float], bound: Bound | None = None) -> Figure:
    """A size of memory or files; ``values`` in bytes, the bound in MB."""
    return Figure(name, tuple(value / 1e6 for value in values), Unit.MEGABYTES, bound)


def count(name: str, value: int, bound: Bound | None = None) -> Figure:
    """A number of things."""
    return Figure(name, (value,), Unit.COUNT, bound)


def ratio(
    name: str, these: Sequence[float], those: Sequence[float], bound: Bound | None = None
) -> Figure:
    """These over those, round by round, so that a machine that drifts meets both."""
    values = tuple(one / other for one, other in zip(these, those, strict=True))
    return Figure(name, values, Unit.TIMES, bound)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement gets: a folder that is removed afterwards, and how many rounds to do."""

    folder: Path
    rounds: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something that can be measured. ``about``: what is run, for people, in Markdown.

    ``rounds``: as many as its time allows.
    """

    title: str
    about: str
    measure: Callable[[Bench], Sequence[Figure]]
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True)
class Section:
    """A measurement's figures; none where this machine lacks something or a program failed.

    ``lacking`` and ``failed`` say in a sentence what.
    """

    title: str
    about: str
    figures: tuple[Figure, ...] = ()
    lacking: str = ""
    failed: str = ""

    @property
    def holds(self) -> bool:
        """Whether every bound is met, as far as there are figures."""
        return all(figure.holds for figure in self.figures)


class LackingError(Exception):
    """This machine lacks something without which a measurement can't be done."""
