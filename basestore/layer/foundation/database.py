"""dpkg's database, for scanners, and for whoever installs more packages on top.

/var/lib/dpkg: ``status`` (dpkg(1), "FILES"; deb822(5)), ``info`` with each package's control files
and its list of paths, and ``triggers`` (deb-triggers(5), dpkg's triggers.txt).
"""

import hashlib
from collections.abc import Iterable, Iterator

from basestore.layer.deb.control import FIELDS
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.entry import Kind
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.unpack import Installed, moved

_ROOT = "var/lib/dpkg"
# dpkg keeps every control file but these two.
_NOT_KEPT = ("control", "list")
_PROGRAMS = ("config", "postinst", "postrm", "preinst", "prerm")


def make_database(tree: Tree, installed: Iterable[Installed]) -> None:
    """Make dpkg believe what is true: these packages are installed and configured."""
    packages = tuple(installed)
    for folder in ("alternatives", "info", "parts", "triggers", "updates"):
        tree.add_folder(f"{_ROOT}/{folder}")
    stanzas = (_stanza(tree, package) for package in packages)
    tree.add_file(f"{_ROOT}/status", "".join(stanzas).encode())
    tree.add_file(f"{_ROOT}/info/format", b"1\n")
    for name in ("available", "diversions"):
        tree.add_file(f"{_ROOT}/{name}", b"")
    for package in packages:
        _add_info(tree, package)
    for name, lines in _triggers(packages).items():
        text = "".join(f"{line}\n" for line in lines)
        tree.add_file(f"{_ROOT}/triggers/{name}", text.encode())


def _add_info(tree: Tree, package: Installed) -> None:
    prefix = f"{_ROOT}/info/{package.control.info_name}"
    listed = "".join(f"{path}\n" for path in package.paths)
    tree.add_file(f"{prefix}.list", listed.encode())
    files = {**package.files, "md5sums": _md5sums(tree, package)}
    for name, data in sorted(files.items()):
        if name not in _NOT_KEPT:
            tree.add_file(f"{prefix}.{name}", data, 0o755 if name in _PROGRAMS else 0o644)


def _md5sums(tree: Tree, package: Installed) -> bytes:
    """The digests of a package's files but its conffiles, which dpkg makes where it brings none."""
    if "md5sums" in package.files:
        return package.files["md5sums"]
    conffiles = _text(package, "conffiles").split()
    lines = (
        f"{_md5(tree.read(path) or b'')}  {path.lstrip('/')}\n"
        for path in package.paths
        if path not in conffiles and _is_file(tree, path)
    )
    return "".join(lines).encode()


def _is_file(tree: Tree, path: str) -> bool:
    node = tree.nodes.get(moved(path.lstrip("/")))
    return node is not None and node.kind in (Kind.FILE, Kind.HARDLINK)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _stanza(tree: Tree, package: Installed) -> str:
    fields = {**package.control.fields, "Status": "install ok installed"}
    conffiles = "".join(_conffiles(tree, _text(package, "conffiles")))
    if conffiles:
        fields["Conffiles"] = conffiles
    # dpkg's order of the fields that it knows; the others follow in the package's.
    names = [*FIELDS, *(name for name in fields if name not in FIELDS)]
    lines = (_field(name, fields[name]) for name in names if name in fields)
    return "".join(lines) + "\n"


def _field(name: str, value: str) -> str:
    return f"{name}:{value}\n" if value.startswith("\n") else f"{name}: {value}\n"


def _conffiles(tree: Tree, text: str) -> Iterator[str]:
    """The lines of the field Conffiles: path and MD5, of those that are there."""
    for line in text.splitlines():
        *flags, path = line.split() or [""]  # dpkg takes no blank line for a path, either
        data = tree.read(path)
        if data is not None and "remove-on-upgrade" not in flags:
            yield f"\n {path} {_md5(data)}"


def _triggers(packages: Iterable[Installed]) -> dict[str, list[str]]:
    """dpkg's files below ``triggers``: who waits for which name, or for a change below a path."""
    found: dict[str, list[str]] = {"File": [], "Unincorp": []}
    for package in packages:
        for line in _text(package, "triggers").splitlines():
            words = line.partition("#")[0].split()
            if len(words) != 2 or not words[0].startswith("interest"):
                continue
            waiting = f"{package.control.info_name}{_option(words[0])}"
            if words[1].startswith("/"):
                found["File"].append(f"{words[1]} {waiting}")
            else:
                found.setdefault(words[1], []).append(waiting)
    return found


def _text(package: Installed, name: str) -> str:
    """A control file as text, empty where there is none; raises MalformedDebError."""
    try:
        return package.files.get(name, b"").decode()
    except UnicodeDecodeError:
        raise MalformedDebError(package.control.name, f"its {name} is not UTF-8") from None


def _option(directive: str) -> str:
    return "/noawait" if directive == "interest-noawait" else ""
