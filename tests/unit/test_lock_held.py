"""Locks held to their profiles: single changes that a pull request could hold; harmless ones."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from held_project import (
    AMD64,
    ARM64,
    NAMES,
    Draft,
    HeldProject,
    digest_of,
    file_of,
    make_held_project,
    wheel,
)

from basestore.digest import Digest
from basestore.lock.inputs import Part
from basestore.lock.model import Deb, Replaced
from basestore.lock.policy import PolicyHitError
from basestore.profile.model import Profile


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, written once."""
    folder = tmp_path_factory.mktemp("held")
    make_held_project(folder)
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Iterator[HeldProject]:
    """The project, to be changed."""
    shutil.copytree(template, tmp_path / "project")
    return HeldProject(tmp_path / "project")


FRESH: dict[str, list[str]] = {name: [] for name in NAMES}


def test_the_project_holds(project: HeldProject) -> None:
    assert {name: project.reasons(name) for name in NAMES} == FRESH


Change = Callable[[Draft], object]


def short(reason: str, profile: Profile) -> str:
    """A reason with words for the files that most are about."""
    name = profile.name
    files = {f"locks/{name}.lock": "LOCK", f"locks/{name}.origin.toml": "ORIGIN"}
    for file, word in {**files, profile.file: "FILE"}.items():
        reason = reason.replace(file, word)
    return reason


def deb(name: str, version: str = "1") -> Deb:
    """A .deb for all architectures."""
    return Deb(name, version, "all", 9, Digest.of(name.encode()))


def image(**fields: object) -> Change:
    """A change of [image]."""

    def change(draft: Draft) -> None:
        draft.lock = replace(draft.lock, image=replace(draft.lock.image, **fields))

    return change


def lock(**fields: object) -> Change:
    """A change of a lock's own keys."""

    def change(draft: Draft) -> None:
        draft.lock = replace(draft.lock, **fields)

    return change


def part(**fields: object) -> Change:
    """A change of every platform's keys."""
    return lambda draft: draft.parts(lambda one: replace(one, **fields))


def row(name: str, **fields: object) -> Change:
    """A change of a wheel's row."""
    return lambda draft: draft.wheels(
        lambda wheels: (replace(one, **fields) if one.name == name else one for one in wheels)
    )


def deb_row(name: str, **fields: object) -> Change:
    """A change of a .deb's row."""
    return lambda draft: draft.debs(
        lambda debs: (replace(one, **fields) if one.name == name else one for one in debs)
    )


def only_on(platform: object, change: Change) -> Change:
    """A change of one platform's part."""

    def changed(draft: Draft) -> None:
        before = {one.platform: one for one in draft.lock.platforms}
        change(draft)
        draft.parts(lambda one: one if one.platform == platform else before[one.platform])

    return changed


def told(**fields: object) -> Change:
    """A change of the origin's own keys."""

    def change(draft: Draft) -> None:
        draft.origin = replace(draft.origin, **fields)

    return change


def _unknown_inputs(draft: Draft) -> None:
    draft.origin = replace(
        draft.origin, head=replace(draft.origin.head, inputs=Digest.of(b"others"))
    )


def _other_direct(draft: Draft) -> None:
    draft.origin = replace(draft.origin, direct={**draft.origin.direct, "evil": ()})


def _other_stated(draft: Draft) -> None:
    texts = dict.fromkeys(draft.origin.stated, ("redis==4.0.0",))
    draft.origin = replace(draft.origin, stated=texts)


def _no_arm(draft: Draft) -> None:
    draft.lock = replace(draft.lock, platforms=draft.lock.platforms[:1])


def _kept_as_own(draft: Draft) -> None:
    draft.wheels(
        lambda wheels: (
            wheel("anyio", "4.4.0", "ml") if one.name == "anyio" else one for one in wheels
        )
    )


def _not_replaced(draft: Draft) -> None:
    draft.parts(lambda one: replace(one, replaced=()))


