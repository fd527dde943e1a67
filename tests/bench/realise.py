"""Realising the wheels of a lock beside the least that any program has to do for it.

The *floor*: each byte of content inflated once, content and layer hashed once, with the same
threads, largest wheel first, and no work of Python's for a file but its offsets. Both run in turns,
so that whatever else the machine does meets both. Exits 3 where a bound of the project is missed.

    python tests/bench/realise.py                  the wheels of locks/runtime.lock, linux/amd64
    python tests/bench/realise.py FOLDER           those of a folder of wheels
    python tests/bench/realise.py --json
"""

import argparse
import gc
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import BinaryIO

from isal import igzip_lib

from basestore.layer.apart import make_all
from basestore.layer.realise import Workshop, make
from basestore.layer.wheel.zip import DEFLATED, ZipEntry, read_zip
from basestore.lock.codec import parse
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.recipe.model import FoundationRecipe, Recipe
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store
from basestore.target import Platform

ROOT = Path(__file__).parent.parent.parent
AMD64 = Platform("amd64")
THREADS = 2
ROUNDS = 7
BATCH = 256 * 1024  # bytes of small contents that are hashed at a time
PIECE = 4 * 1024 * 1024  # bytes of content that are inflated at a time

MOST_RATIO = 2.0
MOST_SIZE = 1.005
MOST_MEMORY = 150.0


@dataclass(frozen=True)
class Report:
    """What was measured; times in seconds, memory in MB, sizes in bytes."""

    wheels: int
    layers: int
    wheel_bytes: int
    layer_bytes: int
    content_bytes: int
    realise: float
    floor: float
    realise_times: list[float]
    floor_times: list[float]
    peak_memory: float

    @property
    def ratio(self) -> float:
        """How much longer realising takes than the floor."""
        return self.realise / self.floor

    @property
    def size(self) -> float:
        """The layers' bytes for each byte of the wheels."""
        return self.layer_bytes / self.wheel_bytes

    @property
    def holds(self) -> bool:
        """Whether the project's three bounds are met."""
        within = self.ratio <= MOST_RATIO and self.size <= MOST_SIZE
        return within and self.peak_memory < MOST_MEMORY


# --- the work


def realise_all(store: Store, recipes: Sequence[Recipe]) -> list[Realisation]:
    """Make every layer, as a build does."""
    workshop = Workshop(store, FoundationRecipe(AMD64, "3.11.2", ()))
    return list(make_all(recipes, workshop, make, nullcontext, THREADS).values())


def floor_all(store: Store, wheels: Sequence[Wheel]) -> int:
    """Inflate and hash; the bytes of content."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda wheel: floor(store.blobs.path(wheel.sha256)), wheels))


def floor(path: Path) -> int:
    """One wheel: where its streams are, a hash of its bytes, a hash of its content."""
    layer, content, size = hashlib.sha256(), hashlib.sha256(), 0
    batch = bytearray()
    with path.open("rb", buffering=0) as file:
        entries = read_zip(file, path.name)
        while piece := file.read(PIECE):
            layer.update(piece)
        for entry in entries:
            for piece in contents(file, entry):
                size += len(piece)
                batch += piece
                if len(batch) >= BATCH:
                    content.update(batch)
                    batch.clear()
        content.update(batch)
    return size


def contents(file: BinaryIO, entry: ZipEntry) -> Sequence[bytes]:
    """The content of a file of a wheel."""
    data = os.pread(file.fileno(), entry.length, entry.offset)
    if entry.method != DEFLATED:
        return (data,)
    inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    found = [inflate.decompress(data, PIECE)]
    while not inflate.eof:
        found.append(inflate.decompress(b"", PIECE))
    return found


# --- what is measured


def wheels_of_lock() -> tuple[Lock, Store]:
    """The lock, and the user's store, into which its wheels are brought where they lack."""
    from basestore.cli.settings import read_settings

    lock = parse((ROOT / "locks" / "runtime.lock").read_bytes(), "locks/runtime.lock")
    store = Store.open(read_settings().store)
    wheels = lock.platform(AMD64).wheels
    if not all(store.blobs.has(wheel.sha256) for wheel in wheels):
        program = Path(sys.executable).with_name("basestore")
        build = [str(program), "build", "runtime", "--platform", str(AMD64)]
        subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return lock, store


