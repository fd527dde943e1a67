"""A team of 14 services, three ways: all in one image, on a shared base by Docker, by basestore.

    make bench-team
    make bench-team TEAM='--only svc-documents svc-api svc-auth --json'
    make bench-team TEAM=--no-compile       pip without bytecode, printed, the page as it is

Starts the registries and engines it needs, with folders of their own, and ends them. Exits 3 where
a bound of the project is missed, 1 where a program failed or this machine lacks one.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.team.follow import events, measured
from bench.team.members import TEAM, Member
from bench.team.page import Run, as_json, as_markdown
from bench.team.prepare import RELEASED, prepare
from command import CommandError
from figures import LackingError
from machine import this_machine
from report import machine_words


def _options() -> argparse.Namespace:
    first = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="bench.team", description=first)
    names = [member.name for member in TEAM]
    parser.add_argument(
        "--only", nargs="+", metavar="SERVICE", choices=names, default=names, help="for a trial"
    )
    parser.add_argument(
        "--no-compile",
        action="store_const",
        const="--no-compile",
        default="",
        dest="pip",
        help="pip makes no bytecode",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--page", type=Path, help="write the page of the documentation")
    options = parser.parse_args()
    if not any(one.base == RELEASED for one in TEAM if one.name in options.only):
        parser.error(f"--only: name a service on {RELEASED}, too")
    return options


@contextmanager
def _run(team: Sequence[Member], pip: str) -> Iterator[Run]:
    """What was measured; the end of the block removes what it was measured on."""
    machine, date = machine_words(this_machine()), f"{datetime.now(UTC):%Y-%m-%d}"
    with tempfile.TemporaryDirectory(prefix="basestore-team-") as name:
        prepared = prepare(Path(name), team)
        with measured(prepared, events(team, prepared), Path(name), pip) as ways:
            yield Run(
                team=tuple(team),
                pip=pip,
                released=prepared.released,
                base=RELEASED,
                locking=prepared.locking,
                ways=ways,
                machine=machine,
                date=date,
            )


def _tell(run: Run, options: argparse.Namespace) -> int:
    """Print it, and write the page; the exit code."""
    page = as_markdown(run)
    sys.stdout.write(as_json(run) if options.json else page)
    sys.stdout.flush()
    if options.page:
        options.page.write_text(page)
    return 0 if run.holds else 3


def main() -> int:
    """The command line; its exit code."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # services must end
    team = [member for member in TEAM if member.name in options.only]
    try:
        with _run(team, options.pip) as run:
            return _tell(run, options)
    except (LackingError, CommandError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
