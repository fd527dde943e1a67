"""The judgements of all references together: no edit may change what another one needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from basestore.pins.edits import Edit
from basestore.pins.judge import Judgement, State, judge
from basestore.pins.model import Occurrence, Place, Target

_Span = tuple[str, int, int]
_Row = tuple[_Span, Edit | None]

_SHARED = "a variable there is part of another reference, too: give each its own"


def settle(
    occurrences: Sequence[Occurrence], shared: Iterable[Place], targets: Mapping[str, Target]
) -> Iterator[Judgement]:
    """A judgement for each occurrence; edits that would spoil another reference are obstacles."""
    judged = [judge(one, targets.get(one.base) if one.base else None) for one in occurrences]
    edits = {edit for judgement in judged for edit in judgement.edits}
    spoiling = frozenset(_spoiling(edits, {*shared, *_pinned(occurrences, judged)}))
    for judgement in judged:
        if spoiling.isdisjoint(judgement.edits):
            yield judgement
        else:
            yield replace(judgement, edits=(), obstacle=_SHARED)


def _pinned(occurrences: Sequence[Occurrence], judged: Sequence[Judgement]) -> Iterator[Place]:
    """Where the variables stand that what is pinned already is put together from."""
    for one, judgement in zip(occurrences, judged, strict=True):
        if judgement.state is State.PINNED:
            yield from (piece.place for piece in one.pieces if piece.variable and piece.place)


def _spoiling(edits: Iterable[Edit], kept: Iterable[Place]) -> Iterator[Edit]:
    """The edits that overlap with another one, or with a place that has to stay."""
    rows: list[_Row] = [*((e[:3], e) for e in edits), *((p[:3], None) for p in kept)]
    rows.sort(key=_row)
    yield from _grouped([row for row in rows if row[0][1] < row[0][2]])
    yield from _grouped([row for row in rows if row[0][1] == row[0][2]])


def _grouped(rows: Sequence[_Row]) -> Iterator[Edit]:
    """Those of the edits in sorted rows that overlap with another row."""
    group: list[_Row] = []
    for row in rows:
        if not any(_overlap(row[0], other[0]) for other in group):
            yield from _together(group)
            group = []
        group.append(row)
    yield from _together(group)


def _row(row: _Row) -> _Span:
    return row[0]


def _together(group: Sequence[_Row]) -> Iterator[Edit]:
    if len(group) > 1:
        yield from (edit for _, edit in group if edit)


def _overlap(one: _Span, other: _Span) -> bool:
    """Whether spans share a byte, or are the same place to put something in."""
    return one == other or (one[0] == other[0] and one[1] < other[2] and other[1] < one[2])
