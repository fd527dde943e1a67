"""The machine's side of things, as commands read it."""

import os
from pathlib import Path

import pytest

from basestore.cli.settings import ConfigError, MirrorError, NoHomeError, read_settings


@pytest.mark.parametrize(
    "url", ["http://[host/", "https://me:canary@host:port/", "canary", "host/path", "ftp://host/"]
)
def test_a_mirror_that_is_no_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BASESTORE_MIRROR_PYTORCH_CPU", url)

    with pytest.raises(MirrorError, match="the mirror of pytorch-cpu is no URL") as caught:
        read_settings()
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASESTORE_MIRROR_DEFAULT", "file:///srv/wheels")

    assert read_settings().mirrors["default"] == "file:///srv/wheels"


def test_nobody_knows_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    unknown = 54321
    monkeypatch.setattr(os, "getuid", lambda: unknown)

    with pytest.raises(NoHomeError, match="54321") as caught:
        read_settings()
    assert "HOME" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (None, "config.toml: can't be read: Is a directory", "[mirrors]"),
        ("[mirors]\n", "config.toml: unknown key 'mirors'", "did you mean 'mirrors'?"),
        ("[mirrors\n", "config.toml: not valid TOML: ", "[mirrors]"),
        (f"a = {'9' * 5000}\n", "config.toml: not valid TOML: ", "[mirrors]"),
        (f"a = {'[' * 5000}\n", "config.toml: nested too deeply", "[mirrors]"),
    ],
)
def test_a_user_configuration_that_can_not_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, message: str, hint: str
) -> None:
    file = tmp_path / "basestore/config.toml"
    file.parent.mkdir()
    if text is None:
        file.mkdir()
    else:
        file.write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert f"{tmp_path}/basestore/{message}" in caught.value.message
    assert caught.value.message.count("config.toml") == 1
    assert hint in caught.value.hint
