"""What `basestore lock` says of requirements that a service's base meets, and `--fix`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from basestore.cli.terminal import hint, say, warn
from basestore.profile.model import Project

if TYPE_CHECKING:
    from basestore.pipeline.duplicates import Duplicate


def find_duplicates(project: Project, names: Iterable[str]) -> "tuple[Duplicate, ...]":
    """Those of the services among some names, as far as their bases are locked."""
    services = [name for name in names if name in project.services]
    if not services:
        return ()
    from basestore.lock.files import NoLockError
    from basestore.pipeline.duplicates import duplicates

    found: list[Duplicate] = []
    for name in services:
        try:
            found += duplicates(project, name)
        except NoLockError:
            continue
    return tuple(found)


def fix(project: Project, names: Sequence[str], tell: bool) -> Project:
    """Take duplicates out of the project's files; the project as it is then."""
    found = find_duplicates(project, names)
    if not found:
        return project
    from basestore.pipeline.duplicates import take_out
    from basestore.profile.project import read_project

    changed = take_out(project, found)
    for one in found if tell else ():
        if one.place.file in changed:
            say(f"{one.place}: took out {one.name}, which {one.base} has as {one.version}")
    return read_project(project.root)


def tell_duplicates(found: "Sequence[Duplicate]") -> None:
    """Point out each, and the way out."""
    for one in found:
        warn(f"{one.service}: {one}")
    if found:
        services = dict.fromkeys(one.service for one in found)
        hint(f"take them out by hand, or run `basestore lock {' '.join(services)} --fix`")


def duplicates_to_json(found: "Iterable[Duplicate]") -> list[dict[str, str]]:
    """For machines."""
    return [
        {
            "service": one.service,
            "base": one.base,
            "name": one.name,
            "version": one.version,
            "place": str(one.place),
        }
        for one in found
    ]
