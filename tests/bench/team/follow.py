"""The team's days: what happens to its repository, and what each way makes of it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.team.counting import Counter, counting
from bench.team.members import Member, bases_of
from bench.team.monorepo import Monorepo
from bench.team.prepare import RELEASED, Prepared
from bench.team.tally import Job, Stage
from bench.team.ways import FOUNDATION, AllInOne, Assembled, Docker, SharedBase, Way, du
from command import Basestore
from loopback import Engine, Registry, engine, registry
from peers import copy_pip, import_image, write_foundation, write_wheels
from wheels import bring

from basestore.store import Store

WITH_PIP = """\
FROM foundation
COPY site-packages /opt/venv/lib/{python}/site-packages
RUN python -m compileall -q /opt/venv/lib/{python}/site-packages
"""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of the repository, the bases that it changes, and the services that follow."""

    change: Callable[[Monorepo], None]
    bases: tuple[str, ...]
    services: tuple[Member, ...]


def events(team: Sequence[Member], prepared: Prepared) -> tuple[Event, ...]:
    """The first day, an edit of each service's code, a new version of one of a base's packages."""
    names = [member.name for member in team]
    on_it = tuple(member for member in team if member.base == RELEASED)
    return (
        Event(lambda repo: None, bases_of(team), tuple(team)),
        Event(lambda repo: repo.edit(names), (), tuple(team)),
        Event(lambda repo: repo.take_locks(prepared.after), (RELEASED,), on_it),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A way, the registry that it pushes to, and what counts the bytes sent there."""

    way: Way
    registry: Registry
    counter: Counter


def follow(places: Sequence[Place], happening: Sequence[Event]) -> list[list[Stage]]:
    """Build and push what each event asks for, image after image; the stages of each way.

    The ways take turns with every image, so that a machine that drifts meets all of them.
    """
    began = [place.way.kept() for place in places]
    stages: list[list[Stage]] = [[] for _ in places]
    for event in happening:
        for number, jobs in enumerate(_jobs(places, event)):
            place = places[number]
            stored, kept = du(place.registry.folder), place.way.kept() - began[number]
            stages[number].append(Stage(tuple(jobs), stored, kept))
    return stages


def _jobs(places: Sequence[Place], event: Event) -> list[list[Job]]:
    jobs: list[list[Job]] = [[] for _ in places]
    for place in places:
        event.change(place.way.repo)
    images = [*((base, "") for base in event.bases), *((m.name, m.base) for m in event.services)]
    for image, base in images:
        for place, done in zip(places, jobs, strict=True):
            if base or place.way.has_bases:
                done.append(_job(place, image, base))
    return jobs


def _job(place: Place, image: str, base: str) -> Job:
    before = place.counter.sent
    build, push = place.way.build(image), place.way.push(image)
    done = Job(image, base, build, push, place.counter.sent - before)
    said = f"{image}: build {build:.1f} s, push {push:.1f} s, sent {done.sent / 1e6:.1f} MB"
    sys.stderr.write(f"{type(place.way).__name__} {said}\n")
    return done


@contextmanager
def measured(
    prepared: Prepared, happening: Sequence[Event], folder: Path, options: str
) -> Iterator[tuple[Sequence[Stage], ...]]:
    """The stages of everything in one image, of shared bases by Docker, and of basestore.

    ``options``: pip's, besides. Ending the services and removing all that they hold takes minutes.
    """
    by_docker = partial(_docker, prepared, options)
    with (
        by_docker(folder / "all-in-one", AllInOne) as all_in_one,
        by_docker(folder / "shared-base", SharedBase) as shared_base,
        _basestore(prepared, folder / "basestore") as basestore,
    ):
        yield tuple(follow((all_in_one, shared_base, basestore), happening))


@contextmanager
def _docker(
    prepared: Prepared, options: str, folder: Path, way: Callable[[Monorepo, Docker], Way]
) -> Iterator[Place]:
    """A way that builds with an engine of its own."""
    with _served(folder) as (place, counter), _engine(prepared, folder) as docker:
        made = Docker(docker, folder / "engine" / "data", counter.address, options)
        yield Place(way(prepared.before.copy(folder / "repo"), made), place, counter)


@contextmanager
def _basestore(prepared: Prepared, folder: Path) -> Iterator[Place]:
    """basestore, with everything fetched and nothing made."""
    with _served(folder) as (place, counter):
        artifacts, store = prepared.artifacts, Store.open(folder / "store")
        bring(artifacts.source, store, artifacts.artifacts)
        repo = prepared.before.copy(folder / "repo")
        for record in ("images", "services"):
            (repo.folder / "locks" / f"{record}.toml").unlink()
        basestore = Basestore(repo.folder, store.root)
        yield Place(Assembled(repo, basestore, counter.address), place, counter)


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Registry, Counter]]:
    """An empty registry, and what counts the bytes sent to it."""
    folder.mkdir()
    with registry(folder / "registry") as place, counting(place.address) as counter:
        yield place, counter


@contextmanager
def _engine(prepared: Prepared, folder: Path) -> Iterator[Engine]:
    """An engine that has the foundation with pip, and the wheels."""
    with engine(folder / "engine") as docker:
        locked = prepared.foundation
        write = partial(write_foundation, locked, locked.source)
        import_image(docker, "foundation", locked.lock.image.env, write)
        import_image(docker, "wheels", (), partial(write_wheels, prepared.artifacts))
        context = folder / "pip"
        copy_pip(context / "site-packages")
        python = f"python{locked.platform.python.rpartition('.')[0]}"
        (context / "Dockerfile").write_text(WITH_PIP.format(python=python))
        docker("build", "--network", "none", "--tag", FOUNDATION, str(context))
        yield docker