def wheels_of_folder(folder: Path) -> tuple[Lock, Store]:
    """A lock of the folder's best wheel of each name, and a store of all of them beside it."""
    from packaging.utils import parse_wheel_filename

    store = Store.open(Path(tempfile.mkdtemp(prefix="basestore-bench-")))
    order = {tag: number for number, tag in enumerate(AMD64.tags("3.11.2", "2.36"))}
    best: dict[str, tuple[int, Wheel]] = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, tags = parse_wheel_filename(path.name)
        rank = min((order[tag] for tag in tags if tag in order), default=None)
        if rank is not None and rank < best.get(name, (len(order), None))[0]:
            digest = store.blobs.add(path.read_bytes())
            size = path.stat().st_size
            best[name] = rank, Wheel(name, str(version), path.name, size, digest, "runtime")
    wheels = tuple(best[name][1] for name in sorted(best))
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), wheels)
    return Lock("runtime", ImageConfig(), (platform,), ("runtime",)), store


def fresh(store: Store, wheels: Sequence[Wheel], folder: Path) -> Store:
    """A store with the wheels and nothing else, so that no record and no layer helps.

    The wheels are links where the file system has them, else copies.
    """
    made = Store.open(folder)
    for wheel in wheels:
        place = made.blobs.path(wheel.sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(store.blobs.path(wheel.sha256))
        except OSError:
            shutil.copyfile(store.blobs.path(wheel.sha256), place)
    return made


def timed(work: Callable[[], object]) -> float:
    """How long work takes, in seconds, with nothing left over from the work before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_memory(root: Path, lock: Path) -> float:
    """The most memory that any process that realises, or its parent, ever had, in MB."""
    command = [sys.executable, __file__, "--only-realise", str(root), str(lock)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def only_realise(root: Path, lock: Path) -> None:
    """What the measured process does."""
    parsed = parse(lock.read_bytes(), str(lock))
    realise_all(Store.open(root), plan(parsed, parsed.platform(AMD64))[1:])
    # Not ru_maxrss, which begins with what the parent had when it started this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    own, children = int(line.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stdout.write(str(max(own, children) * 1024 / 1e6))


def measure(lock: Lock, source: Store, rounds: int) -> Report:
    """Warm up, then both in turns."""
    from basestore.lock.codec import write

    platform = lock.platform(AMD64)
    recipes = plan(lock, platform)[1:]
    wheels = sorted(platform.wheels, key=lambda wheel: -wheel.size)
    with tempfile.TemporaryDirectory(prefix="basestore-bench-") as temporary:
        folder = Path(temporary)
        store = fresh(source, wheels, folder / "warm")
        made = realise_all(store, recipes)
        content_bytes = floor_all(store, wheels)
        ours, least = [], []
        for number in range(rounds):
            empty = fresh(store, wheels, folder / f"round-{number}")
            ours.append(timed(partial(realise_all, empty, recipes)))
            least.append(timed(partial(floor_all, empty, wheels)))
        (folder / "runtime.lock").write_bytes(write(lock))
        last = fresh(store, wheels, folder / "last")
        memory = peak_memory(last.root, folder / "runtime.lock")
    return Report(
        wheels=len(wheels),
        layers=len(made),
        wheel_bytes=sum(wheel.size for wheel in wheels),
        layer_bytes=sum(realisation.size for realisation in made),
        content_bytes=content_bytes,
        realise=median(ours),
        floor=median(least),
        realise_times=ours,
        floor_times=least,
        peak_memory=memory,
    )


# --- what is told


def table(report: Report) -> str:
    """The report for people."""
    rows = [
        ("wheels, layers", f"{report.wheels}, {report.layers}", ""),
        ("content", f"{report.content_bytes / 1e6:.1f} MB", ""),
        ("realise, median", f"{report.realise:.3f} s", ""),
        ("floor, median", f"{report.floor:.3f} s", ""),
        ("realise / floor", f"{report.ratio:.2f}", f"at most {MOST_RATIO:.2f}"),
        ("layer bytes / wheel bytes", f"{report.size:.4f}", f"at most {MOST_SIZE}"),
        ("peak memory", f"{report.peak_memory:.1f} MB", f"less than {MOST_MEMORY:.0f} MB"),
    ]
    return "".join(f"{name:28}{value:>12}  {bound}".rstrip() + "\n" for name, value, bound in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="wheels to take instead of a lock's")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of both, after a warm-up")
    parser.add_argument("--only-realise", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_realise:
        only_realise(*options.only_realise)
        return 0
    lock, store = wheels_of_folder(options.folder) if options.folder else wheels_of_lock()
    try:
        report = measure(lock, store, options.rounds)
    finally:
        if options.folder:
            shutil.rmtree(store.root)
    derived = {"ratio": report.ratio, "size": report.size, "holds": report.holds}
    sys.stdout.write(
        json.dumps({**asdict(report), **derived}) + "\n" if options.json else table(report)
    )
    return 0 if report.holds else 3


if __name__ == "__main__":
    sys.exit(main())
