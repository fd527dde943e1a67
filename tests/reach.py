"""What lies beyond this machine and may be out of reach: the Python index, Debian's archive.

Each is asked the way basestore itself asks it, with this machine's settings, once and without
patience.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from basestore.cli.context import open_uv, proxies_of
from basestore.cli.settings import Settings, read_settings
from basestore.errors import BasestoreError
from basestore.lock.model import Wheel
from basestore.profile.model import Index
from basestore.progress import Progress
from basestore.sources.apt import host_apt, run_program
from basestore.sources.debian import Debian
from basestore.sources.uv import Question, Target, Uv
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import Transport

AMD64 = Platform("amd64")
TARGET = Target(AMD64, "3.11.2", "2.36")
SUITE = "bookworm"
ANY = "iniconfig"
"""A small package that every copy of the Python index has."""


def out_of_reach() -> str:
    """Why tests of the real registries can't run here; empty where they can."""
    settings = read_settings()
    with tempfile.TemporaryDirectory() as name, _transport(settings) as transport:
        try:
            _uv(settings, name).resolve(Question("probe", (ANY,), TARGET))
        except BasestoreError as error:
            return f"needs the Python index: {error.message}"
        store = Store.open(Path(name) / "store")
        archive = Debian(
            store,
            transport,
            datetime.now(UTC),
            settings.mirrors,
            apt=lambda: host_apt(run_program),
        )
        try:
            archive.index(SUITE, AMD64, Progress())
        except BasestoreError as error:
            return f"needs Debian's archive: {error.message}"
    return ""


def is_offered(wheel: Wheel, index: Index) -> bool:
    """Whether an index has a wheel, and gives it out."""
    settings = read_settings()
    asked = Question("probe", (f"{wheel.name}=={wheel.version}",), TARGET, (index,))
    with tempfile.TemporaryDirectory() as name, _transport(settings) as transport:
        try:
            (package,) = _uv(settings, name).list_exactly(asked)
            offered = [one for one in package.wheels if one.sha256 == wheel.sha256]
            for one in offered:
                transport.size(one.url)
        except BasestoreError:
            return False
    return bool(offered)


def from_pip(wheel: Wheel, folder: Path) -> bool:
    """Whether pip has a wheel, which then lies in a folder; pip may know further places."""
    *_, python, abi, platform = wheel.file.removesuffix(".whl").split("-")
    tags = [f"--platform={one}" for one in platform.split(".")]
    tags += [f"--python-version={python.removeprefix('cp')}", f"--abi={abi}", "--implementation=cp"]
    return pip_download(f"{wheel.name}=={wheel.version}", folder, tags) == folder / wheel.file


def pip_download(requirement: str, folder: Path, options: Sequence[str] = ()) -> Path | None:
    """The wheel that pip fetched into an empty folder; None where it could not."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    command += ["--no-deps", "--only-binary=:all:", "--retries=0", f"--dest={folder}"]
    done = subprocess.run([*command, *options, requirement], check=False, capture_output=True)
    return next(folder.glob("*.whl"), None) if done.returncode == 0 else None


def _uv(settings: Settings, folder: str) -> Uv:
    uv = open_uv(settings)
    once = {"UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": f"{folder}/uv-cache"}
    return replace(uv, environ={**uv.environ, **once})


def _transport(settings: Settings) -> Transport:
    """The door to servers, without a pause between its tries."""
    bundle = settings.environ.get("SSL_CERT_FILE")
    return Transport(
        netrc=settings.netrc if settings.netrc.exists() else None,
        ca_bundle=Path(bundle) if bundle else None,
        proxies=proxies_of(settings),
        sleep=lambda _: None,
    )
