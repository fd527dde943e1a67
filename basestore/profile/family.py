"""Families: which profile extends which, told without reading more of each than that.

A profile that can't be read is its own family here; what is wrong with it is said where it is used.
"""

from collections.abc import Collection, Iterator, Mapping

from basestore.errors import InputError
from basestore.profile.document import read_document, read_file
from basestore.profile.model import Project, profile_file
from basestore.profile.project import profile_names

Parents = Mapping[str, str | None]
"""What each profile of a project extends, as its file says."""


def parents_of(project: Project) -> Parents:
    """What every profile of a project extends; None too where that can't be told.

    A service is its base's child.
    """
    services = {name: one.base for name, one in project.services.items()}
    return {**{name: _parent(project, name) for name in profile_names(project)}, **services}


def ancestors(parents: Parents, name: str) -> Iterator[str]:
    """The ancestors of a profile, the nearest first; each once, even if they go in a circle."""
    seen = {name}
    while (parent := parents.get(name)) and parent not in seen:
        yield parent
        seen.add(parent)
        name = parent


def family_order(project: Project, names: Collection[str]) -> tuple[str, ...]:
    """Profiles with parents before children, the children of one together."""
    return tuple(name for name in in_family_order(parents_of(project)) if name in names)


def in_family_order(parents: Parents) -> tuple[str, ...]:
    """Parents before children, the children of one together; what has no known parent is a root."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in ordered:
            ordered[name] = None
            for child in sorted(parents):
                if parents[child] == name:
                    add(child)

    roots = [name for name in sorted(parents) if parents[name] not in parents]
    for name in (*roots, *sorted(parents)):  # what extends itself in a circle comes last
        add(name)
    return tuple(ordered)


def _parent(project: Project, name: str) -> str | None:
    file = profile_file(name)
    try:
        data = read_file(project.root, file)
        return read_document(file, data).string("extends") if data else None
    except InputError:
        return None
