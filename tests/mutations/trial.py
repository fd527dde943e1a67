"""A mutation is tried: its copy is made, changed and committed, and the checks look at it."""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commandline import Done
from mutations.forging import lock_of
from mutations.model import Check, Copy, Mutation, Result, copy_of, first_line
from mutations.world import NAMES, World

from basestore.errors import BasestoreError
from basestore.recipe.plan import plan

_MADE = re.compile(r"^layer .* in [0-9.]+s$", re.MULTILINE)
"""What is told of a layer that is made."""


def try_out(world: World, mutation: Mutation, folder: Path) -> Result:
    """Try one in a folder of its own, which is gone afterwards."""
    begun = time.monotonic()
    own_store = mutation.check not in (Check.RECIPE, Check.NOBODY)
    copy = copy_of(world, folder, own_store)
    try:
        with contextmanager(_served)(copy, mutation) as served:
            mutation.change(served)
            done = tuple(_checks(served, mutation))
        return _judged(mutation, served, done, time.monotonic() - begun)
    except Exception as error:  # noqa: BLE001  # a mutation that can't be made is a fault of ours
        said = f"{type(error).__name__}: {error}"
        return Result(mutation, "", -1, said, time.monotonic() - begun, wrong="it can't be made")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(copy: Copy, mutation: Mutation) -> Iterator[Copy]:
    """The copy, with what it needs that runs."""
    if mutation.serve is None:
        yield copy
    else:
        with mutation.serve(copy):
            yield copy


def _checks(copy: Copy, mutation: Mutation) -> Iterator[Done]:
    """The commands that look at it, up to the first that finds something."""
    for words in _commands(copy, mutation):
        done = copy.run(*words)
        yield done
        if done.code:
            return


def _commands(copy: Copy, mutation: Mutation) -> Sequence[Sequence[str]]:
    team = f"{copy.registry}/team"
    match mutation.check:
        case Check.STORE:
            return (("store", "verify"),)
        case Check.DEEP:
            return (("store", "verify", "--deep"),)
        case Check.REGISTRY:
            return (("verify", "--registry", team),)
        case Check.CONTENT:
            return (("verify", "--registry", team, "--content"),)
        case Check.PUSH:
            return (("push", "--to", team),)
        case Check.ENGINE:
            return (("verify", "--engine"),)
    copy.commit()
    base = copy.world.commit
    return (("lock", "--check", "--resolve", "--since", base), ("verify", "--since", base))


def _judged(mutation: Mutation, copy: Copy, done: Sequence[Done], seconds: float) -> Result:
    last = done[-1]
    made = sum(len(_MADE.findall(one.err)) for one in done)
    by = f"basestore {' '.join(last.words)}".replace(copy.world.commit, "BASE")
    by = by.replace(f"{copy.registry}/team", "REGISTRY")
    allowed = len(NAMES) if not made else _new_layers(copy)
    wrong = _wrong(mutation, last, made, allowed)
    said = first_line(last) if last.code else ""
    return Result(mutation, by if last.code else "", last.code, said, seconds, made, wrong)


def _wrong(mutation: Mutation, last: Done, made: int, allowed: int) -> str:
    if "Traceback" in last.err or last.code == 1:
        return "a bug"
    if mutation.check is Check.NOBODY:
        return "an alarm" if last.code else ""
    if not last.code:
        return "not found"
    if last.code not in mutation.codes:
        return f"found with exit {last.code}"
    return f"{made} layers were made, {allowed} are new" if made > allowed else ""


def _new_layers(copy: Copy) -> int:
    """How many layers the copy's locks have that those of the merge base haven't.

    And one for each service: its application's.
    """
    known = _recipes(Copy(copy.world, copy.world.folder, ""))
    return len(_recipes(copy) - known) + 2


def _recipes(copy: Copy) -> set[object]:
    found: set[object] = set()
    for name in NAMES:
        try:
            lock = lock_of(copy, name)
            found |= {one.digest for platform in lock.platforms for one in plan(lock, platform)}
        except BasestoreError:
            continue
    return found
