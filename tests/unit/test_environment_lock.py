"""The locked environment of the tests: hashes for all, no host, all that the project asks for."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "tests/environment.txt").read_text()
LOCKED = [Requirement(line.removesuffix(" \\")) for line in TEXT.splitlines() if line[:1].isalnum()]


def test_it_names_no_host_and_everything_has_hashes() -> None:
    assert "://" not in TEXT
    assert not re.findall(r"^-", TEXT, re.MULTILINE)  # no options
    pieces = re.split(r"^(?=\w)", TEXT, flags=re.MULTILINE)[1:]
    assert [piece for piece in pieces if "--hash=sha256:" not in piece] == []
    assert len(pieces) == len(LOCKED)


def test_it_is_what_the_project_asks_for() -> None:
    document = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    asked = [*document["project"]["dependencies"], *document["dependency-groups"]["dev"]]
    locked = {canonicalize_name(one.name): one.specifier for one in LOCKED}
    for requirement in map(Requirement, asked):
        (exactly,) = locked[canonicalize_name(requirement.name)]
        assert exactly.operator == "=="
        assert requirement.specifier.contains(exactly.version), str(requirement)
