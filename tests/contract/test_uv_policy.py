"""Policies over real locking: uv, an index on loopback, the files that `basestore lock` writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from locked_project import solved
from loopback_index import LoopbackIndex, loopback_index
from resolving import World as Machine
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock.files import read_origin
from basestore.lock.freshness import check
from basestore.lock.policy import PolicyHitError
from basestore.pipeline.lock import Locked, World, lock_profile
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.resolve.learn import Asked, Learned, learn
from basestore.resolve.ports import SolveOptions
from basestore.resolve.sizes import measure
from basestore.sources.pylock import IndexedWheel
from basestore.transport import Transport

FOUNDATION = solved()
NOW = datetime(2026, 1, 5, tzinfo=UTC)  # the index's files were uploaded on 2026-01-02
PROFILE = """python = "3.11"
platforms = ["linux/amd64", "linux/arm64"]
requirements = ["app"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""


@dataclass
class Town:
    """A project with one profile, and the machine that it is locked on.

    ``asked``: the packages that more was to be learned about.
    """

    root: Path
    machine: Machine
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)

    def rule(self, policy: str) -> None:
        """Have this policy, and no other."""
        (self.root / "profiles/runtime.toml").write_text(f"{PROFILE}[policy]\n{policy}\n")

    def lock(self, *upgrade: str) -> Locked:
        """Run `basestore lock`."""
        with Transport() as transport:
            store = self.machine.store

            def sizes(wheels: Sequence[IndexedWheel]) -> Mapping[Digest, int]:
                return measure(store, transport, wheels, Progress())

            def find_out(asked: Sequence[Asked]) -> Mapping[Digest, Learned]:
                self.asked += sorted({one.name for one in asked})
                return learn(store, transport, asked, Progress())

            world = World(self.machine.uv, lambda *_: FOUNDATION, sizes, self.now, find_out)
            wish = SolveOptions(upgrade=frozenset(upgrade))
            return lock_profile(read_project(self.root), "runtime", wish, world)

    def refusal(self, *upgrade: str) -> str:
        """Why the policy refuses to lock."""
        with pytest.raises(PolicyHitError) as caught:
            self.lock(*upgrade)
        return caught.value.message

    @property
    def lock_bytes(self) -> bytes:
        """The lock."""
        return (self.root / "locks/runtime.lock").read_bytes()

    def told(self, name: str) -> tuple[tuple[str, ...] | None, str | None]:
        """What the origin has on a package's licences and standing."""
        origin = read_origin(read_project(self.root), "runtime")
        assert origin
        return origin.packages[name].licences, origin.packages[name].standing


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        served.add(
            make_wheel("app", requires=["lib"]),
            make_wheel("lib", licence="MIT OR GPL-3.0-only"),
        )
        yield served


@pytest.fixture
def town(tmp_path: Path, index: LoopbackIndex) -> Town:
    root = tmp_path / "project"
    (root / "profiles").mkdir(parents=True)
    (root / "profiles/runtime.toml").write_text(PROFILE)
    return Town(root, Machine(tmp_path, index))


def asked_for(index: LoopbackIndex, ending: str) -> list[str]:
    """The requests for what ends so."""
    return [path for _, path in index.requests if path.endswith(ending)]


def test_without_rules_nobody_is_asked_anything_more(town: Town, index: LoopbackIndex) -> None:
    town.lock()
    before = len(index.requests)
    metadata = len(asked_for(index, ".metadata"))
    town.rule('forbid = ["other"]\nmax-total-size = "1 GB"\nminimum-age = "1 day"')

    assert not town.lock().changed

    assert (len(index.requests), len(asked_for(index, ".metadata"))) == (before, metadata)


def test_a_rule_that_refuses_nothing_changes_no_byte_of_the_lock(town: Town) -> None:
    town.lock()
    before = town.lock_bytes
    town.rule('refuse-licences = ["GPL-*"]\nrefuse-yanked = true\nmax-package-size = "1 MB"')

    assert not town.lock().changed

    assert town.lock_bytes == before
    assert town.told("lib") == (("MIT OR GPL-3.0-only",), "offered")
    assert town.told("app") == ((), "offered")
    assert check(read_project(town.root), "runtime", NOW).fresh


