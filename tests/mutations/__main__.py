"""`make mutations`: every change is tried, and found by the check that it is listed with."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations.model import Mutation, Result
from mutations.page import page, rows
from mutations.table import TABLE
from mutations.trial import try_out
from mutations.world import World, world


def main() -> None:
    """Say what found each; exit 1 if something was not found, or nothing raised an alarm."""
    parser = argparse.ArgumentParser(prog="mutations", description="Change things for real.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="whose names begin like this")
    parser.add_argument("--list", action="store_true", help="say which there are, and try none")
    parser.add_argument("--jobs", type=int, default=2, help="so many at a time")
    parser.add_argument("--archives", type=Path, help="keep here what Debian's archives answered")
    parser.add_argument("--page", type=Path, help="write the table here")
    asked = parser.parse_args()
    chosen = [one for one in TABLE if _wanted(one, asked.only)]
    if asked.list:
        print("\n".join(f"{one.name}: {one.said} [{one.check.value}]" for one in chosen))
        return
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends, too
    with (
        tempfile.TemporaryDirectory(prefix="mutations-") as work,
        world(Path(work) / "world", asked.archives) as made,
    ):
        print(f"the world is made in {time.monotonic() - begun:.0f} seconds", flush=True)
        before = _records(made)
        results = list(_tried(made, chosen, Path(work), asked.jobs))
        layers = len(_records(made) - before)
    wrong = [one for one in results if one.wrong]
    print(f"{len(results)} in {time.monotonic() - begun:.0f} seconds; {len(wrong)} are wrong")
    for one in wrong:
        print(f"  {one.mutation.name}: {one.wrong} ({one.said})")
    if layers:
        print(f"  {layers} records were written into the store that all share")
    if asked.page:
        asked.page.write_text(page(results, time.monotonic() - begun), encoding="utf-8")
    sys.exit(bool(wrong or layers))


def _wanted(mutation: Mutation, only: Sequence[str] | None) -> bool:
    return only is None or any(mutation.name.startswith(name) for name in only)


def _tried(made: World, chosen: Sequence[Mutation], work: Path, jobs: int) -> Iterator[Result]:
    """Each one's result as it stands in the table; told as they come."""
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(
            lambda one: try_out(made, one[1], work / f"copy-{one[0]}"), enumerate(chosen)
        ):
            print(rows([result])[0], flush=True)
            yield result


def _records(made: World) -> set[Path]:
    """The records of layers in the store that the copies share."""
    return {path for kind in ("layers", "recipes") for path in (made.store / kind).rglob("*.json")}


if __name__ == "__main__":
    main()
