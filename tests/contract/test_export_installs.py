"""What is exported, installed by uv and pip from an index on loopback: exactly what is locked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from exporting import installed, locked, read_pylock
from loopback_index import File, LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, World, index_for, profile
from services import lacking
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.lock import codec
from basestore.lock.model import Lock, PlatformLock
from basestore.pipeline.export import (
    NowhereError,
    SecretUrlError,
    export_pylock,
    export_requirements,
)
from basestore.profile.model import Profile
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.target import Platform

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
FULL = f"{MINOR}.{sys.version_info.micro}"
CPYTHON = f"cp{MINOR.replace('.', '')}"
HOST = Platform.of_kernel(os.uname().machine)
SECRET = "hunter2-canary"


def native(name: str, machine: str, version: str = "1.0") -> MadeWheel:
    """A wheel with machine code for the Python that runs the tests."""
    tag = f"{CPYTHON}-{CPYTHON}-manylinux_2_17_{machine}"
    return make_wheel(name, version, {f"{name}.py": machine.encode()}, tag=tag, purelib=False)


WHEELS = (
    make_wheel(
        "app", requires=["speedy", "armoured; platform_machine == 'aarch64'", "Dotted.Name"]
    ),
    make_wheel("dotted.name", "2.0.post1"),
    make_wheel("armoured", requires=["absent-on-others"]),
    make_wheel("absent-on-others"),
    native("speedy", "x86_64"),
    native("speedy", "aarch64"),
    make_wheel("half"),  # for the platform that has no machine code of it
    native("half", "x86_64"),
    make_wheel("ahead", "1.0"),
    native("ahead", "x86_64", "2.0"),  # the other platform stays behind
)
LOCAL = make_wheel("local", "1.0+cpu")
WANTED = profile("app", "half", "ahead", "local", python=MINOR, platforms=(AMD64, ARM64))


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(*WHEELS) as running:
        yield running


@pytest.fixture
def special() -> Iterator[LoopbackIndex]:
    with loopback_index(LOCAL) as running:
        yield running


@pytest.fixture
def wanted(special: LoopbackIndex) -> Profile:
    return replace(WANTED, indexes=(index_for(special, "local"),))


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index, foundation=SolvedFoundation((), FULL, "2.36", {}))


@pytest.fixture
def lock(world: World, wanted: Profile, index: LoopbackIndex) -> Lock:
    """The lock; then the index gets newer versions and builds, which nobody may install."""
    made = world.solve(wanted).lock
    index.add(make_wheel("app", "1.1"), make_wheel("dotted.name", "2.0.post1", build="7"))
    return made


def pylock(world: World, wanted: Profile, lock: Lock) -> bytes:
    return export_pylock(wanted, lock, Digest.of(codec.write(lock)), world.uv, Progress())


def requirements(wanted: Profile, lock: Lock) -> bytes:
    return export_requirements(wanted, lock, Digest.of(codec.write(lock)))


def uv(world: World, *words: str) -> None:
    """Run uv in the test's folder, as a user whose default index is the test's."""
    program = [str(world.uv.program), *words, "--quiet", "--python", sys.executable]
    subprocess.run(program, cwd=world.folder, env={**world.uv.environ}, check=True)


def pip(world: World, *words: str) -> None:
    """Run the tests' own pip on nothing but the test's index."""
    if find_spec("pip") is None:
        lacking("needs pip beside the tests")
    options = ["--isolated", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    environ = {**world.uv.environ, "PIP_CONFIG_FILE": os.devnull}
    program = [sys.executable, "-m", "pip", "install", *options, *words]
    subprocess.run(program, cwd=world.folder, env=environ, check=True)


def host(lock: Lock) -> PlatformLock:
    """The platform of the machine that runs the tests."""
    return lock.platform(HOST or lacking("needs a known machine"))


def test_the_lock_is_as_mixed_as_it_should_be(lock: Lock) -> None:
    amd64, arm64 = locked(lock.platform(AMD64)), locked(lock.platform(ARM64))

    assert arm64.keys() - amd64.keys() == {"armoured", "absent-on-others"}
    assert {name for name in amd64 if amd64[name] != arm64[name]} == {"speedy", "half", "ahead"}


@pytest.mark.parametrize("platform", [AMD64, ARM64])
def test_uv_installs_a_pylock(
    world: World, wanted: Profile, lock: Lock, platform: Platform
) -> None:
    one = lock.platform(platform)
    (world.folder / "pylock.toml").write_bytes(pylock(world, wanted, lock))

    target = f"{platform.kernel}-manylinux_2_36"
    uv(world, "pip", "sync", "pylock.toml", "--target", "site", "--python-platform", target)

    assert installed(world.folder / "site") == locked(one)


@pytest.mark.parametrize("platform", [AMD64, ARM64])
def test_uv_installs_requirements(
    world: World, wanted: Profile, lock: Lock, special: LoopbackIndex, platform: Platform
) -> None:
    (world.folder / "base.txt").write_bytes(requirements(wanted, lock))

    target = f"{platform.kernel}-manylinux_2_36"
    options = ["--require-hashes", "--extra-index-url", special.url, "--target", "site"]
    uv(world, "pip", "sync", "base.txt", *options, "--python-platform", target)

    assert installed(world.folder / "site") == locked(lock.platform(platform))


def test_pip_installs_requirements(
    world: World, wanted: Profile, lock: Lock, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    (world.folder / "base.txt").write_bytes(requirements(wanted, lock))

    strict = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--target", "site"]
    indexes = ["--index-url", index.url, "--extra-index-url", special.url]
    pip(world, *strict, *indexes, "-r", "base.txt")

    assert installed(world.folder / "site") == locked(host(lock))


def test_one_platform_alone_needs_no_markers(world: World, wanted: Profile, lock: Lock) -> None:
    one = host(lock)
    alone = replace(lock, platforms=(one,))

    assert b" ; " not in requirements(wanted, alone)
    (world.folder / "pylock.one.toml").write_bytes(pylock(world, wanted, alone))
    uv(world, "pip", "sync", "pylock.one.toml", "--target", "site")
    assert installed(world.folder / "site") == locked(one)


def test_the_named_index_is_told(
    world: World, wanted: Profile, lock: Lock, special: LoopbackIndex
) -> None:
    packages = read_pylock(pylock(world, wanted, lock)).packages

    assert {package.name: package.index for package in packages if package.index} == {
        "local": special.url
    }
    comment = f"# From the index special, {special.url}:\n#     local\n"
    assert comment in requirements(wanted, lock).decode()


def test_the_same_lock_gives_the_same_bytes(world: World, wanted: Profile, lock: Lock) -> None:
    again = replace(world, folder=world.folder / "elsewhere")

    assert pylock(again, wanted, lock) == pylock(world, wanted, lock)


def test_credentials_never_reach_a_file(
    world: World, wanted: Profile, lock: Lock, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    """The default index takes them from its URL, the named one from uv's variables."""
    index.credentials = special.credentials = ("canary-user", SECRET)
    environ = {
        "UV_DEFAULT_INDEX": index.url_with_credentials,
        "UV_INDEX_SPECIAL_USERNAME": "canary-user",
        "UV_INDEX_SPECIAL_PASSWORD": SECRET,
    }
    careful = World(world.folder / "careful", index, environ, foundation=world.foundation)

    text = pylock(careful, wanted, lock).decode() + requirements(wanted, lock).decode()

    assert "canary" not in text
    assert f"http://{special.address}/files/local-1.0+cpu" in text


def test_a_url_with_a_query_is_refused(
    world: World, wanted: Profile, lock: Lock, special: LoopbackIndex
) -> None:
    special.change(LOCAL.file, query=f"?token={SECRET}")
    fresh = replace(world, folder=world.folder / "fresh")

    with pytest.raises(SecretUrlError, match=r"local-1\.0\+cpu-py3-none-any\.whl") as caught:
        pylock(fresh, wanted, lock)

    assert SECRET not in caught.value.message + caught.value.hint


def test_wheels_that_no_index_has_are_named(
    world: World, wanted: Profile, lock: Lock, index: LoopbackIndex
) -> None:
    """A file of the same version with other bytes is not what was locked."""
    index.remove(WHEELS[2].file)
    other = File.of(make_wheel("app", files={"app.py": b"other"}))
    index.files = [other if file.file == other.file else file for file in index.files]
    fresh = replace(world, folder=world.folder / "fresh")

    with pytest.raises(NowhereError) as caught:
        pylock(fresh, wanted, lock)

    assert {wheel.name for wheel in caught.value.wheels} == {"app", "armoured"}
