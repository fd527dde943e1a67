"""Checks over a whole image, by its layers' listings: conflicting paths, missing libraries."""

from collections.abc import Iterator, Sequence
from unicodedata import normalize

from basestore.layer.content import same_content
from basestore.layer.listing import Listing
from basestore.layer.realise import Brought, PathConflictError, brought
from basestore.recipe.model import Recipe
from basestore.store import Realisation, Store
from basestore.target import Platform

Realised = Sequence[tuple[Recipe, Realisation]]


def check_image(
    store: Store, platform: Platform, realised: Realised, told: int = 0
) -> tuple[str, ...]:
    """Check one platform's layers, lowest first; sentences on what may go wrong.

    Those are libraries that nothing provides, and paths that only some file systems keep apart. Of
    the lowest ``told`` layers, a base's, it was told when that was built. Raises
    PathConflictError. A missing library is no error: drivers bring some at run time, and optional
    modules need others.
    """
    listings = [Listing.from_bytes(store.blobs.read(found.listing)) for _, found in realised]
    check_conflicts(store, [recipe for recipe, _ in realised], listings)
    missing = (
        f"{platform}: /{path} needs {library}, which the image lacks"
        for path, library in missing_libraries(listings, told)
    )
    alike = (
        f"{platform}: /{one} and /{other} are one file where letter case or Unicode form is ignored"
        for one, other in colliding_paths(listings, told)
    )
    return (*missing, *alike)


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


def colliding_paths(listings: Sequence[Listing], told: int = 0) -> Iterator[tuple[str, str]]:
    """Paths that only letter case or Unicode normal form tells apart; sorted, folders too.

    Linux keeps them apart, so they are no error; an unpacked image on another file system, or
    whoever compares names, does not. Those within the ``told`` lowest layers are left out.
    """
    places = [{path for path, _, _ in _places(listing)} for listing in listings]
    paths = set().union(*places)
    if len(set(map(_folded, paths))) == len(paths):
        return
    alike: dict[str, list[str]] = {}
    for path in sorted(paths):
        alike.setdefault(_folded(path), []).append(path)
    old = set().union(*places[:told])
    for first, *others in alike.values():
        for other in others:
            # What lies below two such folders follows from those.
            below = first.rpartition("/")[0] != other.rpartition("/")[0]
            if not below and not {first, other} <= old:
                yield first, other


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return normalize("NFC", normalize("NFC", path).casefold())


def missing_libraries(listings: Sequence[Listing], told: int = 0) -> Iterator[tuple[str, str]]:
    """ELF files of all but the ``told`` lowest layers, and libraries that nothing brings for them.

    What brings one may lie anywhere in the image.
    By name only: extension modules load each other's libraries from folders of their own, which
    then satisfies whatever is loaded after them (ld.so(8)).
    """
    paths = (path for listing in listings for path in (*listing.files, *listing.links))
    names = {path.rpartition("/")[2] for path in paths}
    names |= {found.soname for listing in listings for found in listing.dynamic.values()}
    for listing in listings[told:]:
        for path, dynamic in sorted(listing.dynamic.items()):
            for library in dynamic.needed:
                if library.rpartition("/")[2] not in names:
                    yield path, library
