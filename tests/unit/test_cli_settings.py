"""The machine's side of things, as commands read it."""

import pytest

from basestore.cli.settings import MirrorError, read_settings


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
