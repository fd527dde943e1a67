"""git, run as a program: what a file of the project was in an earlier revision. Only reads."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import UnreachableError, UsageError


class NoGitError(UnreachableError):
    """There is no git program."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"git can't be run: {reason}", "install git, or name an older lock's file with --from"
        )


class NoRepositoryError(UsageError):
    """The project is in no git repository that git would read."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"git reads no repository in {folder}: {reason}",
            "name an older lock's file with --from",
        )


class UnknownRevisionError(UsageError):
    """The repository has no such revision."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"there is no file and no git revision {revision!r}",
            "name a lock's file, or a commit, branch or tag; a shallow clone may lack it: "
            "fetch it first",
        )
        self.revision = revision


class GitFailedError(UnreachableError):
    """git failed where it should not."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"git failed: {reason}", "mend the repository; `git fsck` may say more")


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository that a folder is in. ``name``: as people call it."""

    git: "Git"
    name: str
    commit: str

    def read(self, file: str) -> bytes | None:
        """A file's bytes as committed, None where the commit hasn't it.

        ``file``: relative to the folder, with slashes. Raises GitFailedError.
        """
        if file not in self.files(file):
            return None
        return self.git.output("cat-file", "blob", f"{self.commit}:./{file}")

    def files(self, path: str) -> tuple[str, ...]:
        """The files at or directly below a path, relative to the folder. Raises GitFailedError."""
        listed = self.git.output("ls-tree", "-z", self.commit, "--", path, f"{path}/")
        rows = (row.partition("\t") for row in listed.decode(errors="replace").split("\0"))
        return tuple(file for mode, _, file in rows if " blob " in mode)


@dataclass(frozen=True, slots=True)
class Git:
    """The git program in a folder; ``environ`` is all that it gets of the environment."""

    folder: Path
    environ: Mapping[str, str]

    def revision(self, name: str) -> Revision:
        """A revision by whatever git takes for one.

        Raises NoGitError, NoRepositoryError and UnknownRevisionError.
        """
        found = self.run("rev-parse", "--is-inside-work-tree")
        if not _succeeded(found):
            raise NoRepositoryError(self.folder, _reason(found))
        if name.startswith("-"):
            raise UnknownRevisionError(name)
        done = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not _succeeded(done):
            raise UnknownRevisionError(name)
        return Revision(self, name, done.stdout.decode().strip())

    def output(self, *words: str) -> bytes:
        """What git prints; raises NoGitError, and GitFailedError where it fails."""
        done = self.run(*words)
        if not _succeeded(done):
            raise GitFailedError(_reason(done))
        return done.stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run git to its end; raises NoGitError."""
        try:
            return subprocess.run(
                self._command(words),
                env={**self.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise NoGitError(error.strerror or str(error)) from error

    def _command(self, words: Sequence[str]) -> Sequence[str]:
        return ["git", "--no-pager", "-C", str(self.folder), *words]


def _succeeded(done: subprocess.CompletedProcess[bytes]) -> bool:
    return done.returncode == 0


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """git's own first line, without the word that it begins with."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"
