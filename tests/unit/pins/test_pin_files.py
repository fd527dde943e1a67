"""Which files patterns match."""

import os
from pathlib import Path

import pytest

from basestore.errors import InputError
from basestore.files import edit_files
from basestore.pipeline.pin_files import OutsideError, read_files
from basestore.profile.pins import Pins
from basestore.profile.project import read_project

FILES = (
    "Dockerfile",
    "a/Dockerfile",
    "a/b/c.yaml",
    "a/b/.env",
    "a/c.yaml",
    ".git/c.yaml",
    "d/x.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_bytes(name.encode())
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("Dockerfile", ["Dockerfile"]),
        ("*/Dockerfile", ["a/Dockerfile"]),
        ("**/Dockerfile", ["Dockerfile", "a/Dockerfile"]),
        ("a/**/*.yaml", ["a/b/c.yaml", "a/c.yaml"]),
        ("**/**/c.yaml", ["a/b/c.yaml", "a/c.yaml"]),
        ("a/b/**", ["a/b/.env", "a/b/c.yaml"]),
        ("./a/./c.yaml", ["a/c.yaml"]),
        ("[ad]/?.*", ["a/c.yaml", "d/x.py"]),
        ("**", sorted(set(FILES) - {".git/c.yaml"})),
        ("A/dockerfile", []),
        ("a", []),
        ("d/x.py/y", []),
        ("*.md", []),
    ],
)
def test_patterns(root: Path, pattern: str, files: list[str]) -> None:
    found = read_files(root, [pattern])

    assert list(found.contents) == files
    assert found.unmatched == (() if files else (pattern,))
    assert all(data == file.encode() for file, data in found.contents.items())


def test_a_link_in_the_project_is_the_file_it_leads_to(root: Path) -> None:
    (root / "d/link.yaml").symlink_to("../a/c.yaml")
    (root / "e").symlink_to("a")
    (root.parent / "elsewhere").symlink_to(root)

    found = read_files(root.parent / "elsewhere", ["d/*.yaml", "e/*.yaml", "**/c.yaml"])

    assert list(found.contents) == ["a/b/c.yaml", "a/c.yaml"]


@pytest.mark.parametrize("link", ["a/out.yaml", "out"])
def test_a_link_out_of_the_project(root: Path, link: str) -> None:
    outside = root.parent / "project-b"
    outside.mkdir()
    (outside / "x.yaml").write_text("")
    (root / link).symlink_to(outside / "x.yaml" if link.endswith(".yaml") else outside)

    with pytest.raises(OutsideError, match="outside of the project"):
        read_files(root, ["*/*.yaml"])


def test_folders_that_link_to_each_other(root: Path) -> None:
    (root / "a/b/again").symlink_to(root)

    assert "a/c.yaml" in read_files(root, ["**/*.yaml"]).contents


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('files = "x"', "basestore.toml:2: pins.files: a string, not an array"),
        ('files = ["../x"]', "'../x' is no path in the project"),
        ('files = ["/x"]', "'/x' is no path in the project"),
        ('files = [""]', "'' is no path in the project"),
        ('alias = ["x"]', "pins.alias: unknown key"),
        ('aliases = ["x:1"]', "pins.aliases[0]: 'x:1' is no image name"),
        ('aliases = ["https://x/y"]', "is no image name"),
        ('aliases = ["me:secret@x.example.com/y"]', "pins.aliases[0]: 'x.example.com/y' is no"),
        ('aliases = ["X"]', "is no image name"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "basestore.toml").write_text(f"[pins]\n{text}\n")

    with pytest.raises(InputError) as caught:
        read_project(tmp_path)

    assert message in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


def test_what_is_read(tmp_path: Path) -> None:
    assert read_project(tmp_path).pins == Pins()
    (tmp_path / "basestore.toml").write_text(
        '[pins]\nfiles = ["a/*"]\naliases = ["localhost:5000/base-ml", "team/base-ml", "base-ml"]\n'
    )

    assert read_project(tmp_path).pins == Pins(
        ("a/*",), ("localhost:5000/base-ml", "team/base-ml", "base-ml")
    )


def test_a_file_keeps_its_mode(root: Path) -> None:
    (root / "Dockerfile").chmod(0o640)
    (root / "d/x.py").chmod(0o755)

    new = {"Dockerfile": b"1", "d/x.py": b"2"}
    edit_files({root / name: ((root / name).read_bytes(), data) for name, data in new.items()})

    modes = [os.stat(root / name).st_mode & 0o777 for name in ("Dockerfile", "d/x.py")]
    assert modes == [0o640, 0o755]
    assert (root / "d/x.py").read_bytes() == b"2"
