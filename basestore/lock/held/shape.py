"""Family, platforms and settings of a lock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from basestore.errors import InputError
from basestore.lock.config import image_config, path_conflicts, record_exceptions
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.model import ImageConfig


def shape(case: Case) -> Iterator[Finding]:
    """What of a lock is another family's, for other platforms, or set otherwise."""
    yield from _family(case)
    yield from _platforms(case)
    yield from _image(case)
    yield from _conflicts(case)
    yield from _exceptions(case)


def _family(case: Case) -> Iterator[Finding]:
    profile, lock = case.profile, case.lock
    base = profile.service.base if profile.service else ""
    lineage = (profile.name,) if base else tuple(one.name for one in profile.lineage)
    if (lock.lineage, lock.base) != (lineage, base):
        there = _line((lock.base, *lock.lineage))
        yield _shape(f"{case.file} is of the family {there}, and the profile of {_line(lineage)}")


def _line(names: Sequence[str]) -> str:
    return " -> ".join(filter(None, names))


def _platforms(case: Case) -> Iterator[Finding]:
    locked = {one.platform for one in case.lock.platforms}
    wanted = set(case.profile.platforms)
    for platform in sorted(wanted - locked):
        yield _shape(f"{case.file} has nothing for {platform}, which {case.profile.file} names")
    for platform in sorted(locked - wanted):
        yield _shape(f"{case.file} is for {platform} too, which {case.profile.file} doesn't name")
    for platform in sorted(locked & wanted):
        if case.profile.parent and case.parents(platform) is None:
            yield _shape(f"locks/{case.profile.parent.name}.lock has nothing for {platform}")


def _image(case: Case) -> Iterator[Finding]:
    now, locked = image_config(case.profile), case.lock.image
    wanted = replace(now, ports=tuple(sorted(now.ports)))
    if locked == wanted:
        return
    for name in _others(_variables(locked), _variables(wanted)):
        yield _lock(case, f"the variable {name} of [image] env", case.profile.file)
    for name in _others(locked.labels, wanted.labels):
        yield _lock(case, f"the label {name} of [image]", case.profile.file)
    for key in ("entrypoint", "cmd", "user", "workdir", "ports", "healthcheck"):
        if getattr(locked, key) != getattr(wanted, key):
            yield _lock(case, f"{key} of [image]", case.profile.file)


def _variables(image: ImageConfig) -> Mapping[str, str]:
    return dict(entry.partition("=")[::2] for entry in image.env)


def _others(locked: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """The keys whose values differ."""
    keys = {*locked, *wanted}
    return sorted(key for key in keys if locked.get(key) != wanted.get(key))


def _conflicts(case: Case) -> Iterator[Finding]:
    wanted = {} if case.is_service else path_conflicts(case.profile, case.lock.platforms)
    for path in _others(case.lock.path_conflicts, wanted):
        yield _lock(case, f"{path} of path-conflicts", case.profile.file)


def _exceptions(case: Case) -> Iterator[Finding]:
    try:
        wanted = record_exceptions(case.profile, case.lock.platforms)
    except InputError as error:
        yield Finding(error.message, Kind.LOCK)
        return
    for name in _others(case.lock.record_exceptions, wanted):
        yield _lock(case, f"{name} of record-exceptions", case.profile.file)


def _shape(text: str) -> Finding:
    return Finding(text, Kind.SHAPE)


def _lock(case: Case, what: str, where: str) -> Finding:
    return Finding(f"{case.file} has {what} otherwise than {where}", Kind.LOCK)
