"""`make faults`: every fault at every call, losses of power, a storm; a page of figures."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from faults import powercut
from faults.kill import FAULTS, Tally
from faults.scenes import NAMES
from faults.storm import Tally as Storm
from faults.storm import lasting, storm
from faults.trials import trials

PAGE = """# Faults

Written by `make faults`, which does this for real. Each command is killed at a call by which it
changes something in the project or the store: all its processes at once, at every third call only
the one that made it. Or that call fails with ENOSPC or EIO (`strace --inject`). After each trial
every blob is hashed, every file of the project is the old or the new one, an export is there
whole or not at all, and an error is one sentence and exit code 6 (4 where one of the user's files
can't be read). The same command must then succeed and give the same bytes, `basestore store verify`
be clean, and after `basestore store gc` project and store hold the same files as without the fault.

| command | fault | calls that change something | of so many kinds | tried | survived |
|---|---|---|---|---|---|
{rows}

Where fewer were tried they are spread evenly. Refusals are counted in each thread, so that those of
several threads with one number are one trial.

From the same traces, the order of data, their sync, the name, its sync, the record that names it:

| command | blobs named | records named | out of order |
|---|---|---|---|
{orders}

{cuts}

A storm on one store: builders of bases and services that add and drop a profile, one of them
another user, one with a seed below; pushes, exports, collections, repairs two at a time of damage
done on purpose, clocks that jump by days; two in five commands are killed midway. At the end every
blob is hashed, all is built once more and put together by `basestore store verify --deep`.

{storm}

{machine}
"""


def page(
    tallies: Sequence[Tally], losses: Sequence[powercut.Tally], raged: Storm, seconds: float
) -> str:
    """The page of figures."""
    ordered = sorted(tallies, key=lambda t: (NAMES.index(t.command), FAULTS.index(t.fault)))
    rows = [
        f"| {t.command} | {t.fault} | {t.calls} | {t.kinds} | {t.tried} | {t.survived} |"
        for t in ordered
    ]
    rows += [_all_of(fault, ordered) for fault in FAULTS]
    orders = {
        t.command: f"| {t.command} | {t.order.blobs} | {t.order.records} | {len(t.order.wrong)} |"
        for t in ordered
    }
    program = subprocess.run(["strace", "-V"], capture_output=True, text=True, check=True).stdout
    version = program.splitlines()[0].rpartition(" ")[2]
    return PAGE.format(
        rows="\n".join(rows),
        orders="\n".join(orders.values()),
        cuts=powercut.SECTION.format(rows=powercut.rows(losses)).rstrip(),
        storm=said(raged, seconds),
        machine=f"strace {version}.",
    )


def _all_of(fault: str, tallies: Sequence[Tally]) -> str:
    """The row of a fault over all commands."""
    alike = [tally for tally in tallies if tally.fault == fault]
    calls, tried = sum(one.calls for one in alike), sum(one.tried for one in alike)
    return f"| all | {fault} | {calls} | | {tried} | {sum(one.survived for one in alike)} |"


def said(raged: Storm, seconds: float) -> str:
    """What a storm did, in a sentence."""
    done = ", ".join(f"{count} {what}" for what, count in sorted(raged.done.items()))
    return f"{seconds:g} seconds: {done}; {len(raged.failures)} failures."


def main() -> None:
    """Say what was done and what went wrong; exit 1 if anything did."""
    parser = argparse.ArgumentParser(prog="faults", description="Break things for real.")
    parser.add_argument("--points", type=int, help="at most so many a command and fault; 0: all")
    parser.add_argument("--starts", type=int, default=10, help="after so many losses of power")
    parser.add_argument("--command", action="append", choices=NAMES)
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--storm", type=float, default=120, metavar="SECONDS")
    parser.add_argument("--page", type=Path, help="write the figures here")
    asked = parser.parse_args()
    begun = time.monotonic()
    tallies = list(trials(asked.command or NAMES, asked.fault or FAULTS, asked.points))
    tried = sum(tally.tried for tally in tallies)
    print(f"{tried} trials in {time.monotonic() - begun:.0f} seconds", flush=True)
    losses = list(powercut.told(asked.command or NAMES, asked.starts))
    with tempfile.TemporaryDirectory() as work:
        raged = storm(Path(work), lasting(asked.storm), builders=3, seed=1)
    print(said(raged, asked.storm))
    if asked.page:
        asked.page.write_text(page(tallies, losses, raged, asked.storm), encoding="utf-8")
    wrong = [*raged.failures, *(w for t in tallies for w in (*t.failures, *t.order.wrong))]
    wrong += [w for t in losses for w in t.failures]
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
