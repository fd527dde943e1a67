"""What the tests of the built base share."""

from pathlib import Path

import pytest
from family_base import Family, make_family
from inside import Inside, inside
from runtime_base import Base, Tree, made_once, make_base, unpack, unpacked
from services import need_program


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def base(run_folder: Path) -> Base:
    """The base `runtime`, built."""
    folder = run_folder / "runtime"
    with made_once(folder) as missing:
        return make_base(folder) if missing else Base(folder)


@pytest.fixture(scope="session")
def family(base: Base, run_folder: Path) -> Family:
    """The bases `runtime`, `cpu` and `ml`, built."""
    folder = run_folder / "family"
    with made_once(folder) as missing:
        return make_family(base, folder) if missing else Family(folder, base.store)


@pytest.fixture(scope="session")
def tree(base: Base, run_folder: Path) -> Tree:
    """The base for linux/amd64, unpacked."""
    return _unpacked(base, run_folder, "linux/amd64")


@pytest.fixture(scope="session")
def arm64_tree(base: Base, run_folder: Path) -> Tree:
    """The base for linux/arm64, unpacked."""
    return _unpacked(base, run_folder, "linux/arm64")


@pytest.fixture(scope="session")
def container(tree: Tree) -> Inside:
    """Runs programs in the unpacked base for linux/amd64."""
    return inside(tree)


def _unpacked(base: Base, run_folder: Path, platform: str) -> Tree:
    umoci = need_program("umoci")
    folder = run_folder / platform.replace("/", "-")
    with made_once(folder) as missing:
        if missing:
            unpack(base, platform, folder, umoci)
    return unpacked(folder)
