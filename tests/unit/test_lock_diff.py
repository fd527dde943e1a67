"""What differs between two locks, and how people read it."""

from dataclasses import replace

import pytest
from planning import AMD64, wheel

from basestore.digest import Digest
from basestore.lock.changelog import Line, changelog
from basestore.lock.diff import Jump, Setting, compare_locks, is_downgrade, jump
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.target import Platform

ARM64 = Platform("arm64")


def lock(*wheels: Wheel, debs: tuple[Deb, ...] = (), image: ImageConfig | None = None) -> Lock:
    platform = PlatformLock(AMD64, "3.11.2", "2.36", debs, wheels)
    return Lock("ml", image or ImageConfig(), (platform,), ("base", "ml"))


def deb(version: str, content: str = "") -> Deb:
    return Deb("libssl3", version, "amd64", 7, Digest.of(f"{version}{content}".encode()))


def lines(old: Lock, new: Lock) -> tuple[Line, ...]:
    log = changelog(compare_locks(old, new))
    return (*log.wheels, *log.debs)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0", "2.0", Jump.MAJOR),
        ("1.0", "1!1.0", Jump.MAJOR),
        ("1.4", "1.5", Jump.MINOR),
        ("2", "2.1", Jump.MINOR),
        ("1.4.1", "1.4.2", Jump.PATCH),
        ("1.4.1.1", "1.4.1.2", Jump.PATCH),
        ("2026.6", "2026.10", Jump.MINOR),
        ("2.0", "2.0.0", Jump.BUILD),
        ("2.0rc1", "2.0", Jump.BUILD),
        ("2.9.0+cpu", "2.9.0+cu128", Jump.BUILD),
        ("2.0", "2.0.post1", Jump.BUILD),
        ("2.0", "no version", None),
    ],
)
def test_how_far_a_version_jumps(old: str, new: str, expected: Jump | None) -> None:
    assert jump(old, new) == jump(new, old) == expected


def test_a_jump_may_go_back() -> None:
    assert is_downgrade("1.10", "1.9")
    assert not is_downgrade("1.9", "1.10")
    assert not is_downgrade("1.9", "nonsense")


def test_lines_of_wheels() -> None:
    old = lock(wheel("a", 10), wheel("b", 20), wheel("c", 30), wheel("d", 40))
    other_file = replace(wheel("c", 31), sha256=Digest.of(b"rebuilt"))
    new = lock(wheel("a", 15, version="1.1"), other_file, wheel("d", 40, "ml"), wheel("e", 5, "ml"))

    assert lines(old, new) == (
        Line("a", "1.0", "1.1", Jump.MINOR, False, None, {AMD64: (10, 15)}),
        Line("b", "1.0", None, None, False, None, {AMD64: (20, 0)}),
        Line("c", "1.0", "1.0", Jump.BUILD, False, None, {AMD64: (30, 31)}),
        Line("d", "1.0", "1.0", None, False, "ml", {AMD64: (40, 40)}),
        Line("e", None, "1.0", None, False, None, {AMD64: (0, 5)}),
    )


def test_lines_of_debs_are_ordered_as_debian_orders_versions() -> None:
    old, new = lock(debs=(deb("3.0.9-1"),)), lock(debs=(deb("3.0.10-1"),))

    assert lines(old, new) == (
        Line("libssl3", "3.0.9-1", "3.0.10-1", None, False, None, {AMD64: (7, 7)}),
    )
    assert lines(new, old)[0].back
    assert not lines(new, lock(debs=(deb("3.0.10-1", "other bytes"),)))[0].back


def test_platforms_share_a_line_where_the_same_happens() -> None:
    def both(amd64: Wheel, arm64: Wheel) -> Lock:
        platforms = tuple(
            PlatformLock(platform, "3.11.2", "2.36", (), (one,))
            for platform, one in ((AMD64, amd64), (ARM64, arm64))
        )
        return Lock("ml", ImageConfig(), platforms, ("base", "ml"))

    before = both(wheel("a", 10), wheel("a", 11))
    assert lines(before, both(wheel("a", 20, version="2.0"), wheel("a", 21, version="2.0"))) == (
        Line("a", "1.0", "2.0", Jump.MAJOR, False, None, {AMD64: (10, 20), ARM64: (11, 21)}),
    )
    apart = lines(before, both(wheel("a", 20, version="2.0"), wheel("a", 21, version="3.0")))
    assert [(line.new, list(line.sizes)) for line in apart] == [("2.0", [AMD64]), ("3.0", [ARM64])]


def test_settings() -> None:
    old = lock(image=ImageConfig(env=("A=1", "B=2"), cmd=("python",), user="app"))
    new = lock(image=ImageConfig(env=("A=1", "B=3", "C="), cmd=("a b",), labels={"x": "y"}))
    new = replace(
        new,
        lineage=("base", "cpu", "ml"),
        platforms=(replace(new.platforms[0], python="3.11.9"),),
        path_conflicts={"bin/x": ("a", "b")},
        record_exceptions={"a": "no RECORD"},
    )

    assert compare_locks(old, new).settings == (
        Setting("extends", '["base"]', '["base", "cpu"]'),
        Setting("image.cmd", '["python"]', '["a b"]'),
        Setting("image.env.B", "2", "3"),
        Setting("image.env.C", None, ""),
        Setting("image.labels.x", None, "y"),
        Setting("image.user", "app", None),
        Setting("linux/amd64.python", "3.11.2", "3.11.9"),
        Setting("path-conflicts.bin/x", None, '["a", "b"]'),
        Setting("record-exceptions.a", None, "no RECORD"),
    )


def test_a_platform_that_comes_and_goes() -> None:
    one = lock(wheel("a", 10))
    two = replace(one, platforms=(*one.platforms, PlatformLock(ARM64, "3.11.2", "2.36", (), ())))

    diff = compare_locks(one, two)

    assert not diff.empty
    assert [(p.platform, p.old is None, p.new is None) for p in diff.platforms] == [
        (AMD64, False, False),
        (ARM64, True, False),
    ]
    assert not compare_locks(two, one).empty
    assert compare_locks(None, None).empty
