"""References in Dockerfiles: FROM, COPY --from and RUN --mount=from.

Stages are no images. What FROM names may be put together from the ARGs before the first FROM
(Dockerfile reference, "Understand how ARG and FROM interact").
"""

from collections.abc import Iterator

from basestore.pins.expand import words
from basestore.pins.instructions import Dockerfile, Instruction, Word
from basestore.pins.model import Piece, Pieces, PinFileError, Place, Variables, cut, text_of

_KEYWORDS = frozenset({"ARG", "FROM", "COPY", "RUN"})


def references(
    file: str, data: bytes, given: Variables, defaults: Variables
) -> Iterator[tuple[int, Pieces]]:
    """Every image that a Dockerfile names, with the offset of the instruction that does.

    ``given``: build arguments. ``defaults``: for arguments that have no default. Raises
    PinFileError.
    """
    dockerfile = Dockerfile(file, data)
    stages: set[str] = set()
    arguments: dict[str, Pieces] = {}
    for one in dockerfile.instructions():
        if one.keyword == "FROM":
            image, name = _from(one, file, data)
            pieces = words(image.pieces, arguments, dockerfile.escape)
            if text_of(pieces).lower() not in {*stages, "scratch"}:
                yield one.offset, pieces
            stages.add(name.lower() or str(len(stages)))
        elif one.keyword == "ARG" and not stages:
            for word in one.words:
                name, value = _argument(word, arguments, dockerfile.escape)
                arguments[name] = given.get(name) or value or defaults.get(name) or _gap(word, name)
        elif one.keyword in _KEYWORDS:
            for source in _sources(one):
                pieces = words(source, arguments, dockerfile.escape)
                if text_of(pieces).lower() not in stages:
                    yield one.offset, pieces


def _from(one: Instruction, file: str, data: bytes) -> tuple[Word, str]:
    """The image and the name of a stage."""
    plain = [word for word in one.words if not word.text.startswith("--")]
    if not plain or (len(plain) > 1 and (len(plain) != 3 or plain[1].text.lower() != "as")):
        line = data.count(b"\n", 0, one.offset) + 1
        raise PinFileError(file, line, "FROM wants an image, and AS NAME at most")
    return plain[0], plain[2].text if len(plain) > 1 else ""


def _argument(word: Word, known: Variables, escape: str) -> tuple[str, Pieces]:
    """Name and default of an argument; no pieces where it has none."""
    name, equals, value = word.text.partition("=")
    if not equals:
        return name, ()
    start = len(name) + 1
    if not value.strip("'\""):
        place = _at(word, start + len(value) // 2)
        return name, (Piece("", place, name),)
    return name, words(tuple(cut(word.pieces, start, len(word.text))), known, escape)


def _gap(word: Word, name: str) -> Pieces:
    """An argument without a default: one could be put behind its name."""
    last = word.pieces[-1].place
    return (Piece("", last and Place(last.file, last.end, last.end, "="), name),)


def _at(word: Word, index: int) -> Place | None:
    """The place before a character of a word, if the word stands in one."""
    place = word.pieces[0].place
    if place is None or len(word.pieces) > 1:
        return None
    return Place(place.file, place.start + index, place.start + index)


def _sources(one: Instruction) -> Iterator[Pieces]:
    """What the flags of COPY and RUN name as the source of files."""
    for word in one.words:
        text = word.text
        if not text.startswith("--"):
            return
        if one.keyword == "COPY" and text.startswith("--from="):
            yield tuple(cut(word.pieces, len("--from="), len(text)))
        if one.keyword == "RUN" and text.startswith("--mount="):
            at = len("--mount=")
            for field in text[at:].split(","):
                if field.startswith("from="):
                    yield tuple(cut(word.pieces, at + len("from="), at + len(field)))
                at += len(field) + 1
