"""Reasons in the user's words."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.profile.model import Location, Requirement
from basestore.resolve.clash import find_clash
from basestore.resolve.explain import (
    ContradictionError,
    Demand,
    NoWheelError,
    ResolutionError,
    UnknownPackageError,
    Wanted,
    explain,
    no_wheel,
)
from basestore.resolve.paths import shortest_path
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


def test_words_that_nobody_knows_are_shown_as_they_are() -> None:
    error = explain(UnsatisfiableError("Because lib 1.0.2 is wheel-less, all is lost"), WANTED)

    assert type(error) is ResolutionError
    assert "profiles/my_ml.toml:5 asks for lib; because lib 1.0.2 is wheel-less" in error.message
    assert error.hint == "loosen one of these requirements"


def test_prereleases_have_a_hint_of_their_own() -> None:
    error = explain(UnsatisfiableError("Because of that", prereleases=True), WANTED)

    assert "pre-releases" in error.hint


NUMPY = Wheel("numpy", "2.4.6", "numpy-2.4.6-py3-none-any.whl", 1, Digest("1" * 64), "cpu")
SCIPY = replace(NUMPY, name="scipy", version="1.17.1")
ASKED = Requirement("numpy", "numpy>=2", Location("profiles/cpu.toml", 5))
REPLACING = Wanted(
    "ml",
    TARGET,
    (
        Demand.locked(NUMPY, ("numpy",), [ASKED]),
        Demand.locked(SCIPY, ("numpy", "scipy"), [ASKED]),
        Demand.of(Requirement("old", "old", Location("profiles/ml.toml", 7))),
    ),
    replaces=("torch",),
)
REASON = (
    "Because old==1.0 depends on numpy>=1.20,<2 and scipy==1.17.1 depends on numpy>=1.26.4, "
    "(numpy==2.4.6) can't be."
)


def test_a_contradiction_is_about_what_clashes() -> None:
    newest = {"numpy>=2": "2.5", "numpy>=1.20,<2": "1.26.4"}
    error = explain(UnsatisfiableError(REASON), REPLACING, newest.get)

    assert type(error) is ContradictionError
    assert [demand.name for demand in error.demands] == ["old", "numpy"]
    assert (
        "profiles/ml.toml:7 asks for old; profile cpu is locked to numpy 2.4.6 "
        "(profiles/cpu.toml:5 asks for numpy>=2); numpy>=2 allows 2.5 at most; "
        "numpy>=1.20,<2 allows 1.26.4 at most; because old==1.0"
    ) in error.message
    assert 'let ml bring its own, replaces = ["numpy", "torch"]' in error.hint


def test_a_contradiction_that_nothing_more_is_known_of() -> None:
    reason = "Because numpy and scipy and old are what they are."
    error = explain(UnsatisfiableError(reason), REPLACING)

    assert type(error) is ContradictionError
    assert [demand.name for demand in error.demands] == ["old", "numpy", "scipy"]
    assert "numpy>=2, numpy -> scipy); because numpy" in error.message
    assert "--upgrade-package numpy --upgrade-package scipy`" in error.hint


@pytest.mark.parametrize(
    ("reason", "against"),
    [
        ("you require numpy<2 and numpy==2.4.6", ("numpy<2",)),
        ("x depends on numpy>=1,<2.", ("numpy>=1,<2",)),
        ("x depends on numpy>=1, <2, and", ("numpy>=1, <2",)),
        ("x depends on numpy==1.*", ("numpy==1.*",)),
        ("numpy<2 and numpy<2 and numpy!=2.4.6", ("numpy<2", "numpy!=2.4.6")),
        ("numpy>=2, my-numpy<2, numpy-x<2 and numpy", ()),
        ("numpy<=>2", ()),
    ],
)
def test_what_a_reason_says_against_a_version(reason: str, against: tuple[str, ...]) -> None:
    found = find_clash("numpy", "2.4.6", ["numpy>1"], reason, lambda _: None)

    assert (found.against if found else ()) == against
    assert found is None or list(found.allowed) == ["numpy>1", *against]


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
