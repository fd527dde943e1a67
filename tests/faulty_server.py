"""A server on loopback that serves files, and fails in the ways a test asks for.

A *fault* is spent on one request for its path; a path's faults are spent in order. The server
writes down every request with its headers.
"""

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from bench.serving import serving


@dataclass(frozen=True)
class Fault:
    """One failure.

    ``status``: answered instead. ``headers``: sent too. ``cut``: so many bytes of the body are
    sent, then the connection closes, cleanly or (``reset``) with an RST. ``whole``: a Range is
    ignored. ``data``: other bytes than the file's. ``etag``: the file is another from here on.
    ``untold``: no Content-Length; the end is where the connection closes. ``told``: the
    Content-Length, whatever is sent. ``range``: the Content-Range, likewise. ``pause``: seconds
    between two bytes, of which the body then has no end before the client goes; ``endless``: the
    same without a pause.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    reset: bool = False
    whole: bool = False
    data: bytes | None = None
    etag: str = ""
    untold: bool = False
    told: int | None = None
    range: str = ""
    pause: float = 0.0
    endless: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that came, and from which port: one connection, one port."""

    method: str
    path: str
    headers: dict[str, str]
    port: int


@dataclass
class FaultyServer:
    """What is served; tests change it while it runs. ``etags``: by path; none where empty.

    ``sent``: bytes of endless bodies.
    """

    address: str = ""
    scheme: str = "http"
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0

    def url(self, path: str) -> str:
        """The URL of a path that begins with a slash."""
        return f"{self.scheme}://{self.address}{path}"

    def serve(self, path: str, data: bytes, *faults: Fault, etag: str = '"1"') -> str:
        """Serve a file after these faults; its URL."""
        self.files[path] = data
        self.etags[path] = etag
        self.faults[path] = list(faults)
        return self.url(path)

    def next_fault(self, path: str) -> Fault:
        """The fault for a request now."""
        waiting = self.faults.get(path)
        return waiting.pop(0) if waiting else self.always.get(path, Fault())

    def ranges(self, path: str) -> list[str]:
        """The Range of each request for a path, empty where there was none."""
        asked = (asked for asked in self.asked if asked.path.partition("?")[0] == path)
        return [one.headers.get("range", "") for one in asked]


@contextmanager
def faulty_server(tls: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """A server that runs until the block ends."""
    served = FaultyServer(scheme="https" if tls else "http")

    class Handler(_Handler):
        server_state = served

    with serving(Handler, tls) as served.address:
        yield served


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: FaultyServer

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(headers.get("content-length", 0)))
        state = self.server_state
        state.asked.append(Asked(self.command, self.path, headers, self.client_address[1]))
        path = self.path.partition("?")[0]
        fault = state.next_fault(path)
        if fault.etag:
            state.etags[path] = fault.etag
        if fault.data is not None:
            state.files[path] = fault.data
        if fault.status:
            self._send(fault.status, b"no", fault.headers)
        elif path not in state.files:
            self._send(404, b"nothing here", ())
        else:
            self._send_file(path, fault)

    def _send_file(self, path: str, fault: Fault) -> None:
        state = self.server_state
        data, etag = state.files[path], state.etags.get(path, "")
        headers = [*fault.headers, *([("ETag", etag)] if etag else [])]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        changed = self.headers.get("If-Range", etag) != etag
        if not asked or fault.whole or changed:
            self._send(200, data, headers, fault)
            return
        start = int(asked[1])
        if start >= len(data):
            self._send(416, b"", [("Content-Range", f"bytes */{len(data)}")])
            return
        where = fault.range or f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206, data[start:], [*headers, ("Content-Range", where)], fault)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: list[tuple[str, str]] | tuple[tuple[str, str], ...],
        fault: Fault | None = None,
    ) -> None:
        fault = fault or Fault()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if fault.untold:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body) if fault.told is None else fault.told))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault.pause or fault.endless:
            self._send_for_ever(body, fault.pause)
            return
        with suppress(BrokenPipeError, ConnectionResetError):  # The client had enough.
            self.wfile.write(body if fault.cut is None else body[: fault.cut])
        if fault.cut is not None or fault.reset:
            self._break_off(fault)

    def _send_for_ever(self, body: bytes, pause: float) -> None:
        self.close_connection = True
        wait = threading.Event().wait
        with suppress(BrokenPipeError, ConnectionResetError):  # The client had enough.
            while True:
                self.wfile.write(body[:1] if pause else body)
                self.server_state.sent += 1 if pause else len(body)
                wait(pause)

    def _break_off(self, fault: Fault) -> None:
        self.wfile.flush()
        if fault.reset:
            # SO_LINGER of zero seconds: closing sends RST.
            import socket
            import struct

            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        self.close_connection = True
