"""What ldconfig(8) finds and links, read from the tree instead of a running system."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from basestore.layer.elf import Elf, MalformedElfError, machine_of, read_elf
from basestore.layer.entry import Kind
from basestore.layer.foundation.ldcache import Cached, version_key, write_cache
from basestore.layer.foundation.tree import Tree
from basestore.target import Platform

CONFIGURATION = "etc/ld.so.conf"
CACHE = "etc/ld.so.cache"
_BUILT_IN = ("/lib", "/usr/lib")
_HWCAPS = "glibc-hwcaps"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A name in a folder that may stand for a soname."""

    name: str
    soname: str
    link: bool

    @property
    def rank(self) -> tuple[bool, object]:
        """ldconfig prefers files to links, then what is newer by its name."""
        return not self.link, version_key(self.name)


def run_ldconfig(tree: Tree, platform: Platform) -> None:
    """Make the links from sonames to files, and the linker's cache."""
    cached: list[Cached] = []
    machine = machine_of(platform)
    for folder in library_folders(tree):
        for candidate in _chosen(tree, folder, machine):
            _link(tree, folder, candidate)
            cached.append(Cached(candidate.soname, f"{folder}/{candidate.soname}"))
        cached.extend(_special(tree, folder, machine))
    tree.add_file(CACHE, write_cache(cached, platform))


def library_folders(tree: Tree) -> list[str]:
    """The folders of ld.so.conf and the linker's own, absolute, each real folder once."""
    found: dict[str, str] = {}
    for folder in (*_configured(tree, CONFIGURATION, set()), *_BUILT_IN):
        real = tree.resolve(folder)
        if real is not None:
            found.setdefault(real, folder)
    return list(found.values())


def _configured(tree: Tree, file: str, seen: set[str | None]) -> Iterator[str]:
    """The folders that a configuration file names, in its order (ldconfig(8), "FILES").

    Each file is read once: files that include each other have no end, and say nothing new.
    """
    real = tree.resolve(file)
    if real in seen:
        return
    seen.add(real)
    text = (tree.read(file) or b"").decode(errors="replace")
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        word, _, rest = line.partition(" ")
        if word == "include":
            for included in _matching(tree, rest.split()):
                yield from _configured(tree, included, seen)
        elif line.startswith("/"):
            yield line.partition("=")[0].strip().rstrip("/")


def _matching(tree: Tree, patterns: list[str]) -> Iterator[str]:
    for pattern in patterns:
        absolute = pattern if pattern.startswith("/") else f"/etc/{pattern}"
        folder, _, name = absolute.rpartition("/")
        for found in tree.names(folder):
            if fnmatch.fnmatchcase(found, name):
                yield f"{folder}/{found}"


def _chosen(tree: Tree, folder: str, machine: int) -> list[_Candidate]:
    """For each soname in a folder the one name that stands for it."""
    best: dict[str, _Candidate] = {}
    for name in tree.names(folder):
        candidate = _candidate(tree, folder, name, machine)
        if candidate is None:
            continue
        rival = best.get(candidate.soname)
        if rival is None or candidate.rank > rival.rank:
            best[candidate.soname] = candidate
    return list(best.values())


def _candidate(tree: Tree, folder: str, name: str, machine: int) -> _Candidate | None:
    if not _is_library_name(name):
        return None
    elf = read_library(tree, f"{folder}/{name}")
    if elf is None or elf.machine != machine:
        return None
    soname = elf.soname or name
    real = tree.resolve(folder)
    link = tree.nodes[f"{real}/{name}"].kind is Kind.SYMLINK
    # A link that is neither the soname nor the linker's `.so` counts as a library of its own.
    if link and (name == soname or (name.endswith(".so") and soname.startswith(name))):
        return _Candidate(name, name, link=True)
    return _Candidate(name, soname, link=False)


def _is_library_name(name: str) -> bool:
    return name.startswith(("lib", "ld-")) and ".so" in name and not name.endswith("-gdb.py")


def read_library(tree: Tree, path: str) -> Elf | None:
    """The ELF file that a path leads to; None where there is none, or none that can be read."""
    found = tree.resolve(path)
    if not found or not tree.nodes[found].elf:
        return None
    try:
        with (tree.root / found).open("rb") as file:
            return read_elf(file)
    except MalformedElfError:
        return None


def _link(tree: Tree, folder: str, candidate: _Candidate) -> None:
    """Link the soname to the file, as ldconfig does, unless something else has the name."""
    real = tree.resolve(folder)
    place = f"{real}/{candidate.soname}"
    if candidate.link or tree.resolve(place) == tree.resolve(f"{real}/{candidate.name}"):
        return
    if place not in tree or tree.nodes[place].kind is Kind.SYMLINK:
        tree.add_symlink(place, candidate.name)


def _special(tree: Tree, folder: str, machine: int) -> Iterator[Cached]:
    """Libraries for certain processors (ld.so(8), "glibc-hwcaps"); they get no links."""
    for hwcaps in tree.names(f"{folder}/{_HWCAPS}"):
        below = f"{folder}/{_HWCAPS}/{hwcaps}"
        for candidate in _chosen(tree, below, machine):
            yield Cached(candidate.soname, f"{below}/{candidate.name}", hwcaps)
