"""Holding a lock to its profile: does it say what the profile asks for? From text alone; pure.

Profile, lock, parent's lock and origin may all be one stranger's words, so none of them is
believed: they are held against each other. What no text can tell is left to others: whether a
version exists, whether the origin's graph is what wheels and .debs say of themselves, from which
index they came, when they were uploaded.

*case*: what is held against each other. *finding*: one disagreement. *kind*: what of the lock and
its origin can't be believed by it, so that `lock` knows what to make anew.
"""

from collections.abc import Iterator

from basestore.lock.held.asked import asked
from basestore.lock.held.demands import Demands
from basestore.lock.held.foundation import foundation
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.held.reach import reach
from basestore.lock.held.rows import rows
from basestore.lock.held.shape import shape
from basestore.lock.held.team import team
from basestore.lock.held.told import told

__all__ = ["Case", "Finding", "Kind", "foundation", "held"]


def held(case: Case) -> tuple[Finding, ...]:
    """Every disagreement, each once; nothing where the lock is its profile's."""
    return tuple(dict.fromkeys(_all(case)))


def _all(case: Case) -> Iterator[Finding]:
    misshapen = tuple(shape(case))
    yield from misshapen
    if any(one.kind is Kind.SHAPE for one in misshapen):
        return  # of another family, or for other platforms: nothing else can be compared
    demands = Demands.of(case)
    yield from foundation(case)
    yield from rows(case)
    yield from asked(case, demands)
    yield from team(case)
    yield from reach(case, demands)
    yield from told(case)
