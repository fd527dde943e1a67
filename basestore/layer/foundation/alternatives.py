"""Alternatives, as update-alternatives(1) makes them, read from the maintainer scripts' text.

Scripts are never run. What counts is each literal ``update-alternatives --install`` command of a
postinst: continuation lines are joined, a variable counts only where the script assigns it once, a
literal, or where it is that of a ``for`` loop over literal words. Commands that need more of a
shell are passed over.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from basestore.layer.foundation.tree import Tree

_FOLDER = "etc/alternatives"
_DATABASE = "var/lib/dpkg/alternatives"
_COMMAND = re.compile(r"\bupdate-alternatives\b[^;&|]*")
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=([\w./+-]*)[ \t]*;?[ \t]*$", re.MULTILINE
)
_LOOP = re.compile(r"\s*for\s+(\w+)\s+in\s+([^;]*)(?:;\s*do\b.*)?$")
_LOOP_END = re.compile(r"\s*done\b")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NAME = re.compile(r"(?!\.\.?\Z)[^/\s]+")
_PRIORITY = re.compile(r"-?[0-9]{1,9}")
_MOST_ROUNDS = 1000  # of a script's nested loops
_GIVEN = {"DPKG_ROOT": ""}


@dataclass(frozen=True, slots=True)
class Slave:
    """A link that follows a master: its generic name, link, and the file it leads to."""

    name: str
    link: str
    path: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One ``--install``: ``link`` should lead to ``path``, through the generic ``name``."""

    name: str
    link: str
    path: str
    priority: int
    slaves: tuple[Slave, ...] = ()


def make_alternatives(tree: Tree, scripts: Iterable[bytes]) -> None:
    """Register what the postinst scripts register, and link the best of each by priority."""
    groups: dict[str, dict[str, Choice]] = {}
    for script in scripts:
        for choice in choices(script.decode(errors="replace")):
            if tree.file(choice.path) is not None or tree.resolve(choice.path):
                groups.setdefault(choice.name, {})[choice.path] = choice
    for name, group in sorted(groups.items()):
        ordered = [group[path] for path in sorted(group)]
        tree.add_file(f"{_DATABASE}/{name}", _record(ordered))
        _link_best(tree, max(ordered, key=lambda choice: choice.priority))


def choices(script: str) -> Iterator[Choice]:
    """The alternatives that a script installs with literal commands."""
    joined = script.replace("\\\n", " ")
    loops: list[tuple[str, list[str]]] = []
    known = _literals(joined)
    for line in joined.splitlines():
        loop = _LOOP.match(line)
        if loop:
            loops.append((loop[1], _words(loop[2], known)))
        elif _LOOP_END.match(line) and loops:
            loops.pop()
        for command in _COMMAND.findall(line.partition(" #")[0]):
            for values in _rounds(loops):
                words = _words(command, known | values)
                if "--install" in words:
                    yield from _choice(words[words.index("--install") + 1 :])


def _literals(script: str) -> dict[str, str]:
    """The variables that the script assigns exactly once, to a literal."""
    found = _ASSIGNMENT.findall(script)
    times = Counter(re.findall(r"(?:^|[\s;&|(])(\w+)=", script))
    return {name: value for name, value in found if times[name] == 1} | _GIVEN


def _rounds(loops: list[tuple[str, list[str]]]) -> Iterator[dict[str, str]]:
    """What the variables of the loops around a command are in each of its rounds.

    No round where they are more than any package's are.
    """
    if prod(len(words) for _, words in loops) > _MOST_ROUNDS:
        return
    names = [name for name, _ in loops]
    for words in product(*(words for _, words in loops)):
        yield dict(zip(names, words, strict=True))


def _words(command: str, values: dict[str, str]) -> list[str]:
    """The command's words; none where one isn't literal."""
    text = _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), command)
    if re.search(r"[$`<>*?]", text):
        return []
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _choice(words: list[str]) -> Iterator[Choice]:
    """``LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...``; nothing where it is otherwise."""
    if len(words) < 4 or not _is_place(*words[:3]) or not _PRIORITY.fullmatch(words[3]):
        return
    rest, slaves = words[4:], []
    while len(rest) >= 4 and rest[0] == "--slave" and _is_place(*rest[1:4]):
        slaves.append(Slave(rest[2], rest[1], rest[3]))
        rest = rest[4:]
    yield Choice(words[1], words[0], words[2], int(words[3]), tuple(slaves))


def _is_place(link: str, name: str, path: str) -> bool:
    inside = ".." not in link.split("/") and ".." not in path.split("/")
    return link.startswith("/") and path.startswith("/") and inside and bool(_NAME.fullmatch(name))


def _record(group: list[Choice]) -> bytes:
    """The file in dpkg's database: state, links, then each choice (dpkg, update-alternatives)."""
    slaves = {slave.name: slave.link for choice in group for slave in choice.slaves}
    lines = ["auto", group[-1].link]
    for name, link in sorted(slaves.items()):
        lines += [name, link]
    lines.append("")
    for choice in group:
        paths = {slave.name: slave.path for slave in choice.slaves}
        lines += [
            choice.path,
            str(choice.priority),
            *(paths.get(name, "") for name in sorted(slaves)),
        ]
    return "".join(f"{line}\n" for line in (*lines, "")).encode()


def _link_best(tree: Tree, best: Choice) -> None:
    _link(tree, best.link, best.name, best.path)
    for slave in best.slaves:
        if tree.resolve(slave.path):
            _link(tree, slave.link, slave.name, slave.path)


def _link(tree: Tree, link: str, name: str, path: str) -> None:
    """Link to the generic name, and that to the file; a real file at the link's place stays."""
    folder, _, last = link.rpartition("/")
    place = f"{tree.resolve(folder) or folder.strip('/')}/{last}".lstrip("/")
    if tree.file(place) is not None and not tree.is_symlink(place):
        return
    tree.add_symlink(f"{_FOLDER}/{name}", path)
    tree.add_symlink(place, f"/{_FOLDER}/{name}")
