"""What policies ask about wheels beyond their names: licences, and whether they are yanked.

Nothing is asked of anybody where no rule needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from basestore.digest import Digest
from basestore.lock.origin import OFFERED, UNTOLD
from basestore.profile.policy import Need
from basestore.progress import Progress
from basestore.sources.fetch import Artifact, fetch
from basestore.sources.metadata import LIMIT, is_metadata, licences_of
from basestore.sources.pylock import IndexedWheel
from basestore.sources.simple import LIMIT as PAGE_LIMIT
from basestore.sources.simple import page_url, read_yanked
from basestore.store import Store
from basestore.transport import Transport
from basestore.transport.errors import StatusError

PARALLEL = 8
"""Requests at a time."""

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Asked:
    """A chosen wheel, what is to be known of it, and the URL of its index.

    ``index``: None where it comes from none, empty where nobody knows.
    """

    name: str
    wheel: IndexedWheel
    index: str | None
    needs: frozenset[Need]


@dataclass(frozen=True, slots=True)
class Learned:
    """What was found out, as `PackageOrigin` has it; None where it wasn't asked."""

    licences: tuple[str, ...] | None = None
    standing: str | None = None


Learn = Callable[[Sequence[Asked]], Mapping[Digest, Learned]]
"""Finds out what is asked about wheels, by digest."""


def learn_nothing(asked: Sequence[Asked]) -> Mapping[Digest, Learned]:
    """Where nobody can be asked: rules that need more stay unjudged."""
    del asked
    return {}


def learn(
    store: Store, transport: Transport, asked: Sequence[Asked], progress: Progress
) -> Mapping[Digest, Learned]:
    """What is asked about wheels, by digest.

    Licences from a wheel in the store, from the metadata file that the index has beside it (PEP
    658), else from the wheel, which is fetched. Standing from the page of the index. Raises
    TransportError, BadPageError, BadZipError and what `fetch` raises.
    """
    unique = {one.wheel.sha256: one for one in asked}
    student = _Student(store, transport, progress)
    licences = student.licences([o for o in unique.values() if Need.LICENCES in o.needs])
    standing = student.standing([o for o in unique.values() if Need.STANDING in o.needs])
    return {digest: Learned(licences.get(digest), standing.get(digest)) for digest in unique}


@dataclass(frozen=True, slots=True)
class _Student:
    store: Store
    transport: Transport
    progress: Progress

    def licences(self, asked: Sequence[Asked]) -> Mapping[Digest, tuple[str, ...]]:
        here = [one for one in asked if self.store.blobs.has(one.wheel.sha256)]
        away = [one for one in asked if one not in here]
        beside = self._each(away, self._beside)
        missing = [one for one in away if beside[one.wheel.sha256] is None]
        self._fetch([one.wheel for one in missing])
        found = {digest: data for digest, data in beside.items() if data is not None}
        found |= {one.wheel.sha256: self._inside(one.wheel) for one in (*here, *missing)}
        return {digest: licences_of(data) for digest, data in found.items()}

    def standing(self, asked: Sequence[Asked]) -> Mapping[Digest, str]:
        return self._each(asked, self._stands)

    def _each(self, asked: Sequence[Asked], find: Callable[[Asked], _R]) -> dict[Digest, _R]:
        from concurrent.futures import ThreadPoolExecutor

        if not asked:
            return {}
        with (
            self.progress.task("ask", f"about {len(asked)} wheels for the policy"),
            ThreadPoolExecutor(PARALLEL, thread_name_prefix="learn") as pool,
        ):
            found = pool.map(find, asked)
            return dict(zip((one.wheel.sha256 for one in asked), found, strict=True))

    def _beside(self, one: Asked) -> bytes | None:
        """The metadata file beside a wheel, None where the index has none."""
        if not one.wheel.url:
            return None
        parts = urlsplit(one.wheel.url)
        url = parts._replace(path=f"{parts.path}.metadata", fragment="").geturl()
        try:
            data = self.transport.read(url, limit=LIMIT)
        except StatusError:
            return None
        return data if is_metadata(data) else None

    def _inside(self, wheel: IndexedWheel) -> bytes:
        from basestore.layer.wheel.metadata import read_metadata

        with self.store.blobs.verified(wheel.sha256) as file:
            return read_metadata(file, wheel.file)

    def _fetch(self, wheels: Sequence[IndexedWheel]) -> None:
        places = {wheel.sha256: (wheel.url,) for wheel in wheels if wheel.url}
        artifacts = [Artifact(wheel.file, wheel.sha256, wheel.size) for wheel in wheels]
        fetch(self.store, self.transport, artifacts, lambda _: places, self.progress)

    def _stands(self, one: Asked) -> str:
        if not one.index:
            return OFFERED if one.index is None else UNTOLD
        url = page_url(one.index, one.name)
        yanked = read_yanked(self.transport.read(url, limit=PAGE_LIMIT), url)
        if one.wheel.file not in yanked:
            return OFFERED
        return f"yanked: {yanked[one.wheel.file]}" if yanked[one.wheel.file] else "yanked"
