"""A stand-in for the indexes that a profile names, with the past that a mirror of today lacks.

A package that comes from a named index is taken to have been released there whenever it was on
the default index, as a wheel with the file name, size and requirements of the one locked today.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from loopback_index import File

from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.sources.uv import Question, Target, Uv


@dataclass(frozen=True, slots=True)
class Release:
    """A wheel that the stand-in serves, and the size that it is taken to have, in bytes."""

    file: File
    size: int

    @property
    def digest(self) -> Digest:
        """The digest that the stand-in tells."""
        return Digest.parse(f"sha256:{self.file.sha256}")


@dataclass(frozen=True, slots=True)
class History:
    """When packages were released, as the default index tells.

    ``wheels``: the wheels locked today that have one. ``requires``: what they need, by name.
    """

    uv: Uv
    target: Target
    wheels: Sequence[Wheel]
    requires: Mapping[str, Sequence[str]]

    def on(self, day: date) -> Iterator[Release]:
        """The newest release of each package at the end of a day."""
        for wheel in self.wheels:
            question = Question("replay", (wheel.name,), self.target, before=end_of(day))
            (package,) = self.uv.resolve(question, ["--no-deps"])
            # Some wheels of a version come weeks after the first one, as another build.
            known = [indexed.uploaded for indexed in package.wheels if indexed.uploaded]
            yield self._release(wheel, package.version, min(known, default=end_of(day)))

    def _release(self, wheel: Wheel, public: str, uploaded: datetime) -> Release:
        _, plus, local = wheel.version.partition("+")
        version = f"{public}{plus}{local}"
        file = wheel.file.replace(f"-{wheel.version}-", f"-{version}-")
        lines = ["Metadata-Version: 2.1", f"Name: {wheel.name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {name}" for name in self.requires.get(wheel.name, ())]
        metadata = "\n".join([*lines, ""]).encode()
        moment = uploaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = Digest.of(file.encode()).hex
        return Release(File(wheel.name, file, b"", digest, metadata, moment), wheel.size)


def end_of(day: date) -> datetime:
    """The moment at which a day ends, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
