"""The line that made a lock stale."""

from pathlib import Path

import pytest
from locked_project import edit, make_project

from basestore.lock.blame import blame
from basestore.lock.files import read_lock, read_origin
from basestore.lock.freshness import check
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two locked profiles, one the other's parent."""
    make_project(tmp_path)
    return tmp_path


def blamed(root: Path, name: str) -> list[str]:
    """What is to blame, in words."""
    project = read_project(root)
    lock, origin = read_lock(project, name)[0], read_origin(project, name)
    assert origin
    freshness = check(project, name)
    return [str(o) for o in blame(project, read_profile(project, name), lock, origin, freshness)]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("base.txt", "orjson", "orjson\n\nrich>=9", ["profiles/base.txt:3: rich>=9 was added"]),
        ("base.txt", "orjson\n", "", ["profiles/base.txt:1: orjson was removed"]),
        (
            "runtime.toml",
            '"redis", "httpx"',
            '"redis",\n"uvicorn"',
            [
                "profiles/runtime.toml:4: uvicorn was added",
                "profiles/runtime.toml:3: httpx was removed",
            ],
        ),
        (
            "runtime.toml",
            '"redis", "httpx"',
            '"redis",\n"httpx<1"',
            ["profiles/runtime.toml:4: httpx<1 was changed, and 1 is locked"],
        ),
        (
            "runtime.toml",
            '"httpx"',
            '"httpx<2"',
            ["requirements were changed in profiles/runtime.toml"],
        ),
        (
            "base.txt",
            "orjson",
            "orjson>=2",
            ["profiles/base.txt:1: orjson>=2 was changed, and 1 is locked"],
        ),
        (
            "runtime.toml",
            "bookworm",
            "trixie",
            ["profiles/runtime.toml:5: `foundation` was changed"],
        ),
        (
            "runtime.toml",
            '["linux/amd64"]',
            '["linux/arm64"]',
            ["profiles/runtime.toml:2: `platforms` was changed"],
        ),
        (
            "runtime.toml",
            "[foundation]",
            '[indexes.own]\nurl = "https://w.example/"\npackages = ["redis"]\n[foundation]',
            ["profiles/runtime.toml:5: `indexes` was changed"],
        ),
    ],
)
def test_edits(root: Path, file: str, old: str, new: str, expected: list[str]) -> None:
    edit(root / "profiles" / file, old, new)

    assert blamed(root, "runtime") == expected


def test_what_made_the_parent_stale_is_not_told_again(root: Path) -> None:
    edit(root / "profiles/runtime.toml", "bookworm", "trixie")
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')

    assert blamed(root, "cpu") == [
        "its parent is stale: runtime",
        "profiles/cpu.toml:2: rich was added",
    ]
