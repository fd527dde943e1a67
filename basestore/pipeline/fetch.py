"""Fetch: what a lock names and the store lacks, from wherever it lies today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.lock.model import Deb, Lock
from basestore.profile.model import Profile
from basestore.progress import Progress
from basestore.sources.debian import Debian, deb_artifacts
from basestore.sources.direct import asked_by_url, direct_places, team_places
from basestore.sources.fetch import (
    Artifact,
    ArtifactsUnreachableError,
    Failure,
    Locate,
    WrongArtifactsError,
    fetch,
)
from basestore.sources.locate import locate_wheels
from basestore.sources.uv import Uv


class LackingArtifactsError(UnreachableError):
    """The store lacks artifacts of a lock, and no server may be asked for them."""

    def __init__(self, profile: str, artifacts: Sequence[Artifact]) -> None:
        names = sorted(artifact.name for artifact in artifacts)
        listed = f" {names[0]}" if len(names) == 1 else "".join(f"\n  {name}" for name in names)
        super().__init__(
            f"offline, and the store lacks what the lock of {profile} names:{listed}",
            f"run `basestore build {profile}` once with network, or use a store that has them "
            "(BASESTORE_STORE)",
        )
        self.artifacts = tuple(artifacts)


def fetch_artifacts(
    profile: Profile,
    lock: Lock,
    wanted: frozenset[Digest],
    debian: Debian,
    uv: Uv,
    progress: Progress,
) -> None:
    """Bring the wanted artifacts of a lock into the store.

    The lock says what, indexes and archives say where, the digest decides. Raises what locating
    and fetching raise.
    """
    job = _Job(profile, lock, wanted, debian, uv, progress)
    job.run(job.locate)


def fetch_offline(
    profile: Profile,
    lock: Lock,
    wanted: frozenset[Digest],
    debian: Debian,
    uv: Uv,
    progress: Progress,
) -> None:
    """The same from this machine alone, whose transport and uv ask no server.

    Raises LackingArtifactsError, which names all that is neither in the store nor behind a
    ``file://`` URL, and WrongArtifactsError.
    """
    job = _Job(profile, lock, wanted, debian, uv, progress)
    try:
        job.run(job.locate_here)
    except ArtifactsUnreachableError as error:
        lacking = [failure.artifact for failure in error.failures]
        raise LackingArtifactsError(profile.name, lacking) from error


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be fetched, and who knows where it lies."""

    profile: Profile
    lock: Lock
    wanted: frozenset[Digest]
    debian: Debian
    uv: Uv
    progress: Progress

    def run(self, locate: Locate) -> None:
        """Fetch; the locating is asked only for what the store lacks."""
        artifacts = [*deb_artifacts(list(self._debs.values())), *self._wheels.values()]
        store, transport = self.debian.store, self.debian.transport
        try:
            fetch(store, transport, artifacts, locate, self.progress, self.locate_otherwise)
        except (ArtifactsUnreachableError, WrongArtifactsError) as error:
            raise type(error)([self._placed(failure) for failure in error.failures]) from error

    def locate(self, missing: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        """Where the missing artifacts lie."""
        return {**self._locate_debs(missing), **self._locate_wheels(missing)}

    def locate_here(self, missing: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        """Where they lie as far as that can be told without asking anybody."""
        places: dict[Digest, Sequence[str]] = {}
        for locate in (self._locate_debs, self._locate_wheels):
            try:
                places |= locate(missing)
            except UnreachableError:
                continue  # what isn't located is lacking, and named as such
        return places

    def locate_otherwise(self, failed: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        """Where else wheels lie whose own URLs don't give them any more."""
        sought = {one.digest for one in failed}
        wheels = [one for part in self.lock.platforms for one in part.wheels]
        asked = {one.sha256 for one in wheels if asked_by_url(self.profile, one)} & sought
        if not asked:
            return {}
        with self.progress.task("locate", f"{len(asked)} wheels in the indexes"):
            try:
                return self._listed(frozenset(asked))
            except UnreachableError:
                return {}  # what their URLs said is told

    def _placed(self, failure: Failure) -> Failure:
        """The failure with the line of the profile that asks for the wheel by its URL."""
        artifact = failure.artifact
        wheels = (wheel for one in self.lock.platforms for wheel in one.wheels)
        same = (wheel for wheel in wheels if wheel.sha256 == artifact.digest)
        asked = next((one for wheel in same if (one := asked_by_url(self.profile, wheel))), None)
        name = f"{artifact.name} ({asked.location})" if asked else artifact.name
        return replace(failure, artifact=replace(artifact, name=name))

    def _locate_debs(self, missing: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        debs = self._debs
        lacking = [debs[one.digest] for one in missing if one.digest in debs]
        if not lacking:
            return {}
        with self.progress.task("locate", f"{len(lacking)} .debs"):
            return self.debian.locate(self.profile.foundation.suite, lacking, self.progress)

    def _locate_wheels(self, missing: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        sought = {one.digest for one in missing} & set(self._wheels)
        if not sought:
            return {}
        with self.progress.task("locate", f"{len(sought)} wheels"):
            return self._places(frozenset(sought))

    def _places(self, sought: frozenset[Digest]) -> Mapping[Digest, Sequence[str]]:
        """By the URLs that the profile itself asks for, else as listed."""
        platforms = self.lock.platforms
        wheels = [wheel for one in platforms for wheel in one.wheels if wheel.sha256 in sought]
        direct = direct_places(self.profile, wheels, self.uv.environ)
        return {**self._listed(sought - direct.keys()), **direct}

    def _listed(self, sought: frozenset[Digest]) -> Mapping[Digest, Sequence[str]]:
        """In the profile's indexes, and last by the URLs in the locks that it takes."""
        found = locate_wheels(self.uv, self.profile.indexes, self.lock.platforms, sought)
        teams = team_places(self.profile, sought)
        return {one: (*found.get(one, ()), *teams.get(one, ())) for one in {*found, *teams}}

    @property
    def _debs(self) -> Mapping[Digest, Deb]:
        debs = (deb for one in self.lock.platforms for deb in one.debs)
        return {deb.sha256: deb for deb in debs if deb.sha256 in self.wanted}

    @property
    def _wheels(self) -> Mapping[Digest, Artifact]:
        wheels = (wheel for one in self.lock.platforms for wheel in one.wheels)
        return {
            wheel.sha256: Artifact(wheel.file, wheel.sha256, wheel.size)
            for wheel in wheels
            if wheel.sha256 in self.wanted
        }
