"""A project whose requirements stand in files, locked with real uv over an index on loopback."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from commandline import contents
from locked_project import solved
from resolving import World
from wheelmaker import MadeWheel

from basestore.digest import Digest
from basestore.lock.files import read_lock, read_origin
from basestore.lock.freshness import check
from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.pipeline.fetch import fetch_artifacts
from basestore.pipeline.lock import World as PipelineWorld
from basestore.pipeline.lock import lock_profile
from basestore.profile.model import Profile, Project
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.pin import Pinner, tells
from basestore.resolve.ports import SolveOptions
from basestore.resolve.sizes import measure
from basestore.sources.debian import Debian
from basestore.sources.pylock import IndexedWheel
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import Transport

ROOT = """python = "3.11"
platforms = ["linux/amd64"]
{asked}
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
FOUNDATION = solved()
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass
class Site:
    """A project with the profile ``runtime``; ``machine`` is what it is locked on."""

    root: Path
    machine: World

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)

    def ask(self, asked: str, **files: str) -> None:
        """Write the profile with these lines, and files by their stem (``web`` is app/web.txt)."""
        self.write("profiles/runtime.toml", ROOT.format(asked=asked))
        for stem, text in files.items():
            self.write(f"app/{stem}.txt", text)

    @property
    def project(self) -> Project:
        """The project as it is now."""
        return read_project(self.root)

    def run(self, name: str = "runtime", **wish: object) -> Digest:
        """Lock; the lock digest."""
        with Transport() as transport:

            def sizes(wheels: tuple[IndexedWheel, ...]) -> Mapping[Digest, int]:
                return measure(self.machine.store, transport, wheels, Progress())

            pin = Pinner(self.machine.store, transport, Progress())
            told = partial(tells, transport)
            world = PipelineWorld(
                self.machine.uv, self._foundation, sizes, NOW, pin=pin, tells=told
            )
            digest = lock_profile(self.project, name, SolveOptions(**wish), world).digest
        found = [str(reason) for reason in check(self.project, name).reasons]
        assert found == [], found
        return digest

    def lock(self, name: str = "runtime") -> Lock:
        """The lock as it lies there."""
        return read_lock(self.project, name)[0]

    def origin(self, name: str = "runtime") -> Origin:
        """The origin beside it."""
        found = read_origin(self.project, name)
        assert found is not None
        return found

    def versions(self, name: str = "runtime") -> dict[str, str]:
        """Versions by name."""
        return {wheel.name: wheel.version for wheel in self.lock(name).platforms[0].wheels}

    def files(self) -> dict[str, str]:
        """The names of the wheels' files by package."""
        return {wheel.name: wheel.file for wheel in self.lock().platforms[0].wheels}

    @property
    def fresh(self) -> bool:
        """Whether the lock is fresh."""
        return check(self.project, "runtime").fresh

    def fetch(self) -> Callable[[MadeWheel], bool]:
        """Bring the locked wheels into another store; says which are there."""
        profile, lock = read_profile(self.project, "runtime"), self.lock()
        wanted = frozenset(one.sha256 for part in lock.platforms for one in part.wheels)
        store = Store.open(self.root.parent / "other-store")
        with Transport(sleep=lambda _: None) as transport:
            debian = Debian(store, transport, NOW)
            fetch_artifacts(profile, lock, wanted, debian, self.machine.uv, Progress())
        return lambda made: store.blobs.has(Digest(made.sha256))

    @property
    def written(self) -> dict[str, bytes]:
        """Every file of the project with its content."""
        return contents(self.root)

    def _foundation(self, profile: Profile, platform: Platform) -> SolvedFoundation:
        return FOUNDATION
