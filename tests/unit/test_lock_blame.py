"""The line that made a lock stale."""

from dataclasses import replace
from pathlib import Path

import pytest
from locked_project import edit, lock, make_project

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


def blamed(root: Path, name: str, **changes: object) -> list[str]:
    """What is to blame, in words; ``changes``: of the origin."""
    project = read_project(root)
    found, origin = read_lock(project, name)[0], read_origin(project, name)
    assert origin
    origin = replace(origin, **changes)
    freshness = check(project, name)
    return [str(o) for o in blame(project, read_profile(project, name), found, origin, freshness)]


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
            ['profiles/runtime.toml:4: was "httpx", now "httpx<1", and 1 is locked'],
        ),
        (
            "runtime.toml",
            '"httpx"',
            '"httpx<2"',
            ['profiles/runtime.toml:3: was "httpx", now "httpx<2"'],
        ),
        (
            "base.txt",
            "orjson",
            "orjson>=2",
            ['profiles/base.txt:1: was "orjson", now "orjson>=2", and 1 is locked'],
        ),
        (
            "base.txt",
            "orjson",
            "# moved\norjson\norjson<3\n",
            ["profiles/base.txt:3: orjson<3 was added"],
        ),
        (
            "runtime.toml",
            '"redis", "httpx"',
            '"rich", "httpx<2", "redis"',
            [
                "profiles/runtime.toml:3: rich was added",
                'profiles/runtime.toml:3: was "httpx", now "httpx<2"',
            ],
        ),
        (
            "base.txt",
            "orjson",
            f"orjson --hash=sha256:{'0' * 64}",
            ["hashes were changed in profiles/base.txt"],
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


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ('"httpx<1"', "profiles/runtime.toml:3: httpx<1 was changed, and 1 is locked"),
        ('"httpx<2"', "requirements were changed in profiles/runtime.toml"),
    ],
)
def test_an_origin_of_before_texts_were_noted(root: Path, new: str, expected: str) -> None:
    edit(root / "profiles/runtime.toml", '"httpx"', new)

    assert blamed(root, "runtime", stated={}) == [expected]


def test_constraints(root: Path) -> None:
    edit(root / "profiles/runtime.toml", "[foundation]", 'constraints-files = ["c"]\n[foundation]')
    (root / "profiles/c").write_text("starlette<1\nidna\n")
    assert blamed(root, "runtime") == [
        "profiles/c:2: idna was added",
        "profiles/c:1: starlette<1 was added",
    ]

    lock(root, "runtime")
    (root / "profiles/c").write_text("\nstarlette<2\n")
    assert blamed(root, "runtime") == [
        'profiles/c:2: was "starlette<1", now "starlette<2"',
        "profiles/c:2: idna was removed",
    ]
    assert blamed(root, "runtime", stated={}, bounds={}) == [
        "constraints were changed in profiles/c"
    ]


def test_exceptions_from_record(root: Path) -> None:
    file = root / "profiles/runtime.toml"
    edit(file, "[foundation]", '[record-exceptions]\nredis = "a"\nhttpx = "b"\n[foundation]')
    assert blamed(root, "runtime") == [
        "profiles/runtime.toml:7: the exception of httpx from its RECORD was added",
        "profiles/runtime.toml:6: the exception of redis from its RECORD was added",
    ]

    lock(root, "runtime")
    assert check(read_project(root), "runtime").fresh
    edit(file, 'redis = "a"\nhttpx = "b"', 'httpx = "c"')
    assert blamed(root, "runtime") == [
        "profiles/runtime.toml:6: the exception of httpx from its RECORD has another reason now",
        "profiles/runtime.toml:5: the exception of redis from its RECORD was removed",
    ]

    edit(file, '[record-exceptions]\nhttpx = "c"\n', "")
    assert blamed(root, "runtime") == [
        "the exception of httpx from its RECORD was removed",
        "the exception of redis from its RECORD was removed",
    ]


def test_one_of_two_that_ask_for_a_package(root: Path) -> None:
    edit(root / "profiles/base.txt", "orjson", "orjson\nredis<9\n")
    lock(root, "runtime")
    edit(root / "profiles/base.txt", "redis<9\n", "")

    assert blamed(root, "runtime") == ["profiles/base.txt:2: redis<9 was removed"]


def test_what_made_the_parent_stale_is_not_told_again(root: Path) -> None:
    edit(root / "profiles/runtime.toml", "bookworm", "trixie")
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')

    assert blamed(root, "cpu") == [
        "its parent is stale: runtime",
        "profiles/cpu.toml:2: rich was added",
    ]
