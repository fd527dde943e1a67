"""Nothing is written through a link that leads out of the project, and links within it stay."""

from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import contents
from locked_project import edit, lock, make_project

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock.files import write_images, write_services
from basestore.lock.images import ImageRecord
from basestore.pipeline.dockerfile import replace_written, write_dockerfile
from basestore.pipeline.duplicates import duplicates, take_out
from basestore.pipeline.pin import find_pins, rewrite_pins
from basestore.profile.project import read_project
from basestore.registry.reference import Repository
from basestore.target import Platform

IMAGE = Digest.of(b"the base's image")
PROJECT = """registry = "registry.example.com/team"
[pins]
files = ["deploy/*"]
[services.api]
base = "runtime"
requirements-files = ["app/requirements.txt"]
context = "app"
cmd = ["python"]
"""
OLD = "registry.example.com/team/base-runtime:old"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("app", "deploy"):
        (root / folder).mkdir(parents=True)
    make_project(root)
    (root / "basestore.toml").write_text(PROJECT)
    (root / "app/requirements.txt").write_text("redis\nfresh\n")
    (root / "app/Dockerfile").write_text("")
    (root / "app/.dockerignore").write_text("")
    (root / "deploy/compose.yaml").write_text(f"services: {{a: {{image: '{OLD}'}}}}\n")
    images(root)
    lock(root, "api")
    write_services(read_project(root), [])
    return root


def images(root: Path) -> None:
    base = Digest.of_file(root / "locks/runtime.lock")
    record = ImageRecord("runtime", base, IMAGE, {Platform("amd64"): IMAGE})
    write_images(read_project(root), [record])


def locking(root: Path) -> None:
    edit(root / "profiles/runtime.toml", '"httpx"', '"httpx", "rich"')
    lock(root, "runtime")


def building(root: Path) -> None:
    write_images(read_project(root), [])


def pinning(root: Path) -> None:
    rewrite_pins(find_pins(read_project(root)))


def dockerfile(root: Path) -> None:
    project = read_project(root)
    written = write_dockerfile(project, "api", Repository("registry.example.com", "team/x"))
    replace_written(project, written)


def fixing(root: Path) -> None:
    project = read_project(root)
    take_out(project, duplicates(project, "api"))


WRITERS = [
    (locking, "locks/runtime.lock"),
    (locking, "locks/runtime.origin.toml"),
    (locking, "locks"),
    (building, "locks/images.toml"),
    (building, "locks"),
    (pinning, "deploy/compose.yaml"),
    (pinning, "deploy"),
    (dockerfile, "app/Dockerfile"),
    (dockerfile, "app/.dockerignore"),
    (fixing, "app/requirements.txt"),
    (fixing, "app"),
]


def replace_by_link(path: Path, real: Path) -> None:
    real.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.rename(real)
    path.symlink_to(real)


@pytest.mark.parametrize("place", ["out", "project/.git"])
@pytest.mark.parametrize(("write", "linked"), WRITERS)
def test_beyond_the_project(
    root: Path, tmp_path: Path, write: Callable[[Path], None], linked: str, place: str
) -> None:
    replace_by_link(root / linked, tmp_path / place / "real")
    before = contents(tmp_path)

    with pytest.raises(InputError, match="link"):
        write(root)

    after = contents(tmp_path)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed <= {"project/profiles/runtime.toml"}  # which the test itself changed


@pytest.mark.parametrize(("write", "linked"), WRITERS)
def test_within_the_project(root: Path, write: Callable[[Path], None], linked: str) -> None:
    real = root / "elsewhere/real"
    replace_by_link(root / linked, real)
    before = contents(root)

    write(root)

    assert (root / linked).is_symlink()
    changed = {path for path, data in contents(root).items() if before.get(path) != data}
    assert any(path.startswith("elsewhere/real") for path in changed)
    assert (root / linked).samefile(real)
