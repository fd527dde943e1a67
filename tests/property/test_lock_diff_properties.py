"""Diffs of locks: nothing is lost, nothing is made up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from strategies import locks, sizes, versions

from basestore.lock import codec
from basestore.lock.changelog import changelog
from basestore.lock.diff import Change, LockDiff, compare_locks
from basestore.lock.model import Deb, Lock, Wheel
from basestore.lock.tally import tally


@given(locks())
def test_a_lock_does_not_differ_from_itself(lock: Lock) -> None:
    diff = compare_locks(lock, replace(lock))

    assert diff.empty
    assert changelog(diff).wheels == changelog(diff).debs == ()
    assert [one.platform for one in diff.platforms] == [one.platform for one in lock.platforms]


@given(locks(), locks())
def test_a_diff_is_empty_only_where_the_locks_are_one(old: Lock, new: Lock) -> None:
    """But for the profile's own name, which is no change of a profile."""
    renamed = replace(new, profile=old.profile, lineage=(*new.lineage[:-1], old.profile))
    assert compare_locks(old, new).empty == (renamed == old)


@given(locks(), locks())
def test_applied_to_the_old_artifacts_a_diff_gives_the_new_ones(old: Lock, new: Lock) -> None:
    diff = compare_locks(old, new)

    assert applied(old, diff) == artifacts(new)
    assert applied(new, compare_locks(new, old)) == artifacts(old)
    assert applied(None, compare_locks(None, new)) == artifacts(new)


@given(locks(), st.data())
def test_one_bump_is_one_line(lock: Lock, data: st.DataObject) -> None:
    held = sorted({wheel.name for one in lock.platforms for wheel in one.wheels})
    if not held:
        return
    name = data.draw(st.sampled_from(held))
    version, size = data.draw(versions()), data.draw(sizes)
    bumped = replace(
        lock,
        platforms=tuple(
            replace(
                one,
                wheels=tuple(
                    replace(w, version=version, size=size, file="other") if w.name == name else w
                    for w in one.wheels
                ),
            )
            for one in lock.platforms
        ),
    )

    lines = changelog(compare_locks(lock, bumped)).wheels

    assert {line.name for line in lines} == {name}
    assert {line.new for line in lines} == {version}
    there = [one.platform for one in lock.platforms if any(w.name == name for w in one.wheels)]
    assert sorted(platform for line in lines for platform in line.sizes) == there


@given(locks())
def test_what_is_counted_is_what_is_read(lock: Lock) -> None:
    counted = tally(codec.write(lock), "demo.lock")

    names = {(type(one), one.name) for p in lock.platforms for one in (*p.wheels, *p.debs)}
    assert counted.packages == len(names)
    for found, kind in ((counted.wheels, "wheels"), (counted.debs, "debs")):
        sizes = {p.platform: sum(one.size for one in getattr(p, kind)) for p in lock.platforms}
        assert found == sizes


def artifacts(lock: Lock) -> set[tuple[object, Wheel | Deb]]:
    return {(p.platform, one) for p in lock.platforms for one in (*p.wheels, *p.debs)}


def applied(lock: Lock | None, diff: LockDiff) -> set[tuple[object, Wheel | Deb]]:
    """The artifacts that a diff makes of a lock's; what it drops must be there."""
    found = artifacts(lock) if lock else set()
    for platform in diff.platforms:
        changes: tuple[Change[Wheel] | Change[Deb], ...] = (*platform.wheels, *platform.debs)
        for change in changes:
            if change.old:
                found.remove((platform.platform, change.old))
            if change.new:
                found.add((platform.platform, change.new))
    return found
