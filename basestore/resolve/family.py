"""What a child says of its parent's packages, held against the parent's lock."""

from collections.abc import Collection, Sequence

from basestore.errors import InputError
from basestore.profile.model import Location, Profile
from basestore.target import Platform


class NothingToReplaceError(InputError):
    """A profile replaces a package that its parent's lock doesn't hold."""

    def __init__(self, place: Location, package: str, parent: str, near: Sequence[str]) -> None:
        guess = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        super().__init__(
            f"{place}: replaces: the lock of the parent {parent} holds no {package}",
            f"{guess}what the parent doesn't have needs no word here: name it in requirements",
        )
        self.package = package
        self.near = tuple(near)


class UnneededReplacementError(InputError):
    """A profile replaces a package that nothing needs any more."""

    def __init__(self, place: Location, package: str, parent: str, platform: Platform) -> None:
        super().__init__(
            f"{place}: replaces: nothing needs {package} on {platform} any more, so that none of "
            f"its own would take the place of the one of {parent}",
            f"name {package} in requirements, or take it out of replaces: a child can't leave out "
            "what its parent has",
        )
        self.package = package


class MovedPackageError(InputError):
    """A profile names an index for a package that stays its parent's, which has it from another."""

    def __init__(self, profile: Profile, parent: Profile, package: str) -> None:
        here = profile.index_of(package) or "default"
        there = parent.index_of(package) or "default"
        place = profile.indexed.get(package, profile.file)
        super().__init__(
            f"{place}: indexes.{here}.packages: {package} is locked by the "
            f"parent {parent.name}, to which it comes from {there}",
            f'let the child bring its own, replaces = ["{package}"], or don\'t name it there',
        )
        self.package = package


def check_replaces(profile: Profile, parent: Profile, held: Collection[str]) -> None:
    """Raise NothingToReplaceError for a name that is not among those the parent's lock holds."""
    for name, place in profile.replaces.items():
        if name not in held:
            from difflib import get_close_matches

            near = get_close_matches(name, sorted(held), n=2, cutoff=0.6)
            raise NothingToReplaceError(place, name, parent.name, near)


def check_moved(profile: Profile, parent: Profile, held: Collection[str]) -> None:
    """Raise MovedPackageError for an inherited package that is named for another index."""
    if profile.indexes == parent.indexes:
        return
    for name in sorted(set(held) - profile.replaces.keys()):
        if profile.index_of(name) != parent.index_of(name):
            raise MovedPackageError(profile, parent, name)
