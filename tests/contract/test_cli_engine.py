"""`load`, `run` and `verify --engine` as a person has them, with an engine on loopback."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, make_locked_project, store_of
from commandline import CommandLine, contents
from images import SYSTEM
from layers import AMD64, recorded
from loopback_engine import NO_PROGRAM, LoopbackEngine, loopback_engine

from basestore.digest import Digest
from basestore.layer.realise import realise
from basestore.pipeline.build import Builder
from basestore.pipeline.locked import read_locked
from basestore.pipeline.record import build_and_record
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.model import FoundationRecipe, Recipe
from basestore.recipe.plan import plan


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose profile `runtime` is built in the store beside it."""
    folder = tmp_path_factory.mktemp("cli") / "project"
    make_locked_project(folder)
    store = store_of(command_line_on(folder))
    project = read_project(folder)
    for made in WHEELS:
        store.blobs.add(made.data)
    foundation = _recipes(folder)[0]
    assert isinstance(foundation, FoundationRecipe)
    recorded(store, foundation, SYSTEM)
    builder = Builder(store, lambda *_: None, Progress(), 1, AMD64)
    build_and_record(project, builder, "runtime", (), realise)
    store.lease.release()
    return folder


def _recipes(folder: Path) -> Sequence[Recipe]:
    lock = read_locked(read_project(folder), "runtime").parse()
    return plan(lock, lock.platforms[0])


@pytest.fixture
def engine() -> Iterator[LoopbackEngine]:
    with loopback_engine() as engine:
        yield engine


@pytest.fixture
def basestore(template: Path, tmp_path: Path, engine: LoopbackEngine) -> CommandLine:
    root = shutil.copytree(template, tmp_path / "project")
    shutil.copytree(template.with_name("project-home"), tmp_path / "project-home")
    command_line = command_line_on(root)
    return CommandLine(root, {**command_line.environ, "DOCKER_HOST": engine.host})


def layers(basestore: CommandLine) -> int:
    """How many the image has."""
    return len(_recipes(basestore.folder))


def lock(basestore: CommandLine) -> Digest:
    return Digest.of((basestore.folder / "locks/runtime.lock").read_bytes())


def test_load_says_what_was_sent(basestore: CommandLine, engine: LoopbackEngine) -> None:
    before = contents(basestore.folder)
    name = f"base-runtime:{lock(basestore).hex}"

    done = basestore("load", "runtime").expect(0)

    kilobytes = sum(engine.bodies("/images/load")) / 1000
    sent = f"{layers(basestore)} of {layers(basestore)} layers sent"
    assert done.out == f"runtime: loaded, {sent}, {kilobytes:.1f} kB\n  {name}\n"
    assert done.err.startswith("send base-runtime ")
    assert list(engine.names) == [name]
    done = basestore("load", "runtime").expect(0)
    assert (done.out, done.err) == (f"runtime: nothing to do\n  {name}\n", "")
    engine.names.clear()
    assert basestore("load", "runtime").out == f"runtime: named, nothing sent\n  {name}\n"
    assert contents(basestore.folder) == before


def test_load_for_machines(basestore: CommandLine, engine: LoopbackEngine) -> None:
    (basestore.folder / "basestore.toml").write_text('registry = "registry.example.com/team"\n')
    short = f"base-runtime:{lock(basestore).hex}"
    names = [short, f"registry.example.com/team/{short}"]

    done = basestore("load", "--json", "runtime").expect(0)

    assert done.err == ""
    assert done.json == {
        "loaded": [
            {
                "profile": "runtime",
                "lock": str(lock(basestore)),
                "reference": short,
                "names": names,
                "image": engine.names[short],
                "platform": "linux/amd64",
                "reused": False,
                "layers": layers(basestore),
                "sent": {"layers": layers(basestore), "bytes": sum(engine.bodies("/images/load"))},
            }
        ]
    }
    assert list(engine.names) == names
    again = basestore("load", "--json", "runtime").expect(0).json["loaded"][0]
    assert (again["reused"], again["sent"]) == (True, {"layers": 0, "bytes": 0})


def test_what_is_not_built_is_not_loaded(basestore: CommandLine, engine: LoopbackEngine) -> None:
    for command in (["load", "cpu"], ["run", "cpu", "--", "true"]):
        done = basestore(*command).expect(3)
        assert "no image of cpu's lock is recorded" in done.err
        assert "hint: run `basestore build cpu`" in done.err
    assert engine.bodies("/images/load") == []


def test_verify_agrees_with_what_was_loaded(basestore: CommandLine) -> None:
    missing = basestore("verify", "--engine", "runtime").expect(3)
    assert "runtime: DISAGREES" in missing.out
    assert "run `basestore load runtime`" in missing.out

    basestore("load", "runtime").expect(0)

    done = basestore("verify", "--engine", "runtime").expect(0)
    assert "runtime: agrees" in done.out
    said = f"all {layers(basestore)} diffIDs are the image's"
    assert f"  ok    layers     {said}" in done.out


def test_verify_names_each_difference(basestore: CommandLine, engine: LoopbackEngine) -> None:
    basestore("load", "runtime").expect(0)
    (name,) = engine.names
    mine = engine.configs[engine.names[name]]
    layers = [*mine["rootfs"]["diff_ids"][:1], f"sha256:{'1' * 64}"]
    other = f"sha256:{'2' * 64}"
    engine.configs[other] = {
        "config": {"Labels": {"dev.basestore.lock": "3" * 64}},
        "rootfs": {"diff_ids": layers},
    }
    engine.names[name] = other

    found = basestore("verify", "--engine", "--json", "runtime").expect(3).json["profiles"][0]

    failed = {f["check"]: f["detail"] for f in found["findings"] if f["holds"] is False}
    assert failed.keys() == {"engine", "label", "layers"}
    assert other in failed["engine"]
    assert "3" * 64 in failed["label"]
    assert "number 2" in failed["layers"]


