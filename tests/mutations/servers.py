"""A real registry on loopback, in a folder of its own, ended by its process id."""

import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "docker-registry"
_TRIES = 400
_SETTINGS = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http: {{addr: "{address}"}}
"""


class LackingError(Exception):
    """The machine lacks something."""


@dataclass(frozen=True)
class Registry:
    """A registry that runs: its address, and where its blobs lie."""

    address: str
    data: Path

    @property
    def root(self) -> Path:
        """The folder of blobs and repositories."""
        return self.data / "docker/registry/v2"


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """A registry on what lies in a folder, which is made where it is missing."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise LackingError(f"needs {PROGRAM}")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(_SETTINGS.format(data=folder / "data", address=address))
    with (folder / "log").open("wb") as log:
        words = [program, "serve", str(settings)]
        process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait(process, address, folder / "log")
        yield Registry(address, folder / "data")
    finally:
        process.terminate()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(_TRIES):
        try:
            with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
                return
        except OSError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
    raise LackingError(f"{PROGRAM} did not start: {log.read_text()[-500:]}")
