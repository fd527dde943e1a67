"""The rows of the comparison: what each stage took in each way. Pure."""

from collections.abc import Callable, Iterator, Sequence

from bench.team.tally import (
    Job,
    Row,
    Stage,
    building,
    middle,
    per_service,
    pushing,
    sending,
    took,
)

LEAST_BUILD, LEAST_PUSHED, LEAST_STORED = 0.87, 0.65, 0.69
"""The shares of all-in-one images' figures that have to be saved on the first day."""

Total = Callable[[Sequence[Job]], float]
"""The sum of something over jobs."""


def first_day(stages: Sequence[Stage]) -> Iterator[Row]:
    """Every image made for the first time; one stage a way."""
    yield from _parts("build", "s", building, stages)
    shared = tuple(per_service(stage) for stage in stages)
    yield Row("build a service, the bases shared out", "s", shared, LEAST_BUILD)
    yield from _parts("push", "s", pushing, stages)
    yield from _whole(stages)
    yield from _parts("sent", "MB", sending, stages, LEAST_PUSHED)
    yield _stored("the registry's storage", stages, LEAST_STORED)
    yield Row("kept where it is built", "MB", tuple(stage.kept for stage in stages))


def later(before: Sequence[Stage], stages: Sequence[Stage]) -> Iterator[Row]:
    """What has changed is made anew; ``before``: the stages that these came after."""
    yield from _parts("build", "s", building, stages)
    yield from _parts("push", "s", pushing, stages)
    yield from _whole(stages)
    yield from _parts("sent", "MB", sending, stages)
    grown = tuple(now.stored - then.stored for then, now in zip(before, stages, strict=True))
    yield Row("the registry's storage grew by", "MB", grown)


def altogether(ways: Sequence[Sequence[Stage]]) -> Iterator[Row]:
    """All stages of each way."""
    jobs = [[job for stage in stages for job in stage.jobs] for stages in ways]
    yield Row("build and push", "s", tuple(map(took, jobs)))
    yield Row("sent", "MB", tuple(map(sending, jobs)))
    last = [stages[-1] for stages in ways]
    yield _stored("the registry's storage", last)
    yield Row("kept where it is built", "MB", tuple(stage.kept for stage in last))


def _whole(stages: Sequence[Stage]) -> Iterator[Row]:
    """The time of everything, and the bases' part of it."""
    yield _all("build and push all", "s", took, stages)
    parts = tuple(took(stage.bases) if stage.bases else None for stage in stages)
    if any(parts):
        yield Row("of that the bases", "s", parts)


def _parts(
    verb: str, unit: str, of: Total, stages: Sequence[Stage], least: float | None = None
) -> Iterator[Row]:
    """The bases, the median service on each of them, and everything."""
    for base in _names(stage.bases for stage in stages):
        jobs = ([job for job in stage.bases if job.image == base] for stage in stages)
        yield Row(f"{verb} base {base}", unit, tuple(middle(of, one) for one in jobs))
    for base in dict.fromkeys(job.base for job in stages[0].services):
        medians = tuple(middle(of, stage.on(base)) for stage in stages)
        yield Row(f"{verb} a service on {base}, median", unit, medians)
    yield _all(f"{verb} all", unit, of, stages, least)


def _names(groups: Iterator[Sequence[Job]]) -> Sequence[str]:
    return list(dict.fromkeys(job.image for jobs in groups for job in jobs))


def _all(
    name: str, unit: str, of: Total, stages: Sequence[Stage], least: float | None = None
) -> Row:
    return Row(name, unit, tuple(of(stage.jobs) for stage in stages), least)


def _stored(name: str, stages: Sequence[Stage], least: float | None = None) -> Row:
    return Row(name, "MB", tuple(stage.stored for stage in stages), least)
