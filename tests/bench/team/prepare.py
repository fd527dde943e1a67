"""What is there before anything is measured: locks, fetched wheels, and a small release to come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.team.members import Member, bases_of
from bench.team.monorepo import PROFILES, Monorepo, make_monorepo
from bump import list_all, post_release
from command import Basestore, CommandError
from figures import LackingError
from index import serve
from wheels import AMD64, Locked, bring

from basestore.cli.settings import read_settings
from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.store import Store

RELEASED = "ml"
"""The base of which one package gets a new version."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The repository before and after one of a base's packages got a new version.

    ``foundation``: a lock that has it, in a store that has its layer. ``artifacts``: the .debs and
    wheels of everything, in a store that has nothing else. ``released``: the package. ``locking``:
    seconds that the new locks took.
    """

    before: Monorepo
    after: Monorepo
    foundation: Locked
    artifacts: Locked
    released: str
    locking: float


def prepare(folder: Path, team: Sequence[Member]) -> Prepared:
    """Lock and fetch, by network where the user's store lacks something; raises LackingError."""
    before = make_monorepo(folder / "before", team)
    services = [member.name for member in team]
    names = [*bases_of(team), *services]
    store = Store.open(read_settings().store)
    basestore = Basestore(before.folder, store.root)
    try:
        basestore("lock", *PROFILES)
        basestore("lock", *services)
        basestore("build", *names)
    except CommandError as error:
        raise LackingError(f"bases and services can't be locked and fetched: {error}") from None
    artifacts = Store.open(folder / "artifacts")
    locks = [_locked(before, name, store) for name in names]
    for lock in locks:
        bring(store, artifacts, lock.artifacts)
    after = before.copy(folder / "after")
    (base,) = (lock for lock in locks if lock.name == RELEASED)
    released = _smallest(base)
    new = post_release(base, released, 1, folder)
    artifacts.blobs.add(new.read_bytes())
    locking = _release(after, _together(locks, artifacts), released.name, new)
    locks += [_locked(after, name, artifacts) for name in names]
    together = _together(locks, artifacts)
    return Prepared(before, after, base, together, released.name, locking)


def _locked(repo: Monorepo, name: str, source: Store) -> Locked:
    lock = repo.lock(name)
    return Locked(lock, lock.platform(AMD64), source)


def _smallest(base: Locked) -> Wheel:
    """The smallest of the base's own wheels."""
    own = (wheel for wheel in base.platform.wheels if wheel.generation == base.name)
    return min(own, key=lambda wheel: wheel.size)


def _together(locks: Sequence[Locked], source: Store) -> Locked:
    """The first lock, with the wheels of all."""
    wheels = {wheel.file: wheel for lock in locks for wheel in lock.platform.wheels}
    first = locks[0]
    return Locked(first.lock, replace(first.platform, wheels=tuple(wheels.values())), source)


def _release(repo: Monorepo, locked: Locked, name: str, new: Path) -> float:
    """Lock a new version of a package, with indexes on loopback; how long it took, in seconds."""
    followers = [path.stem for path in (repo.folder / "locks").glob("*.lock")]
    followers = [one for one in followers if repo.lock(one).base == RELEASED]
    with serve() as index:
        list_all(index, locked)
        index.list_wheel(name, new, new.name, Digest.of(new.read_bytes()).hex)
        environ = {
            "BASESTORE_MIRROR_DEFAULT": index.url,
            "BASESTORE_MIRROR_PYTORCH_CPU": index.url,
            "UV_CACHE_DIR": str(new.parent / "uv"),
        }
        basestore = Basestore(repo.folder, locked.source.root, environ)
        base = basestore("lock", RELEASED, "--upgrade-package", name).wall
        return base + basestore("lock", *followers).wall