@pytest.mark.parametrize("beside", [True, False])
def test_a_licence_is_found_beside_the_wheel_or_inside(
    town: Town, index: LoopbackIndex, beside: bool
) -> None:
    index.add(make_wheel("lib", "2.0", licence="GPL-3.0-only"))
    if not beside:
        for file in list(index.files):
            index.change(file.file, metadata=None)
    town.rule('refuse-licences = ["@copyleft"]')

    assert town.refusal() == (
        "the policy refuses profile runtime: lib 2.0 has the licence GPL-3.0-only, refused as "
        "'GPL-*' of @copyleft (profiles/runtime.toml:8: policy.refuse-licences); "
        "profiles/runtime.toml:3 asks for app, app -> lib"
    )
    assert not (town.root / "locks").exists()


def test_a_licence_that_is_known_is_not_asked_for_again(town: Town, index: LoopbackIndex) -> None:
    town.rule('refuse-licences = ["GPL-*"]')
    town.lock()
    town.asked.clear()
    index.add(make_wheel("app", "2.0", requires=["lib"]))

    assert town.lock("app").changed

    assert town.asked == ["app"]
    assert town.told("lib") == (("MIT OR GPL-3.0-only",), None)


@pytest.mark.parametrize("json", [True, False])
def test_a_wheel_that_was_yanked_after_it_was_locked(
    town: Town, index: LoopbackIndex, json: bool
) -> None:
    index.speaks_json = json
    town.lock()
    index.change("lib-1.0-py3-none-any.whl", yanked=True)
    town.rule("refuse-yanked = true")

    assert "lib 1.0 was yanked from its index (profiles/runtime.toml:8" in town.refusal()

    index.add(make_wheel("lib", "1.1"))
    assert town.lock("lib").changed
    assert town.told("lib") == (None, "offered")


def test_a_private_index_is_asked_with_its_credentials(town: Town, index: LoopbackIndex) -> None:
    index.credentials = ("user", "canary-secret")
    town.machine.environ = {"UV_DEFAULT_INDEX": index.url_with_credentials}
    town.rule('refuse-yanked = true\nrefuse-licences = ["unknown"]')

    refusal = town.refusal()

    assert "app 1.0 has the licence unknown" in refusal
    assert "canary" not in refusal


def test_an_age_is_reached_by_waiting(town: Town) -> None:
    town.rule('minimum-age = "7 days"')
    assert "lib 1.0 was uploaded 2026-01-02 03:04 UTC, so it is too young" in town.refusal()

    town.now += timedelta(days=7)
    assert town.lock().changed
    assert check(read_project(town.root), "runtime", town.now).fresh


def test_a_waiver_stands_in_the_origin_and_runs_out(town: Town) -> None:
    town.rule(
        'forbid = ["lib"]\n[[policy.warn]]\nrule = "forbid"\npackage = "lib"\n'
        'reason = "goes soon"\nuntil = 2026-02-01'
    )

    (warning,) = town.lock().warnings

    assert str(warning).endswith("; only a warning until 2026-02-01: goes soon")
    origin = read_origin(read_project(town.root), "runtime")
    assert origin
    assert origin.head.waived == date(2026, 2, 1)
    assert len(town.lock().warnings) == 1
    town.now = datetime(2026, 2, 2, tzinfo=UTC)
    assert "its exception in profiles/runtime.toml:9 expired on 2026-02-01" in town.refusal()


def test_a_lock_that_is_refused_can_be_mended_by_locking(town: Town, index: LoopbackIndex) -> None:
    town.lock()
    town.rule('forbid = ["lib"]')
    assert "lib 1.0 is forbidden" in town.refusal()
    index.add(make_wheel("app", "2.0"))

    assert town.lock("app").changed

    assert b'name = "app", version = "2.0"' in town.lock_bytes
    assert b'name = "lib"' not in town.lock_bytes


def test_all_reasons_are_told_at_once(town: Town) -> None:
    town.rule(
        'forbid = ["lib"]\nmax-package-size = "10 B"\nnot-together = [["app", "lib"]]\n'
        'require-index = { app = "special" }'
    )
    message = town.refusal()
    assert message.startswith("the policy refuses profile runtime for 5 reasons:\n")
    assert [line.split(" (")[0].strip() for line in message.splitlines()[1:]][:3] == [
        "lib 1.0 is forbidden as 'lib'",
        "app 1.0 and lib 1.0 exclude each other",
        "app 1.0 comes from the index default, not from special",
    ]
