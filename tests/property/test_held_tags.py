"""Which wheels run on a platform: the rule is that of the tags that are resolved with."""

from hypothesis import given
from hypothesis import strategies as st

from basestore.lock.held.tags import runs
from basestore.target import Platform

INTERPRETERS = (
    "cp2 cp27 cp30 cp31 cp32 cp39 cp310 cp311 cp312 cp316 cp3 pp311 "
    "py py03 py2 py27 py3 py30 py31 py39 py311 py312 py313"
)
ABIS = "none abi3 abi3t cp311 cp39 cp312 cp311t cp37m"
MACHINES = (
    "any linux_x86_64 linux_aarch64 win_amd64 musllinux_1_2_x86_64 manylinux1 manylinux_2_5 "
    "manylinux1_x86_64 manylinux2010_x86_64 manylinux2014_x86_64 manylinux_2_4_x86_64 "
    "manylinux_2_5_x86_64 manylinux_2_28_x86_64 manylinux_2_36_x86_64 manylinux_2_37_x86_64 "
    "manylinux_2_036_x86_64 manylinux_3_1_x86_64 2_x86_64 17_x86_64 manylinux1_aarch64 "
    "manylinux2010_aarch64 manylinux2014_aarch64 manylinux_2_16_aarch64 manylinux_2_17_aarch64 "
    "manylinux_2_36_aarch64"
)
PARTS = tuple(
    st.lists(st.sampled_from(words.split()), min_size=1, max_size=2)
    for words in (INTERPRETERS, ABIS, MACHINES)
)


@given(
    architecture=st.sampled_from(["amd64", "arm64"]),
    minor=st.integers(6, 16),
    glibc=st.sampled_from(["2.17", "2.28", "2.36", "2.41"]),
    parts=st.tuples(*PARTS),
)
def test_what_runs_has_one_of_the_platforms_tags(
    architecture: str, minor: int, glibc: str, parts: tuple[list[str], ...]
) -> None:
    from packaging.tags import parse_tag

    platform, python = Platform(architecture), f"3.{minor}.2"
    tag = "-".join(".".join(part) for part in parts)
    expected = not set(platform.tags(python, glibc)).isdisjoint(parse_tag(tag))

    assert runs(platform, python, glibc)(f"name-1.0-{tag}.whl") == expected


def test_numbers_that_no_release_has_take_no_time() -> None:
    for python, glibc in (("3.99999999999999.0", "2.36"), ("3.11.2", "2.99999999999999")):
        assert runs(Platform("amd64"), python, glibc)("name-1.0-py3-none-any.whl")
