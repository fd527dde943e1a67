"""The wheels that are measured, a lock's or a folder's, and stores that hold nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from figures import LackingError

from basestore.cli.settings import read_settings
from basestore.digest import Digest
from basestore.lock.codec import parse
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.recipe.model import FoundationRecipe, Recipe
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store
from basestore.target import Platform

ROOT = Path(__file__).parent.parent.parent
AMD64 = Platform("amd64")


@dataclass(frozen=True)
class Locked:
    """A lock's artifacts for linux/amd64, all of them in ``source``."""

    lock: Lock
    platform: PlatformLock
    source: Store

    @property
    def name(self) -> str:
        """The profile's name."""
        return self.lock.profile

    @property
    def wheels(self) -> tuple[Path, ...]:
        """Where the wheels lie."""
        return tuple(self.source.blobs.path(wheel.sha256) for wheel in self.platform.wheels)

    @property
    def wheel_bytes(self) -> int:
        """The wheels' size."""
        return sum(wheel.size for wheel in self.platform.wheels)

    @property
    def artifacts(self) -> tuple[Digest, ...]:
        """Every blob that a build starts from."""
        wheels = (wheel.sha256 for wheel in self.platform.wheels)
        return (*wheels, *(deb.sha256 for deb in self.platform.debs))

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The layers' recipes, the foundation's first."""
        return plan(self.lock, self.platform)

    def fresh(self, folder: Path) -> Store:
        """A store with the artifacts and nothing else, so that no record and no layer helps."""
        made = Store.open(folder)
        bring(self.source, made, self.artifacts)
        return made


def locked(profile: str) -> Locked:
    """A profile's lock, its artifacts brought into the user's store where they lack.

    Raises LackingError where they can't be.
    """
    file = f"locks/{profile}.lock"
    lock = parse((ROOT / file).read_bytes(), file)
    found = Locked(lock, lock.platform(AMD64), Store.open(read_settings().store))
    if not all(map(found.source.blobs.has, found.artifacts)):
        build = ["build", profile, "--platform", str(AMD64)]
        command = [sys.executable, "-m", "basestore", "--project", str(ROOT), *build]
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
            raise LackingError(
                f"what {file} names can't be fetched: see `basestore build {profile}`"
            )
    return found


def wheels_of(folder: Path, store: Store) -> Locked:
    """A lock of a folder's best wheel of each name, which come into the store."""
    from packaging.utils import parse_wheel_filename

    order = {tag: number for number, tag in enumerate(AMD64.tags("3.11.2", "2.36"))}
    best: dict[str, tuple[int, Wheel]] = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, tags = parse_wheel_filename(path.name)
        rank = min((order[tag] for tag in tags if tag in order), default=None)
        if rank is not None and rank < best.get(name, (len(order), None))[0]:
            digest = store.blobs.add(path.read_bytes())
            size = path.stat().st_size
            best[name] = rank, Wheel(name, str(version), path.name, size, digest, folder.name)
    wheels = tuple(best[name][1] for name in sorted(best))
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), wheels)
    return Locked(Lock(folder.name, ImageConfig(), (platform,), (folder.name,)), platform, store)


def bring(source: Store, to: Store, digests: Iterable[Digest]) -> None:
    """Bring blobs from a store to another; links where the file system has them, else copies."""
    for digest in digests:
        place = to.blobs.path(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            continue
        try:
            place.hardlink_to(source.blobs.path(digest))
        except OSError:
            shutil.copyfile(source.blobs.path(digest), place)


def bring_layer(source: Store, to: Store, recipe: Recipe) -> Realisation:
    """Bring a layer that was made in a store to another, with its record."""
    made = source.realisations.of_recipe(recipe.digest)
    if made is None:
        raise LookupError(f"no layer of {recipe.digest} in {source.root}")
    bring(source, to, made.needs)
    to.realisations.record(recipe.digest, made)
    return made


def runner(platform: PlatformLock) -> FoundationRecipe:
    """The foundation of a platform."""
    return FoundationRecipe(platform.platform, platform.python, platform.debs)


def disk(folder: Path) -> int:
    """The bytes that a folder's files take on the disk."""
    paths = (Path(top) / name for top, _, names in os.walk(folder) for name in names)
    return sum(path.stat().st_blocks * 512 for path in paths)
