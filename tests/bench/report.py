"""What a run of measurements tells: for people, for machines, for the documentation."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from command import CommandError
from figures import Bench, Figure, LackingError, Measurement, Section
from machine import Machine

HEAD = """\
# Benchmarks

Made by `make bench`, which rewrites this page; every figure is of one run on one machine. Medians
over rounds, in which whatever is compared takes its turn, and the lowest and highest beside them.
A bound is what the project holds itself to; `make bench` fails where one is missed.
"""


def measured(measurement: Measurement, rounds: int | None) -> Section:
    """A measurement's section, with the reason instead of figures where there are none.

    It gets a folder of its own. ``rounds``: None for the measurement's own number.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # services must end
    title, about = measurement.title, measurement.about
    with tempfile.TemporaryDirectory(prefix="basestore-bench-") as folder:
        bench = Bench(Path(folder), rounds or measurement.rounds)
        try:
            return Section(title, about, tuple(measurement.measure(bench)))
        except LackingError as error:
            return Section(title, about, lacking=str(error))
        except CommandError as error:
            return Section(title, about, failed=str(error))


def run_alone(measurement: Measurement, chosen: Callable[[str], Measurement] | None = None) -> int:
    """The command line of a file of one measurement; its exit code.

    ``chosen`` makes the measurement of something else that the command line names.
    """
    parser = argparse.ArgumentParser(description=measurement.title)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--rounds", type=int, help=f"default: {measurement.rounds}")
    if chosen:
        parser.add_argument("what", nargs="?", help="a profile or folder to measure instead")
    options = parser.parse_args()
    if chosen and options.what:
        measurement = chosen(options.what)
    section = measured(measurement, options.rounds)
    sys.stdout.write(as_json([section]) if options.json else as_text(section))
    return exit_code([section])


def exit_code(sections: Sequence[Section]) -> int:
    """1 where a program failed, else 3 where a bound is missed."""
    if any(section.failed for section in sections):
        return 1
    return 0 if all(section.holds for section in sections) else 3


def as_json(sections: Sequence[Section]) -> str:
    """One document of all figures; times in seconds, sizes in the unit that is named."""
    found = [
        {
            "title": section.title,
            "lacking": section.lacking or None,
            "failed": section.failed or None,
            "holds": section.holds,
            "figures": [_figure(figure) for figure in section.figures],
        }
        for section in sections
    ]
    return json.dumps({"holds": not exit_code(sections), "sections": found}) + "\n"


def _figure(figure: Figure) -> dict[str, object]:
    bound = figure.bound
    return {
        "name": figure.name,
        "median": figure.median,
        "values": list(figure.values),
        "unit": figure.unit.word,
        "bound": {bound.side.value: bound.limit} if bound else None,
        "holds": figure.holds,
    }


def as_text(section: Section) -> str:
    """A section for a terminal."""
    if section.failed:
        return f"{section.title}\n  Failed: {section.failed}\n"
    if section.lacking:
        return f"{section.title}\n  Not run: {section.lacking}\n"
    rows = [_row(figure) for figure in section.figures]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [
        f"  {name:{widths[0]}}  {middle:>{widths[1]}}  {spread:18}  {bound}".rstrip()
        for name, middle, spread, bound in rows
    ]
    return "\n".join([section.title, *lines, ""])


def _row(figure: Figure) -> tuple[str, str, str, str]:
    """Name, median, spread and bound, as people read them."""
    unit = figure.unit
    spread = ""
    if len(figure.values) > 1:
        spread = f"{unit.show(min(figure.values))} to {unit.show(max(figure.values))}"
    bound = ""
    if figure.bound:
        limit = f"{figure.bound.side.value} {figure.bound.limit:,g} {unit.word}".rstrip()
        bound = limit if figure.holds else f"{limit}: **missed**"
    return figure.name, f"{unit.show(figure.median)} {unit.word}".rstrip(), spread, bound


def as_markdown(sections: Sequence[Section], machine: Machine, date: str) -> str:
    """The page of the documentation."""
    parts = [HEAD, f"Run on {date}.\n", machine_words(machine), *map(_section, sections)]
    return "\n".join(parts)


def machine_words(machine: Machine) -> str:
    """What was measured on, as a line of Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions)
    return (
        f"Machine: {machine.cores} cores ({', '.join(machine.flags) or 'no flags of interest'}), "
        f"{machine.memory / 1e9:.0f} GB of memory; load before the run {machine.load:.1f}. "
        f"{versions}.\n"
    )


def _section(section: Section) -> str:
    lines = [f"## {section.title}", "", section.about, ""]
    if section.failed:  # what failed names folders of this machine
        return "\n".join([*lines, "Failed.", ""])
    if section.lacking:
        return "\n".join([*lines, f"Not run: {section.lacking}", ""])
    lines += ["| | median | rounds | lowest to highest | bound |", "|---|--:|--:|--:|---|"]
    for figure in section.figures:
        name, middle, spread, bound = _row(figure)
        lines.append(f"| {name} | {middle} | {len(figure.values)} | {spread} | {bound} |")
    return "\n".join([*lines, ""])
