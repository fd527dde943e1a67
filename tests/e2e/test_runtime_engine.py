"""The built base in a real engine: loaded, run, loaded again, extended, verified."""

import os
import platform
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from built_project import with_retries
from commandline import CommandLine
from runtime_base import Base
from services import lacking

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.engine]

IMPORTS = "import asyncpg, fastapi, orjson, psycopg2, pydantic, redis, uvicorn"


@dataclass(frozen=True)
class InEngine:
    """A copy of the project whose images have names that no other run uses, and the engine."""

    basestore: CommandLine
    docker: list[str]
    name: str

    def ask(self, *words: str) -> str:
        """What the engine's own client prints."""
        done = subprocess.run([*self.docker, *words], check=True, capture_output=True, text=True)
        return done.stdout

    def load(self, profile: str) -> Any:
        """What `load --json` prints of a profile."""
        return self.basestore("load", "--json", profile).expect(0).json["loaded"][0]

    def run(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """`basestore run runtime` with input."""
        return subprocess.run(
            [sys.executable, "-m", "basestore", "run", *words],
            cwd=self.basestore.folder,
            env={**os.environ, **self.basestore.environ},
            input=given,
            capture_output=True,
            check=False,
            timeout=300,
        )


@pytest.fixture
def engine(base: Base, docker: list[str], tmp_path: Path) -> Iterator[InEngine]:
    if platform.machine() != "x86_64":
        lacking("runs linux/amd64's programs")
    basestore = base.copy(tmp_path / "project")
    name = f"engine-{uuid.uuid4().hex[:12]}"
    (basestore.folder / "basestore.toml").write_text(f'image-name = "{name}/{{profile}}"\n')
    environ = {**basestore.environ, "DOCKER_HOST": docker[2]}
    engine = InEngine(CommandLine(basestore.folder, environ), docker, name)
    yield engine
    listed = engine.ask("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    if own := [image for image in listed if image.startswith(name)]:
        engine.ask("image", "rm", *own)


def test_it_is_loaded_once_and_runs(engine: InEngine, base: Base) -> None:
    loaded = engine.load("runtime")

    assert loaded["reference"] == f"{engine.name}/runtime:{base.built['tag']}"
    assert loaded["lock"] == base.built["lock"]
    seen = engine.ask("image", "inspect", "--format", "{{.Id}}", loaded["reference"])
    assert seen.strip() == loaded["image"]
    again = engine.load("runtime")
    assert (again["reused"], again["sent"]) == (True, {"layers": 0, "bytes": 0})
    ran = engine.run("runtime", "--", "python", "-c", f"{IMPORTS}; print('done')")
    assert (ran.returncode, ran.stdout) == (0, b"done\n"), ran.stderr
    own = engine.ask("run", "--rm", "--network", "none", loaded["reference"], "python", "--version")
    assert own.startswith("Python 3.11")


def test_streams_exit_codes_variables_and_volumes(engine: InEngine) -> None:
    (engine.basestore.folder / "data").mkdir()
    (engine.basestore.folder / "data/note").write_text("a note")
    program = (
        "import os, sys;"
        "sys.stdout.write(sys.stdin.read().upper() + os.environ['X'] + os.getcwd());"
        "sys.stderr.write(open('/data/note').read()); sys.exit(42)"
    )
    options = ("-e", "X=x", "-v", "./data:/data:ro", "-w", "/tmp", "--network", "none")

    ran = engine.run(*options, "runtime", "--", "python", "-c", program, given=b"abc" * 100_000)

    assert ran.returncode == 42, ran.stderr
    assert ran.stdout == b"ABC" * 100_000 + b"x/tmp"
    assert ran.stderr.endswith(b"a note")
    refused = engine.run("-v", "./data:/data:ro", "runtime", "--", "touch", "/data/new")
    assert refused.returncode == 1
    assert engine.run("runtime", "--", "/etc/passwd").returncode == 126
    missing = engine.run("runtime", "--", "gcc")
    assert missing.returncode == 127
    assert b"can't run 'gcc'" in missing.stderr
    assert engine.ask("ps", "--all", "--quiet", "--filter", "status=exited") == ""


def test_a_child_brings_only_its_own_layers(engine: InEngine) -> None:
    (engine.basestore.folder / "profiles/tools.toml").write_text(
        'extends = "runtime"\nrequirements = ["iniconfig"]\n'
    )
    with_retries(engine.basestore, "lock", "tools").expect(0)
    with_retries(engine.basestore, "build", "tools").expect(0)
    engine.load("runtime")

    loaded = engine.load("tools")

    assert loaded["reused"] or loaded["sent"]["layers"] == 1
    assert loaded["sent"]["bytes"] < 100_000
    ran = engine.run("tools", "--", "python", "-c", "import iniconfig, fastapi; print('done')")
    assert (ran.returncode, ran.stdout) == (0, b"done\n"), ran.stderr


def test_verify_finds_another_image_under_the_name(engine: InEngine, tmp_path: Path) -> None:
    missing = engine.basestore("verify", "--engine", "runtime").expect(3)
    assert "runtime: DISAGREES" in missing.out
    assert "run `basestore load runtime`" in missing.out
    reference = engine.load("runtime")["reference"]
    agreed = engine.basestore("verify", "--engine", "runtime").expect(0)
    assert "runtime: agrees" in agreed.out
    (tmp_path / "added").write_text("more")
    (tmp_path / "Dockerfile").write_text(f"FROM {reference}\nCOPY added /added\n")
    engine.ask("build", "--quiet", "--tag", reference, str(tmp_path))

    done = engine.basestore("verify", "--engine", "runtime").expect(3)

    assert "FAIL  engine" in done.out
    assert "ok    label" in done.out  # which the other image has from this one
    assert "FAIL  layers" in done.out
    assert engine.load("runtime")["sent"]["layers"] == 0
    engine.basestore("verify", "--engine", "runtime").expect(0)
