"""A docker-registry whose storage lies open: tests damage what it keeps."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from services import lacking, need_program

_TRIES = 100
_SETTINGS = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: '{folder}'}}
  delete: {{enabled: true}}
{cache}http: {{addr: '{address}'}}
"""


@dataclass(frozen=True)
class RealRegistry:
    """Where it answers, and where it keeps things."""

    address: str
    folder: Path

    def file(self, digest: str) -> Path:
        """The bytes of a blob or manifest, all repositories' own."""
        digits = digest.removeprefix("sha256:")
        return self.folder / f"docker/registry/v2/blobs/sha256/{digits[:2]}/{digits}/data"


@contextmanager
def real_registry(folder: Path, remembers: bool = False) -> Iterator[RealRegistry]:
    """It runs until the block ends; ``remembers``: in memory how large its blobs were."""
    program = need_program("docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir()
    cache = "  cache: {blobdescriptor: inmemory}\n" if remembers else ""
    settings = folder / "registry.yml"
    settings.write_text(_SETTINGS.format(folder=folder, address=address, cache=cache))
    with (folder / "log").open("wb") as log:
        words = [program, "serve", str(settings)]
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://{address}/v2/")
        yield RealRegistry(address, folder)
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(_TRIES):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    lacking("docker-registry doesn't start here")
