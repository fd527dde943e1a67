"""Services that a real engine builds: from Dockerfiles of their own, and from written ones."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from loopback_index import File, loopback_index
from runtime_base import Base
from services import lacking
from uv import find_uv_bin
from wheelmaker import make_wheel

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.engine]

DOCKERFILE = """ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS made
ARG BASE_VERSION
ARG BASE_LOCK
COPY job.py /app/job.py
ENV SAID="${BASE_VERSION} ${BASE_LOCK}"
CMD ["python", "/app/job.py"]
"""
JOB = "import fastapi, os\nprint(os.environ['SAID'])\n"

HOSTILE = "a b\"c\\d$HOME ${HOME} 'q' #h \u00e9 \\"
SERVICE = {
    "base": "runtime",
    "context": "apps/api",
    "user": "1000",
    "workdir": "/srv/a $b",
    "env": {"HOSTILE": HOSTILE, "EMPTY": ""},
    "labels": {'te am "x"': HOSTILE},
    "cmd": ["python", "-c", "print('$HOME\\n')"],
    "port": 8000,
    "healthcheck": {"cmd": ["python", "-c", 'print("$HOME")'], "start-period": "2m"},
    "files": ["src", "sp ace/\\[q].txt", "do$l.txt", "src/*.py"],
}


@dataclass(frozen=True)
class Workplace:
    """A copy of the project with a registry's folder and image names of its own, and the engine."""

    basestore: CommandLine
    docker: list[str]
    registry: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.basestore.folder

    def ask(self, *words: str, **environ: str) -> str:
        """What the engine's own client prints."""
        own = {**os.environ, **environ}
        done = subprocess.run([*self.docker, *words], check=False, capture_output=True, env=own)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def inspect(self, image: str) -> Any:
        """The config of an image in the engine."""
        return json.loads(self.ask("image", "inspect", "--format", "{{json .Config}}", image))

    def project(self, **services: Any) -> None:
        """Write basestore.toml with these services."""
        lines = [f"registry = {json.dumps(self.registry)}"]
        for name, keys in services.items():
            lines += [f"[services.{name}]", *(f"{key} = {toml(keys[key])}" for key in keys)]
        (self.folder / "basestore.toml").write_text("\n".join(lines) + "\n")

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def service(self, name: str) -> str:
        """The line of the services file for a service."""
        lines = (self.folder / "locks/services.toml").read_text().splitlines()
        (line,) = (line for line in lines if f'service = "{name}"' in line)
        return line

    def shell(self, script: bytes, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """`basestore shell` with a script piped in."""
        return subprocess.run(
            [sys.executable, "-m", "basestore", "shell", *words],
            cwd=self.folder,
            env={**os.environ, **self.basestore.environ},
            input=script,
            capture_output=True,
            check=False,
            timeout=300,
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[None]:
        """`basestore run` until the block ends."""
        command = [sys.executable, "-m", "basestore", "run", *words]
        environ = {**os.environ, **self.basestore.environ}
        null = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=self.folder, env=environ, stdin=null, stdout=null)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)  # which Python heeds as a container's first process
            process.wait(timeout=60)


@pytest.fixture
def work(
    base: Base, docker: list[str], registry_address: str, tmp_path: Path
) -> Iterator[Workplace]:
    if platform.machine() != "x86_64":
        lacking("runs linux/amd64's programs")
    registry = f"{registry_address}/e2e-{uuid.uuid4().hex[:12]}"
    basestore = base.copy(tmp_path / "project")
    # Which client basestore finds is the path's matter: Debian's, as the tests themselves use it.
    path = f"{Path(docker[0]).parent}:{os.environ['PATH']}"
    environ = {**basestore.environ, "DOCKER_HOST": docker[2], "PATH": path}
    work = Workplace(CommandLine(basestore.folder, environ), docker, registry)
    work.project()
    yield work
    for place in (registry, registry.rpartition("/")[2]):
        listed = work.ask("image", "ls", "--format", "{{.ID}}", f"{place}/*").split()
        if listed:
            work.ask("image", "rm", "--force", *set(listed))


