"""Real kills and real refusals of the disk: a sample of what `make faults` does at every call."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kill import Control, control, strike
from faults.scenes import Scene, scenes
from faults.storm import storm
from services import lacking, need_program

pytestmark = pytest.mark.long

POINTS = {
    "lock": 2,
    "build": 2,
    "build-service": 1,
    "push": 1,
    "export-oci": 1,
    "export-rootfs": 1,
    "pin": 1,
    "gc": 1,
    "repair": 1,
}


@pytest.fixture(scope="module", params=POINTS)
def known(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, Control]]:
    """A command, and how it goes undisturbed."""
    if sys.platform != "linux":
        lacking("needs Linux")
    need_program("strace")
    with scenes(tmp_path_factory.mktemp("faults"), request.param) as found:
        (scene,) = found
        yield scene, control(scene)


def test_data_then_name_then_record(known: tuple[Scene, Control]) -> None:
    scene, undisturbed = known
    assert undisturbed.order.wrong == []
    assert undisturbed.points
    if scene.name in ("lock", "build"):
        assert undisturbed.order.records


@pytest.mark.parametrize("fault", ["kill", "ENOSPC", "EIO"])
def test_survives(known: tuple[Scene, Control], fault: str) -> None:
    scene, undisturbed = known
    tally = strike(scene, fault, undisturbed, POINTS[scene.name])
    assert tally.failures == []
    # Threads share the work as it comes, so that a call that is to fail may not be made this time.
    assert tally.struck or fault != "kill"


def test_a_small_storm(tmp_path: Path) -> None:
    tally = storm(tmp_path, lambda: range(4), builders=2, seed=6)
    assert tally.failures == []
    assert tally.done["build"]
