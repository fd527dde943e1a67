"""Builds by the engine's own client, which is a script here that does as each test says."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.engine.build import (
    BuildFailedError,
    BuildOrder,
    NoBuildKitError,
    NoClientError,
    build,
)
from basestore.errors import ExitCode, UnreachableError

IMAGE = Digest.of(b"an image")
SAYS = f"""#!{sys.executable}
import json, os, pathlib, sys
words = sys.argv[1:]
pathlib.Path(sys.argv[0] + ".json").write_text(json.dumps([words, dict(os.environ)]))
told = pathlib.Path(words[words.index("--iidfile") + 1])
"""
ENDS_WELL = f"told.write_text('{IMAGE}')"
FAILS = r"""
print("#1 load build definition\n#1 sha256:" + "1" * 64)
print("#2 RUN make\n#2 0.1 making\n#2 ERROR: exit code: 2\n------\n > RUN make:", flush=True)
said = "#2 0.1 making with %s for https://me:pw@host/\n------\n" % os.environ["API_TOKEN"]
sys.stderr.write(said)
sys.stderr.write("\x1b[31mexit code: 2\x1b[0m\n")
sys.exit(3)
"""


@pytest.fixture
def order(tmp_path: Path) -> BuildOrder:
    arguments = {"MODE": "fast = $HOME", "API_TOKEN": "t0p", "EMPTY_KEY": ""}
    context = tmp_path / "context"
    return BuildOrder("svc", tmp_path / "Dockerfile", context, arguments, {"a": "b c"})


def client(tmp_path: Path, does: str) -> dict[str, str]:
    """An environment in whose PATH the client does that."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(SAYS + does)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(program.parent), "DOCKER_HOST": "unix:///engine.sock"}


def test_what_the_client_is_asked(tmp_path: Path, order: BuildOrder) -> None:
    environ = {**client(tmp_path, ENDS_WELL), "DOCKER_DEFAULT_PLATFORM": "linux/riscv64"}

    assert build(order, environ, lambda _: None) == IMAGE

    words, given = json.loads((tmp_path / "bin/docker.json").read_text())
    told = words.pop(3)
    assert words == [
        "build",
        "--progress=plain",
        "--iidfile",
        "--file",
        str(tmp_path / "Dockerfile"),
        "--build-arg",
        "MODE=fast = $HOME",
        "--build-arg",
        "API_TOKEN",
        "--build-arg",
        "EMPTY_KEY=",
        "--label",
        "a=b c",
        str(tmp_path / "context"),
    ]
    assert not Path(told).exists()
    assert given["DOCKER_BUILDKIT"] == "1"
    assert "DOCKER_DEFAULT_PLATFORM" not in given
    assert given["DOCKER_HOST"] == "unix:///engine.sock"
    assert given["API_TOKEN"] == "t0p"


def test_a_failed_build_repeats_the_end_without_secrets(tmp_path: Path, order: BuildOrder) -> None:
    noted: list[str] = []

    with pytest.raises(BuildFailedError) as caught:
        build(order, client(tmp_path, FAILS), noted.append)

    error = caught.value
    assert (error.name, error.code, error.exit_code) == ("svc", 3, ExitCode.UNREACHABLE)
    assert error.lines == (
        " > RUN make:",
        "#2 0.1 making with *** for https://***@host/",
        "[31mexit code: 2[0m",
    )
    assert noted[:2] == ["#1 load build definition", f"#1 sha256:{'1' * 64}"]
    for text in (error.message, *noted):
        assert "t0p" not in text
        assert "pw" not in text
        assert "\x1b" not in text


def test_only_the_last_lines_are_repeated(tmp_path: Path, order: BuildOrder) -> None:
    says = "[print('line', n) for n in range(1000)]; sys.exit(1)"

    with pytest.raises(BuildFailedError) as caught:
        build(order, client(tmp_path, says), lambda _: None)

    assert caught.value.lines == tuple(f"line {n}" for n in range(980, 1000))


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: BuildKit is enabled but the buildx component is missing or broken.",
        "unknown flag: --progress",
    ],
)
def test_a_client_without_buildkit(tmp_path: Path, order: BuildOrder, said: str) -> None:
    environ = client(tmp_path, f"sys.exit({said!r})")

    with pytest.raises(NoBuildKitError) as caught:
        build(order, environ, lambda _: None)

    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "buildx" in caught.value.hint


def test_no_client(tmp_path: Path, order: BuildOrder) -> None:
    for path in (str(tmp_path), ""):
        with pytest.raises(NoClientError) as caught:
            build(order, {"PATH": path}, lambda _: None)
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_client_that_is_none(tmp_path: Path, order: BuildOrder) -> None:
    environ = client(tmp_path, "")
    (tmp_path / "bin/docker").write_bytes(b"\x7fELF nothing")

    with pytest.raises(UnreachableError, match="can't be run"):
        build(order, {**os.environ, **environ}, lambda _: None)


@pytest.mark.parametrize("does", ["", "told.write_text('nothing')"])
def test_a_client_that_tells_no_image(tmp_path: Path, order: BuildOrder, does: str) -> None:
    with pytest.raises(BuildFailedError, match="names no image"):
        build(order, client(tmp_path, does), lambda _: None)


def test_secrets_are_not_shown_with_the_order(order: BuildOrder) -> None:
    assert "t0p" not in repr(order)
