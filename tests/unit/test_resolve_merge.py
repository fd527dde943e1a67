"""One origin out of those of several platforms."""

from datetime import UTC, datetime, timedelta

from basestore.lock.origin import DebOrigin, PackageOrigin
from basestore.resolve.merge import merge_debs, merge_packages

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_platforms_are_merged() -> None:
    early = NOON - timedelta(days=1)
    amd64 = {"a": PackageOrigin("default", ("b",), early), "b": PackageOrigin("default")}
    arm64 = {"a": PackageOrigin("default", ("c",), NOON), "c": PackageOrigin("cpu")}
    assert merge_packages([amd64, arm64]) == {
        "a": PackageOrigin("default", ("b", "c"), NOON),
        "b": PackageOrigin("default"),
        "c": PackageOrigin("cpu"),
    }
    assert merge_debs([{"a": DebOrigin("s", ("b",))}, {"a": DebOrigin("s", ("c",))}]) == {
        "a": DebOrigin("s", ("b", "c"))
    }
