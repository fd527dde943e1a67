"""git as a program, in repositories made here."""

from pathlib import Path

import pytest
from committing import GIT, git

from basestore.sources.git import (
    Entry,
    Git,
    GitFailedError,
    NoCommitError,
    NoGitError,
    NoRepositoryError,
    Revision,
    ShallowCloneError,
    UnknownRevisionError,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in a folder of a repository, two commits deep."""
    folder = tmp_path / "repository" / "bases"
    (folder / "locks").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", "..")
    for content in (b"old\r\n\xff", b"new\n"):
        (folder / "locks/ml.lock").write_bytes(content)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", "a commit")
    git(folder, "tag", "-a", "v1", "-m", "a tag", "HEAD~1")
    (folder / "locks/ml.lock").write_bytes(b"not committed\n")
    return folder


def revision(folder: Path, name: str = "HEAD") -> Revision:
    return Git(folder, GIT).revision(name)


def test_a_file_is_read_as_committed(folder: Path) -> None:
    """From a folder below the repository's, byte for byte, an annotated tag's commit too."""
    assert revision(folder).read("locks/ml.lock") == b"new\n"
    for name in ("HEAD~1", "v1", "main^"):
        assert revision(folder, name).read("locks/ml.lock") == b"old\r\n\xff"


def test_what_is_not_there_is_none(folder: Path) -> None:
    assert revision(folder).read("locks/gpu.lock") is None
    assert revision(folder).read("locks") is None
    assert revision(folder).files("profiles") == ()
    assert revision(folder).files("locks") == ("locks/ml.lock",)


@pytest.mark.parametrize("name", ["nowhere", "-x", "--all", "HEAD:bases/locks", "HEAD~9", ""])
def test_no_revision(folder: Path, name: str) -> None:
    with pytest.raises(UnknownRevisionError) as raised:
        revision(folder, name)

    assert repr(name) in raised.value.message


def test_no_repository(tmp_path: Path) -> None:
    ceiling = {**GIT, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    (tmp_path / "bases").mkdir()

    with pytest.raises(NoRepositoryError, match="not a git repository") as raised:
        Git(tmp_path / "bases", ceiling).revision("HEAD")

    assert "fatal" not in raised.value.message


def test_a_repository_without_commits_has_no_head(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    with pytest.raises(NoCommitError):
        revision(tmp_path)


def test_no_git(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NoGitError, match="No such file"):
        Git(folder, {"PATH": str(tmp_path)}).revision("HEAD")


def test_a_damaged_repository(folder: Path) -> None:
    found = revision(folder)
    for blob in (folder.parent / ".git/objects").glob("??/*"):
        blob.unlink()

    with pytest.raises(GitFailedError):
        found.read("locks/ml.lock")


def test_what_has_changed(folder: Path) -> None:
    """Paths are relative to the folder; a folder of nothing but new files stands for them."""
    git(folder, "checkout", "-q", "--", ".")
    (folder / "locks/same.lock").write_bytes(b"same\n")
    (folder.parent / "beside.txt").write_bytes(b"beside\n")
    git(folder, "add", "-A", "..")
    git(folder, "commit", "-q", "-m", "more")
    assert not revision(folder).changes().touch(".")

    (folder / "locks/same.lock").write_bytes(b"same\n")  # as it was, but git has to read it
    (folder / "locks/ml.lock").unlink()
    (folder.parent / "beside.txt").write_bytes(b"changed\n")
    (folder / "new/deep").mkdir(parents=True)
    (folder / "new/deep/file").write_bytes(b"")

    changes = revision(folder).changes()
    assert changes.tracked == {"locks/ml.lock", "../beside.txt"}
    assert changes.untracked == {"new/"}
    assert "new/deep/file" in changes
    assert "locks/same.lock" not in changes
    touched = [path for path in ("locks", "new", "new/deep", "apps", ".") if changes.touch(path)]
    assert touched == ["locks", "new", "new/deep", "."]


def test_asking_for_changes_writes_no_index(folder: Path) -> None:
    git(folder, "checkout", "-q", "--", ".")
    (folder / "locks/ml.lock").write_bytes(b"new\n")
    before = (folder.parent / ".git/index").read_bytes()

    assert revision(folder).changes().tracked == set()
    assert (folder.parent / ".git/index").read_bytes() == before


def test_entries_are_what_git_would_commit(folder: Path) -> None:
    git(folder, "checkout", "-q", "--", ".")
    (folder / "locks/run").write_bytes(b"#!/bin/sh\n")
    (folder / "locks/run").chmod(0o755)
    (folder / "locks/link").symlink_to("run")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")
    found = revision(folder)

    entries = found.entries(["."])
    assert set(entries) == {"locks/link", "locks/ml.lock", "locks/run"}
    assert all(found.entry(file) == entry for file, entry in entries.items())
    assert found.entries(["nowhere"]) == {}
    assert found.entry("locks") is found.entry("nowhere") is None
    assert found.content(entries["locks/link"]) == b"run"


def test_a_shallow_clone_is_told(folder: Path, tmp_path: Path) -> None:
    url = f"file://{folder.parent}"
    git(tmp_path, "clone", "-q", "--depth", "1", url, "shallow")

    with pytest.raises(ShallowCloneError, match="'HEAD~1'"):
        revision(tmp_path / "shallow", "HEAD~1")


def test_contents_are_read_by_one_git(folder: Path) -> None:
    found = revision(folder)
    entries = found.entries(["."])

    contents = found.contents(entries.values())

    assert contents == {one.object: found.content(one) for one in entries.values()}
    assert not found.contents([])


def test_an_object_that_is_not_there(folder: Path) -> None:
    with pytest.raises(GitFailedError, match="0" * 40):
        revision(folder).contents([Entry(0o100644, "0" * 40)])
