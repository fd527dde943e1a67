"""Run: a container from its making to its removal, attached to a terminal or to pipes."""

import threading
from collections.abc import Callable
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Protocol

from basestore.engine.client import Engine
from basestore.engine.container import Container, Input, Stream, Wish

_GRACE = 10
"""Seconds from a signal that should end a container to SIGKILL, as `docker stop` has it."""

_ENDING = ("SIGINT", "SIGTERM")
"""What people and supervisors end a program with. Others mean what the program makes of them:
servers reload on SIGHUP, and shut down at leisure on SIGQUIT."""
RESIZED = "SIGWINCH"

Signals = SimpleQueue[str | None]
"""Names of signals to forward, from a handler; None ends the forwarding."""


class Attached(Protocol):
    """What a container's streams are attached to."""

    def read(self) -> bytes:
        """The next bytes of input; empty at its end."""

    def write(self, stream: Stream, data: bytes) -> None:
        """Take output."""

    def size(self) -> tuple[int, int]:
        """Lines and columns of the terminal."""


def run(engine: Engine, wish: Wish, attached: Attached, signals: Signals) -> int:
    """Run a container to its end; its exit code.

    Signals are forwarded; a second SIGINT or SIGTERM, or ten quiet seconds after one, kill it.
    Raises NoProgramError, EngineRefusedError, NoEngineError, and what ``attached`` raises.
    """
    with closing(Container(engine, wish)) as container, closing(container.output()) as output:
        feed = container.input() if wish.stdin else None
        container.start()
        if wish.tty:
            signals.put(RESIZED)
        if feed:
            _aside(_feed, feed, attached)
        forwarding = _aside(_forward, container, attached if wish.tty else None, signals)
        try:
            for stream, data in output:
                attached.write(stream, data)
            return container.wait()
        finally:
            signals.put(None)
            forwarding.join()


def _aside(work: Callable[..., None], *values: object) -> threading.Thread:
    """Work beside the output; a thread that waits for input must not keep the process alive."""
    thread = threading.Thread(target=work, args=values, daemon=True)
    thread.start()
    return thread


def _feed(feed: Input, attached: Attached) -> None:
    while (data := attached.read()) and feed.write(data):
        pass
    feed.close()


def _forward(container: Container, terminal: Attached | None, signals: Signals) -> None:
    ending = False
    while True:
        try:
            name = signals.get(timeout=_GRACE if ending else None)
        except Empty:
            name = "SIGKILL"
        if name is None:
            return
        if name != RESIZED:
            ends = name in _ENDING
            container.signal("SIGKILL" if ends and ending else name)
            ending = ending or ends
        elif terminal:
            container.resize(*terminal.size())
