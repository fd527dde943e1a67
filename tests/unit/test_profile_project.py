"""Projects: where they begin and what ``basestore.toml`` says."""

from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.profile.document import DocumentError
from basestore.profile.model import Project
from basestore.profile.names import PlainNameError
from basestore.profile.project import (
    MisnamedProfileError,
    NoProfilesError,
    NoProjectError,
    UnknownProfileError,
    chosen_profiles,
    find_root,
    profile_names,
    read_project,
)


def test_the_nearest_folder_upwards_is_the_root(tmp_path: Path) -> None:
    inner = tmp_path / "team" / "apps" / "one"
    inner.mkdir(parents=True)
    (tmp_path / "profiles").mkdir()
    assert find_root(inner) == tmp_path
    (tmp_path / "team" / "basestore.toml").touch()
    assert find_root(inner) == tmp_path / "team"


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError) as caught:
        find_root(tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    project = read_project(tmp_path)
    assert project == Project(tmp_path)
    assert project.image("ml") == "base-ml"


def test_all_keys(tmp_path: Path) -> None:
    text = """
registry = "registry.example.com:5000/team"
image-name = "team/{profile}-base"
[policy]
forbid = ["pytest", "NVIDIA_*", "pytest"]
"""
    (tmp_path / "basestore.toml").write_text(text)
    project = read_project(tmp_path)
    assert project.registry == "registry.example.com:5000/team"
    assert project.image("ml") == "team/ml-base"
    assert project.policy.forbidden == ("nvidia-*", "pytest")
    said = b'{"policy":{"forbid":["pytest","NVIDIA_*","pytest"]}}'
    assert project.said_of("ml") == Digest.of(said)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('regisrty = "x"', "basestore.toml:1: regisrty: unknown key"),
        ("registry = 1", "basestore.toml:1: registry: an integer, not a string"),
        (
            'registry = "https://a.b/c"',
            "basestore.toml:1: registry: 'https://a.b/c' is no registry",
        ),
        ('registry = "team/base"', "basestore.toml:1: registry: 'team/base' is no registry"),
        ('registry = "u:secret@a.b"', "basestore.toml:1: registry: holds a credential"),
        ('image-name = "base"', "basestore.toml:1: image-name: 'base' is no name for images"),
        ('image-name = "B-{profile}"', "basestore.toml:1: image-name: 'B-{profile}' is no name"),
        ("[policy]\nallowed = []", "basestore.toml:2: policy.allowed: unknown key"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "basestore.toml").write_text(text)
    with pytest.raises(DocumentError) as caught:
        read_project(tmp_path)
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "basestore.toml").mkdir()
    with pytest.raises(DocumentError, match=r"^basestore\.toml: can't be read: "):
        read_project(tmp_path)


def test_names_of_profiles(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    for name in ("ml.toml", "cpu.toml", ".ml.toml", "base.txt"):
        (tmp_path / "profiles" / name).touch()
    project = Project(tmp_path)
    assert profile_names(project) == ("cpu", "ml")
    assert chosen_profiles(project, ()) == ("cpu", "ml")
    assert chosen_profiles(project, ("ml", "ml")) == ("ml",)
    with pytest.raises(UnknownProfileError):
        chosen_profiles(project, ("nl",))
    with pytest.raises(PlainNameError):
        chosen_profiles(project, ("../ml",))
    (tmp_path / "profiles" / "My Base.toml").touch()
    with pytest.raises(MisnamedProfileError, match=r"^profiles/My Base\.toml: 'My Base'") as caught:
        profile_names(project)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_all_profiles_of_a_project_without_any_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "basestore.toml").touch()
    with pytest.raises(NoProfilesError) as caught:
        chosen_profiles(read_project(tmp_path), ())
    assert caught.value.exit_code is ExitCode.USAGE
    assert str(tmp_path) in caught.value.message
