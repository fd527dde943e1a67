"""The replay of past weeks: what following images costs, and how plans compare."""

from collections.abc import Mapping, Sequence

import pytest
from bench.replay.compare import compare
from bench.replay.orders import ORDERS, in_hindsight, ordered
from bench.replay.plans import (
    Cut,
    Plan,
    Week,
    by_name,
    by_size,
    one_layer,
    popular,
    popularity,
    salted,
    shaped,
)
from bench.replay.simulation import Costs, Image, Layer, follow
from bench.replay.table import Row, document, markdown
from hypothesis import given
from hypothesis import strategies as st
from planning import AMD64, wheel

from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.recipe.plan import SHAPE, Shape

SMALL = Shape(heavy=100, alone=3, buckets=2)
NAMES = [f"p{n}" for n in range(12)]
REQUIRES = {"p0": ("p1", "p2"), "p1": ("p2",), "p3": ("p2",), "p4": ("p0",)}


def layers(text: str) -> Image:
    """``a1 b2``: a layer ``a1`` of one byte below a layer ``b2`` of two."""
    return tuple(Layer(word, int(word[1:])) for word in text.split())


def week(versions: Mapping[str, tuple[int, int]]) -> Week:
    """A week's packages by name, with version and size; every third one is the parent's."""
    wheels = [
        wheel(name, size, "ml" if int(name[1:]) % 3 else "runtime", str(version))
        for name, (version, size) in sorted(versions.items())
    ]
    wheels.sort(key=lambda one: one.generation != "runtime")
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), tuple(wheels))
    return Week(Lock("ml", ImageConfig(), (platform,), ("runtime", "ml")), platform, REQUIRES)


WEEKS = st.lists(
    st.dictionaries(
        st.sampled_from(NAMES), st.tuples(st.integers(1, 3), st.integers(1, 300)), min_size=1
    ).map(week),
    min_size=1,
    max_size=6,
)

CUTS: Sequence[Cut] = [
    by_name,
    by_size,
    popular(0),
    popular(4),
    shaped(SHAPE),
    shaped(SMALL),
    salted(SMALL, "x"),
    *(ordered(SMALL, order) for order in ORDERS.values()),
]


def costs(cut: Cut, weeks: Sequence[Week]) -> Costs:
    return follow([Plan("", cut).image(one) for one in weeks])


@pytest.mark.parametrize(
    ("images", "pushed", "pulled"),
    [
        (["a1 b2 c4"], 7, 7),
        (["a1 b2 c4", "a1 b2 c4"], 7, 7),
        (["a1 b2 c4", "a1 b2 d8"], 15, 15),
        (["a1 b2 c4", "d8 b2 c4"], 15, 21),
        (["a1 b2 c4", "a1 d8 c4"], 15, 19),
        (["a1 b2", "b2 a1"], 3, 6),
        (["a1 b2", "a1 d8", "a1 b2"], 11, 11),
        (["a1 b2", "a1"], 3, 3),
    ],
    ids=["first", "same", "top", "lowest", "between", "swapped", "back again", "shorter"],
)
def test_an_engine_pulls_again_what_lies_above_a_change(
    images: Sequence[str], pushed: int, pulled: int
) -> None:
    found = follow([layers(text) for text in images])

    assert (found.pushed, found.pulled) == (pushed, pulled)


def test_layers_are_counted_at_the_end_and_at_most() -> None:
    found = follow([layers("a1 b2 c4"), layers("a1")])

    assert (found.layers, found.most_layers) == (1, 3)


@given(WEEKS)
def test_every_plan_lies_between_one_layer_a_wheel_and_one_layer(weeks: list[Week]) -> None:
    least, most = costs(by_name, weeks), costs(one_layer, weeks)
    assert most.pushed == most.pulled
    for cut in (*CUTS, in_hindsight(SMALL, weeks)):
        found = costs(cut, weeks)
        assert least.pushed <= found.pushed <= found.pulled <= most.pulled


@given(WEEKS)
def test_every_plan_holds_every_wheel_once(weeks: list[Week]) -> None:
    for one in weeks:
        wanted = sorted(wheel.sha256.hex for wheel in one.platform.wheels)
        for cut in (one_layer, *CUTS, in_hindsight(SMALL, weeks)):
            held = [wheel.sha256.hex for group in cut(one) for wheel in group]
            assert sorted(held) == wanted


@given(WEEKS)
def test_an_order_moves_what_is_pulled_only(weeks: list[Week]) -> None:
    ours = costs(shaped(SMALL), weeks)
    for order in ORDERS.values():
        found = costs(ordered(SMALL, order), weeks)
        assert (found.pushed, found.layers) == (ours.pushed, ours.layers)


def test_what_changed_most_often_lies_on_top_in_hindsight() -> None:
    weeks = [week({"p1": (n, 200), "p2": (1, 100), "p4": (n // 2, 150)}) for n in range(4)]

    assert [group[0].name for group in in_hindsight(SMALL, weeks)(weeks[0])] == ["p2", "p4", "p1"]


def test_compiled_wheels_can_lie_below_pure_ones() -> None:
    pure = wheel("pure", 300)
    compiled = Wheel("fast", "1", "fast-1-cp311-cp311-linux_x86_64.whl", 200, pure.sha256, "base")
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), (compiled, pure, wheel("tail", 1)))
    one = Week(Lock("ml", ImageConfig(), (platform,), ("base",)), platform, {})
    order = ORDERS["compiled heavy by size, pure ones by size, buckets"]

    found = [group[0].name for group in ordered(SMALL, order)(one)]

    assert found == ["fast", "pure", "tail"]


def test_popularity_counts_all_that_lead_to_a_package() -> None:
    assert popularity(REQUIRES) == {"p2": 4, "p1": 2, "p0": 1}


def test_the_most_popular_lie_lowest_and_the_rest_is_one_layer() -> None:
    one = week(dict.fromkeys(NAMES, (1, 1)))
    first, second, rest = popular(2)(one)

    assert (first[0].name, second[0].name, len(rest)) == ("p2", "p1", len(NAMES) - 2)


def test_another_salt_changes_buckets_but_not_what_is_alone() -> None:
    one = week({name: (1, 200 if name == "p0" else 1) for name in NAMES})
    cuts = [salted(SMALL, str(salt))(one) for salt in range(8)]

    assert all(cut[0][0].name.startswith("p0") for cut in cuts)
    assert len({tuple(len(group) for group in cut) for cut in cuts}) > 1


def test_the_table_tells_every_plan_once_and_its_share_of_one_layer() -> None:
    weeks = [week({"p1": (n, 2 << 20), "p2": (1, 2 << 20)}) for n in range(2)]
    rows = list(compare([(one,) for one in weeks], [Shape(1, 25, 4)]))
    ours = next(row for row in rows if row.plan.startswith("ours"))

    assert len({(row.section, row.plan) for row in rows}) == len(rows)
    assert (ours.pushed, ours.costs.layers) == (0.75, 3)
    assert any(row.plan == "0 KiB, 25 alone, 4 buckets" for row in rows)


def test_a_row_is_told_to_people_and_machines() -> None:
    row = Row(
        "plan", "ours", Costs(1_500_000_000, 2_000_000_000, 3, 4), Costs(6 * 10**9, 8 * 10**9, 2, 2)
    )

    assert (
        "| ours |      1.500 |        0.250 |      2.000 |        0.250 |     3 (4) |"
        in markdown([row])
    )
    (entry,) = document([row])
    assert (entry["pushed"], entry["pulled_ratio"], entry["most_layers"]) == (
        1_500_000_000,
        0.25,
        4,
    )
