"""Fetch: what a lock names and the store lacks, from wherever it lies today."""

from collections.abc import Mapping, Sequence

from basestore.digest import Digest
from basestore.lock.model import Deb, Lock
from basestore.profile.model import Profile
from basestore.progress import Progress
from basestore.sources.debian import Debian, deb_artifacts
from basestore.sources.fetch import Artifact, fetch
from basestore.sources.locate import locate_wheels
from basestore.sources.uv import Uv


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
    debs = {deb.sha256: deb for one in lock.platforms for deb in one.debs if deb.sha256 in wanted}
    wheels = {
        wheel.sha256: Artifact(wheel.file, wheel.sha256, wheel.size)
        for one in lock.platforms
        for wheel in one.wheels
        if wheel.sha256 in wanted
    }

    def locate(missing: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        digests = {artifact.digest for artifact in missing}
        places: dict[Digest, Sequence[str]] = {}
        lacking: list[Deb] = [deb for digest, deb in debs.items() if digest in digests]
        if lacking:
            with progress.task("locate", f"{len(lacking)} .debs"):
                places.update(debian.locate(profile.foundation.suite, lacking, progress))
        if sought := digests & set(wheels):
            with progress.task("locate", f"{len(sought)} wheels"):
                places.update(locate_wheels(uv, profile.indexes, lock.platforms, sought))
        return places

    artifacts = [*deb_artifacts(list(debs.values())), *wheels.values()]
    fetch(debian.store, debian.transport, artifacts, locate, progress)
