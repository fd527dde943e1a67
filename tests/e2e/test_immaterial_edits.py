"""200 random edits of the project's own profiles that change nothing material: every lock stays.

All of it without a network: what an edit doesn't change needs nobody to be asked.
"""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import CommandLine, no_network
from runtime_base import PROJECT

EDITS, ROUNDS = 200, 10
PROFILES = ("runtime", "ml", "gpu")
REQUIREMENT = re.compile(r'^  "(?P<text>[^"]+)",$', re.MULTILINE)

Edit = Callable[[Path, random.Random], None]


def edited(change: Callable[[str, random.Random], str]) -> Edit:
    """An edit of the profile's text."""

    def edit(file: Path, dice: random.Random) -> None:
        file.write_text(change(file.read_text(), dice))

    edit.__name__ = change.__name__
    return edit


def a_comment(text: str, dice: random.Random) -> str:
    lines = text.splitlines()
    lines.insert(dice.randrange(len(lines) + 1), f"# {dice.random()}")
    return "\n".join([*lines, ""])


def a_blank_line(text: str, dice: random.Random) -> str:
    lines = text.splitlines()
    lines.insert(dice.randrange(len(lines) + 1), " " * dice.randrange(4))
    return "\n".join([*lines, ""])


def another_order(text: str, dice: random.Random) -> str:
    start, end = requirements(text)
    lines = text[start:end].splitlines()
    dice.shuffle(lines)
    return "".join([text[:start], *(f"{line}\n" for line in lines), text[end:]])


def another_spelling(text: str, dice: random.Random) -> str:
    def spelt(match: re.Match[str]) -> str:
        name, bounds = re.fullmatch(r"([\w.-]+)(.*)", match["text"]).groups()  # type: ignore[union-attr]
        name = dice.choice([name.upper(), name.replace("-", "_"), name.replace("-", "."), name])
        return f'  "{name}{dice.choice(["", " "])}{bounds}",'

    start, end = requirements(text)
    return text[:start] + REQUIREMENT.sub(spelt, text[start:end]) + text[end:]


def twice(text: str, dice: random.Random) -> str:
    start, end = requirements(text)
    line = dice.choice(text[start:end].splitlines())
    return f"{text[:end]}{line}\n{text[end:]}"


def other_quotes(text: str, dice: random.Random) -> str:
    lines = text.splitlines()
    at = dice.randrange(len(lines))
    if "#" not in lines[at] and "'" not in lines[at]:
        lines[at] = lines[at].replace('"', "'")
    return "\n".join([*lines, ""])


def other_space(text: str, dice: random.Random) -> str:
    return re.sub(r"(?m)^(  \S.*)$", lambda m: " " * dice.randrange(6) + m[1].strip(), text)


def a_rule_that_refuses_nothing(text: str, dice: random.Random) -> str:
    rule = f'forbid = ["none-such-{dice.randrange(1000)}"]'
    if "[policy]" in text:
        return re.sub(r"forbid = \[", f"{rule[:-1]}, ", text)
    return f"{text}\n[policy]\n{rule}\n"


def another_place_of_the_index(text: str, dice: random.Random) -> str:
    return re.sub(r'(url\s*=\s*")[^"]*', rf"\1https://{dice.randrange(99)}.example.com/whl", text)


def into_a_file(file: Path, dice: random.Random) -> None:
    """Some requirements move to a requirement file beside the profile."""
    text = file.read_text()
    start, end = requirements(text)
    moved = set(dice.sample(text[start:end].splitlines(), dice.randrange(1, 5)))
    listed = file.with_name(f"{file.stem}-{dice.randrange(10**6)}.txt")
    listed.write_text("# moved\n\n" + "".join(f"{line.strip(' ,')[1:-1]}\n" for line in moved))
    left = [line for line in text[start:end].splitlines() if line not in moved]
    rest = "".join([text[:start], *(f"{line}\n" for line in left), text[end:]])
    file.write_text(f'requirements-files = ["{listed.name}"]\n{rest}')


def requirements(text: str) -> tuple[int, int]:
    """Where the lines of the profile's requirements begin and end."""
    start = text.index("requirements = [\n") + len("requirements = [\n")
    return start, text.index("]\n", start)


TEXT_EDITS = (
    a_comment,
    a_blank_line,
    another_order,
    another_spelling,
    twice,
    other_quotes,
    other_space,
    a_rule_that_refuses_nothing,
    another_place_of_the_index,
)
KINDS: tuple[Edit, ...] = (*map(edited, TEXT_EDITS), into_a_file)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, ROUNDS))]
)
def test_no_edit_that_is_immaterial_moves_a_lock(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(EDITS // ROUNDS):
        place = tmp_path / str(number)
        shutil.copytree(PROJECT / "profiles", place / "profiles")
        shutil.copytree(PROJECT / "locks", place / "locks")
        before = {file.name: file.read_bytes() for file in (place / "locks").glob("*.lock")}
        kind, name = dice.choice(KINDS), dice.choice(PROFILES)
        file = place / f"profiles/{name}.toml"
        kind(file, dice)
        basestore = CommandLine(place, {"BASESTORE_STORE": str(tmp_path / "store")})

        done = basestore("lock", "--json", **no_network()).expect(0)

        told = f"{kind.__name__} in {name}:\n{file.read_text()}"
        assert not any(one["changed"] for one in done.json["locks"]), told
        assert {lock.name: lock.read_bytes() for lock in (place / "locks").glob("*.lock")} == before
