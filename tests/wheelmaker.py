"""Tiny wheels made in the test: valid by default, wrong in one place where a test asks for it.

The bytes are a function of the arguments: fixed times, files in the order given, metadata last.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = tuple[str, bytes]
"""A path in the wheel and its content."""

Record = Callable[[Sequence[Row], str], bytes]
"""Makes the content of RECORD of the wheel's files and RECORD's own path."""


@dataclass(frozen=True)
class MadeWheel:
    """A wheel in memory: its file name (binary distribution format, "File name convention")."""

    file: str
    data: bytes

    @property
    def sha256(self) -> str:
        """64 lower-case hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def metadata(self) -> bytes:
        """The content of METADATA."""
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            return archive.read(name)

    def write(self, folder: Path) -> Path:
        """Write the wheel into a folder under its own name."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file
        path.write_bytes(self.data)
        return path


def make_wheel(
    name: str,
    version: str = "1.0",
    files: Mapping[str, bytes] | None = None,
    *,
    tag: str = "py3-none-any",
    build: str = "",
    requires: Sequence[str] = (),
    requires_python: str = "",
    licence: str = "",
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    data: Mapping[str, bytes] | None = None,
    purelib: bool = True,
    executable: Collection[str] = (),
    stored: Collection[str] | None = None,
    record: Record | None = None,
    extra_dist_info: Mapping[str, bytes] | None = None,
) -> MadeWheel:
    """A wheel of a distribution.

    ``files``: path to content; absent, one module with the version. ``tag`` may be a compressed
    set. ``licence``: an SPDX expression. ``entry_points``: group to name to object reference.
    ``data``: ``scripts/run`` and the like to content. ``executable``: paths with the execute bit.
    ``stored``: paths that are not deflated; all of them if it is ``["*"]``. ``record``: another
    RECORD than the right one.
    """
    stem = name.replace("-", "_").replace(".", "_")
    info = f"{stem}-{version}.dist-info"
    module = {f"{stem.lower()}/__init__.py": f"VERSION = {version!r}\n".encode()}
    rows: list[Row] = list((module if files is None else files).items())
    rows += [(f"{stem}-{version}.data/{path}", content) for path, content in (data or {}).items()]
    metadata = _metadata(name, version, requires, requires_python)
    if licence:
        metadata += f"License-Expression: {licence}\n".encode()
    rows.append((f"{info}/METADATA", metadata))
    rows.append((f"{info}/WHEEL", _wheel(tag, build, purelib)))
    if entry_points:
        rows.append((f"{info}/entry_points.txt", _entry_points(entry_points)))
    rows += [(f"{info}/{path}", content) for path, content in (extra_dist_info or {}).items()]
    path = f"{info}/RECORD"
    rows.append((path, (record or right_record)(rows, path)))
    parts = [stem, version, *([build] if build else []), tag]
    return MadeWheel("-".join(parts) + ".whl", make_zip(rows, executable, stored or ()))


def make_zip(
    rows: Sequence[Row], executable: Collection[str] = (), stored: Collection[str] = ()
) -> bytes:
    """A zip archive with fixed times and Unix modes, without data descriptors."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in rows:
            entry = zipfile.ZipInfo(path, (2020, 2, 2, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o100755 if path in executable else 0o100644) << 16
            plain = path in stored or "*" in stored
            entry.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def right_record(rows: Sequence[Row], path: str) -> bytes:
    """RECORD as the standard has it ("The .dist-info directory"): one line a file, itself bare."""
    lines = [f"{name},sha256={_urlsafe(content)},{len(content)}" for name, content in rows]
    return "".join(f"{line}\n" for line in [*lines, f"{path},,"]).encode()


def crlf_record(rows: Sequence[Row], path: str) -> bytes:
    """The right RECORD with the line ends of Python's csv writer, as many builders write it."""
    return right_record(rows, path).replace(b"\n", b"\r\n")


def record_without(missing: str) -> Record:
    """A RECORD that doesn't list one file."""
    return lambda rows, path: right_record([row for row in rows if row[0] != missing], path)


def record_with(*ghosts: str) -> Record:
    """A RECORD that lists files the wheel doesn't have."""
    return lambda rows, path: right_record([*rows, *((ghost, b"") for ghost in ghosts)], path)


def record_with_wrong_hash(path_of: str) -> Record:
    """A RECORD with another content's hash for one file."""
    return lambda rows, path: right_record(
        [(name, content + b"!" if name == path_of else content) for name, content in rows], path
    )


def _metadata(name: str, version: str, requires: Sequence[str], requires_python: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    extras = {part.split("'")[1] for text in requires for part in text.split("extra == ")[1:]}
    lines += [f"Provides-Extra: {extra}" for extra in sorted(extras)]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "".join(f"{line}\n" for line in lines).encode()


def _wheel(tag: str, build: str, purelib: bool) -> bytes:
    lines = ["Wheel-Version: 1.0", "Generator: test", f"Root-Is-Purelib: {str(purelib).lower()}"]
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines += [f"Tag: {p}-{a}-{m}" for p in pythons for a in abis for m in platforms]
    lines += [f"Build: {build}"] if build else []
    return "".join(f"{line}\n" for line in lines).encode()


def _entry_points(groups: Mapping[str, Mapping[str, str]]) -> bytes:
    lines: list[str] = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items()), ""]
    return "\n".join(lines).encode()


def _urlsafe(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
