"""git, run as a program: what the project was in an earlier revision. Only reads.

*object*: what git stores a content under, the hash of it with a head (git, "Git Objects").
"""

import hashlib
import os
import posixpath
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import read_chunks
from basestore.errors import UnreachableError, UsageError


class NoGitError(UnreachableError):
    """There is no git program."""

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(f"git can't be run: {reason}", _or("install git", instead))


class NoRepositoryError(UsageError):
    """The project is in no git repository that git would read."""

    def __init__(self, folder: Path, reason: str, instead: str = "") -> None:
        super().__init__(
            f"git reads no repository in {folder}: {reason}",
            _or("run it where the project is checked out", instead),
        )


class NoCommitError(UsageError):
    """The repository has no commit that HEAD could name."""

    def __init__(self, folder: Path, instead: str = "") -> None:
        super().__init__(
            f"the git repository of {folder} has no commit yet, so that there is nothing older",
            _or("commit the locks first", instead),
        )


class UnknownRevisionError(UsageError):
    """The repository has no such revision."""

    def __init__(self, revision: str, instead: str = "") -> None:
        known = "no file and no git revision" if instead else "no git revision"
        super().__init__(
            f"there is {known} {revision!r}", _or("name a commit, branch or tag", instead)
        )
        self.revision = revision


class ShallowCloneError(UsageError):
    """A clone without its history has no such revision."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"there is no git revision {revision!r} in this clone, which is shallow",
            "fetch it first: `git fetch --unshallow`, or fetch-depth: 0 where CI checks out",
        )
        self.revision = revision


class GitFailedError(UnreachableError):
    """git failed where it should not."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"git failed: {reason}", "mend the repository; `git fsck` may say more")


PLAIN, EXECUTABLE, LINK, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000
"""The modes that git has (git, "Git Index Format")."""

