"""Wheels by URL in hashed requirements: pip and uv install them from where they lie."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from exporting import installed, locked
from loopback_index import LoopbackIndex, loopback_index
from requiring import Site
from resolving import World
from services import lacking
from wheelmaker import MadeWheel, make_wheel

from basestore.pipeline.export import export_requirements
from basestore.profile.reader import read_profile

TOKEN = "s3cr3t"
WEB = make_wheel("web", "1.0", {"web.py": b"#\n"}, requires=["core"])
CORE = make_wheel("core", "1.0")
FILES = 'requirements-files = ["../app/reqs.txt"]'
INSTALL = {
    "pip": ["-m", "pip", "install", "--isolated", "--no-cache-dir", "--only-binary", ":all:"],
    "uv": ["-m", "uv", "pip", "install", "--python", sys.executable],
}


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(CORE) as served:
        yield served


@pytest.fixture
def place() -> Iterator[LoopbackIndex]:
    """A server that nobody names as an index; its wheel wants credentials."""
    with loopback_index(WEB) as served:
        served.credentials = ("team", TOKEN)
        yield served


@pytest.fixture
def site(tmp_path: Path, index: LoopbackIndex) -> Site:
    return Site(tmp_path / "project", World(tmp_path / "machine", index))


def exported(site: Site) -> str:
    digest = site.run()
    return export_requirements(read_profile(site.project, "runtime"), site.lock(), digest).decode()


def install(site: Site, installer: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Install what was exported as a stranger would, with hashes required."""
    if find_spec(installer) is None:
        lacking(f"needs {installer} beside the tests")
    options = ["--require-hashes", "--no-deps", "--quiet", "--target", "site", "-r", "base.txt"]
    index = ["--index-url", site.machine.index.url]
    machine = {**site.machine.uv.environ, "PIP_CONFIG_FILE": os.devnull, **environ}
    command = [sys.executable, *INSTALL[installer], *options, *index]
    return subprocess.run(command, cwd=site.root, env=machine, capture_output=True, check=False)


@pytest.mark.parametrize("installer", INSTALL)
def test_it_installs_exactly_what_is_locked(
    site: Site, place: LoopbackIndex, installer: str
) -> None:
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    site.ask(FILES, reqs=f"http://team:${{WHEELS_TOKEN}}@{place.address}/files/{WEB.file}\n")

    text = exported(site)
    (site.root / "base.txt").write_text(text)
    done = install(site, installer)

    assert done.returncode == 0, done.stderr
    assert installed(site.root / "site") == locked(site.lock().platforms[0])
    assert "# From no index, but by URL:\n#     web\n" in text
    assert TOKEN not in text


@pytest.mark.parametrize("installer", INSTALL)
def test_the_hash_holds_for_what_lies_there(
    site: Site, place: LoopbackIndex, installer: str
) -> None:
    place.credentials = None
    site.ask(FILES, reqs=f"http://{place.address}/files/{WEB.file}\n")
    (site.root / "base.txt").write_text(exported(site))
    place.change(WEB.file, data=make_wheel("web", "1.0", {"web.py": b"# other\n"}).data)

    assert install(site, installer, UV_CACHE_DIR=str(site.root / "cache")).returncode != 0


def native(machine: str) -> MadeWheel:
    return make_wheel("speed", "1.0", tag=f"cp311-cp311-manylinux_2_17_{machine}", purelib=False)


def test_each_platforms_wheel_has_its_own_url(site: Site, place: LoopbackIndex) -> None:
    """One by URL, the other one from the index, though both are the same version."""
    place.credentials = None
    place.add(native("x86_64"))
    site.machine.index.add(native("aarch64"))
    asked = f"speed @ http://{place.address}/files/{native('x86_64').file}"
    site.ask(
        FILES,
        reqs=f"{asked} ; platform_machine == 'x86_64'\nspeed ; platform_machine != 'x86_64'\n",
    )
    profile = site.root / "profiles/runtime.toml"
    profile.write_text(profile.read_text().replace('amd64"', 'amd64", "linux/arm64"'))

    lines = [line for line in exported(site).splitlines() if not line.startswith("#")]

    machine = "platform_machine == '{}' and sys_platform == 'linux' \\"
    assert lines == [
        f"{asked} ; {machine.format('x86_64')}",
        f"    --hash=sha256:{native('x86_64').sha256}",
        f"speed==1.0 ; {machine.format('aarch64')}",
        f"    --hash=sha256:{native('aarch64').sha256}",
    ]


def uv_lock(site: Site, place: LoopbackIndex) -> str:
    """A ``uv.lock`` of a project that asks for a wheel by URL."""
    where = f"http://{place.address}/files/{WEB.file}"
    project = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
    site.write("app/pyproject.toml", f'{project}dependencies = ["web @ {where}"]\n')
    command = [sys.executable, "-m", "uv", "lock", "--quiet", "--python", sys.executable]
    environ = dict(site.machine.uv.environ)
    subprocess.run(command, cwd=site.root / "app", env=environ, check=True)
    return "uv.lock"


def pylock(site: Site, place: LoopbackIndex) -> str:
    where = f"http://{place.address}/files/{WEB.file}"
    hashes = f'hashes = {{ sha256 = "{WEB.sha256}" }}'
    head = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "web"\nversion = "1.0"\n'
    site.write("app/pylock.toml", f'{head}archive = {{ url = "{where}", {hashes} }}\n')
    return "pylock.toml"


@pytest.mark.parametrize("team", [uv_lock, pylock])
def test_a_wheel_by_url_out_of_a_teams_lock(site: Site, place: LoopbackIndex, team: object) -> None:
    """It is built and exported by its URL, and the policy knows it for what it is."""
    place.credentials = None
    assert callable(team)
    site.ask(f'[from-lock]\nfile = "../app/{team(site, place)}"')

    text = exported(site)

    assert (
        f"web @ http://{place.address}/files/{WEB.file} \\\n    --hash=sha256:{WEB.sha256}" in text
    )
    assert site.fetch()(WEB)
    assert site.origin().packages["web"].index == "direct"


def test_what_comes_from_an_index_has_no_url(site: Site) -> None:
    site.ask('requirements = ["core"]')

    text = exported(site)

    assert "core==1.0 \\\n" in text
    assert "URL" not in text


@pytest.mark.parametrize("team", [uv_lock, pylock])
def test_a_child_of_a_team_that_asks_by_url(site: Site, place: LoopbackIndex, team: object) -> None:
    place.credentials = None
    assert callable(team)
    site.ask(f'[from-lock]\nfile = "../app/{team(site, place)}"')
    site.run()
    site.write("profiles/child.toml", 'extends = "runtime"\nrequirements = ["core"]\n')

    site.run("child")

    assert site.versions("child") == {"core": "1.0", "web": "1.0"}