def _more_replaced(draft: Draft) -> None:
    row = Replaced("torch", 9, "base")
    draft.parts(lambda one: replace(one, replaced=(*one.replaced, row)))


def _without_libc(draft: Draft) -> None:
    draft.drop_deb("libc6")


def _stranger_deb(draft: Draft) -> None:
    draft.debs(lambda debs: (*debs, deb("netcat")))
    draft.say_of_deb("netcat")


def _needless_stranger(draft: Draft) -> None:
    _stranger_deb(draft)
    draft.say_of_deb("netcat", requires=("mawk",))


OTHER = digest_of("another file")
SHINY = "shiny-2.0-py3-none-any.whl"

UNHELD: list[tuple[str, Change, str]] = [
    # What is asked for.
    (
        "base",
        lambda d: d.drop("fastapi"),
        "FILE:4 asks for fastapi>=0.100, and LOCK has no fastapi",
    ),
    (
        "base",
        only_on(ARM64, lambda d: d.drop("tool")),
        "FILE:8 asks for tool, and LOCK has no tool on linux/arm64",
    ),
    (
        "base",
        only_on(AMD64, lambda d: d.drop("orjson")),
        (
            'FILE:6 asks for orjson>=3; platform_machine == "x86_64", and '
            "LOCK has no orjson on linux/amd64"
        ),
    ),
    (
        "base",
        only_on(ARM64, lambda d: d.put(wheel("orjson", "3.10"))),
        "LOCK has orjson 3.10, and nothing asks for it on linux/arm64",
    ),
    (
        "base",
        lambda d: d.put(wheel("fastapi", "0.99.0")),
        "LOCK has fastapi 0.99.0, and FILE:4 asks for fastapi>=0.100",
    ),
    (
        "base",
        only_on(ARM64, lambda d: d.put(wheel("redis", "4.0.0"))),
        ("LOCK has redis 4.0.0, and FILE:7 asks for redis==5.0.0 on linux/arm64"),
    ),
    (
        "base",
        lambda d: d.put(wheel("redis", "5.0.0.post1")),
        "LOCK has redis 5.0.0.post1, and FILE:7 asks for redis==5.0.0",
    ),
    (
        "base",
        lambda d: d.put(wheel("uvicorn", "1.0rc1")),
        ("LOCK has uvicorn 1.0rc1, and FILE:5 asks for uvicorn[standard]<1,>=0.30"),
    ),
    (
        "base",
        lambda d: d.put(wheel("anyio", "5.0")),
        "LOCK has anyio 5.0, and profiles/bounds.txt:1 allows anyio<5",
    ),
    (
        "base",
        only_on(AMD64, row("numpy", sha256=OTHER)),
        (
            "LOCK has numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl with another SHA-256 "
            "than profiles/pinned.txt:1 asks for on linux/amd64"
        ),
    ),
    (
        "base",
        lambda d: d.say("uvicorn", extras=()),
        (
            "FILE:5 asks for uvicorn[standard]<1,>=0.30, and ORIGIN doesn't have uvicorn "
            "with standard"
        ),
    ),
    (
        "ml",
        lambda d: d.put(wheel("torch", "2.12.0+cpu", "ml")),
        "LOCK has torch 2.12.0+cpu, and FILE:4 asks for torch==2.13.0",
    ),
    (
        "ml",
        lambda d: d.put(wheel("shiny", "2.0", "ml")),
        f"LOCK has {SHINY}, and FILE:4 asks for shiny-1.0-py3-none-any.whl",
    ),
    (
        "ml",
        lambda d: d.put(wheel("anyio", "4.4.1", "ml")),
        "LOCK has anyio 4.4.1, and FILE:4 asks for anyio<5,>=4.5",
    ),
    (
        "ml",
        lambda d: d.drop("shiny"),
        (
            "FILE:4 asks for shiny @ https://files.example/shiny-1.0-py3-none-any.whl, and "
            "LOCK has no shiny"
        ),
    ),
    (
        "api",
        lambda d: d.drop("itsdangerous"),
        "FILE:3 asks for itsdangerous>=2, and LOCK has no itsdangerous",
    ),
    (
        "api",
        lambda d: d.put(wheel("itsdangerous", "1.1", "api")),
        "LOCK has itsdangerous 1.1, and FILE:3 asks for itsdangerous>=2",
    ),
    # What nobody asks for.
    (
        "base",
        lambda d: d.put(wheel("miner", "1.0")),
        "LOCK has miner 1.0, and nothing asks for it",
    ),
    (
        "ml",
        lambda d: d.put(wheel("miner", "1.0", "ml")),
        "LOCK has miner 1.0, and nothing asks for it",
    ),
    (
        "api",
        lambda d: d.put(wheel("miner", "1.0", "api")),
        "LOCK has miner 1.0, and nothing asks for it",
    ),
    (
        "ml",
        lambda d: d.say("torch", requires=()),
        "LOCK has sympy 1.13, and nothing asks for it",
    ),
    (
        "base",
        lambda d: d.wheels(lambda wheels: (*wheels, wheel("miner", "1.0"))),
        "ORIGIN says nothing of miner",
    ),
    (
        "base",
        lambda d: d.say("ghost"),
        "ORIGIN tells of ghost, which LOCK doesn't have",
    ),
    (
        "base",
        lambda d: d.say("redis", requires=("ghost",)),
        "ORIGIN has redis require ghost, which LOCK doesn't have",
    ),
    (
        "base",
        lambda d: d.wheels(lambda wheels: (one for one in wheels if one.name != "anyio")),
        "ORIGIN has fastapi require anyio, which LOCK doesn't have",
    ),
    (
        "base",
        lambda d: d.say("tool", index="default"),
        ("ORIGIN has tool from default, and FILE names it for the index special"),
    ),
    # Rows.
    (
        "base",
        lambda d: d.put(
            wheel("httptools", "0.6", file="httptools-0.6-cp312-cp312-manylinux_2_17_x86_64.whl")
        ),
        (
            "LOCK has httptools-0.6-cp312-cp312-manylinux_2_17_x86_64.whl, which doesn't run "
            "with Python 3.11.2 and glibc 2.36"
        ),
    ),
    (
        "base",
        only_on(
            AMD64,
            lambda d: d.put(
                wheel("redis", "5.0.0", file="redis-5.0.0-py3-none-manylinux_2_39_x86_64.whl")
            ),
        ),
        (
            "LOCK has redis-5.0.0-py3-none-manylinux_2_39_x86_64.whl, which doesn't run with "
            "Python 3.11.2 and glibc 2.36 on linux/amd64"
        ),
    ),
    (
        "ml",
        row("fastapi", sha256=OTHER),
        ("LOCK has fastapi otherwise than locks/base.lock, and FILE doesn't replace it"),
    ),
    (
        "ml",
        lambda d: d.put(wheel("fastapi", "0.111.0", "ml")),
        ("LOCK has fastapi otherwise than locks/base.lock, and FILE doesn't replace it"),
    ),
    (
        "ml",
        lambda d: d.drop("tool"),
        ("LOCK has tool otherwise than locks/base.lock, and FILE doesn't replace it"),
    ),
    (
        "ml",
        lambda d: d.put(wheel("miner", "1.0", "base")),
        "LOCK has miner from base, and locks/base.lock has none",
    ),
    (
        "ml",
        _kept_as_own,
        "LOCK has the wheel of anyio as ml's, and it is that of locks/base.lock",
    ),
    (
        "ml",
        _not_replaced,
        ("LOCK has anyio of base otherwise as replaced than locks/base.lock and FILE say"),
    ),
    (
        "ml",
        _more_replaced,
        ("LOCK has torch of base otherwise as replaced than locks/base.lock and FILE say"),
    ),
    (
        "ml",
        lambda d: d.drop_deb("mawk"),
        "LOCK has the .deb mawk otherwise than locks/base.lock",
    ),
    (
        "ml",
        part(python="3.11.9"),
        "LOCK has python 3.11.9, and locks/base.lock 3.11.2",
    ),
    (
        "api",
        lambda d: d.put(wheel("redis", "5.1.0", "api")),
        "LOCK has redis, which its base has: locks/base.lock",
    ),
    (
        "api",
        part(glibc="2.37"),
        ("LOCK is for Python 3.11.2 and glibc 2.37, and locks/base.lock has 3.11.2 and 2.36"),
    ),
    # The foundation.
    (
        "base",
        lambda d: d.drop_deb("ca-certificates"),
        ("FILE names ca-certificates for the foundation, and LOCK has no .debs of it"),
    ),
    (
        "base",
        only_on(ARM64, lambda d: d.debs(lambda debs: (x for x in debs if x.name != "mawk"))),
        ("FILE names awk for the foundation, and LOCK has no .debs of it on linux/arm64"),
    ),
    (
        "base",
        _stranger_deb,
        "LOCK has the .deb netcat, and nothing in the foundation asks for it",
    ),
    (
        "base",
        _needless_stranger,
        "LOCK has the .deb netcat, and nothing in the foundation asks for it",
    ),
    (
        "base",
        lambda d: d.say_of_deb("ca-certificates", requires=()),
        "LOCK has the .deb openssl, and nothing in the foundation asks for it",
    ),
    (
        "base",
        lambda d: d.debs(lambda debs: (one for one in debs if one.name != "openssl")),
        ("ORIGIN has ca-certificates require openssl, which LOCK doesn't have"),
    ),
    (
        "base",
        lambda d: d.drop_deb("python3.11"),
        "LOCK has no python3.11 in its foundation",
    ),
    ("base", _without_libc, "LOCK has no libc6 in its foundation"),
    (
        "base",
        deb_row("python3.11", version="3.11.1-1"),
        "LOCK says python 3.11.2, and has the .deb python3.11 3.11.1-1",
    ),
    (
        "base",
        part(python="3.12.2"),
        "LOCK is for Python 3.12.2, and FILE for 3.11",
    ),
    (
        "base",
        part(glibc="2.41"),
        "LOCK says glibc 2.41, and has the .deb libc6 2.36-9+deb12u10",
    ),
    (
        "base",
        lambda d: d.say_of_deb("mawk", suite="sid"),
        "ORIGIN has mawk from sid, and FILE names bookworm",
    ),
    # Settings, family, platforms.
    (
        "base",
        image(user="root"),
        "LOCK has user of [image] otherwise than FILE",
    ),
    (
        "base",
        image(entrypoint=("sh", "-c", "run")),
        "LOCK has entrypoint of [image] otherwise than FILE",
    ),
    (
        "base",
        image(env=("LANG=C.UTF-8", "MODE=unsafe", "PATH=/tmp", "VIRTUAL_ENV=/opt/venv")),
        "LOCK has the variable MODE of [image] env otherwise than FILE",
    ),
    (
        "base",
        image(labels={"team": "data", "more": "1"}),
        "LOCK has the label more of [image] otherwise than FILE",
    ),
    (
        "api",
        image(ports=(8000, 22)),
        "LOCK has ports of [image] otherwise than FILE",
    ),
    (
        "base",
        lock(path_conflicts={}),
        ("LOCK has lib/python3.11/site-packages/shared.py of path-conflicts otherwise than FILE"),
    ),
    (
        "base",
        lock(record_exceptions={"redis": "because", "tool": "because"}),
        "LOCK has tool of record-exceptions otherwise than FILE",
    ),
    (
        "base",
        _no_arm,
        "LOCK has nothing for linux/arm64, which FILE names",
    ),
    (
        "ml",
        lambda d: d.parts(lambda one: replace(one, platform=ARM64, debs=())),
        "LOCK is for linux/arm64 too, which FILE doesn't name",
    ),
    (
        "ml",
        lock(lineage=("base", "crew", "ml")),
        "LOCK is of the family base -> crew -> ml, and the profile of base -> ml",
    ),
    # A team's lock.
    (
        "team",
        row("flask", sha256=OTHER),
        "LOCK has flask-3.0-py3-none-any.whl, and team/pylock.toml doesn't have it so",
    ),
    (
        "team",
        lambda d: d.put(wheel("flask", "2.9", "team")),
        "LOCK has flask-2.9-py3-none-any.whl, and team/pylock.toml doesn't have it so",
    ),
    (
        "team",
        lambda d: d.drop("blinker"),
        "team/pylock.toml selects blinker, and LOCK has none",
    ),
    (
        "team",
        lambda d: d.put(wheel("pytest", "8.0", "team")),
        "LOCK has pytest, which team/pylock.toml doesn't select",
    ),
    (
        "team",
        lambda d: d.put(wheel("miner", "1.0", "team")),
        "LOCK has miner, which team/pylock.toml doesn't select",
    ),
    (
        "crew",
        lambda d: d.put(wheel("rich", "12.0", "crew")),
        "LOCK has rich-12.0-py3-none-any.whl, and crew/uv.lock doesn't have it so",
    ),
    ("crew", lambda d: d.drop("six"), "crew/uv.lock selects six, and LOCK has none"),
    ("crew", lambda d: d.drop("httpx"), "crew/uv.lock selects httpx, and LOCK has none"),
    (
        "crew",
        lambda d: d.put(wheel("pytest", "8.0", "crew")),
        "LOCK has pytest, which crew/uv.lock doesn't select",
    ),
    (
        "crew",
        lambda d: d.put(wheel("colorama", "0.4", "crew")),
        "LOCK has colorama, which crew/uv.lock doesn't select",
    ),
    # What the origin says of profile and lock.
    (
        "base",
        _unknown_inputs,
        "ORIGIN has inputs otherwise than FILE and LOCK",
    ),
    (
        "base",
        _other_direct,
        "ORIGIN has direct otherwise than FILE and LOCK",
    ),
    (
        "base",
        _other_stated,
        "ORIGIN has stated otherwise than FILE and LOCK",
    ),
    (
        "base",
        told(bounds={}),
        "ORIGIN has bounds otherwise than FILE and LOCK",
    ),
    (
        "team",
        told(direct={}),
        "LOCK has flask 3.0, and nothing asks for it",
    ),
]


