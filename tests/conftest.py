"""Real services on loopback that some tests talk to: a container registry and a Docker Engine.

``.ci/run`` starts both and says where in BASESTORE_TEST_REGISTRY and BASESTORE_TEST_DOCKER_HOST.
Elsewhere a registry is started where the program is installed.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
from hypothesis import HealthCheck, settings
from services import lacking, need_program

# How fast the machine is just now is no property of the code; benchmarks are apart from tests.
settings.register_profile(
    "basestore", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("basestore")

# What commands of tests have seen isn't the user's who runs them. All workers are one user.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _STATE = tempfile.TemporaryDirectory(prefix="basestore-state-")
    os.environ["XDG_STATE_HOME"] = _STATE.name


@pytest.fixture(scope="session")
def registry_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``HOST:PORT`` of a real container registry."""
    given = os.environ.get("BASESTORE_TEST_REGISTRY")
    if given:
        yield given
        return
    program = shutil.which("docker-registry") or lacking(
        "needs a registry: set BASESTORE_TEST_REGISTRY, or install docker-registry"
    )
    with _registry(program, tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words that begin a docker command for the tests' own engine."""
    host = os.environ.get("BASESTORE_TEST_DOCKER_HOST")
    if not host:
        lacking("needs a Docker Engine of its own: set BASESTORE_TEST_DOCKER_HOST")
    # Debian's client comes with Debian's engine; another one in the path may be too new for it.
    program = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else need_program("docker")
    return [program, "--host", host]


@contextmanager
def _registry(program: str, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}'}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        command = [program, "serve", str(settings)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://{address}/v2/", folder / "log")
        yield address
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, log: Path) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} doesn't answer: {log.read_text()}")
