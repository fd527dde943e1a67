"""A solution before the policy: what has to be learned for it, and the judgement."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from basestore.digest import Digest
from basestore.lock.facts import facts
from basestore.lock.model import Lock
from basestore.lock.origin import PackageOrigin
from basestore.lock.policy import PolicyHitError, Verdict, check
from basestore.profile.model import Profile
from basestore.profile.policy import Need, Policy
from basestore.resolve.known import Known
from basestore.resolve.learn import Asked, Learn, Learned
from basestore.resolve.wheels import Closure
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv import DIRECT


def learn_for(
    policy: Policy,
    known: Known,
    chosen: Sequence[tuple[Closure, Mapping[str, IndexedWheel]]],
    learn: Learn,
) -> Mapping[Digest, Learned]:
    """What a policy has to know of chosen wheels, by digest; ``chosen``: by name, per platform.

    The licences of wheels that were asked before are those of then; so is how the parent's stand
    where nothing tells their index. Raises what ``learn`` raises.
    """
    if not policy.needs:
        return {}
    before, stood = _licences(known), _standing(known)
    asked = [
        Asked(name, wheel, _index(closure, name), _open(policy, wheel.sha256 in before))
        for closure, wheels in chosen
        for name, wheel in sorted(wheels.items())
    ]
    found = dict(learn([one for one in asked if one.needs]))
    for one in asked:
        digest = one.wheel.sha256
        if Need.LICENCES in policy.needs and digest in before:
            standing = found.get(digest, Learned()).standing
            found[digest] = Learned(before[digest], standing)
        if Need.STANDING in policy.needs and one.index == "" and digest in stood:
            found[digest] = replace(found.get(digest, Learned()), standing=stood[digest])
    return found


def judge(
    profile: Profile,
    lock: Lock,
    packages: Mapping[str, PackageOrigin],
    now: datetime | None,
) -> Verdict:
    """The verdict on what would become a profile's lock; raises PolicyHitError."""
    if not profile.policy.rules:
        return Verdict()
    verdict = check(profile.policy, facts(profile, lock, packages), now)
    if verdict.hits:
        raise PolicyHitError(f"profile {profile.name}", verdict.hits)
    return verdict


def _index(closure: Closure, name: str) -> str | None:
    return None if closure.indexes[name] == DIRECT else closure.urls.get(name, "")


def _open(policy: Policy, has_licences: bool) -> frozenset[Need]:
    return policy.needs - {Need.LICENCES} if has_licences else policy.needs


def _standing(known: Known) -> Mapping[Digest, str]:
    """How the parent's wheels stood when it was locked."""
    packages = known.parents_origins()
    platforms = known.parent.lock.platforms if known.parent else ()
    wheels = (wheel for platform in platforms for wheel in platform.wheels)
    found = ((wheel.sha256, packages.get(wheel.name)) for wheel in wheels)
    return {digest: how.standing for digest, how in found if how and how.standing is not None}


def _licences(known: Known) -> Mapping[Digest, tuple[str, ...]]:
    found: dict[Digest, tuple[str, ...]] = {}
    for locked in (known.parent, known.believed):
        packages = locked.origin.packages if locked and locked.origin else {}
        platforms = locked.lock.platforms if locked else ()
        for wheel in (wheel for platform in platforms for wheel in platform.wheels):
            how = packages.get(wheel.name)
            if how and how.licences is not None:
                found[wheel.sha256] = how.licences
    return found
