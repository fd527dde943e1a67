"""Whatever a lock holds: both forms give each platform the locked wheels, and no other."""

from dataclasses import replace

from exporting import holds, in_force, read_pylock, read_requirements, runs_on, selected
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from strategies import PLATFORMS, locks, package_names, sizes, versions

from basestore.digest import Digest
from basestore.lock.export.pylock import pylock
from basestore.lock.export.requirements import requirements
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.profile.model import Index
from basestore.target import Platform

LOCK = Digest("1" * 64)
_FAT = "manylinux_2_28_x86_64.manylinux_2_28_aarch64"


@st.composite
def wheels(draw: st.DrawFn, name: str, version: str, platform: Platform) -> Wheel:
    """A wheel that runs on a platform, and perhaps on another."""
    native = f"manylinux_2_17_{platform.kernel}.manylinux2014_{platform.kernel}"
    tag = draw(
        st.sampled_from(
            ["py3-none-any", f"cp311-cp311-{native}", f"cp39-abi3-{native}", f"py3-none-{_FAT}"]
        )
    )
    build = draw(st.sampled_from(["", "2-"]))
    file = f"{name.replace('-', '_')}-{version}-{build}{tag}.whl"
    digest = Digest.of(f"{draw(st.integers(1, 2))} {file}".encode())
    return Wheel(name, version, file, draw(sizes), digest, "base")


@st.composite
def mixed_locks(draw: st.DrawFn) -> Lock:
    """Locks whose platforms share some wheels and versions and differ in others."""
    rows: dict[Platform, list[Wheel]] = {platform: [] for platform in PLATFORMS}
    for name in sorted(draw(st.sets(package_names, min_size=1, max_size=5))):
        version = draw(versions())
        shared = draw(wheels(name, version, PLATFORMS[0]))
        for platform in PLATFORMS:
            kinds = ["absent", "own", "other version"]
            kinds += ["shared"] if shared.file.endswith(("any.whl", f"{_FAT}.whl")) else []
            kind = draw(st.sampled_from(kinds))
            if kind == "shared":
                rows[platform].append(shared)
            elif kind != "absent":
                other = draw(versions()) if kind == "other version" else version
                rows[platform].append(draw(wheels(name, other, platform)))
    chosen = draw(st.sampled_from([PLATFORMS[:1], PLATFORMS[1:], PLATFORMS]))
    platforms = tuple(PlatformLock(p, "3.11.2", "2.36", (), tuple(rows[p])) for p in chosen)
    return Lock("base", ImageConfig(), platforms, ("base",))


def urls_of(lock: Lock) -> dict[Digest, str]:
    """An address for every wheel."""
    held = (wheel for one in lock.platforms for wheel in one.wheels)
    return {wheel.sha256: f"https://files.example/{wheel.sha256.hex}" for wheel in held}


@given(mixed_locks())
def test_pylock_gives_each_platform_its_wheels(lock: Lock) -> None:
    read = read_pylock(pylock(lock, LOCK, (), urls_of(lock)))

    for one in lock.platforms:
        wanted = {wheel.name: (wheel.file, wheel.sha256.hex) for wheel in one.wheels}
        assert selected(read, one) == wanted


@given(mixed_locks())
def test_requirements_allow_each_platform_its_wheels_alone(lock: Lock) -> None:
    read = read_requirements(requirements(lock, LOCK, ()))
    files = {w.sha256.hex: w.file for one in lock.platforms for w in one.wheels}

    for one in lock.platforms:
        lines = {line.requirement.name: line for line in in_force(read, one)}
        assert len(lines) == len(in_force(read, one))
        assert lines.keys() == {wheel.name for wheel in one.wheels}
        for wheel in one.wheels:
            line = lines[wheel.name]
            assert line.version == wheel.version
            able = {sha256 for sha256 in line.hashes if runs_on(files[sha256], one)}
            assert able == {wheel.sha256.hex}


@given(mixed_locks())
def test_every_wheel_stands_in_both_forms_once_a_marker(lock: Lock) -> None:
    read = read_pylock(pylock(lock, LOCK, (), urls_of(lock)))
    lines = read_requirements(requirements(lock, LOCK, ()))

    packages = [
        (package.name, str(package.version), str(package.marker or ""), hashes)
        for package in read.packages
        for hashes in [frozenset(wheel.hashes["sha256"] for wheel in package.wheels or ())]
    ]
    assert packages == [
        (line.requirement.name, line.version, str(line.requirement.marker or ""), line.hashes)
        for line in lines
    ]
    assert len({(name, marker) for name, _, marker, _ in packages}) == len(packages)


@given(locks())
def test_any_lock_has_both_forms(lock: Lock) -> None:
    """Also one whose platforms have Pythons of several minor versions."""
    read = read_pylock(pylock(lock, LOCK, (), urls_of(lock)))
    lines = read_requirements(requirements(lock, LOCK, ()))

    for one in lock.platforms:
        assert (read.requires_python or SpecifierSet()).contains(one.python, prereleases=True)
        assert [holds(marker, one) for marker in read.environments or ()].count(True) == 1
        assert {line.requirement.name for line in in_force(lines, one)} == {
            wheel.name for wheel in one.wheels
        }


@given(mixed_locks(), st.sampled_from(["runtime", "ml"]))
def test_the_bytes_follow_from_wheels_alone(lock: Lock, generation: str) -> None:
    """Who brought a wheel, foundation, image and glibc don't stand in the forms."""
    platforms = tuple(
        replace(one, glibc="2.41", wheels=tuple(_moved(w, generation) for w in one.wheels[::-1]))
        for one in lock.platforms
    )
    other = replace(lock, platforms=platforms, image=ImageConfig(user="app"))
    indexes = (Index("special", "https://special.example/simple", ("a", "b")),)

    assert requirements(other, LOCK, indexes) == requirements(lock, LOCK, indexes)
    urls = urls_of(lock)
    assert pylock(other, LOCK, indexes, urls) == pylock(lock, LOCK, indexes, urls)


def _moved(wheel: Wheel, generation: str) -> Wheel:
    return replace(wheel, generation=generation)
