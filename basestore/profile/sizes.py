"""Sizes as people write them."""

import re

SIZE_HINT = 'write a number and B, kB, MB, GB, KiB, MiB or GiB: "300 MB"'
"""The way out of a size that is none."""

_SIZE = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,3})?) ?(?P<unit>[kKMG]i?B|B)")
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_UNITS |= {"KiB": 2**10, "kiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_size(text: str) -> int:
    """A size in bytes; raises ValueError with a reason."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size")
    whole, _, fraction = match["number"].partition(".")
    thousandths = int(whole) * 1000 + int((fraction + "000")[:3])
    return thousandths * _UNITS[match["unit"]] // 1000