_SHA1 = 40  # hexadecimal digits
_QUIETLY = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a commit has at a path: git's mode and object."""

    mode: int
    object: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The paths of the working tree that aren't as in a commit, relative to the folder.

    ``tracked``: changed, added or gone. ``untracked``: what git doesn't know, ignored or not; a
    folder that holds nothing else stands for all in it, with a slash at its end.
    """

    tracked: frozenset[str]
    untracked: frozenset[str]
    _above: frozenset[str]

    @classmethod
    def of(cls, tracked: Sequence[str], untracked: Sequence[str]) -> "Changes":
        """The changes of these paths."""
        paths = (*tracked, *(path.rstrip("/") for path in untracked))
        above = frozenset(folder for path in paths for folder in _folders(path))
        return cls(frozenset(tracked), frozenset(untracked), above)

    def __contains__(self, path: str) -> bool:
        """Whether a file isn't as in the commit."""
        if path in self.tracked or path in self.untracked:
            return True
        return any(
            f"{folder}/" in self.untracked or folder in self.tracked for folder in _folders(path)
        )

    def touch(self, path: str) -> bool:
        """Whether a path, or anything below it, isn't as in the commit."""
        if path == ".":
            return bool(self.tracked or self.untracked)
        return path in self or path in self._above or f"{path}/" in self.untracked


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

    def entries(self, paths: Sequence[str]) -> Mapping[str, Entry]:
        """All that the commit has at or below paths, by path relative to the folder.

        Raises GitFailedError.
        """
        wanted = [] if "." in paths else paths
        listed = self.git.output("ls-tree", "-r", "-z", self.commit, "--", *wanted)
        rows = (row.partition("\t") for row in listed.decode(errors="surrogateescape").split("\0"))
        return {path: _entry(told) for told, _, path in rows if told}

    def content(self, entry: Entry) -> bytes:
        """What a file of the commit holds; raises GitFailedError."""
        return self.git.output("cat-file", "blob", entry.object)

    def contents(self, entries: Iterable[Entry]) -> Mapping[str, bytes]:
        """What files of the commit hold, by their objects, all asked of one git.

        Raises GitFailedError.
        """
        objects = sorted({entry.object for entry in entries})
        if not objects:
            return {}
        asked = "".join(f"{one}\n" for one in objects).encode()
        return dict(_batch(self.git.output("cat-file", "--batch", feed=asked), objects))

    def changes(self) -> Changes:
        """What of the working tree isn't as in the commit; raises GitFailedError.

        What git would have to read to find out is read here: git itself would write its index.
        """
        options = ("--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
        listed = _texts(self.git.output("diff-index", *options, self.commit, "--"))
        prefix = os.fsdecode(self.git.output("rev-parse", "--show-prefix")).removesuffix("\n")
        pairs = zip(listed[::2], listed[1::2], strict=True)
        rows = ((row, posixpath.relpath(path, prefix or ".")) for row, path in pairs)
        tracked = [path for row, path in rows if not self._is_as_before(row, path)]
        untracked = self.git.output("ls-files", "--others", "--directory", "-z")
        return Changes.of(tracked, _texts(untracked))

    def entry(self, file: str) -> Entry | None:
        """What a commit would have of a file or link, was it not filtered; None for what is none.

        ``file``: of the working tree, relative to the folder. Raises OSError.
        """
        path = self.git.folder / file
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(status.st_mode):
            target = os.fsencode(path.readlink())
            return Entry(LINK, self._object_of(len(target), [target]))
        if not stat.S_ISREG(status.st_mode):
            return None
        mode = EXECUTABLE if status.st_mode & stat.S_IXUSR else PLAIN
        with path.open("rb") as stream:
            return Entry(mode, self._object_of(status.st_size, read_chunks(stream)))

    def _is_as_before(self, row: str, path: str) -> bool:
        """Whether what git can't tell without reading it is as it was (git-diff, "Raw output")."""
        before, now, old, new, _ = row.removeprefix(":").split(" ")
        if new.strip("0") or int(before, 8) != int(now, 8):
            return False
        return self.entry(path) == Entry(int(before, 8), old)

    def _object_of(self, size: int, chunks: Iterable[bytes]) -> str:
        """The object that the repository would store a content under, were it not filtered."""
        # gitrepository-layout(5), extensions.objectFormat: known by the length of its names.
        is_sha1 = len(self.commit) == _SHA1
        found = hashlib.sha1(usedforsecurity=False) if is_sha1 else hashlib.sha256()
        found.update(b"blob %d\0" % size)
        for chunk in chunks:
            found.update(chunk)
        return found.hexdigest()

    def files(self, path: str) -> tuple[str, ...]:
        """The files at or directly below a path, relative to the folder. Raises GitFailedError."""
        listed = self.git.output("ls-tree", "-z", self.commit, "--", path, f"{path}/")
        rows = (row.partition("\t") for row in listed.decode(errors="replace").split("\0"))
        return tuple(file for mode, _, file in rows if " blob " in mode)


@dataclass(frozen=True, slots=True)
class Git:
    """The git program in a folder.

    ``environ``: all that it gets of the environment. ``instead``: what else the user may do where
    it doesn't know something, as the end of a hint.
    """

    folder: Path
    environ: Mapping[str, str]
    instead: str = ""

    def revision(self, name: str) -> Revision:
        """A revision by whatever git takes for one.

        Raises NoGitError, NoRepositoryError, NoCommitError, UnknownRevisionError and
        ShallowCloneError.
        """
        found = self.run("rev-parse", "--is-inside-work-tree")
        if not _succeeded(found):
            raise NoRepositoryError(self.folder, _reason(found), self.instead)
        if name.startswith("-"):
            raise UnknownRevisionError(name, self.instead)
        done = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not _succeeded(done):
            raise self._unknown(name)
        return Revision(self, name, done.stdout.decode(errors="replace").strip())

    def _unknown(self, name: str) -> UsageError:
        if name == "HEAD":
            return NoCommitError(self.folder, self.instead)
        if self.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            return ShallowCloneError(name)
        return UnknownRevisionError(name, self.instead)

    def output(self, *words: str, feed: bytes = b"") -> bytes:
        """What git prints for what it is fed; raises NoGitError, GitFailedError where it fails."""
        done = self.run(*words, feed=feed)
        if not _succeeded(done):
            raise GitFailedError(_reason(done))
        return done.stdout

    def run(self, *words: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git to its end, ``feed`` on its standard input; raises NoGitError."""
        try:
            return subprocess.run(
                self._command(words),
                env={**self.environ, **_QUIETLY},
                input=feed,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise NoGitError(error.strerror or str(error), self.instead) from error

    def _command(self, words: Sequence[str]) -> Sequence[str]:
        return ["git", "--no-pager", "-C", str(self.folder), *words]


def _succeeded(done: subprocess.CompletedProcess[bytes]) -> bool:
    return done.returncode == 0


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """git's own first line, without the word that it begins with."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"


def _or(first: str, instead: str) -> str:
    """A hint, and what else may be done."""
    return f"{first}, or {instead}" if instead else first


def _entry(told: str) -> Entry:
    mode, _, name = told.split(" ")
    return Entry(int(mode, 8), name)


def _batch(answer: bytes, objects: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The contents in an answer of ``git cat-file --batch`` (git-cat-file, "Batch Output")."""
    at = 0
    for name in objects:
        end = answer.find(b"\n", at)
        found = answer[at:end].split(b" ")
        if end < 0 or len(found) != 3 or found[0] != name.encode():
            raise GitFailedError(f"it doesn't give the object {name}")
        at = end + 1 + int(found[2])
        yield name, answer[end + 1 : at]
        at += 1


def _texts(listed: bytes) -> tuple[str, ...]:
    return tuple(filter(None, listed.decode(errors="surrogateescape").split("\0")))


def _folders(path: str) -> Iterator[str]:
    """The folders that a path lies in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path
