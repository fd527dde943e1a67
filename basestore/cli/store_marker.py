"""What the commands of `basestore store` begin with: the store, and whom it is kept for."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from basestore.cli.context import Start, state_in
from basestore.cli.settings import Settings
from basestore.errors import UsageError
from basestore.profile.project import NoProjectError, find_root
from basestore.store import Store

if TYPE_CHECKING:
    from basestore.pipeline.store_roots import ProjectMarker
    from basestore.sources.git import Git


class NoStoreError(UsageError):
    """There is no store yet."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"there is no store at {root}",
            "set BASESTORE_STORE to another folder, or make one: `basestore build`",
        )


def store_here(settings: Settings) -> Store:
    """This machine's store without its seed, to look at; raises NoStoreError."""
    if not (settings.store / "format").exists():
        raise NoStoreError(settings.store)
    return Store.look(settings.store, state=state_in(settings.state))


def project_here(start: Start) -> tuple[Path, ...]:
    """The folder of the project that the command was called in, if it was called in one."""
    try:
        return (find_root((start.folder or Path.cwd()).absolute()).resolve(),)
    except NoProjectError:
        return ()


def marker_of(
    settings: Settings,
    store: Store,
    revisions: int = 0,
    besides: Sequence[Path] = (),
    ignored: Sequence[Path] = (),
) -> "ProjectMarker":
    """What knows the needs of all projects. What is in the seed tells of them, too."""
    from basestore.pipeline.store_roots import ProjectMarker

    return ProjectMarker(
        Store.look(store.root, settings.seed, state=state_in(settings.state)),
        partial(_git, settings),
        revisions,
        besides,
        tuple(one.resolve() for one in ignored),
    )


def _git(settings: Settings, folder: Path) -> "Git":
    from basestore.sources.git import Git

    return Git(folder, settings.environ, "leave --revisions out")
