"""Reasons in the user's words."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.profile.model import Location, Requirement
from basestore.resolve.explain import (
    Demand,
    NoWheelError,
    ResolutionError,
    UnknownPackageError,
    Wanted,
    explain,
    no_wheel,
    shortest_path,
)
from basestore.sources.uv import Target
from basestore.sources.uv_failure import UnsatisfiableError
from basestore.target import Platform

TARGET = Target(Platform("amd64"), "3.11.2", "2.36")
WANTED = Wanted(
    "my_ml",
    TARGET,
    tuple(
        Demand.of(Requirement(name, name, Location("profiles/my_ml.toml", line)))
        for line, name in enumerate(["app", "zope-interface", "lib"], start=3)
    ),
)


def test_the_stand_in_for_the_profile_never_shows() -> None:
    reason = f"Because {WANTED.project} depends on Zope.Interface and app, nothing works."
    error = explain(UnsatisfiableError(reason), WANTED)

    assert type(error) is ResolutionError
    assert error.message == (
        "profile my_ml has no resolution on linux/amd64 with Python 3.11.2: "
        "profiles/my_ml.toml:3 asks for app; profiles/my_ml.toml:4 asks for zope-interface; "
        "because profile my_ml depends on Zope.Interface and app, nothing works"
    )
    assert [demand.name for demand in error.demands] == ["app", "zope-interface"]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Because ghost was not found in the package registry and", UnknownPackageError),
        ("Because ghost was not found in the cache and", UnknownPackageError),
        ("Because win==1 has no wheels with a matching platform tag (e.g., `x`)", NoWheelError),
        ("Because all versions of win have no wheels with a matching Python ABI", NoWheelError),
        ("Because old==1.0 has no usable wheels and", NoWheelError),
        ("Because only lib<=2.5 is available and", ResolutionError),
    ],
)
def test_kinds_of_reasons(reason: str, kind: type) -> None:
    assert type(explain(UnsatisfiableError(reason), WANTED)) is kind


def test_prereleases_have_a_hint_of_their_own() -> None:
    error = explain(UnsatisfiableError("Because of that", prereleases=True), WANTED)

    assert "pre-releases" in error.hint


def test_a_missing_wheel_is_told_with_its_path() -> None:
    error = no_wheel("win", "1.0", WANTED, ("app", "needy", "win"))

    assert "profiles/my_ml.toml:3 asks for app; win 1.0 has no wheel that runs there" in str(error)
    assert "app -> needy -> win" in error.message


graphs = st.dictionaries(
    st.integers(0, 9).map(str), st.lists(st.integers(0, 9).map(str), max_size=4), max_size=10
)


@given(graphs, st.lists(st.integers(0, 9).map(str), max_size=3), st.integers(0, 9).map(str))
def test_a_path_leads_there_and_none_is_shorter(
    requires: dict[str, list[str]], roots: list[str], package: str
) -> None:
    path = shortest_path(package, roots, requires)

    assert path[-1] == package
    assert all(b in requires[a] for a, b in pairwise(path))
    steps, reached = 0, set(roots)
    while package not in reached and steps < 10:
        reached |= {needed for name in reached for needed in requires.get(name, ())}
        steps += 1
    if package in reached:
        assert path[0] in roots
        assert len(path) == steps + 1
    else:
        assert path == (package,)
