"""What the replay compares, and by which figures."""

from collections.abc import Iterable, Iterator, Sequence

from bench.replay.orders import ORDERS, in_hindsight, ordered
from bench.replay.plans import (
    Cut,
    Family,
    Plan,
    Week,
    by_name,
    by_size,
    one_layer,
    popular,
    salted,
    shaped,
)
from bench.replay.simulation import Costs, follow
from bench.replay.table import Row

from basestore.recipe.plan import SHAPE, Shape, TooManyLayersError

KIB, MIB = 1024, 1024 * 1024
HEAVY = (256 * KIB, 512 * KIB, MIB, 2 * MIB, 5 * MIB)
BUCKETS = (4, 8, 16)
ALONE = (8, 12, 16, 25, 33)
POPULAR = (16, 32, 64)
SALTS = 15

Section = tuple[str, Sequence[Plan]]
"""Plans that are compared with each other, under a heading."""


def compare(families: Sequence[Family], asked: Sequence[Shape]) -> Iterator[Row]:
    """Every plan, followed over the weeks; ``asked`` are shapes to compare besides."""
    weeks = [family[-1] for family in families]
    everything = [week for family in families for week in family]
    yield from _rows(_sections(weeks, asked), weeks)
    yield from _rows([("order, all images of the family pulled", _orders())], everything)
    base = _costs(one_layer, weeks)
    for name, costs in _luck(weeks):
        yield Row(f"{_words(SHAPE)}, {SALTS} other hashes", name, costs, base)


def _rows(sections: Iterable[Section], weeks: Sequence[Week]) -> Iterator[Row]:
    base = _costs(one_layer, weeks)
    for section, plans in sections:
        for plan in plans:
            try:
                yield Row(section, plan.name, _costs(plan.cut, weeks), base)
            except TooManyLayersError:
                continue  # this family has no such plan


def _sections(weeks: Sequence[Week], asked: Sequence[Shape]) -> Iterator[Section]:
    yield (
        "plan",
        [
            Plan("one layer", one_layer),
            *(Plan(f"the {n} most needed alone, one layer", popular(n)) for n in POPULAR),
            Plan("one layer a wheel, by name", by_name),
            Plan("one layer a wheel, by size", by_size),
            Plan(f"ours: {_words(SHAPE)}", shaped(SHAPE)),
            *(Plan(_words(shape), shaped(shape)) for shape in asked),
        ],
    )
    grid = [Shape(heavy, SHAPE.alone, buckets) for heavy in HEAVY for buckets in BUCKETS]
    yield "threshold and buckets", [Plan(_words(shape), shaped(shape)) for shape in grid]
    most = [Shape(HEAVY[0], alone, SHAPE.buckets) for alone in ALONE]
    yield "most alone", [Plan(_words(shape), shaped(shape)) for shape in most]
    hindsight = Plan("by chance to change, in hindsight", in_hindsight(SHAPE, weeks))
    yield "order", [*_orders(), hindsight]


def _orders() -> Sequence[Plan]:
    return [Plan(name, ordered(SHAPE, order)) for name, order in ORDERS.items()]


def _luck(weeks: Sequence[Week]) -> Iterator[tuple[str, Costs]]:
    """How much of the figures is owed to the hash that chooses the buckets."""
    found = [_costs(salted(SHAPE, str(salt)), weeks) for salt in range(SALTS)]
    found.sort(key=lambda costs: costs.pushed)
    yield from zip(
        ("least", "median", "most"), (found[0], found[SALTS // 2], found[-1]), strict=True
    )


def _costs(cut: Cut, weeks: Sequence[Week]) -> Costs:
    return follow([Plan("", cut).image(week) for week in weeks])


def _words(shape: Shape) -> str:
    unit, name = (MIB, "MiB") if shape.heavy % MIB == 0 else (KIB, "KiB")
    return f"{shape.heavy // unit} {name}, {shape.alone} alone, {shape.buckets} buckets"
