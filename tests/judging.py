"""Facts and policies in one line, for tests of the judgement."""

from datetime import UTC, datetime
from pathlib import Path as Folder

from basestore.lock.facts import Facts, Package, PlatformFacts
from basestore.lock.graph import Path
from basestore.lock.policy import Verdict, check
from basestore.profile.place import Location
from basestore.profile.policy import Policy
from basestore.profile.project import read_project
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ASKED = Location("profiles/runtime.toml", 3)

_DEFAULTS: dict[str, object] = {
    "version": "1.0",
    "size": 1000,
    "index": "default",
    "uploaded": datetime(2026, 1, 1, tzinfo=UTC),
    "licences": ("MIT",),
    "standing": "offered",
}


def package(name: str, *by: str, **changes: object) -> Package:
    """A package that is asked for, or brought in by others."""
    return Package(name=name, path=Path(ASKED, (*by, name)), **{**_DEFAULTS, **changes})


def facts(*packages: Package, debs: int = 0, lineage: tuple[str, ...] = ("runtime",)) -> Facts:
    """What there is to judge of a lock for one platform."""
    there = {one.name: one for one in packages}
    return Facts(lineage, (PlatformFacts(AMD64, there, debs),))


def policy(folder: Folder, text: str) -> Policy:
    """The policy of a project whose ``[policy]`` begins in line 1."""
    (folder / "basestore.toml").write_text(f"[policy]\n{text}\n")
    return read_project(folder).policy


def judged(folder: Folder, text: str, *packages: Package, now: datetime = NOW) -> Verdict:
    """The verdict of a policy on packages."""
    return check(policy(folder, text), facts(*packages), now)


def whats(verdict: Verdict) -> list[str]:
    """What the hits say, without rule and path."""
    return [hit.what for hit in verdict.hits]
