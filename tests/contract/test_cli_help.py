"""What `--help` shows, word for word: it is the documentation that people read first.

``PYTHONPATH=tests python tests/contract/test_cli_help.py`` writes the golden file anew.
"""

from pathlib import Path

import pytest
from commandline import CommandLine, Done, no_network
from typer.main import get_group

from basestore.cli.commands import COMMANDS as KNOWN
from basestore.cli.store import app

GOLDEN = Path(__file__).parents[1] / "golden/cli-help.txt"
COMMANDS = ("", *KNOWN, *(f"store {name}" for name in get_group(app).commands))


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str) -> None:
    assert shown(command) in GOLDEN.read_text()


def test_no_command_shows_the_help_and_is_wrong_usage() -> None:
    done = basestore().expect(2)

    assert "Base images as a pure function of a lock" in done.out + done.err
    assert "Traceback" not in done.err


def test_version() -> None:
    from basestore import __version__

    assert basestore("--version").expect(0).out == f"basestore {__version__}\n"


def shown(command: str) -> str:
    """A command's help as the golden file has it."""
    words = [*command.split(), "--help"]
    done = basestore(*words).expect(0)
    assert done.err == ""
    assert basestore(*command.split(), "-h").out == done.out
    return f"$ basestore {' '.join(words)}\n{done.out.strip()}\n"


def basestore(*words: str) -> Done:
    """Run it where no project is: help needs none."""
    return CommandLine(Path("/"), no_network())(*words)


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(shown(command) for command in COMMANDS))
