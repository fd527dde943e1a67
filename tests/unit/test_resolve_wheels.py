"""Choosing one of a version's wheels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.resolve.explain import ChangedWheelError, NoWheelError, Wanted
from basestore.resolve.wheels import choose, keep
from basestore.sources.pylock import IndexedPackage, IndexedWheel
from basestore.sources.uv import Target
from basestore.target import Platform

TARGET = Target(Platform("amd64"), "3.11.2", "2.36")
WANTED = Wanted("runtime", TARGET, ())
BEST_FIRST = [
    "lib-1.0-cp311-cp311-manylinux_2_36_x86_64.whl",
    "lib-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "lib-1.0-cp311-cp311-linux_x86_64.whl",
    "lib-1.0-cp311-abi3-manylinux_2_17_x86_64.whl",
    "lib-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",
    "lib-1.0-cp311-none-any.whl",
    "lib-1.0-10-py3-none-any.whl",
    "lib-1.0-9b-py3-none-any.whl",
    "lib-1.0-9a-py3-none-any.whl",
    "lib-1.0-py2.py3-none-any.whl",
]
UNFIT = [
    "lib-1.0-cp311-cp311-manylinux_2_37_x86_64.whl",
    "lib-1.0-cp311-cp311-manylinux_2_17_aarch64.whl",
    "lib-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    "lib-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
    "lib-1.0-cp311-cp311-win_amd64.whl",
    "lib-1.0.whl",
]


def offered(files: list[str]) -> IndexedPackage:
    wheels = tuple(IndexedWheel(f, f"http://x/{f}", Digest.of(f.encode()), 1, None) for f in files)
    return IndexedPackage("lib", "1.0", wheels)


def locked(file: str, sha256: Digest | None = None) -> Wheel:
    return Wheel("lib", "1.0", file, 1, sha256 or Digest.of(file.encode()), "runtime")


@given(st.sets(st.sampled_from(BEST_FIRST), min_size=1), st.sets(st.sampled_from(UNFIT)), st.data())
def test_the_best_is_chosen_whatever_the_order(
    fit: set[str], unfit: set[str], data: st.DataObject
) -> None:
    files = data.draw(st.permutations(sorted(fit | unfit)))

    assert choose(offered(files), WANTED, ("lib",)).file == min(fit, key=BEST_FIRST.index)


def test_none_that_fits() -> None:
    with pytest.raises(NoWheelError, match=r"lib 1\.0 has no wheel that runs there"):
        choose(offered(UNFIT), WANTED, ("lib",))


@given(st.sampled_from(BEST_FIRST))
def test_a_locked_wheel_stays_though_a_better_one_is_there(file: str) -> None:
    kept = keep(offered(BEST_FIRST), locked(file), TARGET)

    assert kept is not None
    assert kept.file == file


def test_a_locked_wheel_that_runs_no_more_is_let_go() -> None:
    assert keep(offered(BEST_FIRST), locked(UNFIT[2]), TARGET) is None


def test_a_wheel_is_known_by_its_bytes_not_its_name() -> None:
    renamed = locked("lib-1.0-py3-none-any.whl", Digest.of(BEST_FIRST[0].encode()))
    kept = keep(offered(BEST_FIRST[:1]), renamed, TARGET)

    assert kept is not None
    assert kept.file == BEST_FIRST[0]


@pytest.mark.parametrize(
    ("files", "reason"),
    [(BEST_FIRST, "has it with sha256"), (BEST_FIRST[:2], "has it no more")],
)
def test_a_locked_wheel_that_changed_is_an_error(files: list[str], reason: str) -> None:
    with pytest.raises(ChangedWheelError, match=reason):
        keep(offered(files), locked(BEST_FIRST[5], Digest("0" * 64)), TARGET)
