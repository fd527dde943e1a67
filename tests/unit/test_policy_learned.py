"""What of a policy's questions is known from the parent's lock."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from basestore.digest import Digest
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.lock.origin import Head, Origin, PackageOrigin
from basestore.profile.place import Location
from basestore.profile.policy import Policy, RefuseYanked
from basestore.resolve.known import Known, Locked
from basestore.resolve.learn import Asked, Learned
from basestore.resolve.policy import learn_for
from basestore.resolve.wheels import Closure
from basestore.sources.pylock import IndexedWheel
from basestore.target import Platform

DIGEST = Digest("a" * 64)
LIB = Wheel("lib", "1.0", "lib-1.0-py3-none-any.whl", 9, DIGEST, "parent")
POLICY = Policy((RefuseYanked(Location("basestore.toml", 2)),))


def parent(standing: str | None) -> Known:
    """A parent's lock with one wheel, and what its origin tells of it."""
    platform = PlatformLock(Platform("amd64"), "3.11.2", "2.36", (), (LIB,))
    origin = Origin(
        Head(DIGEST, DIGEST, {}),
        "uv 1",
        datetime(2026, 11, 20, tzinfo=UTC),
        packages={"lib": PackageOrigin("default", standing=standing)},
    )
    return Known(Locked(Lock("parent", ImageConfig(), (platform,), ("parent",)), origin))


def learned(known: Known, url: str) -> str | None:
    """What is taken for the wheel's standing where the index itself would tell of a yank."""

    def learn(asked: Sequence[Asked]) -> Mapping[Digest, Learned]:
        return {
            one.wheel.sha256: Learned(None, "yanked" if one.index else "untold") for one in asked
        }

    wheel = IndexedWheel(LIB.file, "", DIGEST, 9, None)
    closure = Closure({}, {"lib": ()}, {"lib": "default"}, {"lib": url})
    return learn_for(POLICY, known, [(closure, {"lib": wheel})], learn)[DIGEST].standing


def test_a_wheel_of_the_parent_stands_as_it_stood_where_nobody_can_be_asked() -> None:
    assert learned(parent("offered"), "") == "offered"


def test_an_index_that_is_known_is_asked() -> None:
    assert learned(parent("offered"), "https://i.example/simple") == "yanked"


def test_what_the_parent_did_not_find_out_stays_untold() -> None:
    assert learned(parent(None), "") == "untold"
    assert learned(Known(), "") == "untold"
