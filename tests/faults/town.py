"""Who lives through a storm: builders with a project each, that share a store, and what they do."""

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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commandline import CommandLine

from basestore.digest import Digest
from basestore.errors import ExitCode

DAY = 86400.0
CPU = ("profiles/cpu.toml", "locks/cpu.lock", "locks/cpu.origin.toml")
RECORDS = ("locks/images.toml", "locks/services.toml")
COLLECTIONS = (
    ("store", "gc"),
    ("store", "gc", "--keep-days", "1"),
    ("store", "gc", "--max-size", "50 kB"),
    ("store", "verify"),
)
REPAIR = ("store", "verify", "--repair")
_DOOMED = 0.4
_DELETED = re.compile(r"^deleted (\d+) file", re.MULTILINE)


@dataclass
class Tally:
    """What was done, and what went wrong."""

    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, times: int = 1) -> None:
        """Count something done."""
        with self.lock:
            self.done[what] += times

    def fail(self, what: str) -> None:
        """Note, and tell at once, what went wrong."""
        with self.lock:
            self.failures.append(what)
            print(what, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Builder:
    """A project, and who works on it.

    ``what``: what is told of its builds. ``become``: a command that makes another user of one.
    """

    line: CommandLine
    what: str = ""
    become: Sequence[str] = ()

    def records(self) -> frozenset[str]:
        """The images that it has built, by line."""
        files = (self.line.folder / file for file in RECORDS)
        return frozenset(
            line for file in files if file.exists() for line in file.read_text().splitlines()
        )

    def restore(self, template: Path, files: Sequence[str] = CPU) -> None:
        """Put files of the project back, as they were when it was locked."""
        for file in files:
            shutil.copyfile(template / file, self.line.folder / file)

    def forget(self, files: Sequence[str] = RECORDS) -> None:
        """Remove files of the project."""
        for file in files:
            (self.line.folder / file).unlink(missing_ok=True)


@dataclass(frozen=True)
class Town:
    """Builders that share a store. ``images``: what may be recorded, by line."""

    builders: Sequence[Builder]
    template: Path
    images: frozenset[str]
    store: Path
    registry: str
    tally: Tally

    def build(self, chance: random.Random, one: Builder) -> None:
        """Add or drop a profile, forget the images, build; then push or export, or neither."""
        one.forget(CPU)
        if chance.random() < 0.5:
            one.restore(self.template)
        one.forget()
        words = ("build", *chance.choice(((), ("api",))))
        if not self.run(chance, one, words):
            return
        if not self.images.issuperset(one.records()):
            self.tally.fail(f"{one.line.folder.name} built other images: {one.records()}")
        deed = chance.random()
        if deed < 0.3:
            self.run(chance, one, ("push", *words[1:], "--to", self.registry))
        elif deed < 0.6:
            self.export(chance, one)

    def export(self, chance: random.Random, one: Builder) -> None:
        """Write a base's image somewhere."""
        out = one.line.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        form = chance.choice((f"oci:{out}/oci", f"docker-archive:{out}/a.tar", f"rootfs:{out}/fs"))
        self.run(chance, one, ("export", "runtime", "--to", form))

    def collect(self, chance: random.Random, one: Builder) -> None:
        """Collect what nobody needs, in one of several ways, or look at everything."""
        self.run(chance, one, chance.choice(COLLECTIONS))

    def repair(self, chance: random.Random, one: Builder) -> None:
        """Damage something that nobody needs, and have it set aside."""
        name = Digest.of(chance.randbytes(8)).hex
        place = self.store / "blobs" / "sha256" / name[:2] / name
        try:
            place.write_bytes(b"damaged")
        except FileNotFoundError:  # no folder for it
            return
        self.tally.count("files damaged")
        self.run(chance, one, REPAIR)

    def jump(self, chance: random.Random, _: Builder) -> None:
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

    def run(self, chance: random.Random, one: Builder, words: Sequence[str]) -> bool:
        """Run a command to its end, or kill it midway; whether it came to its end, and well."""
        doomed = chance.random() < _DOOMED
        with tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                [*one.become, sys.executable, "-m", "basestore", *words],
                cwd=one.line.folder,
                env={**os.environ, **one.line.environ},
                umask=one.line.umask,
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
            err.seek(0)
            said = err.read()
        return self._judge(one, words, process.returncode, said)

    def _judge(self, one: Builder, words: Sequence[str], code: int, said: str) -> bool:
        self.tally.count(_name(one, words))
        if deleted := _DELETED.search(said):
            self.tally.count("files deleted", int(deleted[1]))
        damage = words[:2] == REPAIR[:2] and code == ExitCode.INTEGRITY
        if code and not damage:
            self.tally.fail(f"{_name(one, words)} ended with {code}: {said[-800:]}")
        return not code


def _name(one: Builder, words: Sequence[str]) -> str:
    """What is counted: ``build``, ``build api``, ``export oci``, ``store gc``, and whose it was."""
    if words[0] == "store":
        return " ".join(words[:2] if words != REPAIR else words)
    if words[0] == "export":
        return f"export {words[-1].partition(':')[0]}"
    return " ".join([*words[: 2 if "api" in words else 1], *([one.what] if one.what else [])])
