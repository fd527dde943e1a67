"""The solver of .debs beside the host's apt, on small random suites in a folder."""

import random
from pathlib import Path

from aptroot import AptRoot
from debmaker import MadeDeb, make_deb, packages_file
from services import need_program

from basestore.debian.packages import PackagesIndex, SuiteIndex
from basestore.errors import NoResolutionError
from basestore.resolve.debs import solve_debs

NAMES = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]
VIRTUAL = "virtual"


def random_suite(chance: random.Random) -> list[MadeDeb]:
    """Eight packages, one of which provides a virtual one, with conflicts here and there."""
    provider = chance.choice(NAMES)
    made = []
    for name in NAMES:
        fields = {"depends": ", ".join(_clause(chance) for _ in range(chance.randint(0, 3)))}
        if chance.random() < 0.2:
            fields["pre_depends"] = _relation(chance)
        if chance.random() < 0.15:
            other = chance.choice([other for other in NAMES if other != name])
            fields[chance.choice(["conflicts", "breaks"])] = other
        if name == provider:
            fields["provides"] = VIRTUAL
        filled = {key: text for key, text in fields.items() if text}
        made.append(make_deb(name, chance.choice("12"), **filled))
    return made


def _clause(chance: random.Random) -> str:
    return " | ".join(_relation(chance) for _ in range(chance.choice([1, 1, 2, 3])))


def _relation(chance: random.Random) -> str:
    name = chance.choice([*NAMES, VIRTUAL])
    return name + (
        "" if name == VIRTUAL else chance.choice(["", "", " (>= 1)", " (<< 3)", " (>= 2)"])
    )


def ours(made: list[MadeDeb], names: list[str]) -> set[str]:
    index = SuiteIndex("small", [PackagesIndex("http://a.example.org", packages_file(made))])
    try:
        return {deb.name for deb in solve_debs(index, names).debs}
    except NoResolutionError:
        return set()


def test_the_answers_are_apts(tmp_path: Path) -> None:
    need_program("apt-get")
    solved = 0
    for seed in range(20):
        chance = random.Random(seed)
        made, names = random_suite(chance), sorted(chance.sample(NAMES, 2))
        theirs = apts(tmp_path / str(seed), made, names)
        # apt may give up where there is a solution; then it prints none.
        assert theirs in (ours(made, names), set()), f"seed {seed}: {names}"
        solved += bool(theirs)
    assert solved > 5


def apts(folder: Path, made: list[MadeDeb], names: list[str]) -> set[str]:
    folder.mkdir()
    (folder / "Packages").write_bytes(packages_file(made))
    apt = AptRoot(folder / "root", "amd64", [f"deb [trusted=yes] file:{folder} ./"])
    apt.update()
    return {name for name, _, _ in apt.install(names)}
