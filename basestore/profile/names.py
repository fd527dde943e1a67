"""Names: of profiles, indexes and packages, and patterns of package names."""

import re
from collections.abc import Sequence

from basestore.errors import UsageError

_PLAIN = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST = 64
_INDEX = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RUN = re.compile(r"[-_.]+")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")  # PEP 508, identifier
_NORMALISED = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PATTERN = re.compile(r"[a-z0-9*]([a-z0-9*-]*[a-z0-9*])?")

# C0 and C1 (Unicode 23.1), line and paragraph separators, and the marks that turn text around,
# with which a name looks like another one in terminals and reviews (Unicode TR 36, 2.5).
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that steer what shows them, and stand for nothing themselves."""

ENDLESS_NUMBER = re.compile(r"[0-9]{1000}")
"""In a version, say: Python reads only some thousands of digits (sys.int_info), and no one needs as
many."""

DEFAULT_INDEX = "default"
"""What the index that uv asks by default is called in profiles, mirrors and origins."""

RESERVED_INDEXES = frozenset({DEFAULT_INDEX, "debian", "debian-security", "snapshot"})
"""What mirrors are named for besides the indexes of profiles."""


class PlainNameError(UsageError):
    """A name is no plain name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is no plain name for a profile",
            f"use at most {_LONGEST} lower-case letters and digits, with single '.', '_' or '-' "
            "between them: the name becomes part of a file's and an image's name",
        )
        self.name = name


class NotAPackageNameError(UsageError):
    """Something else stands where a package is to be named."""

    def __init__(self, text: str) -> None:
        name = name_of(text)
        super().__init__(
            f"{text!r} is no package's name",
            f"name it alone: {name}; which versions may be there, the profile says"
            if name
            else "name it as the lock does",
        )
        self.text = text


def is_plain(name: str) -> bool:
    """Whether a profile may be called so: also a component of an OCI repository's name."""
    return len(name) <= _LONGEST and _PLAIN.fullmatch(name) is not None


def plain_name(name: str) -> str:
    """The name itself; raises PlainNameError if a profile can't be called so."""
    if not is_plain(name):
        raise PlainNameError(name)
    return name


def is_index_name(name: str) -> bool:
    """Whether an index may be called so: the name of an environment variable can hold it."""
    return _INDEX.fullmatch(name) is not None and name not in RESERVED_INDEXES


def normalised(name: str) -> str:
    """A package's name as compared (PyPA name normalisation, PEP 503)."""
    return _RUN.sub("-", name).lower()


def name_of(requirement: str) -> str:
    """The normalised name that a requirement begins with; empty where it doesn't."""
    found = _NAME.match(requirement.strip())
    return normalised(found[0]) if found else ""


def package_name(text: str) -> str:
    """A package's name as compared; raises NotAPackageNameError."""
    name = normalised(text)
    if not is_normalised(name):
        raise NotAPackageNameError(text)
    return name


def is_normalised(name: str) -> bool:
    """Whether a package's name is a valid one, and in its normalised form."""
    return _NORMALISED.fullmatch(name) is not None


def is_pattern(pattern: str) -> bool:
    """Whether a text is a normalised package name in which ``*`` may stand for any characters."""
    return _PATTERN.fullmatch(pattern) is not None


def matches(name: str, patterns: Sequence[str]) -> str | None:
    """The first pattern that a normalised name matches, if any."""
    from fnmatch import fnmatchcase

    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
