"""Locating takes locked files whatever their age, and whether or not their index tells one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_index import File, LoopbackIndex, loopback_index
from resolving import AMD64, World
from wheelmaker import make_wheel

from basestore.sources.locate import locate_wheels


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as running:
        running.files = [File.of(make_wheel("old")), File.of(make_wheel("ageless"))]
        yield running


@pytest.mark.parametrize("cool_down", ["2020-01-01", "1 week"])
def test_a_cool_down_doesnt_hide_what_is_locked(
    tmp_path: Path, index: LoopbackIndex, cool_down: str
) -> None:
    lock = World(tmp_path, index).lock("ageless", "old")
    index.files[1] = replace(index.files[1], uploaded="")
    careful = World(tmp_path / "careful", index, environ={"UV_EXCLUDE_NEWER": cool_down})

    wanted = {locked.sha256 for locked in lock.platform(AMD64).wheels}
    assert locate_wheels(careful.uv, (), lock.platforms, wanted).keys() == wanted
