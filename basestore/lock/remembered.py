"""Checks that this user has made and that passed, so that they needn't be made again.

Whether a lock is its profile's follows from files alone: from the lock, its origin, and the files
that the origin names, once these were found to be the ones that are read. So a check is known by
the digests of lock and origin, and by what else is looked at: the version of this program, and
which profiles there are. What a day can change isn't remembered, and time is taken to go on only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from basestore import __version__
from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.state import State

_KIND = "checks"
_RULES = 1
"""Moves whenever a check finds what an earlier one of the same version didn't."""

_SINCE = "since"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a lock is known by: ``names`` are those of all profiles and services."""

    name: str
    lock: Digest
    origin: Digest
    names: Iterable[str]

    @property
    def key(self) -> Digest:
        """The digest of all of it."""
        seen: list[Json] = [
            __version__,
            _RULES,
            self.name,
            str(self.lock),
            str(self.origin),
            *self.names,
        ]
        return Digest.of(json_bytes(seen))


def recall(state: State, checked: Checked, now: datetime | None) -> bool:
    """Whether a check passed, and does so at ``now``."""
    found = state.recall(_KIND, checked.key) if state.folder else None
    since = found.get(_SINCE) if isinstance(found, dict) else None
    return isinstance(since, str) and (now is None or since <= now.date().isoformat())


def remember(state: State, checked: Checked, since: date) -> None:
    """Remember a check that passed, and does so from that day on."""
    state.remember(_KIND, checked.key, {_SINCE: since.isoformat()})
