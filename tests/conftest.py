"""What tests need of the world around them, and what becomes of those that lack it.

Real services on loopback are a container registry and a Docker Engine: ``.ci/run`` starts both and
says where in BASESTORE_TEST_REGISTRY and BASESTORE_TEST_DOCKER_HOST. Elsewhere a registry is
started where the program is installed. The package registries are asked once a run whether they can
be reached. What is lacking is told once at the end, with how many tests it kept from running.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
from hypothesis import HealthCheck, settings
from reach import out_of_reach
from services import lacking, need_program, nothing_may_lack
from sharing import made_once

# How fast the machine is just now is no property of the code; benchmarks are apart from tests.
settings.register_profile(
    "basestore", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("basestore")

# What commands of tests have seen isn't the user's who runs them. All workers are one user.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _STATE = tempfile.TemporaryDirectory(prefix="basestore-state-")
    os.environ["XDG_STATE_HOME"] = _STATE.name

NEEDED = {"network": "package_registries", "registry": "registry_address", "engine": "docker"}
"""Marks and the fixtures that a test with one can't do without; those come before its others."""


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Ask for what a test's marks need before anything else."""
    for item in items:
        needed = [name for mark, name in NEEDED.items() if item.get_closest_marker(mark)]
        if needed:  # a list of its own: cases of one function share theirs
            others = [name for name in item.fixturenames if name not in needed]
            item.fixturenames = [*needed, *others]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test is a failed one where nothing may be lacking."""
    report = yield
    if nothing_may_lack() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but BASESTORE_REQUIRE_SERVICES is set: {_why(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a skipped file."""
    report = yield
    if nothing_may_lack() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, but BASESTORE_REQUIRE_SERVICES is set: {_why(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why tests were skipped: each reason once, with how many it kept from running."""
    reasons = Counter(_why(report) for report in terminalreporter.getreports("skipped"))
    if reasons:
        terminalreporter.write_sep("=", "skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5}  {reason}")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason that a skip gives."""
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def package_registries(run_folder: Path) -> None:
    """The Python index and Debian's archive can be reached."""
    folder = run_folder / "package-registries"
    with made_once(folder) as missing:
        if missing:
            (folder / "lacking").write_text(out_of_reach())
    if why := (folder / "lacking").read_text():
        lacking(why)


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
