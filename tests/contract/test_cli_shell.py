"""`run` and `shell` of a service, with an engine on loopback that has its image."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clicases import command_line_on
from commandline import CommandLine
from locked_project import lock, make_project
from loopback_engine import FakeContainer, LoopbackEngine, loopback_engine

from basestore.digest import Digest
from basestore.lock.files import write_images, write_services
from basestore.lock.images import ImageRecord
from basestore.lock.services import ServiceRecord
from basestore.profile.project import read_project
from basestore.target import Platform

BASE = Digest.of(b"the base's image")
IMAGE = Digest.of(b"the service's image")
MANIFEST = Digest.of(b"its manifest")
NO_ENGINE = "unix:///nowhere/docker.sock"
PROJECT = """registry = "registry.example.com/team"
[services.job]
base = "runtime"
builder = "docker"
port = 8000
[services.quiet]
base = "runtime"
builder = "docker"
"""


@pytest.fixture
def engine() -> Iterator[LoopbackEngine]:
    with loopback_engine() as engine:
        engine.configs[str(IMAGE)] = {"config": {"Labels": {}}, "rootfs": {"diff_ids": []}}
        yield engine


@pytest.fixture
def basestore(tmp_path: Path, engine: LoopbackEngine) -> CommandLine:
    root = tmp_path / "project"
    root.mkdir()
    make_project(root)
    (root / "basestore.toml").write_text(PROJECT)
    platforms = {Platform("amd64"): MANIFEST}
    base = ImageRecord("runtime", lock(root, "runtime"), BASE, {Platform("amd64"): BASE})
    write_images(read_project(root), [base])
    for name in ("job", "quiet"):
        lock(root, name)
    records = [ServiceRecord(name, IMAGE, BASE, None, platforms) for name in ("job", "quiet")]
    write_services(read_project(root), records)
    return CommandLine(root, {**command_line_on(root).environ, "DOCKER_HOST": engine.host})


def only(engine: LoopbackEngine) -> FakeContainer:
    """The one container that was run, and is gone."""
    (container,) = engine.removed
    assert engine.containers == {}
    return container


def test_a_service_is_reached_at_its_port(basestore: CommandLine, engine: LoopbackEngine) -> None:
    done = basestore("run", "job").expect(7)

    asked = only(engine).asked
    assert asked["Image"] == str(IMAGE)
    assert asked["ExposedPorts"] == {"8000/tcp": {}}
    bound = [{"HostIp": "127.0.0.1", "HostPort": "8000"}]
    assert asked["HostConfig"]["PortBindings"] == {"8000/tcp": bound}
    assert done.err.startswith("job: its port 8000 is at 127.0.0.1:8000\n")


def test_the_port_of_this_machine_is_chosen(basestore: CommandLine, engine: LoopbackEngine) -> None:
    basestore("run", "--port", "9000", "job", "--", "uvicorn").expect(7)

    asked = only(engine).asked
    bound = [{"HostIp": "127.0.0.1", "HostPort": "9000"}]
    assert asked["HostConfig"]["PortBindings"] == {"8000/tcp": bound}
    assert asked["Cmd"] == ["uvicorn"]


@pytest.mark.parametrize(
    "words",
    [
        ["job", "--", "python"],
        ["quiet"],
        ["--network", "none", "job"],
        ["--network", "host", "--port", "9000", "job"],
        ["--network", "container:other", "job"],
    ],
)
def test_nothing_is_published(
    basestore: CommandLine, engine: LoopbackEngine, words: list[str]
) -> None:
    done = basestore("run", *words).expect(7)

    assert "PortBindings" not in only(engine).asked["HostConfig"]
    assert "port" not in done.err


@pytest.mark.parametrize("name", ["quiet", "runtime"])
def test_what_listens_nowhere_has_no_port(
    basestore: CommandLine, engine: LoopbackEngine, name: str
) -> None:
    done = basestore("run", "--port", "9000", name).expect(2)

    assert f"{name} listens on no port" in done.err
    assert engine.asked == []


@pytest.mark.parametrize("said", ["port is already allocated", "bind: address already in use"])
def test_a_port_that_is_taken(basestore: CommandLine, engine: LoopbackEngine, said: str) -> None:
    body = b'{"message":"driver failed: Bind for 127.0.0.1:8000 failed: %s"}' % said.encode()
    engine.refuse("POST", "/start", body=body)

    done = basestore("run", "job").expect(6)

    assert "port 8000 of 127.0.0.1 is in use" in done.err
    assert "hint: choose another one with --port NUMBER" in done.err
    only(engine)


def test_an_image_that_was_pushed_is_pulled(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.configs.clear()

    done = basestore("run", "job").expect(6)

    pulled = [path for _, path, _ in engine.asked if path.startswith("/images/create")]
    assert pulled == [f"/images/create?tag={MANIFEST}&fromImage=registry.example.com/team/job"]
    assert "Traceback" not in done.err


def test_an_image_that_is_nowhere(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.configs.clear()
    write_services(read_project(basestore.folder), [ServiceRecord("job", IMAGE, BASE)])

    for command in ("run", "shell"):
        done = basestore(command, "job").expect(3)
        assert f"has no image {IMAGE}, which job is recorded as" in done.err
        assert "run `basestore build job`" in done.err


def test_what_was_not_built(basestore: CommandLine) -> None:
    (basestore.folder / "locks/services.toml").unlink()

    for command in ("run", "shell"):
        done = basestore(command, "job", DOCKER_HOST=NO_ENGINE).expect(3)
        assert "no image of job that an engine built is recorded" in done.err

    done = basestore("shell", "job").expect(3)

    assert "hint: run `basestore build job`" in done.err


def test_a_shell(basestore: CommandLine, engine: LoopbackEngine) -> None:
    options = ["-u", "root", "-e", "A=b", "-w", "/tmp", "--network", "none", "-v", ".:/srv"]
    done = scripted(basestore, b"ls", *options, "job")

    asked = only(engine).asked
    assert (done.returncode, done.stdout) == (7, b"LS")
    assert asked["Entrypoint"][:2] == ["/bin/sh", "-c"]
    assert "Cmd" not in asked
    assert (asked["User"], asked["WorkingDir"], asked["Env"]) == ("root", "/tmp", ["A=b"])
    assert (asked["Tty"], asked["OpenStdin"]) == (False, True)
    assert "PortBindings" not in asked["HostConfig"]


def test_python_where_there_is_no_shell(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.lacks.add("/bin/sh")

    done = scripted(basestore, b"print()", "job")

    assert (done.returncode, done.stdout) == (7, b"PRINT()")
    assert [one.asked["Entrypoint"][0] for one in engine.removed] == ["/bin/sh", "python"]
    assert b"error:" not in done.stderr


def test_an_image_without_either(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.lacks |= {"/bin/sh", "python"}

    done = scripted(basestore, b"", "job")

    assert done.returncode == 127
    assert done.stderr.count(b"error: ") == 1
    assert b"the container can't run 'python'" in done.stderr


def scripted(
    basestore: CommandLine, script: bytes, *words: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `basestore shell` with a script piped in."""
    return subprocess.run(
        [sys.executable, "-m", "basestore", "shell", *words],
        cwd=basestore.folder,
        env={**os.environ, **basestore.environ},
        input=script,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["run", "shell"])
def test_an_image_on_an_old_base_is_not_run(
    basestore: CommandLine, engine: LoopbackEngine, command: str
) -> None:
    root = basestore.folder
    digest = Digest.of((root / "locks/runtime.lock").read_bytes())
    write_images(read_project(root), [ImageRecord("runtime", digest, MANIFEST, {})])

    done = basestore(command, "job").expect(3)

    assert "the image of job that an engine built is on an old base" in done.err
    assert "hint: run `basestore build job`" in done.err
    assert engine.removed == []


def test_an_engine_built_image_needs_no_lock_to_run(
    basestore: CommandLine, engine: LoopbackEngine
) -> None:
    (basestore.folder / "locks/job.lock").unlink()

    for command in ("run", "shell"):
        assert basestore(command, "job").code == 7  # the engine's own container's

    assert len(engine.removed) == 2
