"""Projects: the folder with ``basestore.toml`` and the profiles, and what that file says."""

import re
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.errors import InputError, UsageError
from basestore.profile.document import DocumentError, Table, nearest, read_document, read_file
from basestore.profile.model import DEFAULT_IMAGE_NAME, PROJECT_FILE, Project, profile_file
from basestore.profile.names import PlainNameError, is_plain, plain_name
from basestore.profile.pins import read_pins
from basestore.profile.policy_reader import read_policy
from basestore.profile.required_version import KEY as REQUIRED_VERSION
from basestore.profile.required_version import check_required_version
from basestore.profile.service import Service
from basestore.profile.service_reader import read_services
from basestore.reading import reading

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
            f"no profile {name!r}: there is no {profile_file(name)}",
            nearest(name, known) if known else "write the file; the project has no profile yet",
        )
        self.name = name


class UnknownNameError(UsageError):
    """The project has neither a profile nor a service of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no profile or service {name!r}: there is neither {profile_file(name)} nor "
            f"[services.{name}] in {PROJECT_FILE}",
            nearest(name, known),
        )
        self.name = name


class MisnamedProfileError(InputError):
    """A file among the profiles has a name that no profile can have."""

    def __init__(self, file: str, cause: PlainNameError) -> None:
        super().__init__(
            f"{file}: {cause.message}", f"rename it, or move it elsewhere; {cause.hint}"
        )
        self.file = file


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

    Raises OtherVersionError before it judges anything else of that file, and DocumentError.
    """
    data = read_file(root, PROJECT_FILE)
    if data is None:
        return Project(root)
    with _reading():
        table = read_document(PROJECT_FILE, data)
        check_required_version(table)
        return _project(root, table)


def parse_project(root: Path, data: bytes) -> Project:
    """The project in a folder, were these bytes its ``basestore.toml``; raises DocumentError.

    What an earlier revision wanted of this program's version isn't asked.
    """
    with _reading():
        return _project(root, read_document(PROJECT_FILE, data))


def _reading() -> AbstractContextManager[None]:
    return reading(lambda reason: DocumentError(PROJECT_FILE, reason, ""))


def _project(root: Path, table: Table) -> Project:
    table.only(REQUIRED_VERSION, "registry", "image-name", "policy", "pins", "services")
    services = read_services(table)
    _check_shared_names(root, table, services)
    project = Project(
        root=root,
        registry=_registry(table),
        image_name=_image_name(table),
        policy=read_policy(table, lambda: all_names(Project(root, services=services))),
        services=services,
        digests=_digests(table, services),
        pins=read_pins(table),
    )
    _check_shared_images(project, table)
    return project


def profile_names(project: Project) -> tuple[str, ...]:
    """The names of the project's profiles, sorted; raises MisnamedProfileError."""
    files = sorted(file.name for file in project.profiles.glob("[!.]*.toml"))
    for file in files:
        try:
            plain_name(file.removesuffix(".toml"))
        except PlainNameError as error:
            raise MisnamedProfileError(f"profiles/{file}", error) from None
    return tuple(sorted(file.removesuffix(".toml") for file in files))


def all_names(project: Project) -> tuple[str, ...]:
    """The names of the project's profiles, then those of its services.

    Raises MisnamedProfileError.
    """
    return (*profile_names(project), *project.services)


def chosen_profiles(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    """The profiles named, or all of them if none is named; as `chosen_names`."""
    return _chosen(project, names, profile_names(project))


def chosen_names(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    """The profiles and services named, or all of them if none is named.

    Raises PlainNameError, UnknownProfileError, UnknownNameError, NoProfilesError and
    MisnamedProfileError.
    """
    return _chosen(project, names, all_names(project))


def _chosen(project: Project, names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    if not names and not known:
        raise NoProfilesError(project)
    for name in names:
        if plain_name(name) not in known:
            serving = project.services.keys() & set(known)
            raise (UnknownNameError if serving else UnknownProfileError)(name, known)
    return tuple(dict.fromkeys(names)) or known


def _check_shared_names(root: Path, table: Table, services: Collection[str]) -> None:
    """Profiles and services share one name space: locks and commands go by name alone."""
    for name in services:
        if (root / profile_file(name)).exists():
            raise table.error(
                f"there is a profile of that name, {profile_file(name)}",
                "rename one of them: both would have one lock",
                "services",
                name,
            )


def _check_shared_images(project: Project, table: Table) -> None:
    """One repository holds the images of one base or service, since tags are told apart there."""
    owners = {project.image(file.stem): file.stem for file in project.profiles.glob("[!.]*.toml")}
    for name, service in project.services.items():
        other = owners.setdefault(service.image, name)
        if other != name:
            raise table.error(
                f"its image would be called {service.image}, as that of {other}",
                'give it a name of its own: image = "..."',
                "services",
                name,
            )


def _digests(table: Table, services: Mapping[str, Service]) -> Mapping[str, Digest]:
    """What the file says about each service, and under no name what it says about all profiles.

    The line is part of it, since places below a service's table move with it.
    """
    policy = _plain(table.values.get("policy"))
    found = {"": Digest.of(json_bytes({"policy": policy}))} if policy else {}
    for name, one in services.items():
        said: Json = {"line": one.place.line, "policy": policy, "service": _plain(one.table.values)}
        found[name] = Digest.of(json_bytes(said))
    return found


def _plain(value: object) -> Json:
    """A value of TOML as one of JSON; floats and dates, which no key takes, as text."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | None) else str(value)


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