def test_an_engine_of_another_architecture(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.version = {"ApiVersion": "1.41", "Os": "linux", "Arch": "riscv64"}

    done = basestore("load", "runtime").expect(2)

    assert "runs linux/riscv64, and the image has only linux/amd64" in done.err


def test_an_old_engine(basestore: CommandLine, engine: LoopbackEngine) -> None:
    engine.version = {"ApiVersion": "1.39"}

    for words in (["load", "runtime"], ["run", "runtime"], ["verify", "--engine", "runtime"]):
        done = basestore(*words).expect(6)
        assert "is too old: its API is 1.39, needed is 1.41 (Docker 20.10) or later" in done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize("config", ["{", "[]", '{"auths": {"x": 1}}', '{"proxies": 1}'])
def test_a_broken_docker_config_stops_no_engine_that_is_named(
    basestore: CommandLine, config: str
) -> None:
    folder = basestore.folder.with_name("docker")
    folder.mkdir()
    (folder / "config.json").write_text(config)

    basestore("load", "runtime", DOCKER_CONFIG=str(folder)).expect(0)
    basestore("run", "runtime", "--", "x", DOCKER_CONFIG=str(folder)).expect(7)


def test_run_loads_and_gives_the_containers_output_and_exit_code(
    basestore: CommandLine, engine: LoopbackEngine
) -> None:
    done = basestore(
        "run",
        "-e",
        "A=b",
        "-e",
        "HOME",
        "-e",
        "NOT_SET",
        "-v",
        ".:/srv:ro",
        "runtime",
        "--",
        "x",
        "--registry",
        "y",
    )

    assert done.code == 7
    assert done.out == ""
    assert done.err.endswith("an error\n")
    (container,) = engine.removed
    asked = container.asked
    assert asked["Image"] == next(iter(engine.configs))
    assert asked["Cmd"] == ["x", "--registry", "y"]
    assert asked["Env"] == ["A=b", f"HOME={basestore.environ['HOME']}"]
    assert asked["HostConfig"]["Binds"] == [f"{basestore.folder}:/srv:ro"]
    assert (asked["Tty"], asked["OpenStdin"]) == (False, True)


def test_run_feeds_what_is_piped(basestore: CommandLine) -> None:
    done = piped(basestore, b"words " * 40_000, "run", "runtime", "--", "shout")

    assert done.stdout == b"WORDS " * 40_000
    assert done.returncode == 7


def test_run_without_the_program(basestore: CommandLine, engine: LoopbackEngine) -> None:
    done = basestore("run", "runtime", "--", NO_PROGRAM).expect(127)

    assert f"error: the container can't run '{NO_PROGRAM}': executable file not found" in done.err
    assert len(engine.removed) == 1


@pytest.mark.parametrize(
    "option",
    [
        ["-v", "data"],
        ["-v", "data:relative"],
        ["-v", ":/x"],
        ["-v", "~nobody-else/x:/x"],
        ["-e", "=x"],
    ],
)
def test_run_with_options_that_mean_nothing(
    basestore: CommandLine, engine: LoopbackEngine, option: list[str]
) -> None:
    done = basestore("run", *option, "runtime").expect(2)

    assert "hint: write " in done.err
    assert engine.asked == []


def test_run_on_a_terminal(basestore: CommandLine, engine: LoopbackEngine) -> None:
    basestore("load", "runtime").expect(0)
    ours, theirs = pty.openpty()
    environ = {**os.environ, **basestore.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "basestore", "run", "runtime", "--", "waits"],
        cwd=basestore.folder,
        env=environ,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    while b"waiting" not in shown:
        shown += os.read(ours, 1000)
    process.terminate()
    while b"SIGTERM" not in shown:
        shown += os.read(ours, 1000)
    process.terminate()

    assert process.wait(timeout=60) == 137
    os.close(ours)
    (container,) = engine.removed
    assert container.asked["Tty"] is True


def test_run_on_a_terminal_that_is_closed(basestore: CommandLine, engine: LoopbackEngine) -> None:
    """It is told so by SIGHUP, which goes to the container as any other signal."""
    basestore("load", "runtime").expect(0)
    ours, theirs = pty.openpty()
    errors = basestore.folder.with_name("errors")
    program = [sys.executable, "-m", "basestore", "run", "runtime", "--", "waits"]
    with errors.open("wb") as err:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *program],
            cwd=basestore.folder,
            env={**os.environ, **basestore.environ, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=err,
        )
    os.close(theirs)
    shown = b""
    while b"waiting" not in shown:
        shown += os.read(ours, 1000)
    os.close(ours)

    assert process.wait(timeout=60) == 141
    assert errors.read_text() == ""
    assert len(engine.removed) == 1
    assert any("signal=SIGHUP" in path for _, path, _ in engine.asked)


def piped(basestore: CommandLine, data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command with input."""
    return subprocess.run(
        [sys.executable, "-m", "basestore", *words],
        cwd=basestore.folder,
        env={**os.environ, **basestore.environ},
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )
