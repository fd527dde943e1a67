"""Reading an application: what a service copies becomes a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import Digest
from basestore.layer.application.contents import digest_of
from basestore.layer.application.context import Context, Found, open_context
from basestore.layer.application.errors import BelowFileError, TwiceError
from basestore.layer.application.largest import check_size
from basestore.layer.application.links import check_links
from basestore.layer.application.take import Placed, take
from basestore.layer.application.target import check_path
from basestore.profile.service import Service
from basestore.recipe.model import ApplicationFile, ApplicationLink, ApplicationRecipe


@dataclass(frozen=True, slots=True)
class Application:
    """An application as it is in the working folder now.

    ``sources``: for each content of the recipe a file that has it. ``size``: bytes of all files.
    """

    recipe: ApplicationRecipe
    sources: Mapping[Digest, Path]
    size: int


def read_application(root: Path, service: Service, workdir: str) -> Application:
    """Walk a service's context and hash what it copies; nothing else is read.

    ``root``: the project's folder. ``workdir``: the image's working folder, absolute. Folders that
    hold no file are left out. Raises the errors of ``application.errors``.
    """
    context = open_context(root, service)
    placed = _place_all(context, service, workdir)
    size = check_size(context, service, placed)
    check_links(context, placed)
    hashed = _hash(context, placed)
    files = (
        ApplicationFile(path, 0o755 if one.found.executable else 0o644, one.found.size, sha256)
        for path, one in sorted(placed.items())
        if (sha256 := hashed.get(one.found.path))
    )
    links = (
        ApplicationLink(path, one.found.target)
        for path, one in sorted(placed.items())
        if one.found.target
    )
    sources = {digest: context.folder / path for path, digest in hashed.items()}
    return Application(ApplicationRecipe(tuple(files), tuple(links)), sources, size)


def _hash(context: Context, placed: Mapping[str, Placed]) -> Mapping[str, Digest]:
    """The digests of all files, by path in the context; each is read once."""
    found = {one.found.path: one.found for one in placed.values() if not one.found.target}
    return {path: _digest(context, one) for path, one in found.items()}


def _digest(context: Context, found: Found) -> Digest:
    return digest_of(context.folder / found.path, found.size, context.shown(found.path))


def _place_all(context: Context, service: Service, workdir: str) -> Mapping[str, Placed]:
    """What all entries of ``files`` bring, by path in the image."""
    placed: dict[str, Placed] = {}
    for copy in service.files:
        for one in take(context, copy, workdir):
            check_path(one.path, copy.place)
            other = placed.setdefault(one.path, one)
            if not _same(context, other.found, one.found):
                raise TwiceError(one.path, _named(context, other), _named(context, one))
    _check_folders(context, placed)
    return placed


def _check_folders(context: Context, placed: Mapping[str, Placed]) -> None:
    """Raise BelowFileError where a file or link has a folder's path."""
    folders: set[str] = set()
    for path, one in placed.items():
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            if parent in placed:
                file = _named(context, placed[parent])
                raise BelowFileError(parent, file, _named(context, one))
            folders.add(parent)
            parent = parent.rpartition("/")[0]


def _same(context: Context, one: Found, other: Found) -> bool:
    """Whether two things found would be the same in the image."""
    if one.path == other.path:
        return True
    alike = (one.size, one.executable, one.target) == (other.size, other.executable, other.target)
    return alike and bool(one.target or _digest(context, one) == _digest(context, other))


def _named(context: Context, placed: Placed) -> str:
    return f"{context.shown(placed.found.path)} ({placed.copy.place})"
