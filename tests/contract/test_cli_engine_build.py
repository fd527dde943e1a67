"""`build` of services that an engine builds; engine and client do as each test says."""

import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clicases import command_line_on
from commandline import CommandLine, Done
from locked_project import edit, lock, make_project
from loopback_engine import LoopbackEngine, loopback_engine

from basestore.digest import Digest
from basestore.lock.files import read_services, write_images
from basestore.lock.images import ImageRecord
from basestore.profile.project import read_project
from basestore.target import Platform

BASE = Digest.of(b"the base's image")
IMAGE = Digest.of(b"the service's image")
REPOSITORY = "registry.example.com/team/base-runtime"
LAYERS = [f"sha256:{digit * 64}" for digit in "123"]
PROJECT = """registry = "registry.example.com/team"
[services.job]
base = "runtime"
context = "apps/job"
builder = "docker"
build-args = { MODE = "fast", API_TOKEN = "t0p" }
"""


@pytest.fixture
def engine() -> Iterator[LoopbackEngine]:
    """An engine that has pulled the base, and to which a client has brought a service's image."""
    with loopback_engine() as engine:
        engine.configs[str(BASE)] = image(LAYERS[:2])
        engine.configs[str(IMAGE)] = image(LAYERS)
        engine.names[f"{REPOSITORY}@{BASE}"] = str(BASE)
        yield engine


@pytest.fixture
def basestore(tmp_path: Path, engine: LoopbackEngine) -> CommandLine:
    root = tmp_path / "project"
    (root / "apps/job").mkdir(parents=True)
    make_project(root)
    (root / "basestore.toml").write_text(PROJECT)
    (root / "apps/job/Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    record = ImageRecord("runtime", lock(root, "runtime"), BASE, {Platform("amd64"): BASE})
    write_images(read_project(root), [record])
    lock(root, "job")
    client = tmp_path / "bin/docker"
    client.parent.mkdir()
    client.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\nwords = sys.argv[1:]\n"
        "print('#1 building', flush=True)\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text('\\n'.join(words))\n"
        f"pathlib.Path(words[words.index('--iidfile') + 1]).write_text('{IMAGE}')\n"
    )
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    environ = {**command_line_on(root).environ, "PATH": str(client.parent)}
    return CommandLine(root, {**environ, "DOCKER_HOST": engine.host})


def image(layers: list[str]) -> dict[str, Any]:
    return {"config": {"Labels": {}}, "rootfs": {"diff_ids": layers}}


def base_lock(basestore: CommandLine) -> str:
    return Digest.of((basestore.folder / "locks/runtime.lock").read_bytes()).hex


def test_it_is_built_tagged_and_recorded(basestore: CommandLine, engine: LoopbackEngine) -> None:
    done = basestore("build", "job").expect(0)

    names = [f"job:{IMAGE.hex}", f"registry.example.com/team/job:{IMAGE.hex}"]
    pin = f"{REPOSITORY}:{base_lock(basestore)}@{BASE}"
    assert done.out.splitlines() == [
        "job: built by the engine",
        *(f"  image     {name}" for name in names),
        f"  digest    {IMAGE}, not reproducible",
        f"  base      {pin}",
        "  platform  linux/amd64",
    ]
    assert done.err.splitlines()[0] == "#1 building"
    assert [engine.names[name] for name in names] == [str(IMAGE)] * 2
    record = read_services(read_project(basestore.folder))["job"]
    assert (record.image, record.base, record.made, record.tag) == (IMAGE, BASE, None, IMAGE.hex)
    assert record.lock == Digest.of((basestore.folder / "locks/job.lock").read_bytes())
    again = basestore("build", "job", "--json").expect(0)
    assert again.err == ""
    assert again.json["images"][0]["reused"] is True
    assert again.json["images"][0]["reproducible"] is False


def test_what_the_client_is_told(basestore: CommandLine) -> None:
    basestore("build", "job").expect(0)

    words = basestore.folder.with_name("asked").read_text().splitlines()
    given = [words[n + 1] for n, word in enumerate(words) if word == "--build-arg"]
    lock = base_lock(basestore)
    assert given == [
        "MODE=fast",
        "API_TOKEN",
        f"BASE_IMAGE={REPOSITORY}:{lock}@{BASE}",
        f"BASE_VERSION={lock}@{BASE}",
        f"BASE_LOCK={lock}",
    ]
    labels = [words[n + 1] for n, word in enumerate(words) if word == "--label"]
    assert labels == [f"dev.basestore.base={BASE}", "dev.basestore.service=job"]
    assert words[-1] == str(basestore.folder / "apps/job")