@pytest.mark.parametrize(("name", "change", "expected"), UNHELD)
def test_a_change_is_found(project: HeldProject, name: str, change: Change, expected: str) -> None:
    draft = project.draft(name)
    change(draft)
    project.save(name, draft)

    assert expected in [short(reason, project.profile(name)) for reason in project.reasons(name)]


def test_several_are_told_at_once(project: HeldProject) -> None:
    draft = project.draft("base")
    draft.drop("fastapi")
    draft.drop_deb("ca-certificates")
    draft.put(wheel("miner", "1.0"))
    draft.put(wheel("redis", "4.0.0"))
    image(user="root")(draft)
    project.save("base", draft)

    found = [short(reason, project.profile("base")) for reason in project.reasons("base")]
    assert found == [
        "LOCK has user of [image] otherwise than FILE",
        "LOCK has lib/python3.11/site-packages/shared.py of path-conflicts otherwise than FILE",
        "FILE names ca-certificates for the foundation, and LOCK has no .debs of it",
        "LOCK has the .deb openssl, and nothing in the foundation asks for it",
        "FILE:4 asks for fastapi>=0.100, and LOCK has no fastapi",
        "LOCK has redis 4.0.0, and FILE:7 asks for redis==5.0.0",
        "LOCK has anyio 4.4.0, and nothing asks for it",
        "LOCK has miner 1.0, and nothing asks for it",
    ]
    assert project.reasons("ml") == ["its parent is stale: base"]


PROFILE_CHANGES = [
    ("base", "profiles/base.toml", '"redis==5.0.0"', '"redis==6"', "asks for redis==6"),
    ("base", "profiles/base.toml", '"tool"', '"tool", "httpx"', "has no httpx"),
    ("base", "profiles/base.toml", '  "tool",\n', "", "has tool 1.0, and nothing asks for it"),
    ("base", "profiles/base.toml", "standard", "watch", "doesn't have uvicorn with watch"),
    ("base", "profiles/base.toml", "'x86_64'", "'aarch64'", "has orjson 3.10, and nothing asks"),
    ("base", "profiles/base.toml", '"awk"', '"gawk"', "names gawk for the foundation"),
    ("base", "profiles/base.toml", 'MODE = "safe"', 'MODE = "x"', "the variable MODE"),
    ("base", "profiles/base.toml", 'team = "data"', 'team = "ml"', "the label team"),
    ("base", "profiles/base.toml", "bookworm", "trixie", "names trixie"),
    ("base", "profiles/base.toml", 'python = "3.11"', 'python = "3.12"', "for 3.12"),
    (
        "base",
        "profiles/base.toml",
        '["redis", "fastapi"]',
        '["fastapi", "redis"]',
        "path-conflicts",
    ),
    ("base", "profiles/base.toml", "forgets a file", "lies", "redis of record-exceptions"),
    ("base", "profiles/base.toml", '["tool"]', '["tool", "redis"]', "has redis from default"),
    ("base", "profiles/bounds.txt", "anyio<5", "anyio<4", "allows anyio<4"),
    ("base", "profiles/pinned.txt", "numpy==2.1.0", "numpy==2.2", "asks for numpy==2.2"),
    ("ml", "profiles/ml.toml", "shiny-1.0", "shiny-1.1", "asks for shiny-1.1-py3-none-any.whl"),
    ("ml", "profiles/ml.toml", '["anyio"]', '["anyio", "redis"]', ""),
    ("ml", "profiles/ml.toml", '["anyio"]', '["anyio", "ghost"]', "has no ghost to replace"),
    ("ml", "profiles/ml.toml", "torch==2.13.0", "torch==2.14.0", "asks for torch==2.14.0"),
    ("team", "profiles/team.toml", '["fast"]', '["slow"]', "pylock.toml selects pytest"),
    ("crew", "profiles/crew.toml", '["web"]', '["test"]', "uv.lock selects pytest"),
    ("api", "basestore.toml", "itsdangerous>=2", "itsdangerous>=3", "asks for itsdangerous>=3"),
    ("api", "basestore.toml", '"redis>=5"', '"redis>=6"', "asks for redis>=6"),
    ("api", "basestore.toml", "8000", "80", "ports of [image]"),
]


