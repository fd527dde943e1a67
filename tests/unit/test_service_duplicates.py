"""What a service asks for without need: found, and taken out of the files that hold it."""

from pathlib import Path

import pytest
from locked_project import lock, make_project

from basestore.files import ChangedFileError
from basestore.pipeline.duplicates import duplicates, take_out
from basestore.profile.project import read_project

PROJECT = """
[services.svc]
base = "cpu"
requirements = ["redis", "demo", "torch>=1"]
requirements-files = ["app/requirements.txt"]
[services.other]
base = "cpu"
requirements-files = ["app/shared.txt"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_project(tmp_path)
    (tmp_path / "basestore.toml").write_text(PROJECT)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "requirements.txt").write_text(
        "# what we need\nhttpx[http2]\norjson ; python_version > '3'\nfresh==2\n-r shared.txt\n"
    )
    (tmp_path / "app" / "shared.txt").write_text("httpx\n")
    for name in ("runtime", "cpu"):
        lock(tmp_path, name)
    return tmp_path


def places(root: Path, name: str = "svc") -> list[tuple[str, str]]:
    return [(one.name, str(one.place)) for one in duplicates(read_project(root), name)]


def test_what_the_base_has_is_named_with_its_place(root: Path) -> None:
    """But for an extra, which may bring more."""
    assert places(root) == [
        ("httpx", "app/shared.txt:1"),
        ("orjson", "app/requirements.txt:3"),
        ("redis", "basestore.toml:4"),
        ("torch", "basestore.toml:4"),
    ]
    assert str(duplicates(read_project(root), "svc")[2]) == (
        "basestore.toml:4: redis is in its base cpu already, as 1"
    )


def test_what_the_base_contradicts_is_no_duplicate(root: Path) -> None:
    text = PROJECT.replace("torch>=1", "torch>=2")
    (root / "basestore.toml").write_text(text)
    assert ("torch", "basestore.toml:4") not in places(root)


def test_of_two_requirements_on_a_line_the_duplicate_goes(root: Path) -> None:
    text = PROJECT.replace('"redis", ', '"redis", "redis[hiredis]", ')
    (root / "basestore.toml").write_text(text)
    project = read_project(root)

    take_out(project, duplicates(project, "svc"))

    assert 'requirements = ["redis[hiredis]", "demo"]' in (root / "basestore.toml").read_text()


def test_a_file_that_changed_since_is_left(root: Path) -> None:
    """A line that was put before them moves them all."""
    project = read_project(root)
    found = duplicates(project, "svc")
    file = root / "app" / "requirements.txt"
    file.write_text(f"urgent==1\n{file.read_text()}")
    before = file.read_bytes()

    with pytest.raises(ChangedFileError, match="requirements"):
        take_out(project, found)

    assert file.read_bytes() == before
    assert (root / "basestore.toml").read_text() == PROJECT


def test_profiles_have_none(root: Path) -> None:
    assert duplicates(read_project(root), "cpu") == ()


def test_they_are_taken_out_but_of_files_that_others_read(root: Path) -> None:
    project = read_project(root)

    changed = take_out(project, duplicates(project, "svc"))

    assert sorted(changed) == ["app/requirements.txt", "basestore.toml"]
    assert (root / "basestore.toml").read_text() == PROJECT.replace(
        '["redis", "demo", "torch>=1"]', '["demo"]'
    )
    assert (root / "app" / "requirements.txt").read_text() == (
        "# what we need\nhttpx[http2]\nfresh==2\n-r shared.txt\n"
    )
    assert (root / "app" / "shared.txt").read_text() == "httpx\n"
    assert places(root) == [("httpx", "app/shared.txt:1")]
