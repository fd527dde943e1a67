"""The judgements of all references together: no edit may change what another one needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from basestore.pins.edits import Edit
from basestore.pins.judge import Judgement, judge
from basestore.pins.model import Occurrence, Place, Target

_Span = tuple[str, int, int]
_Row = tuple[_Span, Edit | None]

_SHARED = "a variable there is part of another reference, too: give each its own"


def settle(
    occurrences: Sequence[Occurrence], shared: Iterable[Place], targets: Mapping[str, Target]
) -> Sequence[Judgement]:
    """A judgement for each occurrence; edits that would spoil another reference are obstacles.

    What isn't mended has to stay as it is, which may spoil more edits in turn.
    """
    judged = [judge(one, targets.get(one.base) if one.base else None) for one in occurrences]
    always = frozenset(_whole(shared))
    while spoiling := frozenset(
        _spoiling(_edits(judged), always.union(_kept(occurrences, judged)))
    ):
        judged = [
            one if spoiling.isdisjoint(one.edits) else replace(one, edits=(), obstacle=_SHARED)
            for one in judged
        ]
    return judged


def places_of(occurrences: Iterable[Occurrence]) -> Iterator[Place]:
    """Where references stand, and the variables that they are put together from."""
    return (piece.place for one in occurrences for piece in one.pieces if piece.place)


def _edits(judged: Iterable[Judgement]) -> set[Edit]:
    return {edit for judgement in judged for edit in judgement.edits}


def _kept(occurrences: Sequence[Occurrence], judged: Sequence[Judgement]) -> Iterator[_Span]:
    """What the references are put together from and don't replace themselves.

    The end of a place has to stay, too: what is put in there becomes part of each reference.
    """
    for one, judgement in zip(occurrences, judged, strict=True):
        if not judgement.edits:
            yield from _whole(places_of([one]))
            continue
        for place in places_of([one]):
            own = [e for e in judgement.edits if e.file == place.file]
            if not any(place.start <= edit.start and edit.end <= place.end for edit in own):
                yield place[:3]
            if not any(edit.end == place.end for edit in own):
                yield place.file, place.end, place.end


def _whole(places: Iterable[Place]) -> Iterator[_Span]:
    for place in places:
        yield place[:3]
        yield place.file, place.end, place.end


def _spoiling(edits: Iterable[Edit], kept: Iterable[_Span]) -> Iterator[Edit]:
    """The edits that overlap with another one, or with a place that has to stay."""
    rows: list[_Row] = [*((e[:3], e) for e in edits), *((span, None) for span in kept)]
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
