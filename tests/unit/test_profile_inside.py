"""Where a file of the project lies: links within it are followed, and nothing is written beyond."""

from pathlib import Path

import pytest

from basestore.errors import ExitCode
from basestore.profile.inside import LeadsOutError, OneFileError, real_path, real_paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("project/locks", "project/.git", "project/app", "project-b", "out"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("link", "target", "file", "real"),
    [
        ("", "", "locks/a.lock", "locks/a.lock"),
        ("", "", "new/folder/file", "new/folder/file"),
        ("locks/a.lock", "../app/b", "locks/a.lock", "app/b"),
        ("locks/a.lock", "nothing", "locks/a.lock", "locks/nothing"),
        ("l", "app", "l/x/y", "app/x/y"),
        ("l", "../project/app", "l/x", "app/x"),
        ("l", ".gitignored", "l", ".gitignored"),
    ],
)
def test_within(root: Path, link: str, target: str, file: str, real: str) -> None:
    if link:
        (root / link).symlink_to(target)
    (root.parent / "elsewhere").symlink_to(root)

    assert real_path(root, file) == root.resolve() / real
    assert real_path(root.parent / "elsewhere", file) == root.resolve() / real


@pytest.mark.parametrize(
    ("link", "target", "file"),
    [
        ("l", "..", "l/x"),
        ("l", "../out", "l/x/y"),
        ("l", "../out/x", "l"),
        ("l", "../nothing", "l/x"),
        ("l", "../project-b", "l/x"),
        ("l", "/etc", "l/x"),
        ("l", ".", "l"),
        ("l", ".git", "l/hooks/x"),
        ("l", ".git/config", "l"),
        ("l", "l", "../out/x"),
        ("app/l", "../../out", "app/l/x"),
        ("app/l", "../m", "app/l/x"),
    ],
)
def test_beyond(root: Path, link: str, target: str, file: str) -> None:
    (root / "m").symlink_to("../out")
    (root / link).symlink_to(target)

    with pytest.raises(LeadsOutError) as caught:
        real_path(root, file)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert caught.value.message.startswith(f"{file} can't be written")


def test_two_names_of_one_file(root: Path) -> None:
    (root / "locks/a.lock").symlink_to("a.origin.toml")

    with pytest.raises(OneFileError) as caught:
        real_paths(root, ["locks/a.lock", "locks/a.origin.toml"])
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert real_paths(root, ["locks/b", "locks/c"]) == {
        "locks/b": root.resolve() / "locks/b",
        "locks/c": root.resolve() / "locks/c",
    }
