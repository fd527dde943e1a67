"""Making layers side by side in forked processes.

Threads would wait for each other: a wheel of many small files is work of the interpreter, which has
one lock a process. A forked process needs no start-up and hands over nothing: what it makes is in
the store. It takes the next recipe's number from a pipe that all share, and tells over a pipe of
its own what it begins, and what it made: this process believes its own ones, and no record besides.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import BinaryIO, Self

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.layer.realise import Workshop
from basestore.processes import ENDINGS, end_descendants, end_with
from basestore.recipe.model import Recipe
from basestore.store import Realisation
from basestore.store.realisations import proof

Make = Callable[[Recipe, Workshop], Realisation]
"""`realise`, `remake` or `make`."""

Watch = Callable[[Recipe], AbstractContextManager[object]]
"""What surrounds the making of a layer in this process, to show it."""

_NUMBER = 2  # bytes of a recipe's number
_DONE = b"."
_DIGEST = 32  # bytes of a digest
_INTERRUPTED = 130


def make_all(
    recipes: Sequence[Recipe], workshop: Workshop, work: Make, watch: Watch, jobs: int
) -> Mapping[Recipe, Realisation]:
    """Work on each recipe, ``jobs`` at a time, the heaviest first.

    What fails in another process is done again here, where it can raise. Raises NoProcessError.
    """
    heaviest_first = sorted(recipes, key=lambda recipe: -recipe.weight)
    labourers = _start(heaviest_first, workshop, work, min(jobs, len(recipes)))
    done: dict[int, _Made] = {}
    with ThreadPoolExecutor(max(len(labourers), 1), thread_name_prefix="realise") as pool:
        try:
            for made in pool.map(lambda one: _follow(one, heaviest_first, watch), labourers):
                done |= made
        except BaseException:
            for labourer in labourers:
                labourer.stop()
            raise
    results = {}
    for number, recipe in enumerate(heaviest_first):
        found = _taken(recipe, done[number], workshop) if number in done else None
        results[recipe] = found or work(recipe, workshop)
    return results


def _taken(recipe: Recipe, made: "_Made", workshop: Workshop) -> Realisation | None:
    """What another process made, out of the store."""
    realisations = workshop.store.realisations
    realisations.believe(recipe.digest, made.layer, made.proof)
    return realisations.of_recipe(recipe.digest)


class NoProcessError(UnreachableError):
    """The system has no room for a process: too many of them, or of open files, or no memory."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a process that makes layers can't be started: {reason.lower()}",
            "end other programs, raise their limits (`ulimit -a`), or let fewer processors be used "
            "(`taskset -c 0 basestore build`)",
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """A layer that a forked process made and recorded; ``proof``: of what it recorded."""

    layer: Digest
    proof: Digest

    @classmethod
    def of(cls, realisation: Realisation) -> Self:
        return cls(realisation.layer, proof(realisation))

    @classmethod
    def read(cls, notes: BinaryIO) -> Self | None:
        """As the process told it; None where it ended before it did."""
        told = notes.read(len(_DONE) + 2 * _DIGEST)
        if len(told) != len(_DONE) + 2 * _DIGEST:
            return None
        digests = told.removeprefix(_DONE)
        return cls(Digest(digests[:_DIGEST].hex()), Digest(digests[_DIGEST:].hex()))

    def told(self) -> bytes:
        """What `read` reads."""
        return _DONE + bytes.fromhex(self.layer.hex) + bytes.fromhex(self.proof.hex)


@dataclass(frozen=True, slots=True)
class _Labourer:
    """A forked process, and where it tells what it does."""

    process: int
    notes: BinaryIO

    def stop(self) -> None:
        """End the process, if it hasn't ended by itself and been waited for (its notes closed)."""
        if not self.notes.closed:
            os.kill(self.process, signal.SIGTERM)

    def end(self) -> None:
        """End the process, which nobody follows."""
        self.stop()
        self.wait()

    def wait(self) -> int:
        """Wait for the end of the process; its exit code."""
        self.notes.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def _start(
    recipes: Sequence[Recipe], workshop: Workshop, work: Make, count: int
) -> list[_Labourer]:
    """Fork the processes, all of them or none; the numbers of all recipes wait in a pipe."""
    labourers = []
    try:
        with _waiting(len(recipes)) as numbers, ExitStack() as undo:
            for _ in range(count):
                labourer = _fork(recipes, numbers, lambda recipe: work(recipe, workshop))
                undo.callback(labourer.end)
                labourers.append(labourer)
            undo.pop_all()
    except OSError as error:
        raise NoProcessError(error.strerror or str(error)) from error
    return labourers


@contextmanager
def _waiting(count: int) -> Iterator[int]:
    """A pipe to read all numbers below ``count`` from; whoever forks meanwhile has it too."""
    numbers, filling = os.pipe()
    try:
        with os.fdopen(filling, "wb") as pipe:
            pipe.write(b"".join(n.to_bytes(_NUMBER, "big") for n in range(count)))
        yield numbers
    finally:
        os.close(numbers)


def _fork(
    recipes: Sequence[Recipe], numbers: int, work: Callable[[Recipe], Realisation]
) -> _Labourer:
    notes, telling = os.pipe()
    parent = os.getpid()
    # A signal that came between the fork and the new process's own handlers would be handled there
    # as it is here.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        process = os.fork()
    except OSError:
        os.close(notes)
        raise
    else:
        if process == 0:
            _labour(recipes, numbers, telling, work, parent)
    finally:
        os.close(telling)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _Labourer(process, os.fdopen(notes, "rb"))


def _labour(
    recipes: Sequence[Recipe],
    numbers: int,
    telling: int,
    work: Callable[[Recipe], Realisation],
    parent: int,
) -> None:
    """The forked process: it has no other threads at first, prints nothing and never returns."""
    code = 1
    try:
        for ending in ENDINGS:
            if signal.getsignal(ending) is not signal.SIG_IGN:
                signal.signal(ending, _interrupt)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        end_with(parent)
        gc.disable()  # what layers are made of has no cycles, and is much to look through
        while number := os.read(numbers, _NUMBER):
            os.write(telling, number)
            made = work(recipes[int.from_bytes(number, "big")])
            os.write(telling, _Made.of(made).told())
        code = 0
    except KeyboardInterrupt:
        code = _INTERRUPTED
    finally:
        os._exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End what is under way as an interrupt does, with all of its traces; this once."""
    for ending in ENDINGS:  # not SIG_IGN, of which Python complains where both came at once
        signal.signal(ending, lambda _number, _frame: None)
    end_descendants(signal.SIGTERM)
    raise KeyboardInterrupt


def _follow(labourer: _Labourer, recipes: Sequence[Recipe], watch: Watch) -> Mapping[int, _Made]:
    """Follow a process to its end; what it made, by the recipe's number."""
    made = {}
    try:
        while begun := labourer.notes.read(_NUMBER):
            number = int.from_bytes(begun, "big")
            with watch(recipes[number]):
                if told := _Made.read(labourer.notes):
                    made[number] = told
    except BaseException:
        labourer.stop()
        raise
    finally:
        code = labourer.wait()
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    return made