@pytest.mark.parametrize(("name", "file", "old", "new", "expected"), PROFILE_CHANGES)
def test_a_profile_that_was_changed_with_its_origin_but_not_its_lock_is_found(
    project: HeldProject, name: str, file: str, old: str, new: str, expected: str
) -> None:
    project.edit(file, old, new)
    project.restate(name)
    reasons = project.reasons(name)

    assert expected in "; ".join(reasons)
    assert bool(reasons) is bool(expected)


def test_what_the_policy_forbids_is_refused_though_nothing_in_the_profile_has_changed(
    project: HeldProject,
) -> None:
    draft = project.draft("base")
    draft.put(wheel("evil-miner", "1.0"))
    draft.say("redis", requires=("evil-miner",))
    project.save("base", draft)

    with pytest.raises(PolicyHitError, match=r"evil-miner 1\.0 is forbidden as 'evil"):
        project.reasons("base")


@pytest.mark.parametrize("part", [one for one in Part if one is not Part.FORMAT])
def test_parts_that_are_others_are_changes(project: HeldProject, part: Part) -> None:
    draft = project.draft("base")
    told(parts={**draft.origin.parts, part: Digest.of(b"other")})(draft)
    project.save("base", draft)

    assert project.reasons("base") == [f"changed: {part.value}"]


