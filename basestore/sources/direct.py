"""Wheels that are asked for by URL: what their URLs are on this machine, and where that leads."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock.model import Wheel
from basestore.profile.direct import VARIABLE
from basestore.profile.model import Profile, Requirement

_SAFE_IN_USERINFO = "%:"
_SAFE_BEHIND = "%:/@=+,"


class MissingVariableError(InputError):
    """A URL needs a variable that the environment doesn't have. ``place``: where it stands."""

    def __init__(self, requirement: Requirement, variable: str) -> None:
        super().__init__(
            f"{requirement.location}: the URL of {requirement.wheel} needs ${{{variable}}}, which "
            "is not set",
            f"set {variable} where you lock and where you build; it reaches no file",
        )
        self.variable = variable


def place_of(requirement: Requirement, environ: Mapping[str, str]) -> str:
    """The URL with its variables filled in; raises MissingVariableError.

    What would end the part of the URL that a variable stands in is escaped (RFC 3986, 2.1); what is
    escaped already, as pip would have it, stays as it is.
    """
    url = requirement.url
    for variable in VARIABLE.findall(url):
        if not environ.get(variable):
            raise MissingVariableError(requirement, variable)
    path = url.find("/", url.index("://") + len("://"))

    def filled(match: re.Match[str]) -> str:
        safe = _SAFE_IN_USERINFO if match.start() < path else _SAFE_BEHIND
        return quote(environ[match[1]], safe=safe)

    return VARIABLE.sub(filled, url)


def as_asked(requirement: Requirement, environ: Mapping[str, str]) -> str:
    """PEP 508 as uv is to get it; raises MissingVariableError."""
    if not requirement.url:
        return requirement.text
    name, _, rest = requirement.text.partition(" @ ")
    marker = rest[len(rest.partition(" ")[0]) :]
    only = f"#sha256={requirement.hashes[0].hex}" if len(requirement.hashes) == 1 else ""
    return f"{name} @ {place_of(requirement, environ)}{only}{marker}"


def asked_by_url(profile: Profile, wheel: Wheel) -> Requirement | None:
    """The youngest requirement of a lineage that asks for a locked wheel by its URL."""
    asked = (one for profile in reversed(profile.lineage) for one in profile.requirements)
    return next((one for one in asked if (one.name, one.wheel) == (wheel.name, wheel.file)), None)


def direct_places(
    profile: Profile, wheels: Iterable[Wheel], environ: Mapping[str, str]
) -> dict[Digest, tuple[str, ...]]:
    """Where the wheels of a lock lie that are asked for by URL; raises MissingVariableError."""
    found = ((wheel, asked_by_url(profile, wheel)) for wheel in wheels)
    return {wheel.sha256: (place_of(one, environ),) for wheel, one in found if one}


def written_places(profile: Profile, wheels: Iterable[Wheel]) -> dict[Digest, tuple[str, ...]]:
    """The same as people wrote it, with the names of variables for their values."""
    found = ((wheel, asked_by_url(profile, wheel)) for wheel in wheels)
    return {wheel.sha256: (one.url,) for wheel, one in found if one}


def team_places(profile: Profile, wanted: Collection[Digest]) -> dict[Digest, tuple[str, ...]]:
    """Where wheels lie according to the teams' locks that a lineage takes."""
    teams = (one.team_lock for one in profile.lineage if one.team_lock)
    places = (place for team in teams for place in _listed(team.data))
    return {digest: (url,) for digest, url in places if digest in wanted}


def _listed(data: bytes) -> Iterator[tuple[Digest, str]]:
    """The wheels of a ``uv.lock`` or ``pylock.toml``, as far as they have a URL and a SHA-256."""
    import tomllib

    try:
        found = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        return  # what is locked may lie in an index all the same
    packages = _tables(found.get("package") or found.get("packages"))
    for wheel in (wheel for package in packages for wheel in _files(package)):
        hashes = wheel.get("hashes")
        told = hashes.get("sha256") if isinstance(hashes, dict) else None
        try:
            digest = Digest.parse(str(wheel.get("hash") or f"sha256:{told}"))
        except ValueError:
            continue
        if isinstance(url := wheel.get("url"), str):
            yield digest, url


def _files(package: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Its wheels, and what a ``pylock.toml`` has in their place where one is asked for by URL."""
    yield from _tables(package.get("wheels"))
    yield from _tables([package.get("archive")])


def _tables(value: object) -> Iterator[Mapping[str, object]]:
    """An array's tables; the file may have been changed since it was locked from."""
    items = value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, dict))
