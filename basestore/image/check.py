"""Checks over a whole image, by its layers' listings: conflicting paths, missing libraries."""

from collections.abc import Iterator, Sequence

from basestore.layer.content import same_content
from basestore.layer.listing import Listing
from basestore.layer.realise import Brought, PathConflictError, brought
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
        for path, library in missing_libraries(listings)
    )


def check_conflicts(store: Store, recipes: Sequence[Recipe], found: Sequence[Listing]) -> None:
    """Raise PathConflictError if two layers hold one path with different content.

    A folder is other content than a file or a link, which it would replace with all it leads to.
    """
    seen: dict[str, tuple[object, Recipe, str]] = {}
    for recipe, listing in zip(recipes, found, strict=True):
        for path, identity, below in _places(listing):
            other, lower, first = seen.setdefault(path, (identity, recipe, below))
            if lower is recipe or (other is None and identity is None):
                continue
            one, two = brought(lower, first, store), brought(recipe, below, store)
            if other != identity or not _same_content(one, two, store):
                raise PathConflictError(path, one[0], two[0])


def _same_content(one: Brought, two: Brought, store: Store) -> bool:
    """Whether two packages bring the same; sizes and CRCs alone can be made to agree."""
    first, second = one[1], two[1]
    return bool(first and second and same_content(first, second, store.blobs))


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


def missing_libraries(listings: Sequence[Listing]) -> Iterator[tuple[str, str]]:
    """ELF files, and libraries they need that nothing in the image brings, wherever it lies.

    By name only: extension modules load each other's libraries from folders of their own, which
    then satisfies whatever is loaded after them (ld.so(8)).
    """
    paths = (path for listing in listings for path in (*listing.files, *listing.links))
    names = {path.rpartition("/")[2] for path in paths}
    names |= {found.soname for listing in listings for found in listing.dynamic.values()}
    for listing in listings:
        for path, dynamic in sorted(listing.dynamic.items()):
            for library in dynamic.needed:
                if library.rpartition("/")[2] not in names:
                    yield path, library
