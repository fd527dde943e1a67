"""The closure out of a team's lock: taken as it is, beside what the parent is locked to."""

from collections.abc import Mapping

from basestore.errors import NoResolutionError
from basestore.lock.model import Wheel
from basestore.lock.origin import PackageOrigin
from basestore.profile.model import Location, Profile
from basestore.profile.names import DEFAULT_INDEX
from basestore.resolve.wheels import Closure
from basestore.sources.pylock import IndexedPackage, IndexedWheel
from basestore.sources.team_lock import TeamPackages
from basestore.sources.uv import DIRECT
from basestore.sources.uv_environ import bare
from basestore.transport import host_of


class TeamContradictionError(NoResolutionError):
    """A team's lock has another version of a package than the parent."""

    def __init__(self, profile: Profile, place: Location, version: str, parents: Wheel) -> None:
        name, generation = parents.name, parents.generation
        super().__init__(
            f"{place} has {name} {version}, but profile {generation} is locked to {name} "
            f"{parents.version}",
            f"lock the same version in both, or let {profile.name} bring its own, "
            f'replaces = ["{name}"]',
        )
        self.package = name


class OtherIndexError(NoResolutionError):
    """A team's lock has a package from elsewhere than the index that it is named for."""

    def __init__(self, place: Location, name: str, index: str, where: str) -> None:
        super().__init__(
            f"{place} has {name} from {where}, and the profile names the index {index} for it",
            f"lock it from there, or take {name} out of [indexes.{index}] packages",
        )
        self.package = name


def take(
    profile: Profile,
    team: TeamPackages,
    inherited: Mapping[str, Wheel],
    origins: Mapping[str, PackageOrigin],
) -> Closure:
    """The closure of a profile that takes a team's lock.

    ``inherited``: the parent's wheels that stay, ``origins``: how the parent's packages got in.
    Raises TeamContradictionError and OtherIndexError.
    """
    for name, package in team.packages.items():
        _check_index(profile, team, name)
        if name in inherited and inherited[name].version != package.version:
            raise TeamContradictionError(
                profile, team.place(name), package.version, inherited[name]
            )
    known = {name: origins.get(name, PackageOrigin("")) for name in inherited}
    kept = {name: _as_indexed(wheel, known[name]) for name, wheel in inherited.items()}
    packages = {**team.packages, **kept}
    requires = {name: origin.requires for name, origin in origins.items()}
    graph = {**dict.fromkeys(packages, ()), **requires, **team.requires}
    return Closure(
        packages={name: packages[name] for name in sorted(packages)},
        requires={name: tuple(n for n in graph[name] if n in packages) for name in packages},
        indexes={
            name: known[name].index or profile.index_of(name) or DEFAULT_INDEX
            if name in known
            else _index(profile, team, name)
            for name in packages
        },
        urls={name: team.indexes.get(name, "") for name in packages},
        roots=team.roots,
    )


def _check_index(profile: Profile, team: TeamPackages, name: str) -> None:
    named = next((one for one in profile.indexes if name in one.packages), None)
    if named is None:
        return
    if name in team.direct:
        raise OtherIndexError(team.place(name), name, named.name, "a URL")
    told = team.indexes.get(name)
    if told and bare(told) != bare(named.url):
        raise OtherIndexError(team.place(name), name, named.name, "another index")


def _index(profile: Profile, team: TeamPackages, name: str) -> str:
    """The name of the index that a package was locked from; of one without a name, the host.

    Where the lock doesn't tell, the host that has the wheels is all that is known.
    """
    if name in team.direct:
        return DIRECT
    told = team.indexes.get(name)
    if told is None:
        return _by_host(profile, team.packages[name])
    if bare(told) in map(bare, team.defaults):
        return DEFAULT_INDEX
    same = (index.name for index in profile.indexes if bare(index.url) == bare(told))
    return next(same, host_of(told))


def _by_host(profile: Profile, package: IndexedPackage) -> str:
    """The index that a package is named for, if its wheels lie there; else where they lie."""
    named = next((one for one in profile.indexes if package.name in one.packages), None)
    hosts = {host_of(wheel.url) for wheel in package.wheels}
    if named and hosts == {host_of(named.url)}:
        return named.name
    return " and ".join(sorted(hosts))


def _as_indexed(wheel: Wheel, origin: PackageOrigin) -> IndexedPackage:
    """A parent's wheel; where it lies isn't asked, since the lock has its size."""
    known = IndexedWheel(wheel.file, "", wheel.sha256, wheel.size, origin.uploaded)
    return IndexedPackage(wheel.name, wheel.version, (known,))
