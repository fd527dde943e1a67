"""What a way took for what happens to a team, and how much of it another way saves. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Job:
    """An image that was built and pushed: seconds, and the bytes that were sent for it.

    ``base``: what a service stands on; empty for a base.
    """

    image: str
    base: str
    build: float
    push: float
    sent: int


@dataclass(frozen=True, slots=True)
class Stage:
    """All jobs for one thing that happened.

    ``stored``: bytes on the registry's disk afterwards. ``kept``: bytes by which the disk of the
    machine that builds has grown by then, beyond the artifacts that it began with.
    """

    jobs: tuple[Job, ...]
    stored: int
    kept: int

    @property
    def services(self) -> tuple[Job, ...]:
        """The services' jobs."""
        return tuple(job for job in self.jobs if job.base)

    @property
    def bases(self) -> tuple[Job, ...]:
        """The bases' jobs; none where there are no bases."""
        return tuple(job for job in self.jobs if not job.base)

    def on(self, base: str) -> tuple[Job, ...]:
        """The jobs of the services on a base."""
        return tuple(job for job in self.services if job.base == base)


def building(jobs: Iterable[Job]) -> float:
    """Seconds of building, one after the other."""
    return sum(job.build for job in jobs)


def pushing(jobs: Iterable[Job]) -> float:
    """Seconds of pushing, one after the other."""
    return sum(job.push for job in jobs)


def took(jobs: Iterable[Job]) -> float:
    """Seconds of building and pushing, one after the other."""
    return sum(job.build + job.push for job in jobs)


def sending(jobs: Iterable[Job]) -> int:
    """Bytes that were sent."""
    return sum(job.sent for job in jobs)


def per_service(stage: Stage) -> float:
    """Seconds of building a service, the bases' shared out evenly."""
    return building(stage.jobs) / len(stage.services)


def middle(of: Callable[[Sequence[Job]], float], jobs: Iterable[Job]) -> float | None:
    """The median of single jobs; None where there are none."""
    values = [of([job]) for job in jobs]
    return median(values) if values else None


def saved(theirs: float | None, ours: float | None) -> float | None:
    """The share of theirs that ours saves; below 0 where ours is more. None without both."""
    return None if theirs is None or ours is None or not theirs else 1 - ours / theirs


@dataclass(frozen=True, slots=True)
class Row:
    """A thing that was measured in each way, the one to compare with first and ours last.

    ``unit``: "s" or "MB" (values in bytes). ``least``: the share that ours has to save at least.
    """

    name: str
    unit: str
    values: tuple[float | None, ...]
    least: float | None = None

    @property
    def savings(self) -> tuple[float | None, ...]:
        """What each of the later ways saves of the first."""
        return tuple(saved(self.values[0], value) for value in self.values[1:])

    @property
    def holds(self) -> bool:
        """Whether ours saves as much as it has to."""
        ours = self.savings[-1]
        return self.least is None or (ours is not None and ours >= self.least)
