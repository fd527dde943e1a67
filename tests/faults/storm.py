"""A storm over one store: builders and collections at once, killed at random, clocks that jump.

Each builder has a project of its own with bases and a service, and now and then drops a profile, so
that what only that one needed may be collected, and builds it again. One is another user, one has a
store of its own on top of the shared one. Whoever is not killed must succeed. At the end every blob
is hashed, `basestore store verify` must be clean, and every build give the control's images.
"""

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from clicases import command_line_on
from commandline import CommandLine
from faults.prepare import index_of_everything, keep_foundations, service_built
from faults.scenes import wrong_blobs
from faults.town import RECORDS, REPAIR, Builder, Tally, Town
from loopback_registry import loopback_registry

from basestore.state import State
from basestore.store import Store

__all__ = ["Tally", "lasting", "storm"]

USER, TEAM = 40001, 40003
# The interpreter may lie where only its owner may look: so the other user may read all there is,
# but write what the group may write and nothing else.
BECOME = (
    *("setpriv", "--reuid", str(USER), "--regid", str(TEAM), "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    *("--bounding-set=-all,+dac_read_search", "--"),
)

Deed = tuple[Callable[[random.Random, Builder], None], Builder]


Spell = Callable[[], Iterable[object]]
"""How often each does what it does: as often as this gives something."""


def lasting(seconds: float) -> Spell:
    """A spell for all that ends after so long."""
    end = time.monotonic() + seconds

    def spell() -> Iterator[None]:
        while time.monotonic() < end:
            yield

    return spell


def storm(work: Path, spell: Spell, builders: int, seed: int) -> Tally:
    """Let it rage; what was done, and what went wrong."""
    template, store = work / "template", work / "template-home" / "store"
    _share(store)
    with index_of_everything() as index, loopback_registry() as registry:
        service_built(command_line_on(template), index)
        environ = {"BASESTORE_STORE": str(store), "BASESTORE_MIRROR_DEFAULT": index.url}
        known = Builder(CommandLine(template)).records()
        people = [*_people(template, work, environ, builders)]
        town = Town(people, template, known, store, registry.address, Tally())
        _rage([*_deeds(town)], spell, seed)
        _settle(town)
        return town.tally


def _share(store: Path) -> None:
    """Make a store's folder, such that a group may write it."""
    store.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(store, -1, TEAM)
    store.chmod(0o2775)


def _people(template: Path, work: Path, environ: dict[str, str], count: int) -> Iterator[Builder]:
    """So many builders, one more that is another user, and one that has the store as its seed."""
    for number in range(count):
        yield _builder(template, work / f"p{number}", environ)
    own = {"BASESTORE_STORE": str(work / "own"), "BASESTORE_STORE_SEED": environ["BASESTORE_STORE"]}
    yield replace(_builder(template, work / "seeded", {**environ, **own}), what="on a seed")
    if _may_become_another():
        other = _builder(template, work / "other", environ)
        for folder in (other.line.folder, Path(other.line.environ["HOME"])):
            for path in (folder, *folder.rglob("*")):
                os.chown(path, USER, TEAM)
        line = replace(other.line, umask=0o002)
        yield replace(other, line=line, what="by another user", become=BECOME)


def _builder(template: Path, place: Path, environ: dict[str, str]) -> Builder:
    """A copy of the project, of somebody who has made the foundations, which no .deb goes into."""
    shutil.copytree(template, place)
    line = CommandLine(place, {**command_line_on(place).environ, **environ})
    state = State.open(Path(line.environ["XDG_STATE_HOME"]) / "basestore")
    shared = Path(environ.get("BASESTORE_STORE_SEED") or environ["BASESTORE_STORE"])
    store = Store.open(shared, state=state)
    keep_foundations(place, store)
    store.lease.release()
    return Builder(line)


def _may_become_another() -> bool:
    """Whether this process is root, and setpriv there."""
    if os.geteuid() != 0 or not shutil.which(BECOME[0]):
        return False
    return subprocess.run([*BECOME, "true"], capture_output=True, check=False).returncode == 0


def _deeds(town: Town) -> Iterator[Deed]:
    """Who does what, each again and again."""
    for one in town.builders:
        yield town.build, one
    first, last = town.builders[0], town.builders[-1]
    yield from ((town.collect, first), (town.collect, last), (town.jump, first))
    yield from ((town.repair, first), (town.repair, last))


def _rage(deeds: Sequence[Deed], spell: Spell, seed: int) -> None:
    def repeat(number: int, deed: Deed) -> None:
        chance = random.Random(seed * 1000 + number)
        do, builder = deed
        for _ in spell():
            do(chance, builder)

    threads = [threading.Thread(target=repeat, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _take_over(state: Path) -> None:
    """At the end this user builds everything, also with what another one remembers."""
    for path in (state, *state.rglob("*")):
        os.chown(path, os.geteuid(), -1, follow_symlinks=False)


def _settle(town: Town) -> None:
    """When it is calm again: set aside what was damaged, build everything, verify, hash."""
    first = town.builders[0].line
    first(*REPAIR).expect(0)
    for path in wrong_blobs(town.store):
        town.tally.fail(f"{path} is wrong")
    for one in town.builders:
        one.restore(town.template)
        one.forget(RECORDS)
        _take_over(Path(one.line.environ["XDG_STATE_HOME"]))
        one.line("build").expect(0)
        one.line("build", "api").expect(0)
        if one.records() != town.images:
            town.tally.fail(f"{one.line.folder.name} has other images at the end")
    first("store", "gc").expect(0)
    first("store", "verify", "--deep").expect(0)
    for path in wrong_blobs(town.store):
        town.tally.fail(f"{path} is wrong")
