"""A lock's foundation by one digest."""

from basestore.canonical import json_bytes
from basestore.digest import Digest
from basestore.lock.model import Lock


def foundation_digest(lock: Lock) -> Digest | None:
    """The digest of the foundations of all platforms; None of a service's lock, which has none."""
    if lock.base:
        return None
    rows = [
        [str(one.platform), one.python, one.glibc, *(str(deb.sha256) for deb in one.debs)]
        for one in lock.platforms
    ]
    return Digest.of(json_bytes(rows))
