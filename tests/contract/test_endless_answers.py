"""Servers that come to no end: of a head, of what is around a body, of a handshake, of reading."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from bench.serving import serving
from clocks import Clock

from basestore.digest import Digest
from basestore.progress import Progress
from basestore.sources.fetch import Artifact, ArtifactsUnreachableError, fetch
from basestore.store import Store
from basestore.transport import (
    Body,
    BrokenOffError,
    NoConnectionError,
    Request,
    Timeouts,
    Transport,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TRIES = 6
PATIENT = Timeouts(connect=5, read=5)

Say = Callable[[], Iterator[bytes]]
"""What a server says, piece by piece, with no end but the client's."""


@dataclass
class Talker:
    """A server on loopback. ``heard``: connections that came."""

    address: str = ""
    heard: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.address}/demo.whl"


@contextmanager
def talking(say: Say, reads: bool = True) -> Iterator[Talker]:
    """A server that says this to everybody, after it has read a request's head if it ``reads``."""
    talker = Talker()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            talker.heard += 1
            with suppress(ConnectionError):  # the client had enough
                while reads and self.rfile.readline().strip():
                    pass
                for piece in say():
                    self.wfile.write(piece)
                self.rfile.read()  # says nothing more, until the client goes

    with serving(Handler) as talker.address:
        yield talker


def repeated(piece: bytes, before: bytes = b"") -> Say:
    """One thing again and again."""

    def say() -> Iterator[bytes]:
        yield before
        while True:
            yield piece

    return say


def transport(clock: Clock, timeouts: Timeouts = PATIENT) -> Transport:
    return Transport(clock=clock, sleep=clock.slept.append, timeouts=timeouts)


ENDLESS = {
    "headers": repeated(b"X: " + b"y" * 4000 + b"\r\n", OK),
    "one header": repeated(b"y" * 4000, OK + b"X: "),
    "folded header": repeated(b" y\r\n" * 1000, OK + b"X: y\r\n"),
    "a status line": repeated(b"y" * 4000, b"HTTP/1.1 "),
    "continue": repeated(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a chunk's size": repeated(b"0" * 4000, CHUNKED),
    "a chunk's extension": repeated(b"x" * 4000, CHUNKED + b"5;"),
    "trailers": repeated(b"X: y\r\n" * 1000, CHUNKED + b"0\r\n"),
}


@pytest.mark.parametrize("say", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_has_no_end_is_given_up(say: Say) -> None:
    clock = Clock()
    with talking(say) as talker, transport(clock) as door:
        with pytest.raises(BrokenOffError) as raised:
            door.read(talker.url, limit=10**6)
        assert raised.value.exit_code == 6
        assert talker.address in raised.value.message
        assert "\n" not in raised.value.message
        assert talker.heard == TRIES
        assert len(clock.slept) == TRIES - 1


SLOW = {
    "status line": repeated(b"1", b"HTTP/1.1 2"),
    "headers": repeated(b"y", OK + b"X: "),
    "a chunk's size": repeated(b"0", CHUNKED),
    "trailers": repeated(b"y", CHUNKED + b"0\r\nX: "),
}


@pytest.mark.parametrize("say", SLOW.values(), ids=SLOW.keys())
def test_a_byte_a_minute_is_given_up(say: Say) -> None:
    """The clock says that each wait took most of a minute."""
    clock = Clock(step=50)
    with talking(say) as talker, transport(clock) as door:
        with pytest.raises(BrokenOffError, match=r"took more than 120 s") as raised:
            door.read(talker.url, limit=10**6)
        assert talker.address in raised.value.message
        assert talker.heard == TRIES


def test_a_slow_head_is_waited_for() -> None:
    """Two minutes are enough for a head, and what is whole by then is not refused for its pace."""
    said = [OK + b"Content-Length: 3\r\n", b"\r\n", b"yes"]
    clock = Clock(step=20)
    with talking(lambda: iter(said)) as talker, transport(clock) as door:
        assert door.read(talker.url, limit=9) == b"yes"
        assert (talker.heard, clock.slept) == (1, [])


def test_nothing_of_it_is_kept(tmp_path: Path) -> None:
    data = b"x" * 1000
    store = Store.open(tmp_path)
    artifact = Artifact("demo.whl", Digest.of(data), len(data))
    with talking(ENDLESS["trailers"]) as talker, transport(Clock()) as door:

        def locate(asked: Sequence[Artifact]) -> dict[Digest, list[str]]:
            return {one.digest: [f"http://me:c4n4ry@{talker.address}/demo.whl"] for one in asked}

        with pytest.raises(ArtifactsUnreachableError) as raised:
            fetch(store, door, [artifact], locate, Progress())
    assert not store.blobs.has(artifact.digest)
    assert "c4n4ry" not in raised.value.message


def dripping() -> Iterator[bytes]:
    """The beginning of a long record of TLS, then a byte at a time (RFC 8446 5.1)."""
    yield b"\x16\x03\x03\x3f\xff\x02\x00\x3f\x00\x03\x03"
    while True:
        threading.Event().wait(0.01)
        yield b"x"


@pytest.mark.parametrize(
    "say",
    [dripping, repeated(b"HTTP/1.1 200 OK\r\n"), lambda: iter(())],
    ids=["dripping", "plain", "silent"],
)
def test_a_handshake_has_an_end(say: Say) -> None:
    clock = Clock()
    short = Timeouts(connect=0.2, read=5)
    with talking(say, reads=False) as talker, transport(clock, short) as door:
        with pytest.raises((NoConnectionError, BrokenOffError)) as raised:
            door.read(talker.url.replace("http:", "https:"), limit=9)
        assert raised.value.exit_code == 6
        assert talker.address in raised.value.message


@pytest.mark.parametrize("step", [0, 50], ids=["fast", "slow"])
def test_a_proxys_answer_has_an_end(step: float) -> None:
    clock = Clock(step)
    with talking(repeated(b"X: y\r\n", b"HTTP/1.1 200 OK\r\n")) as proxy:
        proxies = {"https": f"http://me:c4n4ry@{proxy.address}"}
        with (
            Transport(clock=clock, sleep=clock.slept.append, proxies=proxies) as door,
            pytest.raises(BrokenOffError, match=r"took more|doesn't end|broke off") as raised,
        ):
            door.read("https://example.invalid/a", limit=9)
        assert "c4n4ry" not in raised.value.message
        assert proxy.heard == TRIES


def test_an_upload_that_nobody_takes_is_given_up() -> None:
    """What the system takes of it is sent; what it doesn't take in time ends the try."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while not over.wait(0.01):
                self.request.recv(1)

    chunk, count = b"x" * 1024 * 1024, 64
    body = Body(lambda: (chunk for _ in range(count)), count * len(chunk))
    silent = Timeouts(connect=5, read=5, stall=0.3)
    with serving(Handler) as address, transport(Clock(), silent) as door:
        with pytest.raises(BrokenOffError, match="no answer in time") as raised:
            door.send(Request("PUT", f"http://{address}/", body=body))
        over.set()
    assert address in raised.value.message


def test_an_upload_goes_out_in_pieces_and_arrives_whole() -> None:
    received = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            size = 0
            while line := self.rfile.readline().strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            received.append(self.rfile.read(size))
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    chunks = [b"", b"a" * 150_000, b"b", b"c" * 61_440]
    whole = b"".join(chunks)
    with serving(Handler) as address, transport(Clock()) as door:
        body = Body(lambda: iter(chunks), len(whole))
        with door.send(Request("PUT", f"http://{address}/", body=body)) as response:
            assert response.status == 201
    assert received == [whole]
