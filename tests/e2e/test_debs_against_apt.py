"""The solver's answers on Debian's real suites, beside those of apt in an empty root."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aptroot import AptRoot
from services import need_program

from basestore.debian.packages import SuiteIndex
from basestore.profile.model import DebianFoundation
from basestore.progress import Progress
from basestore.resolve.debs import solve_debs
from basestore.resolve.foundation import solve_foundation
from basestore.sources.apt import host_apt, run_program
from basestore.sources.debian import Debian
from basestore.sources.debian_keys import debian_keyring
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import Transport

pytestmark = [pytest.mark.long, pytest.mark.network]

BESIDE_PYTHON = (
    "ca-certificates",
    "tzdata",
    "libgomp1",
    "libstdc++6",
    "netbase",
    "libc-bin",
    "dash",
    "coreutils",
)
SETS = (
    "tesseract-ocr",
    "poppler-utils",
    "ffmpeg",
    "libgl1",
    "git",
    "curl",
    "openssh-client",
    "graphviz",
    "imagemagick",
    "postgresql-client",
    "libreoffice-writer-nogui",
    "default-jre-headless",
    "gdal-bin",
    "libpq5 libmagic1 libglib2.0-0 libsm6 libxext6",
)
TARGETS = (
    ("bookworm", "amd64", "3.11"),
    ("bookworm", "arm64", "3.11"),
    ("trixie", "amd64", "3.13"),
    ("trixie", "arm64", "3.13"),
)


@dataclass(frozen=True)
class Both:
    """One suite for one architecture, to us and to apt."""

    suite: str
    platform: Platform
    python: str
    index: SuiteIndex
    apt: AptRoot


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: "-".join(target[:2]))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    need_program("apt-get")
    suite, architecture, python = request.param
    folder = tmp_path_factory.mktemp("apt")
    platform = Platform(architecture)
    host = host_apt(run_program)
    with Transport() as transport:
        store = Store.open(folder / "store")
        debian = Debian(store, transport, datetime.now(UTC), apt=lambda: host)
        index = debian.index(suite, platform, Progress())
    apt = AptRoot(folder / "root", architecture, _sources(folder, index, suite))
    apt.update()
    return Both(suite, platform, python, index, apt)


def _sources(folder: Path, index: SuiteIndex, suite: str) -> list[str]:
    keys = folder / "keys.gpg"
    keys.write_bytes(debian_keyring().certificates)
    names = (suite, f"{suite}-updates", f"{suite}-security")
    return [
        f"deb [signed-by={keys} check-valid-until=no] {base} {name} main"
        for base, name in zip(index.bases, names, strict=True)
    ]


def ours(index: SuiteIndex, names: list[str]) -> set[tuple[str, str, str]]:
    return {(deb.name, deb.version, deb.architecture) for deb in solve_debs(index, names).debs}


def test_the_foundation(both: Both) -> None:
    names = (f"python{both.python}", *BESIDE_PYTHON)
    solved = solve_foundation(
        both.index, DebianFoundation(both.suite, names), both.python, both.platform
    )
    found = {(deb.name, deb.version, deb.architecture) for deb in solved.debs}
    assert found == both.apt.install(sorted(names))
    assert solved.python.startswith(both.python + ".")
    assert solved.glibc.startswith("2.")


@pytest.mark.parametrize("both", [t for t in TARGETS if t[1] == "amd64"], indirect=True)
def test_sets_of_packages(both: Both) -> None:
    for names in map(str.split, SETS):
        found = both.apt.install(sorted(names))
        assert found
        assert ours(both.index, names) == found
