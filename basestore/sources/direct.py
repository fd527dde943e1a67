"""Wheels that are asked for by URL: what their URLs are on this machine, and where that leads."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock.model import Wheel
from basestore.profile.direct import VARIABLE
from basestore.profile.model import Profile, Requirement
from basestore.reading import UNFIT

_SAFE_IN_USERINFO = "%:"


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

    What would end the userinfo, where alone variables stand, is escaped (RFC 3986, 2.1); what is
    escaped already, as pip would have it, stays as it is.
    """
    url = requirement.url
    for variable in VARIABLE.findall(url):
        if not environ.get(variable):
            raise MissingVariableError(requirement, variable)

    def filled(match: re.Match[str]) -> str:
        return quote(environ[match[1]], safe=_SAFE_IN_USERINFO)

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
    listed = (
        one for package in _packages(profile) for one in (*_wheels(package), *_direct(package))
    )
    return {digest: (url,) for digest, url in listed if digest in wanted}


def team_direct_places(
    profile: Profile, wanted: Collection[Digest]
) -> dict[Digest, tuple[str, ...]]:
    """The same for those wheels alone that a team asks for by URL."""
    listed = (one for package in _packages(profile) for one in _direct(package))
    return {digest: (url,) for digest, url in listed if digest in wanted}


def _packages(profile: Profile) -> Iterator[Mapping[str, object]]:
    """The packages of the teams' locks, each a ``uv.lock`` or ``pylock.toml``, of a lineage."""
    import tomllib

    for team in (one.team_lock for one in profile.lineage if one.team_lock):
        try:
            found = tomllib.loads(team.data.decode())
        except UNFIT:
            continue  # what is locked may lie in an index all the same
        yield from _tables(found.get("package") or found.get("packages"))


def _wheels(package: Mapping[str, object]) -> Iterator[tuple[Digest, str]]:
    """What an index has of a package."""
    for wheel in _tables(package.get("wheels")):
        yield from _place(wheel, wheel.get("url"))


def _direct(package: Mapping[str, object]) -> Iterator[tuple[Digest, str]]:
    """A wheel by URL: ``pylock.toml`` has an archive for it, ``uv.lock`` its URL as the source."""
    for archive in _tables([package.get("archive")]):
        yield from _place(archive, archive.get("url"))
    for source in _tables([package.get("source")]):
        for wheel in _tables(package.get("wheels")) if "url" in source else ():
            yield from _place(wheel, source.get("url"))


def _place(file: Mapping[str, object], url: object) -> Iterator[tuple[Digest, str]]:
    """A file's digest and URL, as far as it has both."""
    hashes = file.get("hashes")
    told = hashes.get("sha256") if isinstance(hashes, dict) else None
    try:
        digest = Digest.parse(str(file.get("hash") or f"sha256:{told}"))
    except ValueError:
        return
    if isinstance(url, str):
        yield digest, url


def _tables(value: object) -> Iterator[Mapping[str, object]]:
    """An array's tables; the file may have been changed since it was locked from."""
    items = value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, dict))
