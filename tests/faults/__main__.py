"""`make faults`: every fault at every call, then a storm; a page of figures."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from faults.kill import FAULTS, Tally, control, strike
from faults.scenes import scenes
from faults.storm import Tally as Storm
from faults.storm import storm

PAGE = """# Faults

Written by `make faults`, which does this for real: each command is killed (`strace --inject`) at
a call that changes something in the project or the store, or that call fails with ENOSPC or EIO.
After each trial every blob is hashed, no lock may be torn, and an error is one sentence and exit
code 6 (4 where one of the user's files can't be read). The same command must then succeed and give
the same digests, and `basestore store verify` must be clean.

| command | fault | calls that change something | of so many kinds | tried | survived |
|---|---|---|---|---|---|
{rows}

From the same traces, the order of data, their sync, the name, its sync, the record that names it:

| command | blobs named | records named | out of order |
|---|---|---|---|
{orders}

A storm on one store: builders that add and drop a profile, collections, verifications, clocks
that jump by days, two in five commands killed midway. At the end every blob is hashed, all is built
once more and put together by `basestore store verify --deep`.

{storm}

{machine}
"""


def trials(names: Sequence[str], faults: Sequence[str], at_most: int) -> Iterator[Tally]:
    """Each command with each fault, at these points or at all."""
    with tempfile.TemporaryDirectory() as work, scenes(Path(work), *names) as known:
        for scene in known:
            undisturbed = control(scene)
            for fault in faults:
                yield strike(scene, fault, undisturbed, at_most)


def page(tallies: Sequence[Tally], raged: Storm, seconds: float) -> str:
    """The page of figures."""
    rows = [
        f"| {t.command} | {t.fault} | {t.points} | {t.calls} | {t.tried} | {t.survived} |"
        for t in tallies
    ]
    orders = {
        t.command: f"| {t.command} | {t.order.blobs} | {t.order.records} | {len(t.order.wrong)} |"
        for t in tallies
    }
    program = subprocess.run(["strace", "-V"], capture_output=True, text=True, check=True).stdout
    version = program.splitlines()[0].rpartition(" ")[2]
    return PAGE.format(
        rows="\n".join(rows),
        orders="\n".join(orders.values()),
        storm=said(raged, seconds),
        machine=f"strace {version}.",
    )


def said(raged: Storm, seconds: float) -> str:
    """What a storm did, in a sentence."""
    done = ", ".join(f"{count} {what}" for what, count in sorted(raged.done.items()))
    return f"{seconds:g} seconds: {done}; {len(raged.failures)} failures."


def main() -> None:
    """Say what was done and what went wrong; exit 1 if anything did."""
    parser = argparse.ArgumentParser(prog="faults", description="Break things for real.")
    parser.add_argument("--points", type=int, default=0, help="at most so many a command and fault")
    parser.add_argument("--command", action="append", help="lock, build, push or gc")
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--storm", type=float, default=120, metavar="SECONDS")
    parser.add_argument("--page", type=Path, help="write the figures here")
    asked = parser.parse_args()
    tallies = []
    for tally in trials(asked.command or (), asked.fault or list(FAULTS), asked.points):
        print(tally, flush=True)
        tallies.append(tally)
    with tempfile.TemporaryDirectory() as work:
        raged = storm(Path(work), asked.storm, builders=3, seed=1)
    print(said(raged, asked.storm))
    if asked.page:
        asked.page.write_text(page(tallies, raged, asked.storm), encoding="utf-8")
    wrong = [*raged.failures, *(w for t in tallies for w in (*t.failures, *t.order.wrong))]
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
