"""What the comparison tells: the page of the documentation, and a document for machines. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.team.members import Member
from bench.team.rows import altogether, first_day, later
from bench.team.tally import Row, Stage, took

WAYS = ("all in one", "shared base", "basestore")

HEAD = """\
# A team of {count} services, three ways

Made by `make bench-team`, which rewrites this page; every figure is of one run on one machine.
It fails where basestore does not save as much as the project holds itself to.
"""

ABOUT = """\
Services {bases}. Everything is for linux/amd64; locks are made and wheels
fetched before, and no way uses a network. In all three the foundation is the same layer of the same
.debs, and what is installed are the same pins from the same wheels.

- **all in one**: each service's Dockerfile is FROM the foundation with pip, installs the base's and
  its own pins in one `RUN python -m pip install --no-index --no-deps`, and copies its code.
- **shared base**: `docker build` makes an image of the base's pins on the foundation with pip; each
  service's Dockerfile is FROM that, installs what the base lacks, and copies its code.
- **basestore**: `basestore build NAME` and `basestore push NAME`, a process each, bases first. The
  store begins with wheels and .debs and no layer.

Docker is the engine's own client with BuildKit, on an engine of its own for each way, which begins
with the foundation, pip, and an image of all wheels that is mounted while installing: nothing of
that is timed. It keeps its build cache over all that follows. As services differ in what they
install, none takes a layer of another's from it but the foundation.

{bytecode}; basestore's images hold none for wheels.

Images are made one after the other; the ways take turns with each. Each way has an empty
docker-registry on loopback. *Sent* is all that clients sent to it, counted by a proxy, and its
*storage* what its folder takes on the disk. *Kept* is by how much the engine's folder, or the
store, has grown; the wheels it began with are not in it. *Saves* is the share of all in one that a
way does without.
"""

BYTECODE = {
    "": "pip compiles bytecode, as it does by default",
    "--no-compile": "pip compiles no bytecode (`--no-compile`)",
}
"""What pip's options do."""

FIRST = "Nothing is built and the registry is empty."

EDIT = """\
A line of code more in each of the {count} services. Docker's figures are those of an engine that
still has its cache, basestore's of a store that still has its layers. On a CI machine that begins
with neither, Docker takes what it took on the first day, {whole:.0f} s for everything in one,
{own:.0f} s for services on shared bases (pulling those not counted); basestore makes the layers
of a service's base again, which for {base} took {made:.1f} s.
"""

RELEASE = """\
{released}, the smallest package of {base} itself, gets a new version, and the {followers} services
on {base} follow. The new pins are there: making them took `basestore lock` {locking:.1f} s for
{base} and those services, with indexes on loopback.
"""

TITLES = ("The first day", "A code edit in each service", "A package of a base", "All of it")


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured. ``ways``: each one's stages. ``machine``: in words.

    ``pip``: its options, besides. ``released``: the package of ``base`` that got a new version.
    ``locking``: seconds.
    """

    team: tuple[Member, ...]
    pip: str
    released: str
    base: str
    locking: float
    ways: tuple[Sequence[Stage], ...]
    machine: str
    date: str

    @property
    def tables(self) -> tuple[tuple[Row, ...], ...]:
        """The rows of each part of the page."""
        first, edit, release = zip(*self.ways, strict=True)
        return (
            tuple(first_day(first)),
            tuple(later(first, edit)),
            tuple(later(edit, release)),
            tuple(altogether(self.ways)),
        )

    @property
    def holds(self) -> bool:
        """Whether every bound is met."""
        return all(row.holds for rows in self.tables for row in rows)


def as_markdown(run: Run) -> str:
    """The page."""
    bases = ", ".join(
        f"on {base}: {sum(one.base == base for one in run.team)}"
        for base in dict.fromkeys(one.base for one in run.team)
    )
    parts = [HEAD.format(count=len(run.team)), f"Run on {run.date}.\n", run.machine]
    parts.append(ABOUT.format(bases=bases, bytecode=BYTECODE[run.pip]))
    texts = (FIRST, _edit(run), _release(run), "The three together.")
    for title, text, rows in zip(TITLES, texts, run.tables, strict=True):
        parts.append(f"## {title}\n\n{text.strip()}\n\n{_table(rows)}")
    return "\n".join([*parts, f"## Each service on the first day\n\n{_services(run)}"])


def as_json(run: Run) -> str:
    """One document: sizes in bytes, times in seconds, savings as shares."""
    tables = {
        title: [{**asdict(row), "savings": row.savings, "holds": row.holds} for row in rows]
        for title, rows in zip(TITLES, run.tables, strict=True)
    }
    ways = {
        name: [asdict(stage) for stage in stages]
        for name, stages in zip(WAYS, run.ways, strict=True)
    }
    return json.dumps({"holds": run.holds, "tables": tables, "ways": ways}) + "\n"


def _edit(run: Run) -> str:
    whole, own = (took(stages[0].services) for stages in run.ways[:2])
    (made,) = (job.build for job in run.ways[-1][0].bases if job.image == run.base)
    return EDIT.format(count=len(run.team), whole=whole, own=own, base=run.base, made=made)


def _release(run: Run) -> str:
    followers = sum(one.base == run.base for one in run.team)
    return RELEASE.format(
        released=run.released, base=run.base, followers=followers, locking=run.locking
    )


def _table(rows: Sequence[Row]) -> str:
    """Rows, with the bound beside what has one."""
    head = ["", *WAYS, *(f"{way} saves" for way in WAYS[1:]), "bound"]
    lines = [_line(head), _line(["---", *["--:"] * 5, "---"])]
    lines += [_line(_cells(row)) for row in rows]
    return "".join(lines)


def _cells(row: Row) -> Sequence[str]:
    bound = "" if row.least is None else f"at least {row.least:.0%}"
    missed = "" if row.holds else ": **missed**"
    values = (_shown(value, row.unit) for value in row.values)
    return [row.name, *values, *map(_share, row.savings), bound + missed]


def _services(run: Run) -> str:
    """What each service needs besides its base, and what it took."""
    head = ["", "on", "needs besides", *(f"{way}: build, push" for way in WAYS)]
    lines = [_line(head), _line(["---"] * 3 + ["--:"] * 3)]
    for member in run.team:
        jobs = [
            next(job for job in stages[0].jobs if job.image == member.name) for stages in run.ways
        ]
        times = [f"{_shown(job.build, 's')}, {_shown(job.push, 's')}" for job in jobs]
        lines.append(_line([member.name, member.base, ", ".join(member.requirements), *times]))
    return "".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "".join([*(f"| {cell} " if cell else "| " for cell in cells), "|\n"])


def _shown(value: float | None, unit: str) -> str:
    """A value with its unit, for people; what there is none of is empty."""
    if value is None:
        return ""
    if unit == "MB":
        value /= 1e6
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:z.1%}"
