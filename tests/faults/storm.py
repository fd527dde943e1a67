"""A storm over one store: builders and collections at once, killed at random, clocks that jump.

Each builder has a project of its own, and now and then drops a profile, so that what only that one
needed may be collected, and builds it again. Whoever isn't killed must succeed. At the end every
blob is hashed, `basestore store verify` must be clean, and every build give the control's images.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clicases import command_line_on, index_of_wheels, make_locked_project
from commandline import CommandLine
from faults.scenes import keep_foundations, wrong_blobs

from basestore.store import Store

DAY = 86400.0
_DELETED = re.compile(r"^deleted (\d+) file", re.MULTILINE)
CPU = ("profiles/cpu.toml", "locks/cpu.lock", "locks/cpu.origin.toml")
COLLECTIONS = (
    ("store", "gc"),
    ("store", "gc", "--keep-days", "1"),
    ("store", "gc", "--max-size", "50 kB"),
    ("store", "verify"),
)


@dataclass
class Tally:
    """What was done, and what went wrong."""

    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """Count something done."""
        with self.lock:
            self.done[what] += 1

    def fail(self, what: str) -> None:
        """Note, and tell at once, what went wrong."""
        with self.lock:
            self.failures.append(what)
            print(what, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Town:
    """Projects that share a store. ``images``: what each profile's image is, by lines."""

    projects: Sequence[CommandLine]
    template: Path
    images: frozenset[str]
    store: Path
    tally: Tally

    def run(self, chance: random.Random, line: CommandLine, *words: str) -> bool:
        """Run a command to its end, or kill it midway; whether it came to its end."""
        doomed = chance.random() < 0.4
        with tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "basestore", *words],
                cwd=line.folder,
                env={**os.environ, **line.environ},
                stdin=subprocess.DEVNULL,
                stdout=err,
                stderr=err,
            )
            try:
                process.wait(chance.uniform(0.05, 1.5) if doomed else 300)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.tally.count("killed")
                return False
            self.tally.count(" ".join(words[:2]))
            err.seek(0)
            said = err.read()
            if deleted := _DELETED.search(said):
                self.tally.done["files deleted"] += int(deleted[1])
            if process.returncode:
                code = process.returncode
                self.tally.fail(f"{' '.join(words)} ended with {code}: {said[-800:]}")
            return not process.returncode

    def build(self, chance: random.Random, line: CommandLine) -> None:
        """Add or drop a profile, forget the images, build."""
        for file in CPU:
            (line.folder / file).unlink(missing_ok=True)
        if chance.random() < 0.5:
            for file in CPU:
                shutil.copyfile(self.template / file, line.folder / file)
        images = line.folder / "locks/images.toml"
        images.unlink(missing_ok=True)
        if self.run(chance, line, "build") and not self.images.issuperset(_lines(images)):
            self.tally.fail(f"{line.folder.name} built other images: {images.read_text()}")

    def collect(self, chance: random.Random, line: CommandLine) -> None:
        """Collect what nobody needs, in one of several ways, or look at everything."""
        self.run(chance, line, *chance.choice(COLLECTIONS))

    def jump(self, chance: random.Random, _: CommandLine) -> None:
        """Put some files of the store into another day, as a clock that jumps does."""
        files = [path for path in self.store.rglob("*") if path.is_file()]
        for path in chance.sample(files, min(len(files), 5)):
            then = time.time() + chance.choice((-10, -2, 1, 10)) * DAY
            try:
                os.utime(path, (then, then))
            except FileNotFoundError:
                continue
        self.tally.count("clock jumps")
        threading.Event().wait(0.5)

    def settle(self) -> None:
        """When it is calm again: build everything, verify, hash every blob."""
        self.tally.failures += [f"{path} is wrong" for path in wrong_blobs(self.store)]
        for line in self.projects:
            for file in CPU:
                shutil.copyfile(self.template / file, line.folder / file)
            (line.folder / "locks/images.toml").unlink(missing_ok=True)
            line("build").expect(0)
            if self.images != set(_lines(line.folder / "locks/images.toml")):
                self.tally.fail(f"{line.folder.name} has other images at the end")
        self.projects[0]("store", "gc").expect(0)
        self.projects[0]("store", "verify", "--deep").expect(0)
        wrong = wrong_blobs(self.store)
        self.tally.failures += [f"{path} is wrong" for path in wrong]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def storm(work: Path, seconds: float, builders: int, seed: int) -> Tally:
    """Let it rage for so long; what was done, and what went wrong."""
    template = work / "template"
    make_locked_project(template)
    store = work / "template-home" / "store"
    opened = Store.open(store)
    keep_foundations(template, opened)
    opened.lease.release()
    with index_of_wheels() as index:
        lines = [_copy(template, work / f"p{n}", store, index.url) for n in range(builders)]
        lines[0]("build").expect(0)
        images = frozenset(_lines(lines[0].folder / "locks/images.toml"))
        town = Town(lines, template, images, store, Tally())
        deeds = [(town.build, line) for line in lines]
        deeds += [(town.collect, lines[0]), (town.collect, lines[-1]), (town.jump, lines[0])]
        _rage(deeds, seconds, seed)
        town.settle()
        return town.tally


def _copy(template: Path, place: Path, store: Path, index: str) -> CommandLine:
    shutil.copytree(template, place)
    environ = {"BASESTORE_STORE": str(store), "BASESTORE_MIRROR_DEFAULT": index}
    return CommandLine(place, {**command_line_on(place).environ, **environ})


Deed = tuple[Callable[[random.Random, CommandLine], None], CommandLine]


def _rage(deeds: Sequence[Deed], seconds: float, seed: int) -> None:
    end = time.monotonic() + seconds

    def repeat(number: int, deed: Deed) -> None:
        chance = random.Random(seed * 1000 + number)
        do, line = deed
        while time.monotonic() < end:
            do(chance, line)

    threads = [threading.Thread(target=repeat, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
