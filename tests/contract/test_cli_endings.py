"""Signals end the program with what it started: its exit code says which, and nothing goes on."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from commandline import CommandLine, contents
from committing import git
from loopback_registry import loopback_registry

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
LONGEST = 60_000
"""Milliseconds after which a process that should have ended is one that goes on."""


@contextmanager
def started(basestore: CommandLine, *words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A command under way, in a session of its own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BASESTORE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "basestore", *words],
        cwd=basestore.folder,
        env={**inherited, **basestore.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        with process:
            yield process
    finally:
        process.kill()


def has_ended(process: int) -> bool:
    """Whether a process, of whomever, ends while it is waited for."""
    try:
        opened = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    found = bool(poll.poll(LONGEST))
    os.close(opened)
    return found


def children(process: int) -> list[int]:
    """The processes that a process started, all generations."""
    found = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            found += [child, *children(child)]
    return found


@dataclass
class Silent:
    """A server that takes connections and says nothing."""

    server: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        """``HOST:PORT``."""
        return f"127.0.0.1:{self.server.getsockname()[1]}"

    def wait(self) -> None:
        """Until somebody connects."""
        self.taken.append(self.server.accept()[0])


@contextmanager
def silent() -> Iterator[Silent]:
    """A server until the block ends."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(LONGEST / 1000)
        made = Silent(server)
        yield made
        for one in made.taken:
            one.close()


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """For programs that never end; each tells of itself, and of what it runs, by a FIFO."""
    folder = tmp_path / "programs"
    folder.mkdir()
    os.mkfifo(tmp_path / "told")
    return folder


def never_ending(folder: Path, name: str) -> Path:
    """A program that runs another one, and waits for it."""
    told = folder.parent / "told"
    program = folder / name
    program.write_text(f"#!/bin/sh\nsleep 100000 &\necho $$ $! > '{told}'\nwait\n")
    program.chmod(0o755)
    return told


@pytest.mark.parametrize("number", CODES)
def test_a_program_and_what_it_runs_end_too(
    basestore: CommandLine, root: Path, programs: Path, number: signal.Signals
) -> None:
    """git stands for uv, gpgv, Docker's client and its credential helpers."""
    git(root, "init", "--quiet")
    told = never_ending(programs, "git")
    path = f"{programs}:{os.environ['PATH']}"
    with started(basestore, "affected", "--since", "HEAD", PATH=path) as process:
        known = [int(word) for word in told.read_text().split()]
        process.send_signal(number)
        assert process.wait() == CODES[number]
        assert len(known) == 2
        assert all(map(has_ended, known))


def test_what_a_thread_waits_for_ends_too(basestore: CommandLine, programs: Path) -> None:
    """A credential helper is asked by whichever thread is refused first."""
    told = never_ending(programs, "docker-credential-slow")
    (programs / "config.json").write_text('{"credsStore": "slow"}')
    path = f"{programs}:{os.environ['PATH']}"
    with loopback_registry() as registry:
        registry.basic = ("me", "secret")
        words = ["plan", "runtime", "--registry", f"{registry.address}/team"]
        environ = {"PATH": path, "DOCKER_CONFIG": str(programs)}
        with started(basestore, *words, **environ) as process:
            known = [int(word) for word in told.read_text().split()]
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 143
            assert all(map(has_ended, known))


def test_uv_ends_too(basestore: CommandLine, root: Path) -> None:
    """While it waits for an index; nothing of the project is changed, no folder is left."""
    before = contents(root)
    temporary = root.parent / "tmp"
    temporary.mkdir()
    with silent() as server:
        mirror = f"http://{server.address}"
        environ = {"BASESTORE_MIRROR_DEFAULT": mirror, "TMPDIR": str(temporary)}
        words = ["lock", "--upgrade", "runtime"]
        with started(basestore, *words, **environ) as process:
            server.wait()
            known = children(process.pid)
            assert known
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 143
            assert all(map(has_ended, known))
    assert contents(root) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", CODES)
def test_a_server_that_says_nothing_is_not_waited_for(
    basestore: CommandLine, number: signal.Signals
) -> None:
    with silent() as server:
        words = ["plan", "runtime", "--registry", f"{server.address}/team"]
        with started(basestore, *words) as process:
            server.wait()
            process.send_signal(number)
            assert process.wait() == CODES[number]
            assert "Traceback" not in process.communicate()[1]


def test_a_signal_that_is_ignored_stays_so(basestore: CommandLine) -> None:
    """As for nohup: SIGHUP is nothing to it, SIGTERM is."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with silent() as server:
            words = ["plan", "runtime", "--registry", f"{server.address}/team"]
            with started(basestore, *words) as process:
                server.wait()
                process.send_signal(signal.SIGHUP)
                process.send_signal(signal.SIGTERM)
                assert process.wait() == 143
    finally:
        signal.signal(signal.SIGHUP, before)
