"""A registry and an engine on loopback, with folders of their own, ended by their process id."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from command import Done, inherited, run
from figures import LackingError

LONGEST = 60
"""Seconds until a service that has not started counts as broken."""

SETTINGS = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}}}
  delete: {{enabled: true}}
http: {{addr: "{address}"}}
"""


@dataclass(frozen=True, slots=True)
class Registry:
    """An empty registry that runs; ``address`` is host and port."""

    address: str
    folder: Path

    @property
    def size(self) -> int:
        """The bytes of all blobs and manifests that it holds."""
        return sum(path.stat().st_size for path in self.folder.glob("**/blobs/sha256/*/*/data"))


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker Engine that runs, without a network of its own, and its client."""

    client: str
    host: str

    def __call__(self, *words: str) -> Done:
        """Run the client to its end; raises CommandError."""
        return run(self.words(*words), self.environ)

    def words(self, *words: str) -> list[str]:
        """A command's line."""
        return [self.client, *words]

    @property
    def environ(self) -> dict[str, str]:
        """What the client needs."""
        return {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """A new registry, in a new folder that goes with it; raises LackingError."""
    program = need("docker-registry", "docker-registry")
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(SETTINGS.format(folder=folder / "data", address=address))
    with _service([program, "serve", str(settings)], folder / "log", lambda: _answers(address)):
        yield Registry(address, folder / "data")
    shutil.rmtree(folder)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """A new engine, in a new folder that goes with it; raises LackingError."""
    daemon = need("dockerd", "docker.io")
    # The distribution's client builds by itself; newer ones need a plugin for that.
    client = need("docker", "docker.io", "/usr/bin:" + os.environ.get("PATH", ""))
    if os.geteuid() != 0:
        raise LackingError("the engine needs root: run `make bench` as root")
    folder.mkdir()
    found = Engine(client, f"unix://{folder}/docker.sock")
    words = [daemon, "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    words += ["--pidfile", str(folder / "docker.pid"), "--host", found.host]
    words += ["--bridge", "none", "--iptables=false"]
    with _service(words, folder / "log", lambda: _runs(found)):
        yield found
    shutil.rmtree(folder)


def need(program: str, package: str, path: str | None = None) -> str:
    """Where a program lies; LackingError names the package to install."""
    found = shutil.which(program, path=path)
    if found is None:
        raise LackingError(f"{program} isn't installed: install the package {package}")
    return found


@contextmanager
def _service(words: list[str], log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """A program that runs until the block ends, which begins when it is ready."""
    name = Path(words[0]).name
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, env=inherited())
    try:
        _wait(name, process, log, ready)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait(
    name: str, process: "subprocess.Popen[bytes]", log: Path, ready: Callable[[], bool]
) -> None:
    end = time.monotonic() + LONGEST
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            told = log.read_text(encoding="utf-8", errors="replace")[-500:]
            raise LackingError(f"{name} did not start: {told}")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/v2/", timeout=1):
            return True
    except OSError:
        return False


def _runs(engine: Engine) -> bool:
    done = subprocess.run(
        engine.words("info"),
        env={**inherited(), **engine.environ},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
