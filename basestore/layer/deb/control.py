"""The description of a package: deb-control(5), one paragraph of deb822(5)."""

import re
from dataclasses import dataclass

from basestore.debian.version import Version
from basestore.layer.deb.errors import MalformedDebError

_NAME = re.compile(r"[!-,.-9;-~][!-9;-~]*")
"""A field's name: US-ASCII without blanks and colons, not beginning with a hyphen (deb822(5))."""

FIELDS = (
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
)
"""The fields that dpkg knows, in the order in which it writes them."""

_SPELT = {name.lower(): name for name in FIELDS}
_NEEDED = ("Package", "Version", "Architecture")


@dataclass(frozen=True, slots=True)
class Control:
    """The fields of a control file, by name, in its order.

    Names of fields that dpkg knows are spelt as dpkg does. A value keeps its continuation lines as
    they are, each after a newline.
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
    """Read a control file; ``package`` names it in MalformedDebError.

    Names of fields are the same in upper and lower case (deb822(5)), and each stands there once.
    """
    fields: dict[str, str] = {}
    seen: set[str] = set()
    key = ""
    for line in _lines(data, package):
        if line[0] in " \t" and key:
            fields[key] += f"\n{line}"
            continue
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name) or name.lower() in seen:
            raise MalformedDebError(package, f"its control file has the broken line {line!r}")
        seen.add(name.lower())
        key = _SPELT.get(name.lower(), name)
        fields[key] = value.strip()
    _check(fields, package)
    return Control(fields)


def _check(fields: dict[str, str], package: str) -> None:
    """Of Debian's packages none has a backslash in a field but in its description."""
    for needed in _NEEDED:
        if needed not in fields:
            raise MalformedDebError(package, f"its control file has no field {needed}")
        if not fields[needed].isprintable():
            raise MalformedDebError(package, f"its control file has a broken {needed}")
    for name, value in fields.items():
        if "\\" in value and name != "Description":
            raise MalformedDebError(package, f"its control file has a backslash in its {name}")
    try:
        Version.parse(fields["Version"])
    except ValueError:
        raise MalformedDebError(package, "its control file has a broken Version") from None


def _lines(data: bytes, package: str) -> list[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise MalformedDebError(package, "its control file is not UTF-8") from None
    return [line for line in text.split("\n") if line.strip()]
