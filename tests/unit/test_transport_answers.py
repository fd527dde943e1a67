"""Answers on a connection that stays: interim ones, and those that have no body by their status."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bench.serving import serving

from basestore.transport import Request, Transport

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\n"


@contextmanager
def answering(head: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    """A server that puts ``head`` before each answer, which is the path; what came by connection.

    Where ``head`` asks for chunks, an answer has none: the server means that there is no body.
    """
    asked: list[list[str]] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            mine: list[str] = []
            asked.append(mine)
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                path = line.split()[1].decode()
                mine.append(path)
                ok = f"HTTP/1.1 200 OK\r\nContent-Length: {len(path)}\r\n\r\n{path}"
                self.wfile.write(head if b"chunked" in head else head + ok.encode())

    with serving(Handler) as address:
        yield f"http://{address}", asked


@pytest.mark.parametrize(
    "head",
    [b"", CONTINUE, INTERIM, INTERIM * 20, CONTINUE + INTERIM + PROCESSING + CONTINUE],
    ids=["none", "100", "103", "many", "mixed"],
)
def test_what_comes_before_an_answer_is_no_answer(head: bytes) -> None:
    """And each request gets its own answer, though all come over one connection."""
    with answering(head) as (url, asked), Transport() as door:
        for path in ("/one", "/two", "/three"):
            with door.send(Request("GET", f"{url}{path}")) as response:
                assert (response.status, response.read(9)) == (200, path.encode())
                assert "link" not in response.headers
    assert asked == [["/one", "/two", "/three"]]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_what_has_no_body_is_not_waited_for(status: bytes) -> None:
    """Whatever its head says; its connection serves no more."""
    head = b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    with answering(head) as (url, asked), Transport() as door:
        for path in ("/one", "/two"):
            with door.send(Request("GET", f"{url}{path}")) as response:
                assert response.status == int(status[:3])
                assert response.read(9) == b""
    assert asked == [["/one"], ["/two"]]
