"""The frozen value that ``[pins]`` of ``basestore.toml`` is read into, and its reader."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from basestore.profile.document import Table

# distribution/reference, "name": a host and path components, or path components alone.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(
    rf"(?:(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?/)?"
    rf"{_COMPONENT}(?:/{_COMPONENT})*"
)


@dataclass(frozen=True, slots=True)
class Pins:
    """Where references to bases are kept.

    ``files``: paths and patterns with ``*``, ``?``, ``[…]`` and ``**``, relative to the project.
    ``aliases``: further repositories of bases; the last component names the image or the base.
    """

    files: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def read_pins(table: Table) -> Pins:
    """The ``[pins]`` of a project's table; raises DocumentError."""
    pins = table.table("pins")
    if pins is None:
        return Pins()
    pins.only("files", "aliases")
    files, aliases = pins.strings("files") or (), pins.strings("aliases") or ()
    for number, file in enumerate(files):
        if not _stays_below(file):
            raise pins.error(
                f"{file!r} is no path in the project",
                'write it relative to basestore.toml, without "..": "deploy/**/*.yaml"',
                "files",
                number,
            )
    for number, alias in enumerate(aliases):
        if not _REPOSITORY.fullmatch(alias):
            raise pins.error(
                f"{_shown(alias)!r} is no image name",
                'write HOST/PATH without scheme, tag and digest: "registry.example.com/base-ml"',
                "aliases",
                number,
            )
    return Pins(files, aliases)


def _stays_below(file: str) -> bool:
    path = PurePosixPath(file)
    return (
        bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in file
    )


def _shown(alias: str) -> str:
    """Without what may be a credential."""
    return alias.rpartition("@")[2]
