"""All trials, several commands at a time, each in a place of its own."""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from faults.kill import AT_MOST, Tally, control, strike
from faults.scenes import scenes

_LONGEST = ("build", "repair", "export-rootfs", "build-service")


def trials(names: Sequence[str], faults: Sequence[str], points: int | None) -> Iterator[Tally]:
    """Each command with each fault; several commands at a time, those first that take longest."""
    spawning = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0)) + 1  # since each of them waits now and then
    with ProcessPoolExecutor(workers, mp_context=spawning) as pool:
        done = [
            pool.submit(trials_of, name, faults, points)
            for name in sorted(names, key=lambda name: name not in _LONGEST)
        ]
        for tallies in as_completed(done):
            for tally in tallies.result():
                print(tally, flush=True)
                yield tally


def trials_of(name: str, faults: Sequence[str], points: int | None) -> list[Tally]:
    """One command with each fault, in a place of its own."""
    with tempfile.TemporaryDirectory() as work, scenes(Path(work), name) as (scene,):
        undisturbed = control(scene)
        return [
            strike(scene, fault, undisturbed, AT_MOST[fault] if points is None else points)
            for fault in faults
        ]
