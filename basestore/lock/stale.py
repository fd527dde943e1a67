"""Why a stale lock is stale, line by line, and what has to be locked anew."""

from collections.abc import Collection
from datetime import datetime

from basestore.errors import InputError, PolicyError
from basestore.lock.blame import Blame, blame
from basestore.lock.files import read_lock, read_origin
from basestore.lock.freshness import Checks, Freshness
from basestore.profile.family import Parents, ancestors, in_family_order, parents_of
from basestore.profile.model import Project
from basestore.profile.reader import read_profile


def blamed(project: Project, freshness: Freshness) -> tuple[Blame, ...]:
    """What made a lock stale, each with its file and line where that can be told.

    Raises what reading profile, lock and origin raises.
    """
    name = freshness.profile
    origin = read_origin(project, name) if freshness.lock else None
    if origin is None or origin.head.lock != freshness.lock:
        return tuple(Blame(str(reason)) for reason in freshness.reasons)
    lock, profile = read_lock(project, name)[0], read_profile(project, name)
    return blame(project, profile, lock, origin, freshness)


def to_lock(
    project: Project, names: Collection[str], now: datetime | None = None
) -> tuple[str, ...]:
    """What has to be locked so that these profiles are fresh: of them and their ancestors those
    that are not, parents before children.
    """
    return stale_of(Checks(project, now), parents_of(project), names)


def stale_of(checks: Checks, parents: Parents, names: Collection[str]) -> tuple[str, ...]:
    """As `to_lock`, where the family is known and some checks may have been made."""
    family = {one for name in names for one in (name, *ancestors(parents, name))}
    known = {name: parents[name] for name in family if name in parents}
    return tuple(name for name in in_family_order(known) if not _is_fresh(checks, name))


def _is_fresh(checks: Checks, name: str) -> bool:
    try:
        return checks.of(name).fresh
    except (InputError, PolicyError):
        return False  # its own `lock` tells what is wrong with it
