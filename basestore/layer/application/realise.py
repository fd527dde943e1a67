"""From the recipe of an application to the entries of its layer."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from basestore.digest import Digest
from basestore.layer.application.contents import content_of
from basestore.layer.entry import Entry, Kind, symlink
from basestore.recipe.model import ApplicationFile, ApplicationRecipe

FOLDERS: Mapping[str, tuple[int, int]] = {
    "etc/ssl/private": (0o700, 0),
    "root": (0o700, 0),
    "run/lock": (0o1777, 0),
    "tmp": (0o1777, 0),
    "var/cache/ldconfig": (0o700, 0),
    "var/local": (0o2775, 50),
    "var/mail": (0o2775, 8),
    "var/tmp": (0o1777, 0),
}
"""Mode and group of a foundation's folders that aren't ``root:root`` 0755: an application's layer
lies above, and must not change them where it puts something into them."""


def application_entries(
    recipe: ApplicationRecipe, sources: Mapping[Digest, Path]
) -> Iterator[Entry]:
    """The entries of an application's layer but for plain folders, in no order.

    ``sources``: a file for each content; KeyError for one that lacks. Reading an entry's content
    raises ChangedFileError and UnreadableFileError.
    """
    for file in recipe.files:
        yield _file(file, sources)
    for link in recipe.links:
        yield symlink(link.path, link.target)
    paths = [file.path for file in recipe.files] + [link.path for link in recipe.links]
    for folder, (mode, group) in FOLDERS.items():
        if any(path.startswith(f"{folder}/") for path in paths):
            yield Entry(folder, Kind.FOLDER, mode, gid=group)


def _file(file: ApplicationFile, sources: Mapping[Digest, Path]) -> Entry:
    if not file.size:
        return Entry(file.path, Kind.FILE, file.mode)
    content = content_of(sources[file.sha256], file.size, file.sha256)
    return Entry(file.path, Kind.FILE, file.mode, (content,))
