"""Projects: the folder with ``basestore.toml`` and the profiles, and what that file says."""

import re
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import UsageError
from basestore.profile.document import Table, nearest, read_document, read_file
from basestore.profile.model import DEFAULT_IMAGE_NAME, PROJECT_FILE, Project
from basestore.profile.names import is_plain, plain_name
from basestore.profile.policy_reader import read_policy

# distribution/reference, "domain" and "path-component", without digests and tags.
_REGISTRY = re.compile(
    r"(?:[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
    r"(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)


class NoProjectError(UsageError):
    """No folder upwards is a project."""

    def __init__(self, start: Path) -> None:
        super().__init__(
            f"no project here: {start} and the folders above it hold neither {PROJECT_FILE} "
            "nor profiles/",
            f"go to the project's folder, or start one with an empty {PROJECT_FILE} and a profile "
            "in profiles/",
        )


class UnknownProfileError(UsageError):
    """The project has no profile of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no profile {name!r}: there is no profiles/{name}.toml",
            nearest(name, known) if known else "write the file; the project has no profile yet",
        )
        self.name = name


class NoProfilesError(UsageError):
    """The project has no profile at all, so that a command over all of them would do nothing."""

    def __init__(self, project: Project) -> None:
        super().__init__(
            f"the project {project.root} has no profile: there is no profiles/*.toml",
            "write one, or go to the folder that has them",
        )


def find_root(start: Path) -> Path:
    """The nearest folder upwards that holds ``basestore.toml`` or ``profiles/``.

    ``start`` is absolute. Raises NoProjectError.
    """
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file() or (folder / "profiles").is_dir():
            return folder
    raise NoProjectError(start)


def read_project(root: Path) -> Project:
    """The project in a folder; all defaults where it has no ``basestore.toml``.

    Raises DocumentError.
    """
    data = read_file(root, PROJECT_FILE)
    if data is None:
        return Project(root)
    table = read_document(PROJECT_FILE, data)
    table.only("registry", "image-name", "policy")
    return Project(
        root=root,
        registry=_registry(table),
        image_name=_image_name(table),
        policy=read_policy(table),
        digest=Digest.of(data),
    )


def profile_names(project: Project) -> tuple[str, ...]:
    """The names of the project's profiles, sorted; raises PlainNameError."""
    files = project.profiles.glob("*.toml")
    return tuple(sorted(plain_name(file.stem) for file in files if not file.name.startswith(".")))


def chosen_profiles(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    """The profiles named, or all of them if none is named.

    Raises PlainNameError, UnknownProfileError and NoProfilesError.
    """
    known = profile_names(project)
    if not names and not known:
        raise NoProfilesError(project)
    for name in names:
        if plain_name(name) not in known:
            raise UnknownProfileError(name, known)
    return tuple(dict.fromkeys(names)) or known


def _registry(table: Table) -> str | None:
    registry = table.string("registry")
    if registry is None or (_REGISTRY.fullmatch(registry) and _names_host(registry)):
        return registry
    if "@" in registry:
        raise table.error(
            "holds a credential", "take it out, and log in with `docker login`", "registry"
        )
    raise table.error(
        f"{registry!r} is no registry",
        "write host[:port][/path] without a scheme: registry.example.com/team",
        "registry",
    )


def _names_host(registry: str) -> bool:
    """Docker's rule: a first component without dot, colon or ``localhost`` is a path's."""
    host = registry.partition("/")[0]
    return "." in host or ":" in host or host == "localhost"


def _image_name(table: Table) -> str:
    template = table.string("image-name")
    if template is None:
        return DEFAULT_IMAGE_NAME
    filled = template.replace("{profile}", "x").split("/")
    if "{profile}" in template and all(is_plain(component) for component in filled):
        return template
    raise table.error(
        f"{template!r} is no name for images",
        "write lower-case letters and digits, with {profile} where the profile's name goes: "
        '"base-{profile}"',
        "image-name",
    )
