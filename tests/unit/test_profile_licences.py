"""Licences as policies name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.profile.licences import is_licence, meant_licences
from basestore.profile.policy_lists import LICENCES


@pytest.mark.parametrize(
    "pattern",
    [
        "MIT",
        "agpl-3.0-ONLY",
        "GPL-3.0+",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "* WITH GCC-exception-3.1",
        "LicenseRef-Own",
        "unknown",
        "*Proprietary*",
        *(pattern for patterns in LICENCES.values() for pattern in patterns),
    ],
)
def test_what_some_licence_matches(pattern: str) -> None:
    assert is_licence(pattern)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("GPLv3", ("GPL-3.0-only", "GPL-3.0-or-later")),
        ("LGPLv2.1+", ("LGPL-2.1-only", "LGPL-2.1-or-later")),
        ("Apache2", ("Apache-2.0",)),
        ("GPL", ("GPL-*",)),
        ("bsd", ("bsd-*",)),
        ("MIT-License", ("MIT", "MIT-0")),
        ("GPL-2.0-only WITH nothing", ()),
        ("xyzzy", ()),
    ],
)
def test_what_is_meant_by_what_is_none(text: str, meant: tuple[str, ...]) -> None:
    assert not is_licence(text)
    assert meant_licences(text) == meant


@given(st.text(max_size=20))
def test_what_is_meant_is_a_licence(text: str) -> None:
    assert all(map(is_licence, meant_licences(text)))
