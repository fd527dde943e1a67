"""Why a stale lock is stale, line by line, as far as its origin still tells."""

from basestore.lock.blame import Blame, blame
from basestore.lock.files import read_lock, read_origin
from basestore.lock.freshness import Freshness
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
