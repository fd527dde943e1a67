"""The project's own locks, and those of its example, are their profiles'; no server is asked."""

from pathlib import Path

import pytest
from commandline import CommandLine, no_network

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        (".", ("cpu", "gpu", "ml", "runtime")),
        ("docs/examples/team", ("ml", "runtime", "svc-api", "svc-documents", "svc-indexer")),
    ],
)
def test_the_committed_locks_are_fresh(folder: str, names: tuple[str, ...], tmp_path: Path) -> None:
    basestore = CommandLine(PROJECT / folder, {"BASESTORE_STORE": str(tmp_path / "store")})
    done = basestore("lock", "--check", **no_network()).expect(0)
    assert done.out.splitlines() == [f"{name}: fresh" for name in names]
