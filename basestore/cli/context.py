"""What commands begin with: the project, the machine's settings, and the doors opened on demand."""

import atexit
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.settings import Settings, read_settings
from basestore.cli.terminal import warn
from basestore.errors import UsageError
from basestore.profile.model import Project
from basestore.profile.project import find_root, read_project
from basestore.state import State
from basestore.store import Store

if TYPE_CHECKING:
    from basestore.sources.uv import Uv
    from basestore.transport import Transport

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline", help="Ask no server: only what this machine has; exit 6 if that is too little."
    ),
]
Profiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PROFILE]...", help="Profiles by name; all of them if none is named."),
]


@dataclass(frozen=True, slots=True)
class Start:
    """The options before the command's name."""

    folder: Path | None

    def project(self) -> Project:
        """The project that the command works on."""
        if self.folder and not self.folder.is_dir():
            raise UsageError(f"there is no folder {self.folder}", "name the project's folder")
        return read_project(find_root((self.folder or Path.cwd()).absolute()))


def start_of(context: typer.Context) -> Start:
    """The options before the command's name, out of typer's context."""
    found: Start = context.obj
    return found


def reach(offline: bool) -> Settings:
    """The machine's settings, offline where the option or uv's variable or settings say so."""
    from basestore.sources.uv_settings import is_true, user_settings

    settings = read_settings()
    said = user_settings(settings.environ, settings.home).get("UV_OFFLINE", "")
    return replace(settings, offline=offline or is_true(said))


def open_store(settings: Settings, project: Project | None = None) -> Store:
    """The store of this machine; what the project's locks name is kept in it from now on.

    Nothing that is looked for or written is collected before this process ends.
    """
    store = Store.open(settings.store, settings.seed, state=state_in(settings.state))
    atexit.register(store.lease.release)
    if project:
        store.register(project.root)
    return store


def find_store(settings: Settings) -> Store | None:
    """The store of this machine if it has one, for commands that write nothing."""
    there = (settings.store / "format").exists()
    if not there:
        return None
    return Store.look(settings.store, settings.seed, state=state_in(settings.state))


@cache
def state_in(folder: Path) -> State:
    """What this user has seen; where that can't be kept, it is said, once."""
    state = State.open(folder)
    if state.folder is None:
        warn(
            f"{folder} is no folder that you alone can read and write: what you hash and make is "
            "not remembered, but hashed and made again by each command; `chmod 700` it, or name "
            "another folder for your records in XDG_STATE_HOME"
        )
    return state


def open_transport(settings: Settings) -> "Transport":
    """The door to HTTP servers."""
    from basestore.transport import OfflineTransport, Transport

    if settings.offline:
        return OfflineTransport()
    ca_bundle = settings.environ.get("SSL_CERT_FILE")
    return Transport(
        netrc=settings.netrc if settings.netrc.exists() else None,
        ca_bundle=Path(ca_bundle) if ca_bundle else None,
        proxies=proxies_of(settings),
    )


def proxies_of(settings: Settings) -> dict[str, str]:
    """The proxies that the environment names, by scheme, and what goes around them (``no``)."""
    names = {"http": "http_proxy", "https": "https_proxy", "no": "no_proxy"}
    found = {
        scheme: settings.environ.get(name) or settings.environ.get(name.upper(), "")
        for scheme, name in names.items()
    }
    return {scheme: url for scheme, url in found.items() if url}


def open_uv(settings: Settings) -> "Uv":
    """The uv program, and what it may know."""
    import sys

    from uv import find_uv_bin

    from basestore.sources.uv import Uv
    from basestore.sources.uv_settings import user_settings

    environ = user_settings(settings.environ, settings.home)
    if settings.offline:
        environ = {**environ, "UV_OFFLINE": "true"}
    return Uv(Path(find_uv_bin()), Path(sys.executable), environ, settings.mirrors)
