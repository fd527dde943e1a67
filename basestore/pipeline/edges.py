"""Edges: a lock and its origin held to their archives, which is remembered once it was seen."""

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.lock import origin
from basestore.lock.files import lock_digest, origin_file
from basestore.lock.inputs import inputs
from basestore.pipeline.verify import Finding
from basestore.profile.document import read_file
from basestore.profile.model import Project
from basestore.profile.reader import read_profile
from basestore.state import State
from basestore.store import Store

CHECK = "metadata"
_KIND = "edges"
_RULES = 1
"""Counts up when more is found: what fewer rules have passed is looked at anew."""


def verify_edges(
    project: Project, name: str, store: Store | None, state: State
) -> tuple[Finding, ...]:
    """As `judge_archives`; a check in which all was read and held is remembered.

    The lock is fresh. Raises what `judge_archives` raises, and MalformedOriginError.
    """
    written = read_file(project.root, origin_file(name))
    if written is None:
        return ()
    key = _key(project, name, written)
    remembered = state.recall(_KIND, key)
    if isinstance(remembered, str):
        return (Finding(CHECK, True, remembered),)
    # Not loaded where all of it is remembered.
    from basestore.pipeline.archives import judge_archives

    findings = judge_archives(project, name, origin.parse(written, origin_file(name)), store)
    if findings and all(one.holds for one in findings):
        state.remember(_KIND, key, findings[0].detail)
    return findings


def _key(project: Project, name: str, written: bytes) -> Digest:
    """The digest of all that the answer hangs on, but for archives, whose digests the lock has."""
    profile = read_profile(project, name)
    parent = lock_digest(project, profile.parent.name) if profile.parent else None
    lock, asked = lock_digest(project, name), inputs(profile, parent).digest
    parts: list[Json] = [_RULES, name, str(lock), str(Digest.of(written)), str(asked)]
    return Digest.of(json_bytes(parts))
