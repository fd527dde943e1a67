"""A small project for the command line: two locked profiles whose wheels an index on loopback has.

Nothing is resolved for its foundation, whose .debs nobody has but a seed: what comes before and
after building it can be run without a network.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commandline import CommandLine, no_network
from locked_project import keep_debs, make_project
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import MadeWheel, make_wheel

from basestore.state import State
from basestore.store import Store

WHEELS: Sequence[MadeWheel] = (
    make_wheel("redis", "1", requires=["async-timeout"]),
    make_wheel("async-timeout", "4"),
    make_wheel("httpx", "1"),
    make_wheel("orjson", "1", tag="cp311-cp311-manylinux_2_17_x86_64", purelib=False),
    make_wheel("torch", "1", {"torch/__init__.py": bytes(range(256)) * 400}, stored=["*"]),
)


def make_locked_project(folder: Path) -> None:
    """Write the project, and lock it as a user does."""
    folder.mkdir(parents=True)
    make_project(folder)
    with loopback_index(*WHEELS) as index:
        # The files that `make_project` pretends to have locked have other bytes, so each is named.
        pretended = ("redis", "httpx", "orjson", "torch")
        named = [f"--upgrade-package={name}" for name in pretended]
        command_line_on(folder, index)("lock", *named).expect(0)


def beside(folder: Path) -> Path:
    """Where the command line in a folder has its home."""
    return folder.parent / f"{folder.name}-home"


def command_line_on(folder: Path, index: LoopbackIndex | None = None) -> CommandLine:
    """The command line in a folder, with home, store and caches beside it.

    Without an index nothing answers anywhere; with one, that is where wheels come from.
    """
    home = beside(folder)
    home.mkdir(exist_ok=True)
    keep_debs(Store.open(home / "seed"))
    environ = {
        **no_network(),
        "BASESTORE_STORE": str(home / "store"),
        "BASESTORE_STORE_SEED": str(home / "seed"),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "UV_CACHE_DIR": str(home / "uv-cache"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    mirrors = {"BASESTORE_MIRROR_DEFAULT": index.url} if index else {}
    return CommandLine(folder, {**environ, **mirrors})


def store_of(run: CommandLine) -> Store:
    """Its store, opened by the same user: what he records there counts in his commands."""
    folder = Path(run.environ["XDG_STATE_HOME"]) / "basestore"
    return Store.open(Path(run.environ["BASESTORE_STORE"]), state=State.open(folder))


@contextmanager
def index_of_wheels() -> Iterator[LoopbackIndex]:
    """An index that has the project's wheels."""
    with loopback_index(*WHEELS) as index:
        yield index
