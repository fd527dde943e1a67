"""Replay past weeks of a profile, and tell what each way to cut it into layers would have cost.

Every week is locked by the pipeline itself with what the indexes had at the end of its day, as a
full upgrade, parents first. Figures are sums over all weeks, the first one's complete push and pull
included; "pulled" is for an engine with a graph driver, while a node that keeps blobs pulls what is
pushed. Exits 3 where the bounds of the project are missed.

    make replay                                         ml, 27 weeks
    make replay REPLAY='gpu --weeks 10 --json'
    make replay REPLAY='--shape 524288,25,8'            another shape besides
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from bench.replay.compare import compare
from bench.replay.relock import Replay, relock
from bench.replay.table import Row, document, markdown

from basestore.cli.settings import read_settings
from basestore.errors import BasestoreError, ExitCode, UsageError
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.recipe.plan import Shape
from basestore.target import Platform

ROOT = Path(__file__).resolve().parents[3]

UNTIL = date(2026, 11, 20)
"""When the project's own locks were made."""

PROFILE, WEEKS = "ml", 27

MOST_PUSHED, MOST_PULLED = 0.205, 0.40
"""Bounds over these weeks of this profile, of one layer's bytes."""


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _shape(text: str) -> Shape:
    heavy, alone, buckets = map(_count, text.split(","))
    return Shape(heavy, alone, buckets)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="replay", description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    amd64 = Platform("amd64")
    parser.add_argument("profile", nargs="?", default=PROFILE)
    parser.add_argument("--until", type=date.fromisoformat, default=UNTIL, help="the last day")
    parser.add_argument(
        "--weeks", type=_count, default=WEEKS, help="how many, the last day's included"
    )
    parser.add_argument("--platform", type=Platform.parse, default=amd64)
    parser.add_argument(
        "--shape", type=_shape, action="append", default=[], help="BYTES,ALONE,BUCKETS"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".replay", help="where locks are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def _replay(options: argparse.Namespace) -> Replay:
    weeks = reversed(range(options.weeks))
    days = tuple(options.until - timedelta(weeks=n) for n in weeks)
    project = read_project(ROOT)
    if options.platform not in read_profile(project, options.profile).platforms:
        message = f"profile {options.profile} is not for {options.platform}"
        raise UsageError(message, "name one of its platforms")
    return Replay(project, options.profile, options.platform, days, options.cache.resolve())


def _misses(replay: Replay, rows: Sequence[Row]) -> bool:
    """Whether the bounds are this replay's, and missed."""
    bounded = (replay.profile, len(replay.days), replay.days[-1]) == (PROFILE, WEEKS, UNTIL)
    (ours,) = (row for row in rows if row.plan.startswith("ours"))
    return bounded and (ours.pushed > MOST_PUSHED or ours.pulled > MOST_PULLED)


def main() -> int:
    options = _options()
    try:
        replay = _replay(options)
        families = relock(replay, read_settings(), lambda line: print(line, file=sys.stderr))
    except BasestoreError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    rows = list(compare(families, options.shape))
    if options.json:
        days = [str(day) for day in replay.days]
        print(json.dumps({"profile": replay.profile, "days": days, "plans": document(rows)}))
    else:
        print(markdown(rows), end="")
    return ExitCode.DISAGREEMENT if _misses(replay, rows) else 0


if __name__ == "__main__":
    sys.exit(main())
