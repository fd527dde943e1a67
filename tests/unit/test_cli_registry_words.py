"""``--registry``, which may stand without a value."""

import pytest

from basestore.cli.registry import with_registry

PROFILES = ("ml", "ml.v2", "runtime")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ""),
        ("ml runtime", "ml runtime"),
        ("--registry", "--registry="),
        ("ml --registry", "ml --registry="),
        ("--registry ml", "--registry= ml"),
        ("--registry unknown", "--registry= unknown"),
        ("--registry ml.v2", "--registry= ml.v2"),
        ("--registry ml.v2 runtime", "--registry= ml.v2 runtime"),
        ("--registry ml.v3", "--registry ml.v3"),
        ("--registry ml.v2/team", "--registry ml.v2/team"),
        ("--registry=ml.v2", "--registry=ml.v2"),
        ("--registry host:5000 ml", "--registry host:5000 ml"),
        ("--registry localhost/team ml.v2", "--registry localhost/team ml.v2"),
        ("--registry --json", "--registry= --json"),
        ("--registry -- host:5000", "--registry= -- host:5000"),
        ("-- --registry", "-- --registry"),
    ],
)
def test_it_takes_what_reads_as_a_host_and_is_no_profile(words: str, expected: str) -> None:
    assert with_registry(words.split(), PROFILES) == expected.split()
