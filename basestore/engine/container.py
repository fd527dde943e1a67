"""Containers: made from an image, attached to, ended and removed."""

import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from basestore.engine.client import Engine
from basestore.engine.errors import (
    EngineRefusedError,
    NoEngineError,
    NoProgramError,
    NotAnEngineError,
    PortTakenError,
)
from basestore.engine.sdk import speaking
from basestore.reading import UNFIT

_PIECE = 64 * 1024

# Engine API, "Attach to a container": stream, three zero bytes, length of what follows.
_FRAME = struct.Struct(">BxxxL")

# Docker lets these keys detach from a container, ctrl-p,ctrl-q unless told otherwise; a container
# that is removed at the end is none to detach from, and shells use ctrl-p.
_DETACH_KEYS = "ctrl-^,ctrl-],ctrl-^,ctrl-],ctrl-^"

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126

_LOOPBACK = "127.0.0.1"
_PORT_TAKEN = ("port is already allocated", "address already in use")


class Stream(IntEnum):
    """Where a piece of output belongs, numbered as the engine does."""

    OUT = 1
    ERR = 2


_STREAMS = frozenset(Stream)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run, with the meanings of `docker run`'s arguments and options.

    ``environment``: ``NAME=VALUE``; ``volumes``: ``SOURCE:TARGET[:OPTIONS]``; None: the default.
    ``stdin``: whether input is fed; ``tty``: whether the container gets a terminal. ``entrypoint``:
    instead of the image's, whose command then isn't run either. ``ports``: TCP ports of the
    container that are reached at others of the engine's machine, from there alone.
    """

    image: str = ""
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    network: str | None = None
    workdir: str | None = None
    stdin: bool = False
    tty: bool = False
    entrypoint: tuple[str, ...] = ()
    user: str | None = None
    ports: Mapping[int, int] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """What is run, as far as the wish says it."""
        return (*self.entrypoint, *self.command, self.image)[0]


class Container:
    """A container of an engine, made and not yet running."""

    def __init__(self, engine: Engine, wish: Wish) -> None:
        self._engine = engine
        self._wish = wish
        with speaking(engine.host, "make a container"):
            answer = _create(engine, wish)
        try:
            self.id = str(answer["Id"])
        except UNFIT:
            raise NotAnEngineError(engine.host, "it makes containers without an ID") from None

    def output(self) -> "Output":
        """Its output from now on; to be asked for before it starts, so that nothing is missed."""
        params = {"stdout": True, "stderr": True, "stream": True}
        return Output(self._attach(params), self._wish.tty)

    def input(self) -> "Input":
        """Its standard input."""
        return Input(self._attach({"stdin": True, "stream": True, "detachKeys": _DETACH_KEYS}))

    def start(self) -> None:
        """Run it; raises NoProgramError where the image hasn't what it is to run."""
        try:
            with self._asking("start a container"):
                self._engine.api.start(self.id)
        except EngineRefusedError as error:
            if code := _shell_code(error.reason):
                raise NoProgramError(self._wish.program, _short(error.reason), code) from error
            if any(words in error.reason for words in _PORT_TAKEN):
                ports = self._wish.ports.values()
                raise PortTakenError(self._engine.host, tuple(ports)) from error
            raise

    def wait(self) -> int:
        """The exit code, once it has ended."""
        with self._asking("wait for a container"):
            answer = self._engine.api.wait(self.id)
        try:
            return int(answer["StatusCode"])
        except UNFIT:
            raise NotAnEngineError(self._engine.host, "it tells no exit code") from None

    def signal(self, name: str) -> None:
        """Send it a signal (``SIGINT``), if it runs."""
        with self._telling("signal a container"):
            self._engine.api.kill(self.id, name)

    def resize(self, lines: int, columns: int) -> None:
        """Tell it how large its terminal is, if it runs."""
        with self._telling("resize a terminal"):
            self._engine.api.resize(self.id, lines, columns)

    def close(self) -> None:
        """End it if it runs, and remove it."""
        with self._telling("remove a container"):
            self._engine.api.remove_container(self.id, v=True, force=True)

    def _asking(self, what: str) -> contextlib.AbstractContextManager[None]:
        return speaking(self._engine.host, what)

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """As asking, where no answer is wanted: it may have ended, or the engine be gone."""
        with contextlib.suppress(EngineRefusedError, NoEngineError), self._asking(what):
            yield

    def _attach(self, params: Mapping[str, object]) -> socket.socket:
        with self._asking("attach to a container"):
            return _own_socket(self._engine.api.attach_socket(self.id, params))


class Output:
    """What a container writes: with a terminal plain bytes, without one in frames."""

    def __init__(self, connection: socket.socket, tty: bool) -> None:
        self._connection = connection
        self._tty = tty

    def __iter__(self) -> Iterator[tuple[Stream, bytes]]:
        """Pieces of output until the container ends."""
        with contextlib.suppress(ConnectionError):
            while self._tty and (data := self._connection.recv(_PIECE)):
                yield Stream.OUT, data
            while header := self._exactly(_FRAME.size):
                stream, left = _FRAME.unpack(header)
                while left and (data := self._connection.recv(min(left, _PIECE))):
                    left -= len(data)
                    if stream in _STREAMS:
                        yield Stream(stream), data

    def close(self) -> None:
        """Take no more; an engine that waits for us to read would not end the container."""
        _hang_up(self._connection, socket.SHUT_RDWR)

    def _exactly(self, size: int) -> bytes:
        """So many bytes, or none where the stream ends before."""
        data = b""
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                return b""
            data += piece
        return data


class Input:
    """What a container reads, on a connection of its own."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> bool:
        """Feed bytes; False where the container reads no more."""
        try:
            self._connection.sendall(data)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """The end of the input."""
        _hang_up(self._connection, socket.SHUT_WR)


def _create(engine: Engine, wish: Wish) -> Any:
    ports = {inside: (_LOOPBACK, outside) for inside, outside in wish.ports.items()}
    host = {"binds": list(wish.volumes), "network_mode": wish.network, "port_bindings": ports}
    config = engine.api.create_host_config(**{key: value for key, value in host.items() if value})
    return engine.api.create_container(
        wish.image,
        command=list(wish.command) or None,
        entrypoint=list(wish.entrypoint) or None,
        user=wish.user,
        ports=list(wish.ports) or None,
        environment=list(wish.environment),
        working_dir=wish.workdir,
        host_config=config,
        stdin_open=wish.stdin,
        tty=wish.tty,
    )


def _own_socket(given: Any) -> socket.socket:
    """The attached connection as a socket to read and write; what the SDK gives is read-only.

    It holds the connection's response, which is closed here, so that nobody else has it open.
    """
    if isinstance(given, ssl.SSLSocket):
        return given
    own = socket.socket(fileno=os.dup(given.fileno()))
    if response := getattr(given, "_response", None):
        response.close()
    return own


def _hang_up(connection: socket.socket, how: int) -> None:
    """End a connection, told on the wire at once, whoever else has it open."""
    with contextlib.suppress(OSError), connection:
        connection.shutdown(how)


def _shell_code(reason: str) -> int | None:
    """The exit code that shells, and Docker's own client, give for this refusal to start."""
    if "executable file not found" in reason or "no such file or directory" in reason:
        return _NOT_FOUND
    if "permission denied" in reason or "is a directory" in reason:
        return _NOT_EXECUTABLE
    return None


def _short(reason: str) -> str:
    """The last of the causes that runtimes string together; they end with an error class."""
    return reason.removesuffix(": unknown").rpartition(": ")[2]
