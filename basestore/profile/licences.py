"""Licences by their SPDX identifiers, as ``refuse-licences`` names them.

The list of identifiers is the one that ``packaging`` checks licence expressions with (PEP 639).
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

UNKNOWN = "unknown"
"""What stands for the licence of a package that tells none."""

_OWN = ("licenseref-", "documentref-")  # SPDX specification, annex "SPDX license expressions"
_MOST = 2  # so many identifiers are suggested
_WITHOUT = re.compile(r"v(?=\d)|licen[cs]e|[^a-z0-9]")


def is_licence(pattern: str) -> bool:
    """Whether some licence can match a pattern; case means nothing.

    One that begins with ``*`` may be for the free text of old packages, so that every one can.
    """
    from packaging.licenses._spdx import EXCEPTIONS, LICENSES  # there is no public list

    name, _, exception = pattern.lower().partition(" with ")
    if name.startswith(("*", *_OWN)) or name == UNKNOWN:
        return True
    return _any(name.removesuffix("+"), LICENSES) and (not exception or _any(exception, EXCEPTIONS))


def meant_licences(text: str) -> tuple[str, ...]:
    """The identifiers that a text such as ``GPLv3`` may stand for, or the pattern of its family."""
    from difflib import get_close_matches

    from packaging.licenses._spdx import LICENSES

    family = f"{text.rstrip('*').rstrip('vV-. ')}-*"
    if is_licence(family):
        return (family,)
    plain: dict[str, list[str]] = {}
    for one in LICENSES.values():
        if not one["deprecated"]:
            plain.setdefault(_plain(one["id"]), []).append(one["id"])
    wanted = _plain(text)
    begin = sorted(name for name in plain if wanted and name.startswith(wanted))
    near = sorted(begin, key=len)[:_MOST] or get_close_matches(wanted, plain, n=_MOST, cutoff=0.7)
    return tuple(identifier for name in near for identifier in plain[name])[:_MOST]


def _any(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _plain(text: str) -> str:
    """What remains of a name whatever way it is written."""
    return _WITHOUT.sub("", text.lower())
