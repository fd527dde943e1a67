"""Which repository an image has in a registry."""

from typing import TYPE_CHECKING

from basestore.errors import UsageError
from basestore.profile.model import Project

if TYPE_CHECKING:
    from basestore.registry.reference import Repository


class NoRegistryError(UsageError):
    """No registry is named anywhere."""

    def __init__(self) -> None:
        super().__init__(
            "no registry is named",
            'write registry = "HOST/PATH" into basestore.toml, or name one on the command line',
        )


def repository_of(project: Project, profile: str, named: str | None) -> "Repository":
    """The repository of a profile's image, in the registry named or the project's.

    Raises NoRegistryError and BadReferenceError.
    """
    from basestore.registry.reference import parse_repository

    registry = named or project.registry
    if not registry:
        raise NoRegistryError
    return parse_repository(f"{registry.rstrip('/')}/{project.image(profile)}")
