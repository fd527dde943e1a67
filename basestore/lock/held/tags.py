"""Which wheels run on a platform, by their files' names (PyPA, "Platform compatibility tags")."""

import itertools
import re
from collections.abc import Callable

from basestore.target import Platform

_OLDER = re.compile(r"(?:cp|py)3(0|[1-9][0-9]{0,3})")
_ABI3_SINCE = 2  # PEP 384 came with Python 3.2


def runs(platform: Platform, python: str, glibc: str) -> Callable[[str], bool]:
    """Whether a wheel of that file's name runs there: has one of the tags of `Platform.tags`.

    Those are some thousands, and few wheels are asked about; so their rule is followed here.
    """
    here = f"cp{''.join(python.split('.')[:2])}"
    newest = int(match[1]) if (match := _OLDER.fullmatch(here)) else -1

    def pure(interpreter: str) -> bool:
        older = _OLDER.fullmatch(interpreter)
        return interpreter in ("py3", here) or (
            older is not None and interpreter.startswith("py") and int(older[1]) <= newest
        )

    def stable(interpreter: str) -> bool:
        older = _OLDER.fullmatch(interpreter)
        return (
            older is not None
            and interpreter.startswith("cp")
            and _ABI3_SINCE <= int(older[1]) <= newest
        )

    def has(interpreter: str, abi: str, machine: str) -> bool:
        if machine != "any" and not platform.takes(machine, glibc):
            return False
        if abi == "none":
            return pure(interpreter)
        native = abi == here == interpreter or (abi == "abi3" and stable(interpreter))
        return native and machine != "any"

    def fits(file: str) -> bool:
        # PEP 425, "Compressed Tag Sets": each part may list several, every combination of which is.
        parts = file.removesuffix(".whl").lower().rsplit("-", 3)[1:]
        return any(has(*tag) for tag in itertools.product(*(part.split(".") for part in parts)))

    return fits
