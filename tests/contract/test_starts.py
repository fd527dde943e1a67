"""What commands with nothing to do load: a count stands for the time, which is the machine's."""

from pathlib import Path

import pytest
from commandline import CommandLine, Done

HEAVY = frozenset(
    {"deflate", "docker", "email", "http", "isal", "msgspec", "packaging", "pydantic"}
    | {"requests", "resolvelib", "rich", "ssl", "urllib3", "uv", "yaml"}
)


def loaded(done: Done) -> set[str]:
    """The top-level modules that a command imported (PYTHONPROFILEIMPORTTIME)."""
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("words", [("lock", "--check"), ("status",), ("pin", "--check")])
def test_nothing_heavy_is_loaded_for_what_is_done(
    basestore: CommandLine, root: Path, words: tuple[str, ...]
) -> None:
    """What was held to its profile once is remembered, and that loads nothing for it again."""
    basestore("lock", "--check").expect(0)

    done = basestore(*words, PYTHONPROFILEIMPORTTIME="1")

    assert "basestore" in loaded(done)
    assert loaded(done) & HEAVY == set()