def test_a_service_is_built_on_its_pinned_base_and_pushed(work: Workplace) -> None:
    image = work.registry.rpartition("/")[2]
    work.project(job={"base": "runtime", "context": "job", "builder": "docker", "image": image})
    work.write("job/Dockerfile", DOCKERFILE)
    work.write("job/job.py", JOB)
    run = work.basestore

    refused = run("build", "job").expect(6)
    assert f"can't get the base {work.registry}/base-runtime:" in refused.err
    assert "run `basestore push runtime`" in refused.err
    pushed = run("push", "--json", "runtime").expect(0).json["pushed"][0]
    built = run("build", "--json", "job").expect(0).json["images"][0]

    assert built["base"] == pushed["reference"]
    assert built["tag"] == built["digest"].removeprefix("sha256:")
    reference = f"{work.registry}/{image}:{built['tag']}"
    assert built["reference"] == reference
    version = pushed["reference"].removeprefix(f"{work.registry}/base-runtime:")
    lock = version.partition("@")[0]
    ran = work.ask("run", "--rm", "--network", "none", f"{image}:{built['tag']}")
    assert ran == f"{version} {lock}\n"
    labels = work.inspect(reference)["Labels"]
    assert labels["dev.basestore.service"] == "job"
    assert labels["dev.basestore.base"] == pushed["digest"]
    assert "reproducible = false" in work.service("job")
    assert "platforms" not in work.service("job")
    again = run("build", "--json", "job").expect(0).json["images"][0]
    assert (again["digest"], again["reused"]) == (built["digest"], True)

    sent = run("push", "--json", "job").expect(0).json["pushed"][0]

    assert sent["changed"] is True
    assert f'"linux/amd64" = "{sent["digest"]}"' in work.service("job")
    work.ask("image", "rm", "--force", built["digest"])
    work.ask("pull", "--quiet", sent["reference"])
    found = work.ask("image", "inspect", "--format", "{{.Id}}", sent["reference"]).strip()
    assert found == built["digest"]
    assert run("push", "--json", "job").expect(0).json["pushed"][0]["changed"] is False


def test_an_edit_gives_another_image(work: Workplace) -> None:
    work.project(job={"base": "runtime", "context": "job", "builder": "docker"})
    work.write("job/Dockerfile", DOCKERFILE)
    work.write("job/job.py", JOB)
    work.basestore("push", "runtime").expect(0)
    first = work.basestore("build", "--json", "job").expect(0).json["images"][0]

    work.write("job/job.py", f"{JOB}print({uuid.uuid4().hex!r})\n")
    second = work.basestore("build", "--json", "job").expect(0).json["images"][0]

    assert second["digest"] != first["digest"]
    assert work.service("job").count(second["tag"]) == 2


def test_it_runs_and_can_be_looked_into(work: Workplace) -> None:
    work.project(job={"base": "runtime", "context": "job", "builder": "docker", "port": 8000})
    work.write("job/Dockerfile", DOCKERFILE)
    work.write("job/job.py", "print('done')\n")
    work.basestore("push", "runtime").expect(0)
    work.basestore("build", "job").expect(0)

    ran = work.basestore("run", "--network", "none", "job").expect(0)
    looked = work.shell(b"ls /app; exit 5", "--network", "none", "job")
    below = work.shell(b"id -un", "--user", "nobody", "--network", "none", "runtime")

    assert ran.out == "done\n"
    assert (looked.returncode, looked.stdout) == (5, b"job.py\n")
    assert (below.returncode, below.stdout) == (0, b"nobody\n"), below.stderr


def test_a_service_is_reached_at_its_port_from_this_machine(work: Workplace) -> None:
    need_bridge(work)
    port = free_port()
    work.project(job={"base": "runtime", "context": "job", "builder": "docker", "port": 8000})
    work.write(
        "job/Dockerfile",
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN mkdir /www && echo a page > /www/page\n"
        'CMD ["python", "-m", "http.server", "--directory=/www", "8000"]\n',
    )
    work.basestore("push", "runtime").expect(0)
    work.basestore("build", "job").expect(0)

    with work.running("--port", str(port), "job"):
        assert fetched(f"http://127.0.0.1:{port}/page") == b"a page\n"
        taken = work.basestore("run", "--port", str(port), "job").expect(6)

    assert f"port {port} of 127.0.0.1 is in use" in taken.err


def test_what_does_not_stand_on_the_base_is_refused(work: Workplace) -> None:
    work.project(job={"base": "runtime", "context": "job", "builder": "docker"})
    work.write("job/Dockerfile", "FROM scratch\nCOPY job.py /\n")
    work.write("job/job.py", JOB)
    work.basestore("push", "runtime").expect(0)

    done = work.basestore("build", "job").expect(3)

    assert "job/Dockerfile builds an image that doesn't stand on" in done.err
    work.write("job/Dockerfile", DOCKERFILE.replace("job.py /app", "missing.py /app"))
    done = work.basestore("build", "job").expect(6)
    assert "could not build job" in done.err
    assert "missing.py" in done.err


