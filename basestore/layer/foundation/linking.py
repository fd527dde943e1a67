"""The libraries of a foundation, and the check that none is missing."""

from basestore.layer.elf import Elf, machine_of
from basestore.layer.foundation.ldconfig import library_folders, read_library
from basestore.layer.foundation.tree import Tree
from basestore.layer.needed import Linker, Missing, MissingLibraryError
from basestore.target import Platform


def linker(tree: Tree, platform: Platform) -> Linker:
    """The dynamic linker's view of a settled tree."""
    return _linker(tree, platform, _dynamic_files(tree))


def check_linking(tree: Tree, platform: Platform) -> None:
    """Look for every library that a file of the tree needs; raises MissingLibraryError.

    Plugins may lack some: Debian leaves such needs out of the dependencies where the program that
    opens the plugin copes (dpkg-shlibdeps(1), ``-x``; libcaca0's OpenGL driver is one).
    """
    missing = [found for found in missing_libraries(tree, platform) if not _plugin(tree, found)]
    if missing:
        owner = tree.nodes[missing[0].path.lstrip("/")].owner
        raise MissingLibraryError(tuple(missing), owner)


def missing_libraries(tree: Tree, platform: Platform) -> list[Missing]:
    """All that files of a settled tree need and don't find, plugins too; sorted by path."""
    files = _dynamic_files(tree)
    view = _linker(tree, platform, files)
    return [found for path, elf in sorted(files.items()) for found in view.missing(f"/{path}", elf)]


def _plugin(tree: Tree, found: Missing) -> bool:
    """Whether a file is neither a program, nor where the linker looks, nor a module of Python."""
    folder = found.path.rpartition("/")[0].lstrip("/")
    if folder.endswith(("/bin", "/sbin", "/games")) or folder.startswith("usr/lib/python"):
        return False
    return folder not in {tree.resolve(searched) for searched in library_folders(tree)}


def _dynamic_files(tree: Tree) -> dict[str, Elf]:
    found = ((path, read_library(tree, path)) for path, node in tree.nodes.items() if node.elf)
    return {path: elf for path, elf in found if elf is not None}


def _linker(tree: Tree, platform: Platform, files: dict[str, Elf]) -> Linker:
    machine = machine_of(platform)
    ours = {path: elf for path, elf in files.items() if elf.machine == machine}

    def has(path: str) -> bool:
        return tree.resolve(path) in ours

    multiarch = tuple(f"{folder}/{platform.multiarch}" for folder in ("/lib", "/usr/lib"))
    names = {path.rpartition("/")[2] for path in ours}
    sonames = {elf.soname for elf in ours.values() if elf.soname}
    folders = (*library_folders(tree), *multiarch)
    return Linker(machine, folders, frozenset(names | sonames), has)
