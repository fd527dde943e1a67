"""A platform's answer, and what of it is told in the origin."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.lock.origin import DebOrigin, PackageOrigin
from basestore.profile.model import Location, Profile
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.learn import Learned
from basestore.resolve.wheels import Closure
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """A platform solved but for the sizes."""

    target: Target
    foundation: SolvedFoundation
    closure: Closure
    chosen: Mapping[str, IndexedWheel]


def asked_names(profile: Profile) -> list[str]:
    """What a profile and its ancestors ask for, by name."""
    return [r.name for generation in profile.lineage for r in generation.requirements]


def direct_places(
    profile: Profile, answers: Sequence[Answer]
) -> Mapping[str, tuple[Location, ...]]:
    """Where what is asked for stands; for a team's lock, where the profile takes it."""
    direct: dict[str, set[Location]] = {}
    for requirement in profile.requirements:
        direct.setdefault(requirement.name, set()).add(requirement.location)
    if profile.team_lock:
        for name in (name for answer in answers for name in answer.closure.roots):
            direct.setdefault(name, set()).add(profile.team_lock.place)
    return {name: tuple(sorted(direct[name])) for name in sorted(direct)}


def package_origins(
    answer: Answer, learned: Mapping[Digest, Learned], untold: Collection[Digest]
) -> Mapping[str, PackageOrigin]:
    """How each chosen wheel came about."""
    closure = answer.closure
    origins = {}
    for name, wheel in sorted(answer.chosen.items()):
        index, requires = closure.indexes[name], closure.requires[name]
        found = learned.get(wheel.sha256, Learned())
        origins[name] = PackageOrigin(
            index,
            requires,
            wheel.uploaded,
            found.licences,
            found.standing,
            wheel.sha256 not in untold,
            closure.extras.get(name, ()),
        )
    return origins


def deb_origins(foundation: SolvedFoundation, profile: Profile) -> Mapping[str, DebOrigin]:
    """How each .deb came about."""
    requires, provides = foundation.requires, foundation.provides
    return {
        deb.name: DebOrigin(
            profile.foundation.suite, requires.get(deb.name, ()), provides.get(deb.name, ())
        )
        for deb in foundation.debs
    }
