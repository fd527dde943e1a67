"""Installing a wheel as entries of a layer: nothing is unpacked, streams stay in the wheel.

PyPA binary distribution format, "Installing a wheel" and "The .data directory".
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from basestore.layer import entry as entries
from basestore.layer.entry import Copied, Encoded, Entry, Kind, Payload, Stored
from basestore.layer.inflate import InflateError, inflate_start
from basestore.layer.wheel.content import SMALL, read_content
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.headers import headers, single
from basestore.layer.wheel.record import Claim, Row, Rows, Rule, row_for, strict, write_rows
from basestore.layer.wheel.scripts import entry_point_scripts, with_interpreter
from basestore.layer.wheel.zip import DEFLATED, ZipEntry, read_zip
from basestore.lock.model import Wheel
from basestore.recipe.model import VENV

INSTALLER = b"basestore\n"
"""The content of INSTALLER (PyPA, "Recording installed projects")."""

_INTERPRETER = f"/{VENV}/bin/python"
_SHEBANG = b"#!python"

_INFO = "-info"  # as the names of the folders end, by which a project is known to be installed
_SITE = re.compile(
    rf"{VENV}/lib(?:64)?/python[^/]*/site-packages/(?P<name>[^/]+\.(?P<kind>dist|egg)-info)(?:/|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the schemes of a virtual environment lie, relative to the image's root."""

    python: str

    @property
    def site(self) -> str:
        """purelib and platlib: one folder, lib64 is a link to lib."""
        return f"{VENV}/lib/python{self.python}/site-packages"

    def scheme(self, name: str, distribution: str) -> str | None:
        """The folder of a scheme of the ``.data`` directory; None for an unknown one."""
        return {
            "purelib": self.site,
            "platlib": self.site,
            "scripts": f"{VENV}/bin",
            "headers": f"{VENV}/include/site/python{self.python}/{distribution}",
            "data": VENV,
        }.get(name)


def wheel_entries(
    wheel: Wheel, file: BinaryIO, layout: Layout, rule: Rule = strict
) -> tuple[Entry, ...]:
    """The entries of an installed wheel, unsorted, without folders; raises BadZipError.

    ``file`` is the wheel's open blob; only its directory and its metadata are read. ``rule``: what
    becomes of its RECORD.
    """
    return _Install(wheel, file, layout).entries(rule)


