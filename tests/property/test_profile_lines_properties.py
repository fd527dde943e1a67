"""The walk over TOML documents that were written with a note of where each thing went."""

import tomllib
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from basestore.profile.lines import KeyPath, key_lines

KEYS = {"a": "a", "b-1": "b-1", "c.d": '"c.d"', 'e"f': '"e\\"f"', "]#": "']#'", "g": '"\\u0067"'}
SCALARS = (
    "1",
    "-0.5e3",
    "true",
    "1979-05-27T07:32:00.25Z",
    "1979-05-27 07:32:00",
    "07:32:00",
    '"x = [1, 2] # \\" \\\\"',
    "'C:\\'",
    '"""\nmany "lines", ""of\\"""\n them"""""',
    "'''\n'quoted'\n''''",
)
SPACE = ("", " ", "\t ")
BREAK = ("", "\n", " # note, ] }\n", "\n\n  ")


class Writer:
    """Writes a random document and notes the line of each table, key and element."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> None:
        """A root table, then tables and arrays of tables, these with tables inside."""
        self.pairs(())
        for name in self.names():
            if self.random.random() < 0.5:
                self.header("[", (name, "t"), "]", (name, "t"))
                continue
            for number in range(self.random.randrange(1, 3)):
                self.header("[[", (name, "s"), "]]", (name, "s", number))
                self.header("[", (name, "s", "in"), "]", (name, "s", number, "in"))

    def header(self, start: str, key: tuple[str, ...], end: str, path: KeyPath) -> None:
        """A header and its pairs."""
        self.put(*SPACE)
        for length in range(1, len(path) + 1):
            if length > 1 and (start == "[[" or length == len(path)):
                self.note(path[:length])
        spelt = ".".join(KEYS.get(part, part) for part in key)
        self.text += f"{start}{self.random.choice(SPACE)}{spelt}{end}"
        self.put("\n", " # [x]\n")
        self.pairs(path)

    def pairs(self, table: KeyPath) -> None:
        """Lines of keys and values; now and then a dotted key."""
        for name in self.names():
            self.put(*SPACE, "\n", "# a = 1\n")
            self.pair(table, f"k{name}", self.random.choice(["", "dot"]), 2)
            self.put("\n", " # end\n", "\r\n")

    def pair(self, table: KeyPath, name: str, dotted: str, depth: int) -> None:
        """One key and its value."""
        path = (*table, name)
        self.note(path)
        self.text += f"'{name}'"
        if dotted:
            self.note(path := (*path, dotted))
            self.text += f" .{dotted}"
        self.put("=", " = ", "\t=")
        self.value(path, depth)

    def value(self, path: KeyPath, depth: int) -> None:
        """A scalar, an array over several lines or an inline table."""
        kind = self.random.randrange(3) if depth else 0
        if kind == 0:
            self.put(*SCALARS)
        elif kind == 1:
            self.text += "["
            for number in range(self.random.randrange(3)):
                self.put(*BREAK)
                self.note((*path, number))
                self.value((*path, number), depth - 1)
                self.put(*BREAK)
                self.text += ","
            self.put(*BREAK)
            self.text += "]"
        else:
            names = self.names()
            self.text += "{ "
            for name in names:
                self.pair(path, f"i{name}", "", depth - 1)
                self.text += ", " if name != names[-1] else " "
            self.text += "}"

    def names(self) -> list[str]:
        """Some keys."""
        return self.random.sample(sorted(KEYS), self.random.randrange(3))

    def put(self, *choices: str) -> None:
        """Write one of these."""
        self.text += self.random.choice(choices)

    def note(self, path: KeyPath) -> None:
        """What comes next stands on this line."""
        self.lines.setdefault(path, self.text.count("\n") + 1)


@given(st.randoms(use_true_random=False))
def test_every_key_and_element_is_found_on_its_line(random: Random) -> None:
    writer = Writer(random)
    writer.document()
    tomllib.loads(writer.text)
    assert key_lines(writer.text) == writer.lines
