"""A strict reader of the tar archives in packages: deb(5), "the tar archives".

dpkg-deb writes ustar headers (POSIX.1-1988) or GNU ones with long names, never PAX. Taken are
files, folders, symbolic links and hard links to earlier files; devices and all else are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from basestore.layer.deb.stream import Reader, Refuse
from basestore.layer.entry import Kind
from basestore.layer.names import fits, is_whiteout
from basestore.profile.names import UNSEEN

BLOCK = 512
_LONGEST_NAME = 4096  # with its final NUL, as PATH_MAX
_LONGEST_END = 1024 * 1024  # tar fills up to its blocking factor, mostly 10 KiB
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
# Mode, owner, group, time and the two numbers of a device, in each header there is.
_NUMBERS = tuple(
    slice(*place)
    for place in ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
)
_LARGEST_ID = 0o7777777  # what a layer's headers have room for
_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"1": Kind.HARDLINK,
    b"2": Kind.SYMLINK,
    b"5": Kind.FOLDER,
}
_MAGICS = (b"ustar\x0000", b"ustar  \0", bytes(8))


@dataclass(frozen=True, slots=True)
class Item:
    """One path of a package.

    ``path`` and a hard link's ``target`` are relative to the root, without leading ``./`` or final
    slash; ``path`` is empty for the root itself. ``size``: of a file's content, in bytes.
    """

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    target: str = ""
    size: int = 0


def items(reader: Reader, refuse: Refuse) -> Iterator[tuple[Item, Iterator[memoryview]]]:
    """The archive's items in its order, each with its content in pieces.

    What of a content isn't taken is skipped. Raises what ``refuse`` makes.
    """
    seen: dict[str, Kind] = {}
    while (found := _next(reader, refuse)) is not None:
        if found.path in seen:
            raise refuse(f"it holds {found.path!r} twice")
        if found.kind is Kind.HARDLINK and seen.get(found.target) is not Kind.FILE:
            raise refuse(f"its hard link {found.path!r} points to no file before it")
        seen[found.path] = found.kind
        content = reader.stream(found.size)
        yield found, content
        for _ in content:
            pass
        reader.take(-found.size % BLOCK)
    _check_rest(reader, refuse)


def _next(reader: Reader, refuse: Refuse) -> Item | None:
    """The next item's header, with the long names before it; None at the archive's end."""
    long: dict[bytes, str] = {}
    while True:
        header = reader.take(BLOCK)
        if not header.strip(b"\0"):
            _check_end(reader, long, refuse)
            return None
        _check(header, refuse)
        flag = header[156:157]
        if flag not in (b"L", b"K"):
            return _item(header, long, refuse)
        if flag in long:
            raise refuse("its archive has two long names for one item")
        long[flag] = _long_name(reader, header, refuse)


def _check_end(reader: Reader, long: dict[bytes, str], refuse: Refuse) -> None:
    """POSIX ustar: two blocks of zeros end the archive."""
    if long or reader.take(BLOCK).strip(b"\0"):
        raise refuse("its archive ends in a broken way")


def _check_rest(reader: Reader, refuse: Refuse) -> None:
    """Nothing but a few zeros follows the end."""
    left = _LONGEST_END
    for piece in reader.rest():
        left -= len(piece)
        if left < 0 or piece.strip(b"\0"):
            raise refuse("data follows the end of its archive")


def _check(header: bytes, refuse: Refuse) -> None:
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    if _number(header[148:156], refuse) != total:
        raise refuse("a header of its archive has a wrong checksum")
    if header[257:265] not in _MAGICS:
        raise refuse("a header of its archive is of an unknown kind")
    for field in _NUMBERS:  # where one is broken some readers end the archive, needed or not
        _number(header[field], refuse)


def _long_name(reader: Reader, header: bytes, refuse: Refuse) -> str:
    size = _number(header[124:136], refuse)
    if not 0 < size <= _LONGEST_NAME:
        raise refuse(f"it holds a name of {size} bytes")
    raw = reader.take(size)
    reader.take(-size % BLOCK)
    name = raw.removesuffix(b"\0")
    if not name or b"\0" in name:  # readers differ in what such a name is
        raise refuse("it holds a long name that is empty or has a NUL in it")
    return _text(name, refuse)


def _item(header: bytes, long: dict[bytes, str], refuse: Refuse) -> Item:
    name = long.get(b"L") or _short_name(header, refuse)
    kind = _KINDS.get(header[156:157])
    if kind is None:
        raise refuse(f"{name!r} is a device or another special file")
    size = _number(header[124:136], refuse)
    if size and kind is not Kind.FILE:
        raise refuse(f"{name!r} is no file but has content")
    if name.endswith("/") and kind is not Kind.FOLDER:  # some readers take it for a folder
        raise refuse(f"{name!r} is called like a folder and is none")
    target = long.get(b"K") or _text(header[157:257], refuse)
    path = _path(name, refuse)
    if not path and kind is not Kind.FOLDER:
        raise refuse(f"{name!r} is the root, and no folder")
    return Item(
        path=path,
        kind=kind,
        mode=_number(header[100:108], refuse) & 0o7777,
        uid=_owner(header[108:116], refuse),
        gid=_owner(header[116:124], refuse),
        target=_target(name, kind, target, refuse),
        size=size,
    )


def _short_name(header: bytes, refuse: Refuse) -> str:
    name = _text(header[:100], refuse)
    if header[257:265] == _MAGICS[0]:
        prefix = _text(header[345:500], refuse)
        return f"{prefix}/{name}" if prefix else name
    # The old GNU format uses the prefix field for other things, which some take for a prefix.
    if header[345:500].strip(b"\0"):
        raise refuse(f"the header of {name!r} has fields that readers understand differently")
    return name


def _path(name: str, refuse: Refuse) -> str:
    """The name relative to the root, checked; an empty one is the root."""
    path = name.removeprefix("./").removesuffix("/")
    if path in ("", "."):
        return ""
    if UNSEEN.search(path) or any(part in ("", ".", "..") for part in path.split("/")):
        raise refuse(f"it holds the unsafe name {name!r}")
    if is_whiteout(path):
        raise refuse(f"{name!r} would delete files of the layers below")
    if not fits(path):
        raise refuse(f"it holds a name too long for Linux, {name[:100]!r}...")
    return path


def _target(name: str, kind: Kind, target: str, refuse: Refuse) -> str:
    if kind is Kind.HARDLINK:
        return _path(target, refuse)
    if kind is not Kind.SYMLINK:
        return ""
    if not target or UNSEEN.search(target):
        raise refuse(f"its link {name!r} has the unsafe target {target!r}")
    return target


def _text(field: bytes, refuse: Refuse) -> str:
    try:
        return field.split(b"\0", 1)[0].decode()
    except UnicodeDecodeError:
        raise refuse(f"the name {field!r} is not UTF-8") from None


def _number(field: bytes, refuse: Refuse) -> int:
    """Octal digits, ended by NUL or space; or GNU's base 256 with the top bit set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise refuse(f"a header of its archive has the broken number {field!r}")
    return int(match[1] or b"0", 8)


def _owner(field: bytes, refuse: Refuse) -> int:
    number = _number(field, refuse)
    if number > _LARGEST_ID:
        raise refuse(f"it holds a file of the owner or group {number}, which layers can't hold")
    return number
