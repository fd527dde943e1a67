"""Dockerfile: a service's entry in the form that other builders take, and where it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from basestore.errors import UsageError
from basestore.files import edit_files, replace_files
from basestore.lock.export.pins import index_of
from basestore.lock.files import read_lock
from basestore.lock.model import Lock
from basestore.pipeline.export import export_requirements
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import Records
from basestore.profile.document import nearest, read_file
from basestore.profile.inside import real_paths
from basestore.profile.model import Profile, Project
from basestore.profile.reader import read_profile
from basestore.profile.service import DEFAULT_WORKDIR, Service
from basestore.registry.reference import Reference, Repository
from basestore.services.copies import check_copy
from basestore.services.dockerfile import Delta, Wanted, dockerfile, mark
from basestore.services.ignore import MARK, dockerignore

_REQUIREMENTS_MARK = "# Written by basestore from "


class UnknownServiceError(UsageError):
    """The project has no service of that name."""

    def __init__(self, name: str, project: Project) -> None:
        known = tuple(project.services)
        hint = nearest(name, known) if known else f"write [services.{name}] into basestore.toml"
        super().__init__(f"no service {name!r}: basestore.toml has no [services.{name}]", hint)
        self.name = name


class ForeignFileError(UsageError):
    """A file is there that was not written here."""

    def __init__(self, file: str, service: str) -> None:
        super().__init__(
            f"{file} is there, and basestore did not write it for {service}",
            f"look at `basestore dockerfile {service}`, or let --force replace the file",
        )
        self.file = file


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a service's image is built from by other builders.

    ``files``: their bytes, by path relative to the project; the Dockerfile is the first.
    ``marks``: how each begins if it was written here.
    """

    service: str
    base: Reference
    files: Mapping[str, bytes]
    marks: Mapping[str, str]

    @property
    def dockerfile(self) -> bytes:
        """The Dockerfile."""
        return next(iter(self.files.values()))


def known_service(project: Project, name: str) -> Service:
    """A service by name; raises UnknownServiceError."""
    service = project.services.get(name)
    if service is None:
        raise UnknownServiceError(name, project)
    return service


def dockerfile_path(service: Service) -> str:
    """Where a service's Dockerfile lies, relative to the project."""
    return service.dockerfile or _in_context(service, "Dockerfile")


def base_pin(project: Project, base: str, repository: Repository) -> Reference:
    """What a Dockerfile says of a base: its repository, its lock's digest, its image's digest.

    Raises NoLockError and NotBuiltError.
    """
    recorded = Records.read(project).required(base)
    return Reference(repository, recorded.tag, recorded.image)


def write_dockerfile(project: Project, name: str, repository: Repository) -> Written:
    """A service's Dockerfile and what it needs besides; nothing is written to the disk.

    ``repository``: of its base. Raises UnknownServiceError, NoLockError, NotBuiltError,
    UnwritableError, CopyPatternError and what reading the application raises.
    """
    service = known_service(project, name)
    pin = base_pin(project, service.base, repository)
    inherited, _ = read_lock(project, service.base)
    lock = read_locked(project, name).parse()
    workdir = lock.image.workdir or DEFAULT_WORKDIR
    _check_files(project, service, workdir)
    profile = read_profile(project, name)
    delta = _delta(service, profile, lock)
    path, rules = dockerfile_path(service), _in_context(service, ".dockerignore")
    files = {
        path: dockerfile(Wanted(service, str(pin), inherited.image, lock.image, delta)),
        rules: dockerignore(_below(service.context, path), [copy.source for copy in service.files]),
    }
    marks = {path: mark(name), rules: MARK}
    if delta:
        file = _in_context(service, delta.file)
        files[file] = export_requirements(profile, lock, read_locked(project, name).digest)
        marks[file] = _REQUIREMENTS_MARK
    return Written(name, pin, files, marks)


def foreign_files(project: Project, written: Written) -> Iterator[str]:
    """Those files that are there and were not written here, relative to the project."""
    return _foreign(written, _there(project, written))


def _there(project: Project, written: Written) -> Mapping[str, bytes | None]:
    return {file: read_file(project.root, file) for file in written.files}


def _foreign(written: Written, there: Mapping[str, bytes | None]) -> Iterator[str]:
    for file, own in written.marks.items():
        found = there[file]
        if found is not None and not found.startswith(own.encode()):
            yield file


def keep_written(project: Project, written: Written) -> None:
    """Write the files, all of them or none.

    Raises ForeignFileError, ChangedFileError and LeadsOutError.
    """
    there = _there(project, written)
    for file in _foreign(written, there):
        raise ForeignFileError(file, written.service)
    places = real_paths(project.root, written.files)
    edit_files({places[f]: (there[f], data) for f, data in written.files.items()})


def replace_written(project: Project, written: Written) -> None:
    """Write the files, all or none, in the place of whatever is there; raises LeadsOutError."""
    places = real_paths(project.root, written.files)
    replace_files({places[file]: data for file, data in written.files.items()})


def _delta(service: Service, profile: Profile, lock: Lock) -> Delta | None:
    names = {wheel.name for platform in lock.platforms for wheel in platform.wheels}
    if not names:
        return None
    found = {index_of(name, profile.indexes) for name in sorted(names)}
    indexes = tuple(index for index in profile.indexes if index in found)
    return Delta(f"requirements.{service.name}.txt", indexes)


def _check_files(project: Project, service: Service, workdir: str) -> None:
    """Raise what `build` would say of the files, and where COPY would do something else."""
    from basestore.layer.application.context import open_context
    from basestore.layer.application.take import take

    context = open_context(project.root, service)
    for copy in service.files:
        found = [placed.found.path for placed in take(context, copy, workdir)]
        check_copy(copy, found)


def _in_context(service: Service, name: str) -> str:
    return str(PurePosixPath(service.context, name))


def _below(context: str, path: str) -> str:
    """A path of the project relative to the context; empty where it isn't below it."""
    whole = PurePosixPath(path)
    return str(whole.relative_to(context)) if whole.is_relative_to(context) else ""
