"""A small world to resolve in: real uv with a cache of its own, profiles in one line."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uv
from locked_project import solved
from loopback_index import LoopbackIndex
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.lock import codec
from basestore.lock.held import Case, Kind, held
from basestore.lock.inputs import inputs
from basestore.lock.model import Lock, Wheel
from basestore.lock.origin import Head
from basestore.profile.model import DebianFoundation, Index, Location, Profile, Requirement
from basestore.profile.names import normalised
from basestore.profile.policy import Forbid, Policy
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.known import Known, Locked
from basestore.resolve.pin import Pinner, tells
from basestore.resolve.ports import Ports, SolveOptions
from basestore.resolve.sizes import measure
from basestore.resolve.solve import Solution, solve
from basestore.sources.uv import Uv
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import Transport

AMD64, ARM64 = Platform("amd64"), Platform("arm64")

_HARMLESS = ("PATH", "SYSTEMROOT", "TMPDIR")


FOUNDATION = solved()


@dataclass
class World:
    """Where uv, transport and store of a test live. ``index`` is the default one.

    ``program``: another uv than the one beside the tests.
    """

    folder: Path
    index: LoopbackIndex
    environ: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    foundation: SolvedFoundation = FOUNDATION
    solved_foundations: list[Platform] = field(default_factory=list)
    program: Path | None = None

    @property
    def uv(self) -> Uv:
        """uv with an empty home, asking the loopback index by default."""
        environ = {key: os.environ[key] for key in _HARMLESS if key in os.environ}
        environ |= {
            "HOME": str(self.folder / "home"),
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_HTTP_RETRIES": "0",
            "UV_DEFAULT_INDEX": self.index.url,
        }
        program = Path(os.environ.get("BASESTORE_TEST_UV") or uv.find_uv_bin())
        return Uv(program, Path(sys.executable), {**environ, **self.environ}, self.mirrors)

    @property
    def store(self) -> Store:
        """The store of the test."""
        return Store.open(self.folder / "store")

    def solve(
        self, profile: Profile, known: Known | None = None, options: SolveOptions | None = None
    ) -> Solution:
        """Solve as the pipeline does."""
        with Transport() as transport:
            ports = Ports(
                self.uv,
                self._solve_foundation,
                lambda wheels: measure(self.store, transport, wheels, Progress()),
                pin=Pinner(self.store, transport, Progress()),
                tells=partial(tells, transport),
            )
            solution = solve(profile, known or Known(), options or SolveOptions(), ports)
        assert findings(profile, solution, known) == []
        return solution

    def lock(self, *requirements: str, **fields: object) -> Lock:
        """The lock of a profile made of requirements."""
        return self.solve(profile(*requirements, **fields)).lock

    def relock(self, previous: Locked, *requirements: str, upgrade: Sequence[str] = ()) -> Lock:
        """The lock of the same, where there is one already."""
        options = SolveOptions(upgrade=frozenset(upgrade))
        return self.solve(profile(*requirements), Known(previous=previous), options).lock

    def locked(self, wanted: Profile, known: Known | None = None) -> Locked:
        """The lock of a profile with its origin, as the pipeline writes them."""
        solution = self.solve(wanted, known)
        digest = Digest.of(codec.write(solution.lock))
        head = Head(digest, inputs(wanted, None).digest, {})
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        parts = inputs(wanted, None).parts
        return Locked(solution.lock, solution.origin(head, parts, "uv", moment))

    def _solve_foundation(self, platform: Platform) -> SolvedFoundation:
        self.solved_foundations.append(platform)
        return self.foundation


def findings(profile: Profile, solution: Solution, known: Known | None) -> list[str]:
    """What a solution isn't held to its profile by: nothing, whatever was solved.

    But for foundations, which are not solved here: tests say what they are.
    """
    data = codec.write(solution.lock)
    now = inputs(profile, None)
    head = Head(Digest.of(data), now.digest, {})
    how = solution.origin(head, now.parts, "uv", datetime(2026, 1, 1, tzinfo=UTC))
    read = codec.parse(data, "x.lock")
    above = known.parent.lock if known and known.parent else None
    found = held(Case(profile, read, how, above))
    return [str(finding) for finding in found if finding.kind is not Kind.FOUNDATION]


def profile(*requirements: str, **fields: object) -> Profile:
    """A profile ``runtime`` whose requirements stand in its file from line 3 on."""
    name = str(fields.pop("name", "runtime"))
    patterns = fields.pop("forbid", ())
    plain = Profile(
        name=name,
        python="3.11",
        platforms=(AMD64,),
        foundation=DebianFoundation("bookworm", ("python3.11",)),
        requirements=tuple(
            _requirement(text, Location(f"profiles/{name}.toml", line))
            for line, text in enumerate(requirements, start=3)
        ),
    )
    parent = fields.get("parent")
    inherited = parent.policy if isinstance(parent, Profile) else Policy()
    return replace(plain, policy=inherited.plus(_forbidding(name, patterns)), **fields)


def _forbidding(name: str, patterns: Sequence[str]) -> Policy:
    place = Location(f"profiles/{name}.toml", 1)
    return Policy(tuple(Forbid(place, pattern) for pattern in patterns))


def replacing(*names: str, at: str = "profiles/ml.toml") -> dict[str, Location]:
    """The ``replaces`` of a profile, which stands in line 2."""
    return {name: Location(at, 2) for name in names}


def index_for(index: LoopbackIndex, *packages: str, name: str = "special") -> Index:
    """A profile's index that some packages are named for."""
    return Index(name, index.url, packages)


def versions(lock: Lock, platform: Platform = AMD64) -> dict[str, str]:
    """Versions by name."""
    return {wheel.name: wheel.version for wheel in lock.platform(platform).wheels}


def wheel(lock: Lock, name: str, platform: Platform = AMD64) -> Wheel:
    """The wheel of a package."""
    (found,) = (wheel for wheel in lock.platform(platform).wheels if wheel.name == name)
    return found


def native(name: str, version: str = "1.0", machine: str = "x86_64") -> MadeWheel:
    """A wheel with machine code for CPython 3.11."""
    tag = f"cp311-cp311-manylinux_2_17_{machine}"
    return make_wheel(name, version, tag=tag, purelib=False)


def _requirement(text: str, location: Location) -> Requirement:
    from packaging.requirements import Requirement as Parsed

    parsed = Parsed(text)
    return Requirement(normalised(parsed.name), str(parsed), location)
