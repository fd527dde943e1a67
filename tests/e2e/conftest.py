"""What the tests of the built base share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from family_base import WHEELS, Family, find_torch, locked_torch, make_family
from inside import Inside, inside
from runtime_base import Base, Tree, make_base, unpack, unpacked
from services import lacking, need_program
from sharing import made_once


@pytest.fixture(scope="session")
def base(package_registries: None, run_folder: Path) -> Base:
    """The base `runtime`, built."""
    folder = run_folder / "runtime"
    with made_once(folder) as missing:
        return make_base(folder) if missing else Base(folder)


@pytest.fixture(scope="session")
def torch(package_registries: None, run_folder: Path) -> Iterator[None]:
    """The locked wheel of torch can be had, from its index or from the folder of wheels."""
    folder = run_folder / "torch"
    with made_once(folder) as missing:
        if missing:
            (folder / "lacking").write_text(find_torch(folder))
    if why := (folder / "lacking").read_text():
        lacking(why)
    with pytest.MonkeyPatch.context() as environ:
        if (folder / locked_torch().file).exists():
            environ.setenv(WHEELS, str(folder))
        yield


@pytest.fixture(scope="session")
def family(base: Base, torch: None, run_folder: Path) -> Family:
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
