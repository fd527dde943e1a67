"""The instructions of a Dockerfile, as BuildKit's parser tells them apart.

Dockerfile reference, "Format", "Parser directives", "Escape" and "Here-Documents". Bytes stand as
Latin-1, so that a character is a byte.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from basestore.pins.model import Piece, PinFileError, Place, text_of

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.*?)[ \t]*")
_DIRECTIVES = frozenset({"check", "escape", "syntax"})
_COMMENT = re.compile(r"[ \t]*(#|$)")
_CONTINUED = {e: re.compile(rf"(?<!{re.escape(e)}){re.escape(e)}[ \t]*$") for e in ("\\", "`")}
_KEYWORD = re.compile(r"[ \t]*((?:ONBUILD[ \t]+)*[A-Za-z]+)(?:[ \t]+|$)", re.IGNORECASE)


def _word(escape: str, more: str = "") -> re.Pattern[str]:
    e = re.escape(escape)
    double = rf"\"(?:[^\"{e}]|{e}.)*\""
    word = rf"(?:{more}[^\s'\"{e}]|{e}.|'[^']*'|{double}|['\"{e}])+"
    return re.compile(word, re.DOTALL | re.ASCII)


_WORD = {escape: _word(escape) for escape in ("\\", "`")}

# Where here-documents are looked for, the backslash escapes, and white space may follow <<.
_SHELL_WORD = _word("\\", r"<<[ \t]*|")
_HEREDOC = re.compile(r"\d*<<(?P<chomp>-?)[ \t]*(?P<name>[^<]*)")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|\\(.)")
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an instruction, its quotes and escapes still in it."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The word as written, without continued lines between."""
        return text_of(self.pieces)


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction: ``keyword`` in capitals, ONBUILD left out. ``offset``: where it begins."""

    keyword: str
    words: tuple[Word, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without what ends it."""

    start: int
    text: str


class Dockerfile:
    """A Dockerfile's instructions. ``escape``: the character that escapes and continues lines."""

    __slots__ = ("_file", "_lines", "escape")

    def __init__(self, file: str, data: bytes) -> None:
        self._file = file
        self._lines = _lines(data)
        self.escape = _escape(self._lines)

    def instructions(self) -> Iterator[Instruction]:
        """The instructions in order; raises PinFileError for a here-document that never ends."""
        number = 0
        while number < len(self._lines):
            chunks, following = self._logical(number)
            if chunks:
                keyword, words = self._words(chunks)
                if keyword in _WITH_HEREDOCS:
                    following = self._after_heredocs(_joined(chunks), number, following)
                yield Instruction(keyword, words, chunks[0].start)
            number = following

    def _logical(self, number: int) -> tuple[list[_Line], int]:
        """An instruction's lines, without comments and continuations, and the line after it."""
        chunks: list[_Line] = []
        for following in range(number, len(self._lines)):
            line = self._lines[following]
            if _COMMENT.match(line.text):
                if not chunks:
                    return [], following + 1
                continue
            continued = _CONTINUED[self.escape].search(line.text)
            if continued is None:
                return [*chunks, line], following + 1
            chunks.append(_Line(line.start, line.text[: continued.start()]))
        return chunks, len(self._lines)

    def _words(self, chunks: list[_Line]) -> tuple[str, tuple[Word, ...]]:
        text = _joined(chunks)
        keyword = _KEYWORD.match(text)
        if keyword is None:
            return "", ()
        found = _WORD[self.escape].finditer(text, keyword.end())
        words = tuple(Word(self._pieces(chunks, *match.span())) for match in found)
        return keyword[1].split()[-1].upper(), words

    def _pieces(self, chunks: list[_Line], start: int, end: int) -> tuple[Piece, ...]:
        found, at = [], 0
        for chunk in chunks:
            a, b = max(start - at, 0), min(end - at, len(chunk.text))
            if a < b:
                place = Place(self._file, chunk.start + a, chunk.start + b)
                found.append(Piece(chunk.text[a:b], place))
            at += len(chunk.text)
        return tuple(found)

    def _after_heredocs(self, text: str, number: int, following: int) -> int:
        """The first line after the here-documents that an instruction's words begin."""
        for word in _SHELL_WORD.findall(text) if "<<" in text else ():
            heredoc = _HEREDOC.fullmatch(word)
            if heredoc is None or not heredoc["name"]:
                continue
            name = _QUOTED.sub(lambda quoted: quoted[quoted.lastindex or 0], heredoc["name"])
            following = self._end_of(name, heredoc["chomp"], following)
            if following > len(self._lines):
                raise PinFileError(self._file, number + 1, f"the here-document {name} has no end")
        return following

    def _end_of(self, name: str, chomp: str, number: int) -> int:
        for following in range(number, len(self._lines)):
            text = self._lines[following].text
            if (text.lstrip("\t") if chomp else text) == name:
                return following + 1
        return len(self._lines) + 1


def _joined(chunks: list[_Line]) -> str:
    return "".join(chunk.text for chunk in chunks)


def _lines(data: bytes) -> tuple[_Line, ...]:
    found, at = [], 0
    for raw in data.split(b"\n"):
        text = raw.rstrip(b"\r").decode("latin-1")
        mark = 3 if at == 0 and raw.startswith(b"\xef\xbb\xbf") else 0
        found.append(_Line(at + mark, text[mark:]))
        at += len(raw) + 1
    return tuple(found)


def _escape(lines: tuple[_Line, ...]) -> str:
    """What the directive at the top says; the first line that is none ends the directives."""
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line.text.strip(" \t"))
        if directive is None or directive[1].lower() not in _DIRECTIVES:
            break
        if directive[1].lower() == "escape":
            return "`" if directive[2] == "`" else "\\"
    return "\\"
