"""``--offline``: only what this machine has, no socket, and the names of what it lacks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, make_locked_project
from commandline import CommandLine, contents
from locked_project import edit
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.files import read_lock
from basestore.profile.project import read_project
from basestore.store import Store
from basestore.transport import OfflineError, OfflineTransport

SMALL = make_wheel("small", "1")
TORCH = next(made for made in WHEELS if made.file.startswith("torch-"))


@pytest.fixture(scope="session")
def locked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was locked with network, and the caches that this left, beside it."""
    folder = tmp_path_factory.mktemp("offline") / "project"
    make_locked_project(folder)
    return folder


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(*WHEELS, SMALL) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, locked_once: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(locked_once, folder)
    return folder


def warmed(project: Path, index: LoopbackIndex) -> CommandLine:
    """The command line on a machine whose caches have been filled; the index is then forgotten."""
    run = command_line_on(project, index)
    run("lock", "--upgrade").expect(0)
    index.requests.clear()
    return run


def test_a_fresh_lock_needs_nobody(project: Path) -> None:
    assert command_line_on(project)("lock", "--offline").expect(0).out.count("unchanged") == 2


def test_a_changed_profile_is_locked_out_of_uvs_cache(project: Path, index: LoopbackIndex) -> None:
    run = warmed(project, index)
    edit(project / "profiles/runtime.toml", '"redis", "httpx"', '"redis"')

    run("lock", "--offline").expect(0)

    names = {w.name for w in read_lock(read_project(project), "cpu")[0].platforms[0].wheels}
    assert names == {"async-timeout", "orjson", "redis", "torch"}
    assert index.requests == []


def test_what_the_cache_lacks_is_named(project: Path, index: LoopbackIndex) -> None:
    run = warmed(project, index)
    edit(project / "profiles/runtime.toml", '"redis", "httpx"', '"redis", "small"')
    before = contents(project)

    failed = run("lock", "--offline").expect(ExitCode.UNREACHABLE)

    assert "offline" in failed.err
    assert "small" in failed.err
    assert "once with network" in failed.err
    assert (contents(project), index.requests) == (before, [])


def test_uvs_own_variable_says_the_same(project: Path, index: LoopbackIndex) -> None:
    run = warmed(project, index)
    edit(project / "profiles/runtime.toml", '"redis", "httpx"', '"redis", "small"')

    run("lock", UV_OFFLINE="1").expect(ExitCode.UNREACHABLE)
    run("build", "cpu", UV_OFFLINE="1").expect(ExitCode.UNREACHABLE)

    assert index.requests == []


def test_uvs_settings_file_says_the_same(
    project: Path, tmp_path: Path, index: LoopbackIndex
) -> None:
    """Its users expect that no server is asked, whoever would ask it."""
    run = warmed(project, index)
    config = tmp_path / "uv.toml"
    config.write_text("offline = true\n")
    upgrade = ["lock", "runtime", "--upgrade-foundation"]

    failed = run(*upgrade, UV_CONFIG_FILE=str(config)).expect(ExitCode.UNREACHABLE)

    assert "offline in uv.toml" in failed.err
    Store.open(Path(run.environ["BASESTORE_STORE"])).blobs.path(Digest(TORCH.sha256)).unlink(
        missing_ok=True
    )
    build = run("build", "cpu", UV_CONFIG_FILE=str(config)).expect(ExitCode.UNREACHABLE)
    assert "the store lacks" in build.err
    assert TORCH.file in build.err
    assert index.requests == []


def test_a_new_foundation_needs_an_archive(project: Path) -> None:
    run = command_line_on(project)

    failed = run("lock", "runtime", "--offline", "--upgrade-foundation")

    assert "offline" in failed.expect(ExitCode.UNREACHABLE).err


def test_a_build_names_all_that_the_store_lacks(project: Path, index: LoopbackIndex) -> None:
    run = warmed(project, index)
    store = Store.open(Path(run.environ["BASESTORE_STORE"]))
    for made in WHEELS:
        store.blobs.path(Digest(made.sha256)).unlink(missing_ok=True)
    store.blobs.add(TORCH.data)

    failed = run("build", "cpu", "--offline").expect(ExitCode.UNREACHABLE)

    lacking = [made.file for made in WHEELS if made is not TORCH]
    assert "the store lacks what the lock of cpu names" in failed.err
    assert [made.file for made in WHEELS if made.file in failed.err] == lacking
    assert "basestore build cpu" in failed.err
    assert index.requests == []


def test_an_index_of_files_is_read_all_the_same(
    project: Path, tmp_path: Path, index: LoopbackIndex
) -> None:
    pages = tmp_path / "simple"
    for made in WHEELS:
        name = made.file.split("-")[0].replace("_", "-")
        (pages / name).mkdir(parents=True)
        (pages / name / made.file).write_bytes(made.data)
        link = f'<a href="{made.file}#sha256={made.sha256}">{made.file}</a>'
        (pages / name / "index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")
    run = command_line_on(project)

    built = run("build", "cpu", "--offline", BASESTORE_MIRROR_DEFAULT=pages.as_uri())

    assert "lacks" not in built.err
    store = Store.open(Path(run.environ["BASESTORE_STORE"]))
    assert all(store.blobs.has(Digest(made.sha256)) for made in WHEELS)


def test_the_shut_door_opens_no_socket(index: LoopbackIndex, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    with OfflineTransport() as transport:
        assert transport.read((tmp_path / "file").as_uri(), limit=9) == b"here"
        for ask in (lambda: transport.read(index.url, limit=9), lambda: transport.size(index.url)):
            with pytest.raises(OfflineError, match="would have to be asked"):
                ask()

    assert index.requests == []
