"""Standard streams that are closed, full or read by nobody, and a system without room."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from commandline import no_network
from locked_project import make_project

from basestore.cli.streams import BROKEN_PIPE
from basestore.store import Store

PROGRAM = (sys.executable, "-c", "from basestore.cli.main import main; main()")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams") / "project"
    folder.mkdir()
    make_project(folder)
    Store.open(folder.parent / "home/basestore")
    return folder


def in_shell(
    project: Path, redirections: str, words: Sequence[str], before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell starts it; what is left of its output comes back."""
    home = str(project.parent / "home")
    environ = {**os.environ, **no_network(), "HOME": home, "XDG_CACHE_HOME": home}
    environ = {k: v for k, v in environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", f'{before}"$@" {redirections}', "bash", *PROGRAM, *words],
        cwd=project,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


COMMANDS = [["status"], ["--version"], ["--help"], ["plan", "--json"], ["store", "verify"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_result_that_nobody_can_be_told_is_an_error(project: Path, words: list[str]) -> None:
    done = in_shell(project, ">&-", words)

    assert done.returncode == 6, done.stderr
    assert "Bad file descriptor\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_closed_standard_error_changes_nothing(project: Path, words: list[str]) -> None:
    done, plain = in_shell(project, "2>&-", words), in_shell(project, "", words)

    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert done.stderr == ""


def test_an_error_that_nobody_can_be_told_is_still_one(project: Path) -> None:
    assert in_shell(project, "2>&-", ["status", "nothing"]).returncode == 2
    assert in_shell(project, ">&- 2>&-", ["status", "nothing"]).returncode == 2
    assert in_shell(project, ">&- 2>&-", ["status", "--nothing"]).returncode == 2
    assert in_shell(project, "<&- >&- 2>&-", ["status"]).returncode == 6


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_pipe_that_nobody_reads_ends_it_quietly(project: Path, words: list[str]) -> None:
    """The reader is gone before anything is written."""
    done = in_shell(project, ">&9", words, before="exec 9> >(exec true); wait $!; ")

    assert (done.returncode, done.stdout) == (BROKEN_PIPE, "")
    assert "rror" not in done.stderr
    assert "Exception" not in done.stderr


def test_usage_that_nobody_reads(project: Path) -> None:
    done = in_shell(project, "2>&9", ["nothing"], before="exec 9> >(exec true); wait $!; ")

    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk(project: Path, words: list[str]) -> None:
    done = in_shell(project, "> /dev/full", words)

    assert done.returncode == 6
    assert "No space left on device" in done.stderr
    assert "Exception" not in done.stderr


def test_nothing_is_written_into_a_file_that_took_the_streams_number(project: Path) -> None:
    """The project file would be opened as descriptor 1, was it not taken."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    in_shell(project, "<&- >&- 2>&-", ["lock", "--check"])
    in_shell(project, "<&- >&- 2>&-", ["build", "--offline"])

    assert {path: path.read_bytes() for path in before} == before


def test_a_system_without_memory_is_no_bug(project: Path) -> None:
    """From where the program can just be loaded, up to where it has enough."""
    loaded = [*PROGRAM[:2], "import basestore.cli.main"]
    limit = next(
        kilobytes
        for kilobytes in range(8_000, 400_000, 1_000)
        if not subprocess.run(
            ["bash", "-c", f'ulimit -v {kilobytes}; exec "$@"', "bash", *loaded],
            capture_output=True,
            check=False,
        ).returncode
    )
    codes = []
    for more in (0, 2, 5, 9, 14, 1000):
        done = in_shell(project, "", ["status"], before=f"ulimit -v {limit + 1_000 * more}; ")
        codes.append(done.returncode)
        assert "Traceback" not in done.stderr
        assert ("memory" in done.stderr or "loaded" in done.stderr) is bool(done.returncode)

    assert set(codes) == {0, 6}
    assert codes[-1] == 0
