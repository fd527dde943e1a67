"""What projects keep alive in the store: all that the files in their ``locks`` name."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import BasestoreError, InputError
from basestore.lock.model import Lock
from basestore.pipeline.store_needs import (
    LOCKS,
    LockFiles,
    Needs,
    NoFolderError,
    Signature,
    signature,
)
from basestore.sources.git import Git, Revision
from basestore.store import Store
from basestore.store.roots import DamagedRootError


class UnreadableProjectError(InputError):
    """A project that used the store can't be read, so that nobody knows its needs."""

    def __init__(self, project: Path, cause: BasestoreError, commit: str = "") -> None:
        there = f" in its commit {commit[:12]}" if commit else ""
        super().__init__(
            f"nobody can tell what {project}{there} needs of the store: {cause.message}",
            f"mend that ({cause.hint}), leave the project out of account for once with "
            f"--ignore-project {project}, or for good with `basestore store roots --forget "
            f"{project}`",
        )
        self.project = project
        self.cause = cause


@dataclass(slots=True)
class ProjectMarker:
    """Marks what the registered projects need: of their locks now, and of earlier ones.

    ``revisions``: so many commits that changed ``locks`` count besides. ``besides``: projects that
    count although they aren't registered. ``ignored``: projects that are left out of account.
    ``gone``: the roots of projects that are there no more, once marked.
    """

    store: Store
    git: Callable[[Path], Git]
    revisions: int = 0
    besides: Collection[Path] = ()
    ignored: Collection[Path] = ()
    gone: dict[Path, Path] = field(default_factory=dict)
    _marked: tuple[tuple[Path, Signature], ...] = ()
    _needs: Needs = field(init=False)

    def __post_init__(self) -> None:
        self._needs = Needs(self.store)

    def mark(self) -> Collection[Digest]:
        """All that projects need. Raises UnreadableProjectError and DamagedRootError."""
        self._marked = self._signatures()
        self._needs = Needs(self.store)
        found: set[Digest] = set()
        for project, _ in self._marked:
            for needs in self.needs_of(project):
                found.update(*needs.values())
        return found

    def projects(self) -> Iterator[Path]:
        """The projects that count, gone or not, but for those whose roots can't be read."""
        known = dict.fromkeys(self.besides)
        for file in self.store.roots.files():
            with suppress(DamagedRootError):
                known[self.store.roots.project_of(file)] = None
        return (project for project in known if project not in self.ignored)

    def stale(self) -> bool:
        """Whether a project came, went, or has other locks since."""
        return self._signatures() != self._marked

    def needs_of(self, project: Path) -> Iterator[Mapping[str, frozenset[Digest]]]:
        """What a project needs by profile, now and then as of each revision that counts.

        Raises UnreadableProjectError.
        """
        commit = ""
        try:
            yield self._needs.of(LockFiles.of_folder(project))
            for revision in self._commits(project):
                commit = revision.commit
                yield self._needs.of(LockFiles.of_revision(revision))
        except BasestoreError as error:
            raise UnreadableProjectError(project, error, commit) from error

    def locks_of(self, project: Path) -> tuple[Lock, ...]:
        """The locks of a project as they are now; raises UnreadableProjectError."""
        try:
            return tuple(lock for lock, _ in self._needs.locks(LockFiles.of_folder(project)))
        except BasestoreError as error:
            raise UnreadableProjectError(project, error) from error

    def _commits(self, project: Path) -> Iterator[Revision]:
        if not self.revisions:
            return
        git = self.git(project)
        if not is_committed(git):
            return
        count = f"--max-count={self.revisions}"
        for commit in git.output("log", count, "--format=%H", "--", LOCKS).decode().split():
            yield Revision(git, commit, commit)

    def _signatures(self) -> tuple[tuple[Path, Signature], ...]:
        """The projects that count and the state of their locks; those that are gone are noted."""
        projects = dict.fromkeys(self.besides)
        for file in self.store.roots.files():
            project = self.store.roots.project_of(file)
            if project in self.ignored or is_there(project):
                projects[project] = None
            else:
                self.gone[file] = project
        return tuple((one, _signed(one)) for one in projects if one not in self.ignored)


def is_there(project: Path) -> bool:
    """Whether a project's folder exists; raises UnreadableProjectError where nobody may look."""
    try:
        project.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        cause = NoFolderError(project, error.strerror or str(error))
        raise UnreadableProjectError(project, cause) from error
    return True


def _signed(project: Path) -> Signature:
    try:
        return signature(project)
    except NoFolderError as error:
        raise UnreadableProjectError(project, error) from error


def is_committed(git: Git) -> bool:
    """Whether the project is in a repository that has a commit."""
    done = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return done.returncode == 0
