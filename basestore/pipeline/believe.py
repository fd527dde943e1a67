"""What of an earlier lock is believed when it is made anew.

Versions in it are preferences: uv takes them where the requirements allow, and drops what nothing
asks for. The .debs, and the wheel of a version that stays, are taken as they are. So those that
aren't the profile's are not taken over.
"""

from collections.abc import Iterator
from dataclasses import replace

from basestore.digest import Digest
from basestore.lock.freshness import Freshness
from basestore.lock.held import Case, Finding, Kind, foundation, held
from basestore.lock.inputs import Part, inputs
from basestore.profile.model import Profile
from basestore.resolve.known import Known
from basestore.resolve.ports import SolveOptions


def is_kept(freshness: Freshness) -> bool:
    """Whether a lock stays, since nothing disagrees but what its origin says of it."""
    restated = all(one.kind is Kind.RESTATED for one in freshness.findings)
    return freshness.fresh or (restated and len(freshness.findings) == len(freshness.reasons))


def believable(
    profile: Profile, known: Known, parent: Digest | None, wish: SolveOptions
) -> SolveOptions:
    """The wish, and besides it anew what the previous lock has otherwise than the profile.

    ``parent``: the digest of the parent's lock.
    """
    found = tuple(_findings(profile, known, parent))
    if not found:
        return wish
    return replace(
        wish,
        upgrade=wish.upgrade | {one.package for one in found if one.package},
        upgrade_foundation=wish.upgrade_foundation
        or any(one.kind is Kind.FOUNDATION for one in found),
    )


def _findings(profile: Profile, known: Known, parent: Digest | None) -> Iterator[Finding]:
    """What is wrong with the previous lock by profile and origin.

    Where the profile has changed, its wheels differ anyway. Its .debs must not, unless it asks for
    others.
    """
    previous = known.previous
    how = previous.foundation_origin if previous else None
    if previous is None or how is None:
        return
    above = known.parent.lock if known.parent else None
    case = Case(profile, previous.lock, how, above, parent, moved=True)
    changed = _changed(case)
    if not changed & {Part.FOUNDATION, Part.PYTHON}:
        yield from foundation(case)
    if previous.origin and not changed:
        yield from held(case)


def _changed(case: Case) -> set[Part]:
    """The parts of the inputs that are others than the origin knows."""
    now, how = inputs(case.profile, case.parent_digest).parts, case.origin.parts
    return {part for part in Part if now.get(part) != how.get(part)}