def test_a_written_dockerfile_says_it_all(work: Workplace) -> None:
    """Nothing of a hostile entry is lost or run on its way through BuildKit's own lexer."""
    work.project(api=SERVICE)
    for file in ("src/a.py", "src/deep/b.txt", "sp ace/[q].txt", "do$l.txt", "secret/.env"):
        work.write(f"apps/api/{file}", file)
    work.basestore("push", "runtime").expect(0)
    work.basestore("lock", "api").expect(0)
    work.basestore("dockerfile", "api", "--write").expect(0)

    image = build(work, "apps/api")

    config = work.inspect(image)
    assert f"HOSTILE={HOSTILE}" in config["Env"]
    assert "EMPTY=" in config["Env"]
    assert config["Labels"]['te am "x"'] == HOSTILE
    assert config["User"] == "1000"
    assert config["WorkingDir"] == "/srv/a $b"
    assert config["Cmd"] == SERVICE["cmd"]
    assert config["ExposedPorts"] == {"8000/tcp": {}}
    assert config["Healthcheck"] == {
        "Test": ["CMD", *SERVICE["healthcheck"]["cmd"]],  # type: ignore[index]
        "StartPeriod": 120 * 10**9,
    }
    program = (
        "import os; print(sorted(os.path.join(d, f) for d, _, fs in os.walk('.') for f in fs))"
    )
    found = work.ask("run", "--rm", "--network", "none", image, "python", "-c", program)
    assert found == f"{['./do$l.txt', './sp ace/[q].txt', './src/a.py', './src/deep/b.txt']}\n"


def test_a_written_dockerfile_installs_the_delta(work: Workplace) -> None:
    wheel = make_wheel("basestore-e2e-delta", files={"delta_of_e2e.py": b"SAID = 'installed'\n"})
    work.project(
        api={"base": "runtime", "context": "apps/api", "requirements": ["basestore-e2e-delta"]}
    )
    work.write("apps/api/main.py", "import delta_of_e2e\n")
    work.basestore("push", "runtime").expect(0)
    uv = uv_image(work)
    with loopback_index() as index:
        index.files.append(File.of(wheel))
        work.basestore("lock", "api", BASESTORE_MIRROR_DEFAULT=index.url).expect(0)
        work.basestore("dockerfile", "api", "--write").expect(0)
        work.write("uv.toml", f'[[index]]\nurl = "{index.url}"\ndefault = true\n')
        secret = f"id=uv,src={work.folder / 'uv.toml'}"
        image = build(work, "apps/api", "--build-arg", f"UV_IMAGE={uv}", "--secret", secret)

    program = (
        "import delta_of_e2e, fastapi, getpass, os, pathlib;"
        "pathlib.Path.home().joinpath('cache').write_text('');"
        "print(delta_of_e2e.SAID, os.getuid(), getpass.getuser(), os.listdir('/mnt'), os.getcwd(),"
        "os.listdir('/var/cache/uv'), sorted(os.listdir('.')))"
    )
    ran = work.ask("run", "--rm", "--network", "none", image, "python", "-c", program)
    assert ran == "installed 10001 app [] /app [] ['main.py', 'requirements.api.txt']\n"
    assert index.url not in work.ask("history", "--no-trunc", image)


def need_bridge(work: Workplace) -> None:
    """Skip where the engine gives containers no network of their own (dockerd --bridge none)."""
    if "bridge" not in work.ask("network", "ls", "--format", "{{.Driver}}").split():
        lacking("needs an engine that gives containers a network of their own")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetched(url: str) -> bytes:
    """What a server answers, once it has started."""
    for _ in range(100):
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def build(work: Workplace, context: str, *words: str) -> str:
    """Build a context with BuildKit as people do; the image's ID."""
    told = work.folder / "iid"
    options = ["--network", "host", "--iidfile", str(told), *words]
    work.ask("build", *options, str(work.folder / context), DOCKER_BUILDKIT="1")
    image = told.read_text()
    work.ask("tag", image, f"{work.registry}/built:{uuid.uuid4().hex}")
    return image


def uv_image(work: Workplace) -> str:
    """An image that holds uv as the published one does, without asking for that."""
    work.write("uv/Dockerfile", "FROM scratch\nCOPY uv /uv\n")
    (work.folder / "uv/uv").write_bytes(Path(find_uv_bin()).read_bytes())
    (work.folder / "uv/uv").chmod(0o755)
    name = f"{work.registry}/uv:local"
    work.ask("build", "--quiet", "--tag", name, str(work.folder / "uv"), DOCKER_BUILDKIT="1")
    return name


def toml(value: Any) -> str:
    """A value as TOML has it; JSON's strings are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)
