"""A locked project, made once a worker, and a copy of it for each test."""

import shutil
from pathlib import Path

import pytest
from clicases import command_line_on, make_locked_project
from commandline import CommandLine


@pytest.fixture(scope="session")
def locked_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tests only read it."""
    folder = tmp_path_factory.mktemp("cli") / "project"
    make_locked_project(folder)
    return folder


@pytest.fixture(scope="session")
def template(locked_project: Path) -> Path:
    """What `root` is a copy of; modules have their own."""
    return locked_project


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """A project of the test's own."""
    return shutil.copytree(template, tmp_path / "project", symlinks=True)


@pytest.fixture
def basestore(root: Path) -> CommandLine:
    """The command line on it, where no index answers."""
    return command_line_on(root)
