"""Which registry a command asks, and which repository an image has in it."""

from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from basestore.cli.context import start_of
from basestore.errors import BasestoreError, UsageError
from basestore.profile.family import ancestors, parents_of
from basestore.profile.model import Project
from basestore.profile.project import all_names, profile_names

if TYPE_CHECKING:
    from basestore.registry.reference import Repository

_OPTION = "--registry"
_BESIDE = 8  # services that are asked for each blob; more would cost more than they save


class NoRegistryError(UsageError):
    """No registry is named anywhere."""

    def __init__(self) -> None:
        super().__init__(
            "no registry is named",
            'write registry = "HOST/PATH" into basestore.toml, or name one on the command line',
        )


class AsksRegistry(TyperCommand):
    """A command whose ``--registry`` may stand without a value, which is then empty."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # click's or typer's Context
        """Parse the words behind the command's name."""
        known = _profiles(ctx) if _OPTION in args else ()
        return super().parse_args(ctx, with_registry(args, known))


def with_registry(words: Sequence[str], profiles: Collection[str]) -> list[str]:
    """The words with a value for each ``--registry``.

    It takes the next word only where that reads as a host and is no profile's name. What stands
    behind ``--`` is no option.
    """
    end = words.index("--") if "--" in words else len(words)
    options = words[:end]
    return [
        f"{_OPTION}=" if word == _OPTION and not _is_registry(following, profiles) else word
        for word, following in zip_longest(options, options[1:], fillvalue="")
    ] + [*words[end:]]


def _is_registry(word: str, profiles: Collection[str]) -> bool:
    """Docker's rule: the first component has a dot or a colon, or is ``localhost``."""
    host = word.partition("/")[0]
    named = "." in host or ":" in host or host == "localhost"
    return named and not word.startswith("-") and word not in profiles


def _profiles(context: typer.Context) -> tuple[str, ...]:
    """The names of the project's profiles; none where the command will say what is wrong."""
    try:
        return all_names(start_of(context).project())
    except BasestoreError:
        return ()


def repository_of(project: Project, profile: str, named: str | None) -> "Repository":
    """The repository of a profile's image, in the registry named or the project's.

    Raises NoRegistryError and BadReferenceError.
    """
    from basestore.registry.reference import parse_repository

    registry = named or project.registry
    if not registry:
        raise NoRegistryError
    return parse_repository(f"{registry.rstrip('/')}/{project.image(profile)}")


def siblings_of(project: Project, name: str) -> tuple[str, ...]:
    """Whose repositories may have blobs of a profile's or service's image, the likeliest first.

    For a service its base and that one's ancestors, which have all but its own; then some of the
    services on the same base.
    """
    if name not in project.services:
        return tuple(other for other in profile_names(project) if other != name)
    base = project.services[name].base
    beside = [one.name for one in project.services.values() if one.base == base]
    others = [other for other in beside if other != name][:_BESIDE]
    return (base, *ancestors(parents_of(project), base), *others)
