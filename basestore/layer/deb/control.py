"""The description of a package: deb-control(5), one paragraph of deb822(5)."""

import re
from dataclasses import dataclass

from basestore.layer.deb.errors import MalformedDebError

_NAME = re.compile(r"[!-,.-9;-~][!-9;-~]*")
"""A field's name: US-ASCII without blanks and colons, not beginning with a hyphen (deb822(5))."""


@dataclass(frozen=True, slots=True)
class Control:
    """The fields of a control file, by name, in its order.

    A value keeps its continuation lines as they are, each after a newline.
    """

    fields: dict[str, str]

    @property
    def name(self) -> str:
        """The package's name."""
        return self.fields["Package"]

    @property
    def identity(self) -> tuple[str, str, str]:
        """Name, version and architecture."""
        return self.name, self.fields["Version"], self.fields["Architecture"]

    @property
    def info_name(self) -> str:
        """What dpkg calls the package in its database: with the architecture where it must."""
        if self.fields.get("Multi-Arch") == "same":
            return f"{self.name}:{self.fields['Architecture']}"
        return self.name


def parse_control(data: bytes, package: str) -> Control:
    """Read a control file; ``package`` names it in MalformedDebError."""
    fields: dict[str, str] = {}
    key = ""
    for line in _lines(data, package):
        if line[0] in " \t" and key:
            fields[key] += f"\n{line}"
            continue
        key, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(key) or key in fields:
            raise MalformedDebError(package, f"its control file has the broken line {line!r}")
        fields[key] = value.strip()
    for needed in ("Package", "Version", "Architecture"):
        if needed not in fields:
            raise MalformedDebError(package, f"its control file has no field {needed}")
        if not fields[needed].isprintable():
            raise MalformedDebError(package, f"its control file has a broken {needed}")
    return Control(fields)


def _lines(data: bytes, package: str) -> list[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise MalformedDebError(package, "its control file is not UTF-8") from None
    return [line for line in text.split("\n") if line.strip()]
