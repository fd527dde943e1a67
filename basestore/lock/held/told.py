"""What an origin says of profile and lock, which are there to compare it with."""

from collections.abc import Iterator

from basestore.lock.foundation import foundation_digest
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.inputs import Part, inputs
from basestore.lock.texts import texts_of
from basestore.profile.model import Location


def told(case: Case) -> Iterator[Finding]:
    """What an origin says otherwise than profile and lock.

    Places are those of the files as they were; where these have changed, names alone are compared.
    """
    now, how = inputs(case.profile, case.parent_digest), case.origin
    others = [part for part in Part if how.parts.get(part) != now.parts.get(part)]
    for part in others:
        yield Finding(f"{case.origin_file} has another digest of {part.value}", Kind.LOCK)
    if not others and how.head.inputs != now.digest:
        yield _restated(case, "inputs")
    if how.foundation and how.foundation != foundation_digest(case.lock):
        yield _restated(case, "foundation")
    yield from _direct(case)
    if (how.stated or how.bounds) and not case.moved:  # neither in origins of before
        if how.stated != texts_of(case.profile.requirements):
            yield _restated(case, "stated")
        if how.bounds != texts_of(case.profile.constraints):
            yield _restated(case, "bounds")


def _direct(case: Case) -> Iterator[Finding]:
    direct, team = case.origin.direct, case.profile.team_lock
    wanted: dict[str, set[Location]] = {}
    for one in case.profile.requirements:
        wanted.setdefault(one.name, set()).add(one.location)
    if team:  # what leads to all else in it, its own tool knows
        own = {wheel.name for part in case.lock.platforms for wheel in part.wheels}
        wanted = {name: {team.place} for name in direct if name in own}
    places = {name: set(at) for name, at in direct.items()}
    if places.keys() != wanted.keys() or (places != wanted and not case.moved):
        yield _restated(case, "direct")


def _restated(case: Case, key: str) -> Finding:
    where = case.profile.file
    return Finding(
        f"{case.origin_file} has {key} otherwise than {where} and {case.file}", Kind.RESTATED
    )
