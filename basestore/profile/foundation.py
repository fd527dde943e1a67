"""The ``[foundation]`` of a profile, which a child may restate but not change."""

import re

from basestore.profile.document import Table
from basestore.profile.model import DebianFoundation, Profile, profile_file

_SUITE = re.compile(r"[a-z][a-z0-9-]*")
_DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # Debian policy 5.6.7
SAME_LAYERS = "leave it out, or don't extend: a child's image holds the very layers of its parent's"
"""The way out where a child states other than its parent what decides about layers."""


def differs(here: str | None, there: str, parent: Profile) -> str:
    """What is wrong where a child states something else than its parent."""
    return f"{here!r} here, but {there!r} in {profile_file(parent.name)}, which it extends"


def read_foundation(table: Table, parent: Profile | None) -> DebianFoundation:
    """What a profile's table says, or its parent's, from which it may not differ.

    Raises DocumentError.
    """
    stated = table.table("foundation")
    if stated is None and parent is not None:
        return parent.foundation
    stated = table.required("foundation", stated, 'add [foundation] with debian = "bookworm"')
    stated.only("debian", "packages")
    suite = stated.string("debian")
    if suite is not None and not _SUITE.fullmatch(suite):
        raise stated.error(f"{suite!r} is no suite", 'write its codename: "bookworm"', "debian")
    packages = _debian_packages(stated)
    if parent is None:
        example = 'add packages = ["python3.11", "ca-certificates"]'
        return DebianFoundation(
            stated.required("debian", suite, 'add debian = "bookworm"'),
            stated.required("packages", packages, example),
        )
    return _same_foundation(stated, suite, packages, parent)


def _same_foundation(
    stated: Table, suite: str | None, packages: tuple[str, ...] | None, parent: Profile
) -> DebianFoundation:
    theirs = parent.foundation
    if suite not in (None, theirs.suite):
        raise stated.error(differs(suite, theirs.suite, parent), SAME_LAYERS, "debian")
    if packages is not None and packages != theirs.packages:
        other = ", ".join(sorted(set(packages) ^ set(theirs.packages)))
        raise stated.error(
            f"not the packages of {profile_file(parent.name)}, which it extends: {other}",
            SAME_LAYERS,
            "packages",
        )
    return theirs


def _debian_packages(stated: Table) -> tuple[str, ...] | None:
    names = stated.strings("packages")
    for number, name in enumerate(names or ()):
        if not _DEBIAN_NAME.fullmatch(name):
            raise stated.error(
                f"{name!r} is no name of a Debian package",
                "write the name alone, without version and architecture",
                "packages",
                number,
            )
    return None if names is None else tuple(sorted(set(names)))