class _Install:
    def __init__(self, wheel: Wheel, file: BinaryIO, layout: Layout) -> None:
        self._wheel = wheel
        self._file = file
        self._layout = layout
        self._members = {member.name: member for member in read_zip(file, wheel.file)}
        self._info = self._dist_info()
        self._distribution = self._info.removesuffix(".dist-info").partition("-")[0]
        self._data = f"{self._info.removesuffix('.dist-info')}.data/"

    def entries(self, rule: Rule) -> tuple[Entry, ...]:
        self._check_wheel_file()
        self._check_metadata()
        claim = self._claim()
        rows = rule(claim)
        scripts = self._scripts()
        installed = [
            *(pair for pair in self._files() if pair[1].path not in scripts),
            *((None, entries.file(path, data, 0o755)) for path, data in scripts.items()),
            (None, entries.file(f"{self._layout.site}/{self._info}/INSTALLER", INSTALLER)),
        ]
        added = [self._row(path, data) for path, data in scripts.items()]
        added.append(self._row(f"{self._layout.site}/{self._info}/INSTALLER", INSTALLER))
        installed.append((claim.path, self._record(claim, rows, added, installed)))
        return tuple(entry for _, entry in installed)

    def _bad(self, reason: str) -> BadZipError:
        return BadZipError(self._wheel.file, reason)

    def _member(self, name: str) -> ZipEntry:
        member = self._members.get(name)
        if member is None:
            raise self._bad(f"it has no {name}")
        return member

    def _content(self, member: ZipEntry) -> bytes:
        return read_content(self._file, member, self._wheel.file)

    def _small(self, name: str) -> bytes:
        """The content of a file of the ``.dist-info`` folder that is short where it is honest."""
        member = self._member(f"{self._info}/{name}")
        return read_content(self._file, member, self._wheel.file, SMALL)

    def _dist_info(self) -> str:
        """The one top-level ``*.dist-info``, held to the lock's name and version."""
        tops = {name.partition("/")[0] for name in self._members if "/" in name}
        found = sorted(top for top in tops if top.endswith(".dist-info"))
        if len(found) != 1:
            raise self._bad(f"it has {len(found)} top-level .dist-info folders instead of one")
        name, _, version = found[0].removesuffix(".dist-info").partition("-")
        if not self._is_named(name, version):
            raise self._bad(f"{found[0]} is not of {self._wheel.name} {self._wheel.version}")
        return found[0]

    def _is_named(self, name: str, version: str) -> bool:
        from packaging.utils import canonicalize_name, canonicalize_version

        return canonicalize_name(name) == self._wheel.name and (
            canonicalize_version(version) == canonicalize_version(self._wheel.version)
        )

    def _check_metadata(self) -> None:
        """Core metadata: Name and Version, where they stand, are those of the lock."""
        text = headers(self._small("METADATA"))
        name, version = self._wheel.name, self._wheel.version
        told_name = single(text, "Name", self._bad, default=name)
        told_version = single(text, "Version", self._bad, default=version)
        if not self._is_named(told_name, told_version):
            told = f"{told_name} {told_version}"
            raise self._bad(f"its METADATA is of {told!r}, not of {name} {version}")

    def _check_wheel_file(self) -> None:
        """WHEEL: a version that is known, and the build that the file's name tells.

        Its tags are not compared: torchvision, mysql-connector-python, ray and others have their
        file renamed for the oldest system it runs on, and WHEEL left as it was.
        """
        text = headers(self._small("WHEEL"))
        version = single(text, "Wheel-Version", self._bad)
        if version.partition(".")[0] != "1":
            raise self._bad(f"its Wheel-Version is {version!r}, and only 1.x is known")
        single(text, "Root-Is-Purelib", self._bad, default="")
        build = _build(self._wheel.file)
        told = single(text, "Build", self._bad, default=build)
        if told != build:
            raise self._bad(f"its WHEEL is of the build {told!r}, and its name of {build!r}")

    def _scripts(self) -> dict[str, bytes]:
        """The generated scripts by path."""
        if f"{self._info}/entry_points.txt" not in self._members:
            return {}
        content = self._small("entry_points.txt")
        scripts = entry_point_scripts(content, _INTERPRETER, self._wheel.file)
        return {f"{VENV}/bin/{name}": data for name, data in scripts.items()}

    def _files(self) -> Iterator[tuple[str, Entry]]:
        """The wheel's own files by their name in it, without RECORD and INSTALLER."""
        special = {f"{self._info}/{name}" for name in ("RECORD", "INSTALLER")}
        site = self._layout.site
        for name, member in self._members.items():
            if name in special:
                continue
            if name.startswith(self._data):
                yield name, self._data_file(name, member)
                continue
            if name.partition("/")[0].endswith(".data") and "/" in name:
                raise self._bad(f"{name} is in a .data folder that isn't {self._data}")
            path = f"{site}/{name}"
            self._check_owner(name, path)
            mode = 0o755 if member.executable else 0o644
            yield name, Entry(path, Kind.FILE, mode, self._payload(member))

    def _check_owner(self, name: str, path: str) -> None:
        """Refuse what would make another project an installed one, or of another metadata.

        importlib.metadata and installers go by the names in site-packages, in any case of letters.
        """
        found = _SITE.match(path) if _INFO in name.lower() else None
        if found is None or name.startswith(f"{self._info}/"):
            return
        project = found["name"].rpartition(".")[0].partition("-")[0]
        if found["kind"].lower() == "dist" or not self._is_named(project, self._wheel.version):
            raise self._bad(f"{name} would stand for another installed project than its own")

    def _data_file(self, name: str, member: ZipEntry) -> Entry:
        scheme, _, rest = name.removeprefix(self._data).partition("/")
        base = self._layout.scheme(scheme, self._distribution)
        if base is None or not rest:
            raise self._bad(f"{name} is of no scheme that wheels know")
        path = f"{base}/{rest}"
        self._check_owner(name, path)
        if scheme != "scripts":
            mode = 0o755 if member.executable else 0o644
            return Entry(path, Kind.FILE, mode, self._payload(member))
        if self._begins_with_shebang(member):
            return entries.file(path, with_interpreter(self._content(member), _INTERPRETER), 0o755)
        return Entry(path, Kind.FILE, 0o755, self._payload(member))

    def _begins_with_shebang(self, member: ZipEntry) -> bool:
        """Whether a script asks for ``#!python``, by its first bytes only."""
        start = os.pread(self._file.fileno(), min(member.length, 512), member.offset)
        if member.method == DEFLATED:
            try:
                start = inflate_start(start, len(_SHEBANG))
            except InflateError as error:
                raise self._bad(f"{member.name} is no deflate stream") from error
        return start.startswith(_SHEBANG)

    def _payload(self, member: ZipEntry) -> tuple[Payload, ...]:
        """How a file of the wheel becomes a file of the layer; nothing for an empty one."""
        blob = self._wheel.sha256
        if not member.size:
            self._content(member)  # nobody else looks whether its stream is empty, too
            return ()
        if member.method == DEFLATED:
            return (Copied(blob, member.offset, member.length, member.size, member.crc32),)
        return (Stored(blob, member.offset, member.size, member.crc32),)

    def _row(self, path: str, data: bytes) -> Row:
        return row_for(posixpath.relpath(path, self._layout.site), data)

    def _claim(self) -> Claim:
        path = f"{self._info}/RECORD"
        member = self._members.get(path)
        content = self._content(member) if member else None
        return Claim.of(self._wheel.file, path, content, self._members)

    def _record(
        self,
        claim: Claim,
        rows: Rows,
        added: Sequence[Row],
        installed: Iterable[tuple[str | None, Entry]],
    ) -> Entry:
        """RECORD: the wheel's stream and our lines; written anew where rows or places changed."""
        path = f"{self._layout.site}/{claim.path}"
        installer = f"{self._info}/INSTALLER"
        moved = any(row.path.startswith(self._data) or row.path == installer for row in rows)
        if moved or rows != claim.rows:
            return entries.file(path, write_rows(self._moved(rows, added, installed)))
        lines = (b"" if (claim.content or b"").endswith(b"\n") else b"\n") + write_rows(added)
        parts = (*self._payload(self._members[claim.path]), entries.encoded(lines))
        return Entry(path, Kind.FILE, 0o644, parts)

    def _moved(
        self,
        rows: Sequence[Row],
        added: Sequence[Row],
        installed: Iterable[tuple[str | None, Entry]],
    ) -> Iterator[Row]:
        """The rows with files of ``.data`` where they were put, and hashed anew if rewritten."""
        places = {name: entry for name, entry in installed if name}
        replaced = {row.path for row in added}
        for row in rows:
            if entry := places.get(row.path):
                row = self._moved_row(row, entry)
            elif row.path.startswith(self._data):
                continue  # a script of the wheel's own, in the place of which one was generated
            if row.path not in replaced:
                yield row
        yield from added

    def _moved_row(self, row: Row, entry: Entry) -> Row:
        path = posixpath.relpath(entry.path, self._layout.site)
        if entry.payload and isinstance(entry.payload[0], Encoded):
            return row_for(path, b"".join(entry.payload[0].read()))
        return Row(path, row.hash, row.size)


def _build(file: str) -> str:
    """The build tag in a wheel's file name (PEP 427, "File name convention"); mostly empty."""
    parts = file.removesuffix(".whl").split("-")
    return parts[2] if len(parts) == 6 else ""
