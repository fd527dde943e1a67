"""All measurements in one run, and the page of the documentation that tells of them.

    python tests/bench [--gpu] [--rounds 5] [--json] [--page docs/benchmarks.md]

Starts the registries and the engine it needs, with folders of their own, and ends them. Exits 3
where a bound of the project is missed, 1 where a program failed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bump
import cold
import gpu
import nothing
import peers
import pushes
import realise
from figures import ROUNDS, Bench, Figure, LackingError
from machine import this_machine
from report import as_json, as_markdown, as_text, exit_code, measured

MEASUREMENTS = (
    realise.MEASUREMENT,
    cold.MEASUREMENT,
    bump.MEASUREMENT,
    nothing.MEASUREMENT,
    pushes.MEASUREMENT,
    peers.MEASUREMENT,
)


def _without_gpu(_: Bench) -> Sequence[Figure]:
    raise LackingError("it takes 3.3 GB of wheels, and `make bench BENCH=--gpu`.")


WITHOUT_GPU = replace(gpu.MEASUREMENT, measure=_without_gpu)


def main() -> int:
    """The command line; its exit code."""
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--gpu", action="store_true", help="gpu too: 3.3 GB of wheels")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="at most; for a quick trial")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--page", type=Path, help="write the page of the documentation")
    options = parser.parse_args()
    machine, now = this_machine(), datetime.now(UTC)
    sections = []
    for one in (*MEASUREMENTS, gpu.MEASUREMENT if options.gpu else WITHOUT_GPU):
        section = measured(one, min(options.rounds, one.rounds))
        sections.append(section)
        if not options.json:
            sys.stdout.write(as_text(section))
            sys.stdout.flush()
    if options.json:
        sys.stdout.write(as_json(sections))
    if options.page:
        options.page.write_text(as_markdown(sections, machine, f"{now:%Y-%m-%d}"))
    return exit_code(sections)


if __name__ == "__main__":
    sys.exit(main())