HARMLESS = [
    ("profiles/base.toml", 'python = "3.11"', '# Ours.\npython = "3.11"'),
    ("profiles/base.toml", '  "fastapi>=0.100",\n', '\n\n  "fastapi>=0.100",\n'),
    ("profiles/base.toml", '  "redis==5.0.0",\n  "tool",\n', '  "tool",\n  "redis==5.0.0",\n'),
    ("profiles/base.toml", '"uvicorn[standard]>=0.30,<1"', '"Uvicorn [Standard] < 1, >= 0.30"'),
    ("profiles/base.toml", '["linux/amd64", "linux/arm64"]', '["linux/arm64", "linux/amd64"]'),
    (
        "profiles/base.toml",
        '["awk", "ca-certificates", "python3.11"]',
        '["python3.11", "awk", "ca-certificates", "awk"]',
    ),
    ("profiles/base.toml", 'user = "app"', 'user = "app"\nworkdir = "/"\ncmd = ["python"]'),
    ("profiles/base.toml", 'forbid = ["evil*"]', 'forbid = ["evil*", "worse"]'),
    ("profiles/base.toml", "special.example", "mirror.example"),
    ("profiles/base.toml", 'user = "app"\n', "user = 'app'\n"),
    ("profiles/pinned.txt", "numpy==2.1.0", "# numbers\nnumpy == 2.1.0"),
    ("profiles/bounds.txt", "anyio<5", "anyio <5   # until ours is ready"),
    ("profiles/ml.toml", 'replaces = ["anyio"]', 'replaces = ["AnyIO"]'),
    ("basestore.toml", "[services.api]", "# The team's.\n[services.api]"),
    ("basestore.toml", '"itsdangerous>=2", "redis>=5"', '"redis>=5", "itsdangerous>=2"'),
    ("basestore.toml", "port = 8000", "port = 8_000"),
]


