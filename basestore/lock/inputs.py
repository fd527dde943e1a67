"""Inputs: what a lock is resolved from, in a form without order, layout, comments and places.

The URL of an index is no input: a mirror or a renamed host gives the same wheels, and a lock that
asked elsewhere for the same names is as good. The names of indexes, and which packages come from
them, are. A policy is no input either: it decides whether a lock may be, not what is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.lock.config import image_config
from basestore.lock.model import FORMAT, ImageConfig
from basestore.profile.model import Profile, TeamLock


class Part(StrEnum):
    """The parts of the inputs, each with a digest of its own in the origin."""

    CONSTRAINTS = "constraints-files"
    FORMAT = "format"
    FOUNDATION = "foundation"
    FROM_LOCK = "from-lock"
    HASHES = "hashes"
    IMAGE = "image"
    INDEXES = "indexes"
    PARENT = "parent"
    PATH_CONFLICTS = "path-conflicts"
    PLATFORMS = "platforms"
    PYTHON = "python"
    RECORD_EXCEPTIONS = "record-exceptions"
    REPLACES = "replaces"
    REQUIREMENTS = "requirements"


@dataclass(frozen=True, slots=True)
class Inputs:
    """A digest of each part of a profile's inputs, and one of all.

    ``REPLACES``, ``CONSTRAINTS``, ``FROM_LOCK``, ``HASHES`` and ``RECORD_EXCEPTIONS`` are parts
    only where they say something.
    """

    parts: Mapping[Part, Digest]

    @property
    def digest(self) -> Digest:
        """The digest of all parts."""
        return Digest.of(json_bytes({part: str(self.parts[part]) for part in sorted(self.parts)}))


def inputs(profile: Profile, parent_lock: Digest | None) -> Inputs:
    """What a profile's lock is resolved from; ``parent_lock`` is the parent's lock digest."""
    bodies: dict[Part, Json] = {
        Part.FORMAT: FORMAT,
        Part.FOUNDATION: _foundation(profile),
        Part.IMAGE: _image(profile),
        Part.INDEXES: {index.name: sorted(index.packages) for index in profile.indexes},
        Part.PARENT: _parent(profile, parent_lock),
        Part.PATH_CONFLICTS: {path: list(n) for path, n in profile.path_conflicts.items()},
        Part.PLATFORMS: sorted(map(str, profile.platforms)),
        Part.PYTHON: profile.python,
        Part.REQUIREMENTS: sorted({one.identity for one in profile.requirements}),
    }
    bodies |= {part: body for part, body in _asked_otherwise(profile).items() if body}
    if profile.replaces:
        bodies[Part.REPLACES] = sorted(profile.replaces)
    return Inputs({part: Digest.of(json_bytes(body)) for part, body in bodies.items()})


def _asked_otherwise(profile: Profile) -> Mapping[Part, Json]:
    """What few profiles have; a part only where it says something."""
    asked = (*profile.requirements, *profile.constraints)
    hashed = {(one.identity, one.hashes) for one in asked if one.hashes}
    return {
        Part.CONSTRAINTS: sorted({one.identity for one in profile.constraints}),
        Part.FROM_LOCK: _team_lock(profile.team_lock) if profile.team_lock else None,
        Part.HASHES: [[text, [one.hex for one in hashes]] for text, hashes in sorted(hashed)],
        Part.RECORD_EXCEPTIONS: {n: one.reason for n, one in profile.record_exceptions.items()},
    }


def _team_lock(team: TeamLock) -> Json:
    return {
        "extras": team.extras,
        "groups": team.groups,
        "lock": str(Digest.of(team.data)),
        "only-groups": team.only_groups,
    }


def _foundation(profile: Profile) -> Json:
    foundation = profile.foundation
    return {"debian": foundation.suite, "packages": sorted(set(foundation.packages))}


def _image(profile: Profile) -> Json:
    """The config that comes out, so that stating a default changes nothing."""
    image = image_config(profile)
    stated: dict[str, Json] = {"ports": image.ports, "healthcheck": _healthcheck(image)}
    return {
        **{key: value for key, value in stated.items() if value},
        "cmd": image.cmd,
        "entrypoint": image.entrypoint,
        "env": image.env,
        "labels": image.labels,
        "user": image.user,
        "workdir": image.workdir,
    }


def _healthcheck(image: ImageConfig) -> Json:
    check = image.healthcheck
    if check is None:
        return None
    times = [check.interval, check.timeout, check.start_period]
    return {"command": check.command, "retries": check.retries, "times": times}


def _parent(profile: Profile, parent_lock: Digest | None) -> Json:
    if profile.parent is None:
        return None
    return {"lock": str(parent_lock) if parent_lock else None, "profile": profile.parent.name}
