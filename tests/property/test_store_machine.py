"""The store as a state machine: whatever is rooted or relied on stays, and nothing wrong is read.

Several commands work in one store, are cut off between any two steps, and a collection goes on in
between, batch by batch. Commands are stores with leases of their own; a command that dies lets go
of its lease and leaves all that it had under way.
"""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from layers import digest_of

from basestore.digest import Digest
from basestore.layer.listing import Listing
from basestore.pipeline.store_verify import check_listing
from basestore.progress import Progress
from basestore.store import Realisation, Store
from basestore.store.check import Checker
from basestore.store.collect import Collector
from basestore.store.realisations import SegmentTable
from basestore.store.survey import Spare

CONTENTS = [b"content %d " % n * (n + 1) for n in range(6)]
COMMANDS = 3

content = st.sampled_from(CONTENTS)
command = st.integers(0, COMMANDS - 1)


@dataclass
class Command:
    """A running command, and what it may rely on: blobs and layers that it has seen."""

    store: Store
    blobs: set[Digest] = field(default_factory=set)
    layers: dict[Digest, Realisation] = field(default_factory=dict)
    under_way: ExitStack = field(default_factory=ExitStack)


@dataclass
class Roots:
    """What projects need; ``version`` moves with it."""

    needed: set[Digest] = field(default_factory=set)
    version: int = 0
    marked: int = -1

    def mark(self) -> Collection[Digest]:
        self.marked = self.version
        return frozenset(self.needed)

    def stale(self) -> bool:
        return self.marked != self.version

    def change(self, needed: set[Digest]) -> None:
        self.needed = needed
        self.version += 1


class CutOffError(Exception):
    """The end of a command in the middle of a write."""


def recipe_of(data: bytes) -> Digest:
    return digest_of(b"recipe of " + data)


class StoreMachine(RuleBasedStateMachine):
    """Commands, roots and collections on one store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "store"
        self.commands = [Command(Store.open(self.root)) for _ in range(COMMANDS)]
        self.roots = Roots()
        self.rooted_layers: dict[Digest, Realisation] = {}
        self.collecting = ExitStack()
        self.steps: Iterator[None] | None = None
        self.left_lying: list[ExitStack] = []

    def teardown(self) -> None:
        self.collecting.close()
        for one in self.commands:
            one.under_way.close()
            one.store.lease.release()
        shutil.rmtree(self.folder)

    # --- what commands do

    @rule(number=command, data=content)
    def add(self, number: int, data: bytes) -> None:
        one = self.commands[number]
        one.blobs.add(one.store.blobs.add(data))

    @rule(number=command, data=content)
    def look(self, number: int, data: bytes) -> None:
        one = self.commands[number]
        if one.store.blobs.has(digest_of(data)):
            one.blobs.add(digest_of(data))

    @rule(number=command, data=content, cut=st.integers(0, 100))
    def download(self, number: int, data: bytes, cut: int) -> None:
        """In two runs where it is cut off."""
        one = self.commands[number]
        with (
            suppress(CutOffError),
            one.store.blobs.partial(digest_of(data), len(data), "it") as writer,
        ):
            if writer.size < len(data):
                writer.write(data[writer.size : writer.size + cut])
                if writer.size < len(data):
                    raise CutOffError
        if one.store.blobs.has(digest_of(data)):
            one.blobs.add(digest_of(data))

    @rule(number=command, data=content)
    def record(self, number: int, data: bytes) -> None:
        """A layer out of one blob and bytes of its own, made unless it is recorded."""
        one = self.commands[number]
        made = one.store.realisations.of_recipe(recipe_of(data)) or self.make(one.store, data)
        one.layers[made.layer] = made
        one.blobs.update(made.needs)

    def make(self, store: Store, data: bytes) -> Realisation:
        inline = b"inline " + data
        table = SegmentTable()
        table.add(0, 0, len(inline))
        table.add(1, 0, len(data))
        made = Realisation(
            digest_of(inline + data),
            digest_of(b"tar " + data),
            len(inline + data),
            (store.blobs.add(inline), store.blobs.add(data)),
            store.blobs.add(table.finish()),
            store.blobs.add(Listing().to_bytes()),
        )
        store.realisations.record(recipe_of(data), made)
        return made

    @rule(number=command)
    def begin_work(self, number: int) -> None:
        one = self.commands[number]
        folder = one.under_way.enter_context(one.store.scratch())
        (folder / "work").write_bytes(b"work")
        draft = one.under_way.enter_context(one.store.blobs.draft())
        draft.file.write(b"draft")

    @rule(number=command)
    def end_work(self, number: int) -> None:
        self.commands[number].under_way.close()

    @rule(number=command)
    def die(self, number: int) -> None:
        """All that was under way stays as it lies; another command begins."""
        one = self.commands[number]
        self.left_lying.append(one.under_way.pop_all())
        one.store.lease.release()
        self.commands[number] = Command(Store.open(self.root))

    # --- what projects do

    @rule(number=command)
    def root(self, number: int) -> None:
        """A project needs all that a command has."""
        one = self.commands[number]
        self.rooted_layers |= one.layers
        self.roots.change(self.roots.needed | one.blobs | set(one.layers))

    @rule()
    def need_nothing(self) -> None:
        self.rooted_layers = {}
        self.roots.change(set())

    # --- collecting

    @precondition(lambda self: self.steps is None)
    @rule(size=st.none() | st.integers(0, 500))
    def begin_collection(self, size: int | None) -> None:
        here = Store.look(self.root)
        self.collecting.enter_context(here.leases.alone())
        self.steps = Collector(here, self.roots, Spare(size=size), Progress()).steps()
        next(self.steps)

    @precondition(lambda self: self.steps is not None)
    @rule()
    def go_on_collecting(self) -> None:
        assert self.steps
        if next(self.steps, StopIteration) is StopIteration:
            self.end_collection()

    @precondition(lambda self: self.steps is not None)
    @rule()
    def end_collection(self) -> None:
        """Killed, wherever it is; the kernel frees its lock."""
        self.steps = None
        self.collecting.close()

    # --- what always holds

    @invariant()
    def what_is_needed_is_there(self) -> None:
        here = Store.look(self.root)
        relied_on = set().union(*(one.blobs for one in self.commands))
        layers = {digest for one in self.commands for digest in one.layers}
        for digest in relied_on | (self.roots.needed - set(self.rooted_layers) - layers):
            here.blobs.check(digest)
        for one in self.commands:
            for layer, made in one.layers.items():
                assert here.realisations.of_layer(layer) == made
        for layer, made in self.rooted_layers.items():
            assert here.realisations.of_layer(layer) == made

    @invariant()
    def nothing_is_wrong(self) -> None:
        """No blob has other bytes than its name says, and no layer other ones than recorded."""
        here = Store.look(self.root)
        assert Checker(here, check_listing, 1, Progress()).run().damage == ()
        for data in CONTENTS:
            made = here.realisations.of_recipe(recipe_of(data))
            if made:
                assert digest_of(b"".join(here.layer_stream(made))) == made.layer

    @invariant()
    def work_under_way_is_not_taken(self) -> None:
        names = {one.store.lease.name for one in self.commands if one.under_way._exit_callbacks}
        for folder in ("scratch", "partials"):
            there = [path.name for path in (self.root / folder).glob("*")]
            assert all(any(name in one for one in there) for name in names)


StoreMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStoreMachine = StoreMachine.TestCase
