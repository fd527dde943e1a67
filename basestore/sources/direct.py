"""Wheels that are asked for by URL: what their URLs are on this machine, and where that leads."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock.model import Wheel
from basestore.profile.direct import VARIABLE
from basestore.profile.model import Profile, Requirement


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
    """The URL with its variables filled in; raises MissingVariableError."""
    for variable in VARIABLE.findall(requirement.url):
        if not environ.get(variable):
            raise MissingVariableError(requirement, variable)
    return VARIABLE.sub(lambda match: environ[match[1]], requirement.url)


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
    except ValueError:
        return  # what is locked may lie in an index all the same
    packages = found.get("package") or found.get("packages")
    for package in packages if isinstance(packages, list) else []:
        for wheel in package.get("wheels", ()):
            text = wheel.get("hash") or f"sha256:{wheel.get('hashes', {}).get('sha256', '')}"
            try:
                digest = Digest.parse(text)
            except ValueError:
                continue
            if isinstance(wheel.get("url"), str):
                yield digest, wheel["url"]
