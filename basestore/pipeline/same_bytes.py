"""Same bytes: what a file name stood for in a revision, it stands for today.

A version is published once. Who serves other bytes under its name serves something that nobody of
this project has used before, whatever its version says.
"""

from collections.abc import Iterator, Mapping

from basestore.digest import Digest
from basestore.lock.model import Lock
from basestore.pipeline.then import Then

Artifacts = Mapping[str, frozenset[Digest]]
"""The digests of wheels by file name, and of .debs by name, version and architecture."""


def other_bytes(lock: Lock, old: Lock | None, then: Then) -> Iterator[str]:
    """A sentence on each artifact of a lock whose name had none but other bytes in a revision.

    ``old``: the same profile's lock there. Raises GitFailedError and UnreadableThenError.
    """
    known = _artifacts(old) if old else {}
    new = {name: found for name, found in _artifacts(lock).items() if found != known.get(name)}
    if not new:
        return
    before, where = _in_revision(new, then)
    for name, found in sorted(new.items()):
        others = before.get(name, frozenset())
        if others and not found <= others:
            digest = min(found - others)
            yield (
                f"{name} is {digest}, and was {min(others)} in locks/{where[name]}.lock of "
                f"{then.revision.name}: no version is published twice; take another one"
            )


def _in_revision(new: Artifacts, then: Then) -> tuple[Artifacts, Mapping[str, str]]:
    """What the locks of a revision have under these names, and one lock that has each.

    A lock is only parsed where its text has one of the names.
    """
    sought = [_written(name) for name in new]
    found: dict[str, frozenset[Digest]] = {}
    where: dict[str, str] = {}
    for locked in then.all_locked():
        if any(text in locked.data for text in sought):
            lock = then.lock(locked.name)
            for name, digests in (_artifacts(lock) if lock else {}).items():
                found[name] = found.get(name, frozenset()) | digests
                where.setdefault(name, locked.name)
    return found, where


def _written(name: str) -> bytes:
    """What a lock that has an artifact has in its text: a file name, or a .deb's version."""
    _, _, rest = name.partition(" ")
    return f'"{rest.partition(" ")[0] or name}"'.encode()


def _artifacts(lock: Lock) -> Artifacts:
    found: dict[str, frozenset[Digest]] = {}
    for platform in lock.platforms:
        wheels = ((wheel.file, wheel.sha256) for wheel in platform.wheels)
        debs = ((f"{d.name} {d.version} {d.architecture}", d.sha256) for d in platform.debs)
        for name, digest in (*wheels, *debs):
            found[name] = found.get(name, frozenset()) | {digest}
    return found
