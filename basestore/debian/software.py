"""What the version of a .deb says of the software in it."""

import re

from basestore.debian.version import Version

_LIBRARY = re.compile(r"[0-9]+\.[0-9]+")


def python_version(version: Version) -> str:
    """The interpreter's own version, as PEP 440 writes it.

    Debian writes a candidate for release ``~rc1``, so that it sorts before the release, and what it
    took out of the source ``+dfsg``.
    """
    return version.upstream.partition("+")[0].replace("~", "")


def glibc_version(version: Version) -> str:
    """The C library's ``major.minor``; raises ValueError for a version that has none."""
    match = _LIBRARY.match(version.upstream)
    if match is None:
        raise ValueError(f"{version} is no version of the GNU C library")
    return match[0]
