"""What of a profile's text decides about its lock, and what does not."""

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.lock.inputs import Inputs, Part, inputs
from basestore.profile.model import Project
from basestore.profile.reader import read_profile

REQUIREMENTS = ("fastapi>=0.100,<1", "Uvicorn[standard]", "tomli; python_version < '3.12'", "redis")
PACKAGES = ("python3.11", "ca-certificates", "tzdata")
PLATFORMS = ("linux/amd64", "linux/arm64")
REST = """
[image]
env = { A = "1", B = "2" }
labels = { team = "platform", tier = "base" }
[indexes.cpu]
url = "https://example.com/cpu"
packages = ["torch", "torchvision"]
[policy]
forbid = ["nvidia-*", "triton"]
[path-conflicts]
"lib/a.py" = ["one", "two"]
[record-exceptions]
"zope.interface" = "why"
other = "no RECORD"
"""


def _text(requirements: list[str], packages: list[str], platforms: list[str]) -> str:
    return (
        f'python = "3.11"\nplatforms = {platforms}\nrequirements = {requirements}\n'
        f'[foundation]\ndebian = "bookworm"\npackages = {packages}\n{REST}'
    )


PLAIN = _text(list(REQUIREMENTS), list(PACKAGES), list(PLATFORMS))


def _inputs(text: str) -> Inputs:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "profiles").mkdir()
        (Path(folder) / "profiles" / "x.toml").write_text(text)
        return inputs(read_profile(Project(Path(folder)), "x"), None)


def _shuffled(values: tuple[str, ...], random: Random) -> list[str]:
    """In another order, some of them twice."""
    return random.sample(values, len(values)) + random.choices(values, k=random.randrange(3))


def _laid_out(text: str, random: Random) -> str:
    """The same document with other comments, blank lines and white space."""
    lines = []
    for line in text.splitlines():
        lines += random.choice([[], [""], ["# a comment"], ["  # [image]", ""]])
        if "[" in line and "{" not in line:
            line = line.replace('", ', random.choice(['",', '", ', '",\n  # and\n  ', '" ,\t']))
        lines.append(line + random.choice(["", "  ", " # why"]))
    return "\n".join(lines) + "\n" * random.randrange(3)


@given(st.randoms(use_true_random=False))
def test_order_layout_and_duplicates_change_no_input(random: Random) -> None:
    text = _text(
        _shuffled(REQUIREMENTS, random), _shuffled(PACKAGES, random), _shuffled(PLATFORMS, random)
    )
    assert _inputs(_laid_out(text, random)) == _inputs(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fastapi>=0.100,<1", "FastAPI <1, >=0.100"),
        ("https://example.com/cpu", "http://mirror.example.com/cpu"),
        ("Uvicorn[standard]", "uvicorn[Standard]"),
        ('A = "1"', 'A = "1", LANG = "C.UTF-8"'),
        ("[image]", '[image]\nuser = "root"\nworkdir = "/"\ncmd = ["python"]\nentrypoint = []'),
        ('"zope.interface" = "why"', 'Zope_Interface = "why"'),
        (
            '"zope.interface" = "why"\nother = "no RECORD"',
            'other = "no RECORD"\nzope-interface = "why"',
        ),
        ('"nvidia-*", "triton"', '"triton", "NVIDIA_*", "triton"'),
    ],
)
def test_another_spelling_changes_no_input(old: str, new: str) -> None:
    assert old in PLAIN
    assert _inputs(PLAIN.replace(old, new)) == _inputs(PLAIN)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('"3.11"', '"3.12"', Part.PYTHON),
        ("'linux/amd64', ", "", Part.PLATFORMS),
        ("bookworm", "trixie", Part.FOUNDATION),
        ("'tzdata'", "'tzdata', 'dash'", Part.FOUNDATION),
        ("'redis'", "'redis>=5'", Part.REQUIREMENTS),
        (", 'redis'", "", Part.REQUIREMENTS),
        ("Uvicorn[standard]", "uvicorn", Part.REQUIREMENTS),
        ("'3.12'", "'3.11'", Part.REQUIREMENTS),
        ('B = "2"', 'B = "3"', Part.IMAGE),
        ("[image]", "[image]\ncmd = []", Part.IMAGE),
        ("[image]", '[image]\nuser = "app"', Part.IMAGE),
        ("tier", "tier2", Part.IMAGE),
        ("[indexes.cpu]", "[indexes.gpu]", Part.INDEXES),
        (', "torchvision"', "", Part.INDEXES),
        ('"one", "two"', '"two", "one"', Part.PATH_CONFLICTS),
        ('"why"', '"because"', Part.RECORD_EXCEPTIONS),
        ('other = "no RECORD"\n', "", Part.RECORD_EXCEPTIONS),
    ],
)
def test_a_change_shows_in_its_part_alone(old: str, new: str, part: Part) -> None:
    assert old in PLAIN
    before, after = _inputs(PLAIN), _inputs(PLAIN.replace(old, new))
    assert before.digest != after.digest
    assert {p for p in Part if before.parts.get(p) != after.parts.get(p)} == {part}


def test_a_policy_is_no_input() -> None:
    assert _inputs(PLAIN.replace('"triton"', '"tri*", "@cuda"')).digest == _inputs(PLAIN).digest


def test_without_exceptions_there_is_no_part_of_them() -> None:
    """So the origins of before there were any stay those of fresh locks."""
    before = PLAIN.partition("[record-exceptions]")[0]
    assert Part.RECORD_EXCEPTIONS not in _inputs(before).parts
    assert _inputs(f"{before}[record-exceptions]\n") == _inputs(before)
