"""Checks over a whole image, by its layers' listings: conflicting paths, missing libraries."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from basestore.layer.listing import Dynamic, Listing
from basestore.layer.realise import PathConflictError, owner
from basestore.recipe.model import Recipe
from basestore.store import Realisation, Store
from basestore.target import Platform

Realised = Sequence[tuple[Recipe, Realisation]]


def check_image(store: Store, platform: Platform, realised: Realised) -> tuple[str, ...]:
    """Check one platform's layers, lowest first; sentences on libraries that nothing provides.

    Raises PathConflictError. A missing library is no error: drivers bring some at run time, and
    optional modules need others.
    """
    listings = [Listing.from_bytes(store.blobs.read(found.listing)) for _, found in realised]
    check_conflicts(store, [recipe for recipe, _ in realised], listings)
    return tuple(
        f"{platform}: /{path} needs {library}, which the image lacks"
        for path, library in missing_libraries(platform, listings)
    )


def check_conflicts(store: Store, recipes: Sequence[Recipe], found: Sequence[Listing]) -> None:
    """Raise PathConflictError if two layers hold one path with different content.

    A folder is other content than a file or a link, which it would replace with all it leads to.
    """
    seen: dict[str, tuple[object, Recipe, str]] = {}
    for recipe, listing in zip(recipes, found, strict=True):
        for path, identity, below in _places(listing):
            other, lower, first = seen.setdefault(path, (identity, recipe, below))
            if other != identity:
                names = owner(lower, first, store), owner(recipe, below, store)
                raise PathConflictError(path, *names)


def _places(listing: Listing) -> Iterator[tuple[str, object, str]]:
    """Each path of a layer, what it is, and a file or link at it or below it."""
    folders: set[str] = set()
    for path, identity in (*listing.files.items(), *listing.links.items()):
        yield path, identity, path
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            yield parent, None, path
            folders.add(parent)
            parent = parent.rpartition("/")[0]


def missing_libraries(platform: Platform, listings: Sequence[Listing]) -> Iterator[tuple[str, str]]:
    """ELF files and libraries they need that lie nowhere where the dynamic linker looks.

    It looks in the file's own search path and in the system's folders (ld.so(8)). A library beside
    the file counts as found: extension modules load each other's.
    """
    links = {path: target for listing in listings for path, target in listing.links.items()}
    there = {_real(path, links) for listing in listings for path in listing.files}
    there |= set(links)
    system = [f"usr/lib/{platform.multiarch}", "usr/lib", "usr/lib64"]
    for listing in listings:
        for path, dynamic in sorted(listing.dynamic.items()):
            folders = [*_own(path, dynamic), posixpath.dirname(path), *system]
            for library in dynamic.needed:
                if not any(f"{_real(folder, links)}/{library}" in there for folder in folders):
                    yield path, library


def _own(path: str, dynamic: Dynamic) -> Iterator[str]:
    """A file's own search path from the image's root, $ORIGIN filled in."""
    origin = posixpath.dirname(path)
    for folder in dynamic.search:
        filled = folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", f"/{origin}")
        yield posixpath.normpath(filled).lstrip("/")


def _real(path: str, links: Mapping[str, str]) -> str:
    """A path with a link for its first folder followed, as usr-merge has them."""
    first, slash, rest = path.partition("/")
    target = links.get(first)
    return f"{target.lstrip('/')}{slash}{rest}" if target else path
