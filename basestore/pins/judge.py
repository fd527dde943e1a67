"""How a reference stands to what it has to be, and the edits that make it so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from basestore.pins.bases import split
from basestore.pins.edits import Edit
from basestore.pins.model import Occurrence, Piece, Target

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_TOGETHER = "its version is put together from several texts: write it as one"


class State(StrEnum):
    """How a reference to a base stands."""

    PINNED = "pinned"
    STALE = "stale"
    UNPINNED = "unpinned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a reference stands, what would mend it, or why nothing here would."""

    state: State
    edits: tuple[Edit, ...] = ()
    obstacle: str = ""


class _UnsuitableError(Exception):
    """The reference can't become its target by replacing texts."""


def judge(occurrence: Occurrence, target: Target | None) -> Judgement:
    """How an occurrence stands to its base's target; None where it is of no base."""
    if target is None:
        return Judgement(State.UNKNOWN, (), "its repository is no base's")
    repository, tag, digest = split(occurrence.reference)
    wanted = f":{target.lock.hex}" if occurrence.tagged else ""
    if (repository, tag, digest) == (target.repository, wanted, f"@{target.image}"):
        return Judgement(State.PINNED)
    state = State.STALE if _DIGEST.fullmatch(digest) else State.UNPINNED
    if occurrence.obstacle:
        return Judgement(state, (), occurrence.obstacle)
    try:
        return Judgement(state, tuple(_edits(occurrence, target)))
    except _UnsuitableError as error:
        return Judgement(state, (), str(error))


def _edits(occurrence: Occurrence, target: Target) -> Iterator[Edit]:
    repository, tag, digest = split(occurrence.reference)
    if repository != target.repository:
        yield from _repository(occurrence, repository, target.repository)
    at, end = len(repository), len(occurrence.reference)
    if not occurrence.tagged:
        yield from _replaced(occurrence, at + 1, end, str(target.image))
    elif len(_within(occurrence, at + 1, end)) <= 1 and tag:
        yield from _replaced(occurrence, at + 1, end, target.version)
    elif tag and digest:
        yield from _replaced(occurrence, at + 1, at + len(tag), target.lock.hex)
        yield from _replaced(occurrence, at + len(tag) + 1, end, str(target.image))
    elif digest:
        yield from _replaced(occurrence, at, at + 1, f":{target.lock.hex}@")
        yield from _replaced(occurrence, at + 1, end, str(target.image))
    elif tag:
        raise _UnsuitableError(_TOGETHER)
    else:
        yield from _replaced(occurrence, at, end, f":{target.version}")


def _repository(occurrence: Occurrence, old: str, new: str) -> Iterator[Edit]:
    """Only the first components differ, if one text has them all; else each host and path."""
    a, b = old.split("/"), new.split("/")
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        del a[-1], b[-1]
    end = len("/".join(a))
    if len(_within(occurrence, 0, end)) == 1:
        yield from _replaced(occurrence, 0, end, "/".join(b))
        return
    host, _, path = new.partition("/")
    slash = old.find("/")
    if slash < 0:
        raise _UnsuitableError(_TOGETHER)
    yield from _replaced(occurrence, 0, slash, host)
    yield from _replaced(occurrence, slash + 1, len(old), path)


def _replaced(occurrence: Occurrence, start: int, end: int, new: str) -> Iterator[Edit]:
    """The edit that makes one part of the reference another text."""
    if occurrence.reference[start:end] == new:
        return
    touched = _within(occurrence, start, end)
    if len(touched) != 1:
        raise _UnsuitableError(_TOGETHER)
    piece, at = touched[0]
    place = piece.place
    if place is None:
        if piece.missing:
            raise _UnsuitableError(f"{piece.variable} has no value in the files of [pins]")
        raise _UnsuitableError(
            "it isn't written verbatim, so that it can't be replaced: write it plain"
        )
    first = place.start + start - at
    yield Edit(place.file, first, first + end - start, place.lead + new)


def _within(occurrence: Occurrence, start: int, end: int) -> list[tuple[Piece, int]]:
    """The pieces that a part of the reference is made of, each with where it begins.

    A variable without a value is one, too. Of an empty part, if there is none, the piece that ends
    there: what is put in belongs to it.
    """
    found, at = [], 0
    for piece in occurrence.pieces:
        stop = at + len(piece.text)
        empty = start <= at == stop <= end and (start == end or piece.variable)
        if empty or (at < end and start < stop):
            found.append((piece, at))
        at = stop
    if not found:
        return _ending(occurrence, start)
    return found


def _ending(occurrence: Occurrence, end: int) -> list[tuple[Piece, int]]:
    at = 0
    for piece in occurrence.pieces:
        at += len(piece.text)
        if at >= end:
            return [(piece, at - len(piece.text))]
    return []
