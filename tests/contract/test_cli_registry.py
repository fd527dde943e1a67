"""``verify --registry`` in a project that has a profile which reads as a host."""

from pathlib import Path

import pytest
from commandline import CommandLine

PROFILE = """python = "3.11"
platforms = ["linux/amd64"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""


@pytest.fixture
def basestore(tmp_path: Path) -> CommandLine:
    (tmp_path / "profiles").mkdir()
    for name in ("base", "base.v2"):
        (tmp_path / "profiles" / f"{name}.toml").write_text(PROFILE)
    return CommandLine(tmp_path)


@pytest.mark.parametrize("words", [["--registry", "base.v2"], ["base.v2", "--registry"]])
def test_a_profile_is_no_registry(basestore: CommandLine, words: list[str]) -> None:
    found = basestore("verify", "--json", *words).expect(3).json["profiles"]

    assert [one["profile"] for one in found] == ["base.v2"]


@pytest.mark.parametrize("words", [["--registry=base.v2"], ["--registry", "base.v3"]])
def test_what_is_a_registry(basestore: CommandLine, words: list[str]) -> None:
    found = basestore("verify", "--json", *words).expect(3).json["profiles"]

    assert [one["profile"] for one in found] == ["base", "base.v2"]


def test_outside_of_a_project(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("verify", "--registry", "base.v2").expect(2)

    assert "hint: " in done.err
