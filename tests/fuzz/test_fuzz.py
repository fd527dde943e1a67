"""The kept seeds, and a few hundred mutations of them: what was mended stays mended."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.mutate import Mutator, sealed
from fuzz.run import Fuzzer, HangError, seeds, watched
from fuzz.targets import TARGETS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_no_reader_breaks(name: str, tmp_path: Path) -> None:
    fuzzer = Fuzzer(name, 0, tmp_path)
    mutator = Mutator(0, TARGETS[name].tokens)
    for _ in range(150):
        data = mutator.mutated(seeds(name))
        fuzzer.execute(sealed(data) if TARGETS[name].seal else data)

    assert fuzzer.tally.crashes == []
    assert fuzzer.tally.executions >= 150


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_is_taken(name: str, tmp_path: Path) -> None:
    """Mutations of what is refused at its first byte would get nowhere."""
    assert Fuzzer(name, 0, tmp_path).tally.taken > 0


def _forever() -> None:
    for _ in itertools.count():
        pass


def test_a_hang_is_found() -> None:
    with pytest.raises(HangError), watched(0.05):
        _forever()


def test_a_crash_is_found_and_its_input_kept(tmp_path: Path) -> None:
    fuzzer = Fuzzer("elf", 0, tmp_path)
    fuzzer._target = type(fuzzer._target)(TARGETS["release"].run, ())
    fuzzer.execute(b"no release")

    assert len(fuzzer.tally.crashes) == 1
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"no release"]


def test_it_runs_as_a_command(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "run.py"), "--seconds", "0.2", "--target", "control"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 0, done.stderr
    assert "| control |" in done.stdout
