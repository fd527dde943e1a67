"""Control data: stanzas of fields (Debian policy 5.1)."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Where one stanza lies in the bytes of a file."""

    start: int
    end: int


def spans(data: bytes | bytearray) -> Iterator[Span]:
    """Where the stanzas of a file lie: between blank lines, without parsing any of them."""
    start, size = 0, len(data)
    while start < size:
        if data[start] == _NEWLINE:
            start += 1
            continue
        end = data.find(b"\n\n", start)
        end = size if end < 0 else end
        yield Span(start, end)
        start = end + 1


def parse_stanza(stanza: bytes | bytearray) -> dict[str, str]:
    """The fields of one stanza by lower-case name (names are case-insensitive).

    A value over several lines keeps its newlines and loses the blank each line begins with. Raises
    ValueError for a line that is no field, and for a field that is there twice.
    """
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.decode().rstrip("\n").split("\n"):
        if line[:1] in (" ", "\t"):
            if not name:
                raise ValueError(f"a stanza begins with the continuation line {line!r}")
            fields[name] += "\n" + line[1:].rstrip()
            continue
        name, separator, value = line.partition(":")
        name = name.lower()
        if not separator or not name or name in fields:
            raise ValueError(f"{line!r} is no field, or is there twice")
        fields[name] = value.strip()
    return fields


_NEWLINE = ord("\n")