def test_a_base_that_the_engine_can_not_get(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.names.clear()
    said = b'{"error":"manifest unknown"}'
    engine.refuse("POST", "/images/create", status=200, body=said)

    done = basestore("build", "job").expect(6)

    assert f"can't get the base {REPOSITORY}:" in done.err
    assert "manifest unknown" in done.err
    assert "hint: if it is not there, run `basestore push runtime`" in done.err
    asked = [path for method, path, _ in engine.asked if "/images/create" in path]
    assert asked == [f"/images/create?tag={BASE}&fromImage={REPOSITORY}"]
    unrecorded(basestore)


def test_an_image_that_stands_on_something_else(
    basestore: CommandLine, engine: LoopbackEngine
) -> None:
    engine.configs[str(IMAGE)] = image([LAYERS[1], LAYERS[0]])

    done = basestore("build", "job").expect(3)

    assert "apps/job/Dockerfile builds an image that doesn't stand on" in done.err
    unrecorded(basestore)


def test_a_client_that_builds_elsewhere(basestore: CommandLine, engine: LoopbackEngine) -> None:
    del engine.configs[str(IMAGE)]

    done = basestore("build", "job").expect(6)

    assert f"the image {IMAGE} of job was built, but not in the Docker Engine" in done.err
    assert "docker buildx use default" in done.err
    unrecorded(basestore)


def test_a_missing_dockerfile_and_context(basestore: CommandLine) -> None:
    (basestore.folder / "apps/job/Dockerfile").unlink()
    done = basestore("build", "job").expect(4)
    assert "basestore.toml:2: there is no apps/job/Dockerfile" in done.err
    assert "basestore dockerfile job --write" in done.err

    (basestore.folder / "apps/job").rmdir()
    done = basestore("build", "job").expect(4)
    assert "apps/job is no folder" in done.err


@pytest.mark.parametrize("file", ["apps/job", "apps/job/Dockerfile"])
def test_what_lies_outside_of_the_project(basestore: CommandLine, file: str) -> None:
    outside = basestore.folder.with_name("outside")
    (basestore.folder / file).rename(outside)
    (basestore.folder / file).symlink_to(outside)

    done = basestore("build", "job").expect(4)

    assert f" {file} lies outside of the project" in done.err
    unrecorded(basestore)


def test_a_build_that_fails_shows_no_secret(basestore: CommandLine) -> None:
    client = Path(basestore.environ["PATH"], "docker")
    failing = shlex.quote("RUN deploy --token t0p")
    client.write_text(f"#!/bin/sh\necho {failing} >&2; exit 1\n")

    done = basestore("build", "job").expect(6)

    assert "RUN deploy --token ***" in done.err
    assert "t0p" not in done.err
    unrecorded(basestore)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--offline"], "can't be built offline"),
        (["--platform", "linux/amd64"], "can't be built for a platform that is named"),
    ],
)
def test_what_an_engine_can_not_do(basestore: CommandLine, words: list[str], said: str) -> None:
    done = basestore("build", "job", *words).expect(2)

    assert said in done.err


def test_an_engine_of_another_platform(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.version = {"ApiVersion": "1.41", "Os": "linux", "Arch": "riscv64"}

    done = basestore("build", "job").expect(2)

    assert "runs linux/riscv64, and the image has only linux/amd64" in done.err


def test_without_a_client(basestore: CommandLine) -> None:
    done = basestore("build", "job", PATH="/nowhere").expect(6)

    assert "no program 'docker' in PATH" in done.err


def test_nothing_is_pushed_that_was_not_built(basestore: CommandLine) -> None:
    edit(basestore.folder / "basestore.toml", "registry.example.com", "127.0.0.1:1")

    done: Done = basestore("push", "job").expect(3)

    assert "hint: run `basestore build job`" in done.err


def test_what_was_built_before_an_error_is_told(basestore: CommandLine) -> None:
    entry = '[services.late]\nbase = "runtime"\ncontext = "apps/job"\nbuilder = "docker"\n'
    path = basestore.folder / "basestore.toml"
    path.write_text(PROJECT + entry + 'dockerfile = "late.df"\n')
    lock(basestore.folder, "late")

    done = basestore("build", "job", "late").expect(4)
    assert done.out.startswith("job: built by the engine\n")
    assert "which the engine is to build late of" in done.err

    done = basestore("build", "job", "late", "--json").expect(4)
    assert [one["profile"] for one in done.json["images"]] == ["job"]
    assert basestore("build", "late", "--json").expect(4).out == ""


def test_a_service_without_a_lock(basestore: CommandLine) -> None:
    (basestore.folder / "locks/job.lock").unlink()

    basestore("build", "job").expect(0)

    assert read_services(read_project(basestore.folder))["job"].lock is None


def unrecorded(basestore: CommandLine) -> None:
    assert read_services(read_project(basestore.folder)) == {}