@pytest.mark.parametrize(("file", "old", "new"), HARMLESS)
def test_what_changes_nothing_raises_no_alarm(
    project: HeldProject, file: str, old: str, new: str
) -> None:
    project.edit(file, old, new)

    assert {name: project.reasons(name) for name in NAMES} == FRESH
    for name in NAMES:  # and so where `lock` has noted it
        project.restate(name)
    assert {name: project.reasons(name) for name in NAMES} == FRESH


def test_a_file_of_requirements_may_be_called_otherwise(project: HeldProject) -> None:
    (project.root / "profiles/pinned.txt").rename(project.root / "profiles/exact.txt")
    project.edit("profiles/base.toml", "pinned.txt", "exact.txt")

    assert {name: project.reasons(name) for name in NAMES} == FRESH


FITTING = [
    ("fastapi", "0.200b1"),  # there may have been nothing but pre-releases
    ("redis", "5.0"),
    ("redis", "5.0.0+ours.1"),
    ("uvicorn", "0.99.post1"),
    ("tool", "0.0.1.dev3"),
]


@pytest.mark.parametrize(("name", "version"), FITTING)
def test_versions_that_a_resolver_may_have_chosen_hold(
    project: HeldProject, name: str, version: str
) -> None:
    draft = project.draft("base")
    draft.put(wheel(name, version, file=file_of(name, version)))
    project.save("base", draft)

    assert project.reasons("base") == []


@pytest.mark.parametrize("missing", ["extras", "stated", "foundation", "suite"])
def test_origins_of_before_hold_as_far_as_they_go(project: HeldProject, missing: str) -> None:
    draft = project.draft("ml")
    match missing:
        case "extras":
            draft.say("uvicorn", extras=())
        case "stated":
            told(stated={}, bounds={})(draft)
        case "foundation":
            told(foundation=None)(draft)
        case _:
            for name in draft.origin.debs:
                draft.say_of_deb(name, suite="")
    project.save("ml", draft)

    assert project.reasons("ml") == []
