"""Where artifacts come from on this machine: the doors of sources and solving, put together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from basestore.cli.context import open_store, open_transport, open_uv
from basestore.cli.settings import Settings
from basestore.digest import Digest
from basestore.lock.model import Lock
from basestore.pipeline.build import Bring
from basestore.pipeline.locked import LockedProfile
from basestore.profile.model import Profile, Project
from basestore.progress import Progress
from basestore.target import Platform

if TYPE_CHECKING:
    from basestore.debian.packages import SuiteIndex
    from basestore.pipeline.build import Builder
    from basestore.pipeline.lock import World
    from basestore.resolve.foundation import SolvedFoundation
    from basestore.resolve.learn import Asked, Learned
    from basestore.sources.debian import Debian
    from basestore.sources.pylock import IndexedWheel
    from basestore.store import Store
    from basestore.transport import Transport


def bring_from(project: Project, settings: Settings, progress: Progress) -> Bring:
    """What brings a lock's artifacts into this machine's store; nothing is opened before."""

    def bring(locked: LockedProfile, lock: Lock, wanted: frozenset[Digest]) -> None:
        store = open_store(settings, project)
        if all(store.blobs.has(digest) for digest in wanted):
            return
        from basestore.pipeline.fetch import fetch_artifacts, fetch_offline
        from basestore.profile.reader import read_profile

        profile = read_profile(project, locked.name)
        with open_transport(settings) as transport:
            debian = open_debian(settings, store, transport)
            uv = open_uv(settings)
            take = fetch_offline if settings.offline else fetch_artifacts
            take(profile, lock, wanted, debian, uv, progress)

    return bring


def builder_of(project: Project, settings: Settings, progress: Progress) -> "Builder":
    """What builds a project's images in this machine's store."""
    from basestore.pipeline.build import Builder

    store, bring = open_store(settings, project), bring_from(project, settings, progress)
    return Builder(store, bring, progress, settings.jobs, settings.host)


@contextmanager
def world(project: Project, settings: Settings, progress: Progress) -> Iterator["World"]:
    """What locking asks of this machine's world."""
    from basestore.pipeline.lock import World
    from basestore.resolve.foundation import solve_foundation
    from basestore.resolve.learn import learn as find_out
    from basestore.resolve.pin import Pinner, tells
    from basestore.resolve.sizes import measure

    store = open_store(settings, project)
    with open_transport(settings) as transport:
        debian = open_debian(settings, store, transport)

        def suite(name: str, platform: Platform) -> "SuiteIndex":
            return debian.index(name, platform, progress)

        def foundation(profile: Profile, platform: Platform) -> "SolvedFoundation":
            index = suite(profile.foundation.suite, platform)
            return solve_foundation(index, profile.foundation, profile.python, platform)

        def sizes(wheels: Sequence["IndexedWheel"]) -> Mapping[Digest, int]:
            return measure(store, transport, wheels, progress)

        def learn(asked: Sequence["Asked"]) -> Mapping[Digest, "Learned"]:
            return find_out(store, transport, asked, progress)

        now = datetime.now(UTC).replace(microsecond=0)
        pin = Pinner(store, transport, progress)
        told = partial(tells, transport)
        yield World(open_uv(settings), foundation, sizes, now, learn, pin, told, suite)


def open_debian(settings: Settings, store: "Store", transport: "Transport") -> "Debian":
    """Debian's archives as this machine reaches them."""
    from basestore.sources.apt import host_apt, run_program
    from basestore.sources.debian import Debian

    return Debian(
        store,
        transport,
        datetime.now(UTC),
        mirrors=settings.mirrors,
        apt=lambda: host_apt(run_program),
    )
