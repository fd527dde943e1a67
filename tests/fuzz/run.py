"""A plain fuzzer: mutated inputs into the readers, until a time is over or one of them breaks.

    python tests/fuzz/run.py --seconds 600 [--target zip]... [--seed 1] [--json]

Inputs begin as the files of ``tests/fuzz/seeds/TARGET``; one that is refused in a new way is kept
and mutated further, which leads past the first check into the next. A crash is any exception that
isn't the reader's own refusal, a hang more than 2 s of processor time for one input. Each is
written into ``.fuzz``; put it among the seeds once it is mended. Exit 1 if there was any.
"""

import argparse
import hashlib
import json
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from fuzz.mutate import Mutator, sealed  # noqa: E402
from fuzz.targets import TARGETS, Target  # noqa: E402

HANG = 2.0
"""Seconds of processor time that one input may take."""

_MOST_KEPT = 400
_ROUND = 1.0  # seconds a target has before the next one's turn
# From the first quotation mark to the last; an apostrophe within a word is none.
_DETAIL = re.compile(r"""(?<!\w)b?['"].*['"]|(?<!\w)b?['"].*|[0-9a-f]{6,}|\d+""", re.DOTALL)


class HangError(BaseException):
    """An input takes too long; no reader catches that."""


@dataclass
class Tally:
    """What happened to one target's inputs."""

    executions: int = 0
    taken: int = 0
    refused: int = 0
    ways: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    crashes: list[str] = field(default_factory=list)


def seeds(name: str) -> list[bytes]:
    """The kept inputs of a target."""
    found = [path.read_bytes() for path in sorted((HERE / "seeds" / name).iterdir())]
    if not found:
        raise SystemExit(f"tests/fuzz/seeds/{name} is empty")
    return found


@contextmanager
def watched(limit: float = HANG) -> Iterator[None]:
    """HangError inside the block once it has taken that many seconds of the processor."""

    def stop(number: int, frame: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class Fuzzer:
    """One target, its inputs and what became of them."""

    def __init__(self, name: str, seed: int, found: Path) -> None:
        self.tally = Tally()
        self._name = name
        self._found = found
        self._target: Target = TARGETS[name]
        self._mutator = Mutator(seed, self._target.tokens)
        self._inputs = seeds(name)
        self._ways: set[str] = set()
        for data in self._inputs:
            self.execute(data)

    def run(self, seconds: float) -> None:
        """Execute mutated inputs for so long."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            data = self._mutator.mutated(self._inputs)
            self.execute(sealed(data) if self._target.seal and self.tally.executions % 4 else data)
        self.tally.seconds += time.monotonic() - started

    def execute(self, data: bytes) -> None:
        """Give one input to the reader."""
        started = time.process_time()
        try:
            with watched():
                way = self._way(data)
        except HangError:
            self._report(data, f"takes more than {HANG} s")
            return
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            self._report(data, traceback.format_exc())
            return
        finally:
            self.tally.executions += 1
            self.tally.slowest = max(self.tally.slowest, time.process_time() - started)
        if way not in self._ways:
            self._ways.add(way)
            self.tally.ways += 1
            if len(self._inputs) < _MOST_KEPT:
                self._inputs.append(data)

    def _way(self, data: bytes) -> str:
        """How the reader ends: the kind of refusal, without the details of this input."""
        try:
            self._target.run(data)
        except self._target.refusals as error:
            self.tally.refused += 1
            return f"{type(error).__name__} {_DETAIL.sub('', str(error))[:120]}"
        self.tally.taken += 1
        return "taken"

    def _report(self, data: bytes, what: str) -> None:
        place = self._found / f"{self._name}-{hashlib.sha256(data).hexdigest()[:16]}"
        where = what.strip().splitlines()
        crash = " | ".join(line.strip() for line in where[-3:])
        if crash in self.tally.crashes:
            return
        self.tally.crashes.append(crash)
        self._found.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        print(f"{place}: {what}", file=sys.stderr)


def fuzz(names: Sequence[str], seconds: float, seed: int, found: Path) -> dict[str, Tally]:
    """Fuzz targets in turns until the time is over."""
    end = time.monotonic() + seconds
    fuzzers = {name: Fuzzer(name, seed, found) for name in names}
    while time.monotonic() < end:
        for fuzzer in fuzzers.values():
            fuzzer.run(max(min(_ROUND, end - time.monotonic()), 0.0))
    return {name: fuzzer.tally for name, fuzzer in fuzzers.items()}


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Fuzz basestore's readers.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--target", action="append", choices=sorted(TARGETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path(".fuzz"))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    tallies = fuzz(asked.target or list(TARGETS), asked.seconds, asked.seed, asked.found)
    if asked.json:
        print(json.dumps({name: asdict(tally) for name, tally in tallies.items()}))
    else:
        print("\n".join(table(tallies)))
    return int(any(tally.crashes for tally in tallies.values()))


def table(tallies: dict[str, Tally]) -> Iterator[str]:
    """The figures as a Markdown table."""
    yield "| target | executions | taken | refused | ways | slowest, ms | crashes, hangs |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, t in tallies.items():
        row = (t.executions, t.taken, t.refused, t.ways, round(t.slowest * 1000), len(t.crashes))
        yield f"| {name} | {' | '.join(f'{value:,}' for value in row)} |"
    total = sum(t.executions for t in tallies.values())
    crashes = sum(len(t.crashes) for t in tallies.values())
    yield f"| all | {total:,} | | | | | {crashes:,} |"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
