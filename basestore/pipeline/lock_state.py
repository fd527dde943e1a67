"""How locks stand to what they are resolved from. Writes nothing, asks nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from basestore.digest import Digest
from basestore.errors import InputError, PolicyError
from basestore.lock.files import lock_file
from basestore.lock.freshness import Checks, Freshness
from basestore.lock.policy import Hit, PolicyHitError
from basestore.lock.stale import blamed, stale_of
from basestore.profile.document import read_file
from basestore.profile.family import Parents, parents_of
from basestore.profile.model import Project
from basestore.state import State


class LockState(StrEnum):
    """How the lock of a profile or service stands.

    ``FORBIDDEN``: the policy refuses it. ``REFUSED``: profile, lock or origin can't be taken.
    """

    FRESH = "fresh"
    STALE = "stale"
    FORBIDDEN = "forbidden"
    MISSING = "no lock"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why a lock isn't fresh, or why something is to be done.

    ``file`` and ``line`` where that can be told.
    """

    text: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}" if place else self.text


@dataclass(frozen=True, slots=True)
class LockFound:
    """How a lock stands, why it isn't fresh, its digest, and what a policy warns of.

    ``to_lock``: where it is stale or missing, what has to be locked, ancestors before it.
    """

    state: LockState
    reasons: tuple[Reason, ...]
    tag: Digest | None
    warnings: tuple[Hit, ...] = ()
    to_lock: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Locks:
    """How a project's locks stand at one moment, which decides on ages and waivers of policies."""

    checks: Checks
    parents: Parents

    @classmethod
    def of(cls, project: Project, now: datetime, state: State | None = None) -> "Locks":
        """Those of a project; ``state``: what this user remembers of them."""
        return cls(Checks(project, now, state or State.none()), parents_of(project))

    def state(self, name: str) -> LockState:
        """How a lock stands."""
        try:
            freshness = self.checks.of(name)
        except PolicyHitError:
            return LockState.FORBIDDEN
        except (InputError, PolicyError):
            return LockState.REFUSED
        return _state(freshness)

    def found(self, name: str) -> LockFound:
        """How a lock stands, and why."""
        project = self.checks.project
        data = read_file(project.root, lock_file(name))
        tag = None if data is None else Digest.of(data)
        try:
            freshness = self.checks.of(name)
        except PolicyHitError as error:
            return LockFound(LockState.FORBIDDEN, tuple(map(_broken, error.hits)), tag)
        except (InputError, PolicyError) as error:
            return LockFound(LockState.REFUSED, (Reason(error.message),), tag)
        if freshness.fresh:
            return LockFound(LockState.FRESH, (), tag, freshness.warnings)
        reasons = tuple(_reasons(project, freshness))
        wanted = stale_of(self.checks, self.parents, [name])
        return LockFound(_state(freshness), reasons, tag, freshness.warnings, wanted)


def lock_state(project: Project, name: str, now: datetime) -> LockFound:
    """How one lock stands, and why."""
    return Locks.of(project, now).found(name)


def _state(freshness: Freshness) -> LockState:
    if freshness.fresh:
        return LockState.FRESH
    return LockState.STALE if freshness.lock else LockState.MISSING


def _reasons(project: Project, freshness: Freshness) -> Iterator[Reason]:
    for one in blamed(project, freshness):
        place = one.place
        yield Reason(one.text, place.file, place.line) if place else Reason(one.text)


def _broken(hit: Hit) -> Reason:
    """A rule that a lock breaks, at the rule's place."""
    ways = [f" ({' -> '.join(path.names)})" for path in hit.paths if len(path.names) > 1]
    place = hit.rule.place
    return Reason(f"{hit.what}{''.join(ways)}", place.file, place.line)
