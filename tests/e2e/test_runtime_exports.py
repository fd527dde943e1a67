"""The base `runtime` exported for uv and pip: they install what the image has, file by file."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import uv
from built_project import TRIES, with_retries
from exporting import installed, locked, read_pylock, read_requirements, selected
from runtime_base import Base, Tree
from services import lacking

from basestore.target import Platform

pytestmark = [pytest.mark.long, pytest.mark.network]

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
FORMS = {"pylock": "pylock.runtime.toml", "requirements": "runtime.txt"}
OLDEST_PIP = "26.1"
"""The first that reads pylock.toml."""

_OF_INSTALLERS = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}


def export(base: Base, folder: Path, form: str) -> Path:
    """The lock in one form, for all its platforms."""
    file = folder / FORMS[form]
    with_retries(base.run, "export", "runtime", "--to", f"{form}:{file}").expect(0)
    return file


def run(command: Sequence[str]) -> None:
    """Run a program that downloads; a network that fails gets three chances."""
    for _ in range(TRIES - 1):
        if subprocess.run(command, check=False).returncode == 0:
            return
    subprocess.run(command, check=True)


def uv_sync(file: Path, site: Path, platform: Platform) -> None:
    """Let uv install a file for a platform into a folder, whatever runs the tests."""
    options = ["--quiet", "--target", str(site), "--only-binary", ":all:"]
    options += ["--python", sys.executable, "--python-version", "3.11"]
    options += ["--python-platform", f"{platform.kernel}-manylinux_2_36"]
    hashes = ["--require-hashes"] if file.suffix == ".txt" else []
    run([uv.find_uv_bin(), "pip", "sync", str(file), *options, *hashes])


def contents(site_packages: Path) -> dict[str, bytes]:
    """What the wheels brought, without what each installer writes in its own way."""
    files = (path for path in site_packages.rglob("*") if path.is_file())
    found = {path.relative_to(site_packages): path for path in files}
    return {
        str(name): path.read_bytes()
        for name, path in found.items()
        if name.parts[0] != "bin"
        and "__pycache__" not in name.parts
        and name.name not in _OF_INSTALLERS
        and path.name != ".lock"
    }


@pytest.mark.parametrize("form", FORMS)
def test_uv_installs_the_image_for_amd64(base: Base, tree: Tree, tmp_path: Path, form: str) -> None:
    assert_uv_installs(base, tree, AMD64, export(base, tmp_path, form))


@pytest.mark.parametrize("form", FORMS)
def test_uv_installs_the_image_for_arm64(
    base: Base, arm64_tree: Tree, tmp_path: Path, form: str
) -> None:
    assert_uv_installs(base, arm64_tree, ARM64, export(base, tmp_path, form))


def assert_uv_installs(base: Base, tree: Tree, platform: Platform, file: Path) -> None:
    """The same packages, and the same files as in the image."""
    site = file.parent / "site"
    uv_sync(file, site, platform)

    assert installed(site) == locked(base.lock.platform(platform))
    there, here = contents(tree.site_packages), contents(site)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


@pytest.mark.parametrize("form", FORMS)
def test_pip_installs_the_image(base: Base, tmp_path: Path, form: str) -> None:
    host = Platform.of_kernel(os.uname().machine)
    if host is None or sys.version_info[:2] != (3, 11):
        lacking("needs Python 3.11 on one of the base's platforms")
    file = export(base, tmp_path, form)
    strict = ["--require-hashes", "--only-binary", ":all:"] if form == "requirements" else []

    pip = a_pip(tmp_path / "venv")
    pip(
        "install",
        "--quiet",
        "--target",
        str(tmp_path / "site"),
        "--no-deps",
        *strict,
        "-r",
        str(file),
    )

    assert installed(tmp_path / "site") == locked(base.lock.platform(host))


def a_pip(venv: Path) -> Callable[..., None]:
    """A pip that knows both forms, in an environment of its own."""
    run([uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(venv)])
    python = str(venv / "bin/python")
    run([uv.find_uv_bin(), "pip", "install", "--quiet", "--python", python, f"pip>={OLDEST_PIP}"])
    return lambda *words: run([python, "-m", "pip", "--no-cache-dir", *words])


def test_both_forms_hold_the_lock(base: Base, tmp_path: Path) -> None:
    read = read_pylock(export(base, tmp_path, "pylock").read_bytes())
    lines = read_requirements(export(base, tmp_path, "requirements").read_bytes())
    hashes = {sha256 for line in lines for sha256 in line.hashes}

    assert hashes == {w.sha256.hex for one in base.lock.platforms for w in one.wheels}
    for one in base.lock.platforms:
        wanted = {wheel.name: (wheel.file, wheel.sha256.hex) for wheel in one.wheels}
        assert selected(read, one) == wanted
