"""A Docker Engine on a unix socket: what loading, checking and running need of API 1.41.

It keeps images as Docker 20.10 does (a layer counts only on top of the very layers below it, and a
known one isn't read), writes down every request, and fails as it is told. A container runs no
program: it answers its input in upper case, writes one line to its errors and ends with 7.
"""

import contextlib
import gzip
import hashlib
import io
import json
import re
import struct
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import parse_qs, unquote, urlsplit

from bench.serving import serving_on

NO_PROGRAM = "no-such-program"
WAITS = "waits"
"""A command that ends by a signal only."""


@dataclass(frozen=True)
class Refusal:
    """One answer instead of the right one. ``torn``: so many bytes of the body are read, then the
    connection closes without an answer. ``read``: whether the body is read before the answer.
    """

    method: str
    path: str
    status: int = 500
    body: bytes = b'{"message":"out of order"}'
    torn: int | None = None
    read: bool = True


@dataclass
class FakeContainer:
    """A container: what was asked of it, and its connections."""

    asked: dict
    attached: dict = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    signals: "SimpleQueue[str]" = field(default_factory=SimpleQueue)
    code: int = 7


@dataclass
class LoopbackEngine:
    """What is stored and served; tests look at it and change it while it runs."""

    host: str = ""
    version: object = field(
        default_factory=lambda: {
            "ApiVersion": "1.41",
            "MinAPIVersion": "1.12",
            "Os": "linux",
            "Arch": "amd64",
        }
    )
    driver: str = "overlay2"
    configs: dict[str, dict] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    chains: set[tuple[str, ...]] = field(default_factory=set)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    removed: list[FakeContainer] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    lacks: set[str] = field(default_factory=lambda: {NO_PROGRAM})

    def refuse(self, method: str, path: str, **how: object) -> None:
        """Refuse one request of that method whose path the pattern finds."""
        self.refusals.append(Refusal(method, path, **how))  # type: ignore[arg-type]

    def next_refusal(self, method: str, path: str) -> Refusal | None:
        """The refusal meant for this request, spent."""
        for refusal in self.refusals:
            if refusal.method == method and re.search(refusal.path, path):
                self.refusals.remove(refusal)
                return refusal
        return None

    def bodies(self, path: str) -> list[int]:
        """The sizes of the bodies that were posted to a path."""
        return [size for method, asked, size in self.asked if method == "POST" and path in asked]

    def find(self, name: str) -> str | None:
        """The ID of an image by name or ID."""
        return name if name in self.configs else self.names.get(name)

    def load(self, archive: bytes) -> Iterator[dict]:
        """Take an archive in, as Docker does; what it tells."""
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            (manifest,) = json.loads(_content(tar, "manifest.json"))
            config = _content(tar, manifest["Config"])
            diff_ids = json.loads(config)["rootfs"]["diff_ids"]
            for number, layer in enumerate(manifest["Layers"]):
                chain = tuple(diff_ids[: number + 1])
                if chain in self.chains:
                    continue
                if layer not in tar.getnames():
                    yield {"error": f"open /tmp/import/{layer}: no such file or directory"}
                    return
                data = _content(tar, layer)
                assert "sha256:" + hashlib.sha256(_unzipped(data)).hexdigest() == chain[-1]
                self.chains.add(chain)
                for current in (len(data) // 2, len(data)):
                    detail = {"current": current, "total": len(data)}
                    yield {"status": "Loading layer", "progressDetail": detail, "id": chain[-1]}
        image = "sha256:" + hashlib.sha256(config).hexdigest()
        self.configs[image] = json.loads(config)
        self.names.update(dict.fromkeys(manifest["RepoTags"], image))
        yield {"stream": f"Loaded image: {manifest['RepoTags'][0]}\n"}


def _unzipped(data: bytes) -> bytes:
    """The content of a chain of gzip members, in a time that grows as it does."""
    with gzip.open(io.BytesIO(data)) as file:
        return file.read()


@contextmanager
def loopback_engine() -> Iterator[LoopbackEngine]:
    """An engine that runs until the block ends."""
    engine = LoopbackEngine()

    class Handler(_Handler):
        served = engine

    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        socket = Path(folder, "docker.sock")
        engine.host = f"unix://{socket}"
        with serving_on(socket, Handler):
            yield engine


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: LoopbackEngine

    def address_string(self) -> str:
        return "a unix socket"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = re.sub(r"^/v1\.\d+", "", unquote(self.path))
        refusal = self.served.next_refusal(self.command, path)
        limit = None if refusal is None else 0 if not refusal.read else refusal.torn
        body = self._body(limit)
        self.served.asked.append((self.command, path, len(body)))
        if refusal and (refusal.torn is not None or not refusal.read):
            self.close_connection = True
        if refusal and refusal.torn is not None:
            return
        if refusal:
            self._send(refusal.status, refusal.body)
            return
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        for pattern, route in _ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {parts.path}"):
                route(self, *found.groups(), **({"query": query} if query else {}), body=body)
                return
        self._send(404, b'{"message":"page not found"}')

    def _body(self, limit: int | None) -> bytes:
        """The request's body, whole or its beginning."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while limit is None or len(data) < limit:
            size = int(self.rfile.readline() or b"0", 16)
            data += self.rfile.read(size)
            if not self.rfile.readline() or not size:
                break
        return data

    def _version(self, body: bytes) -> None:
        self._json(self.served.version)

    def _info(self, body: bytes) -> None:
        self._json({"DriverStatus": [["driver-type", self.served.driver]]})

    def _images(self, body: bytes, query: dict) -> None:
        (label,) = json.loads(query["filters"])["label"]
        found = [
            {"Id": image}
            for image, config in self.served.configs.items()
            if label in config["config"]["Labels"]
        ]
        self._json(found)

    def _inspect(self, name: str, body: bytes) -> None:
        image = self.served.find(name)
        if image is None:
            self._send(404, json.dumps({"message": f"No such image: {name}"}).encode())
            return
        config = self.served.configs[image]
        layers = {"Type": "layers", "Layers": config["rootfs"]["diff_ids"]}
        self._json({"Id": image, "RootFS": layers, "Config": config["config"]})

    def _tag(self, name: str, body: bytes, query: dict) -> None:
        image = self.served.find(name)
        assert image is not None
        self.served.names[f"{query['repo']}:{query['tag']}"] = image
        self._send(201, b"")

    def _load(self, body: bytes, query: dict) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in self.served.load(body):
            if self.served.next_refusal("STREAM", "load"):
                self.close_connection = True
                return
            self._chunk(json.dumps(piece).encode() + b"\r\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _create(self, body: bytes) -> None:
        number = f"{len(self.served.asked):064x}"
        self.served.containers[number] = FakeContainer(json.loads(body))
        self._json({"Id": number, "Warnings": []}, 201)

    def _attach(self, number: str, body: bytes, query: dict) -> None:
        container = self.served.containers[number]
        kind = "input" if "stdin" in query else "output"
        # Before the answer, after which the client may start it at once.
        container.attached[kind] = (self.rfile, self.wfile)
        self.wfile.write(
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        container.ended.wait()
        self.close_connection = True

    def _start(self, number: str, body: bytes) -> None:
        container = self.served.containers[number]
        asked = container.asked
        command = [*(asked.get("Entrypoint") or ()), *(asked.get("Cmd") or ())]
        if command[:1] and command[0] in self.served.lacks:
            reason = f'exec: "{command[0]}": executable file not found in $PATH: unknown'
            self._send(400, json.dumps({"message": f"create failed: {reason}"}).encode())
            return
        self._send(204, b"")
        threading.Thread(target=_run, args=(container, command), daemon=True).start()

    def _wait(self, number: str, body: bytes, query: dict | None = None) -> None:
        container = self.served.containers[number]
        container.ended.wait()
        self._json({"StatusCode": container.code})

    def _kill(self, number: str, body: bytes, query: dict) -> None:
        self.served.containers[number].signals.put(query["signal"])
        self._send(204, b"")

    def _resize(self, number: str, body: bytes, query: dict) -> None:
        self._send(200, b"")

    def _remove(self, number: str, body: bytes, query: dict) -> None:
        container = self.served.containers.pop(number)
        container.ended.set()
        self.served.removed.append(container)
        self._send(204, b"")

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _run(container: FakeContainer, command: list[str]) -> None:
    """Be the program of a container, until nobody listens."""
    try:
        with contextlib.suppress(OSError):
            _serve(container, command)
    finally:
        container.ended.set()


def _serve(container: FakeContainer, command: list[str]) -> None:
    framed = _plain if container.asked["Tty"] else _frame
    _, out = container.attached["output"]
    if command[:1] == [WAITS]:
        out.write(framed(1, b"waiting\n"))
        while (name := container.signals.get()) != "SIGKILL":
            out.write(framed(1, f"{name}\n".encode()))
        container.code = 137
    else:
        given = container.attached["input"][0].read() if "input" in container.attached else b""
        for part in (given[:100], given[100:]):
            if part:
                out.write(framed(1, part.upper()))
        out.write(framed(2, b"an error\n"))


def _frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def _plain(stream: int, data: bytes) -> bytes:
    """Output of a container with a terminal: one stream, no frames."""
    return data


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


_ROUTES = (
    (r"GET /version", _Handler._version),
    (r"GET /info", _Handler._info),
    (r"GET /images/json", _Handler._images),
    (r"GET /images/(.+)/json", _Handler._inspect),
    (r"POST /images/load", _Handler._load),
    (r"POST /images/(.+)/tag", _Handler._tag),
    (r"POST /containers/create", _Handler._create),
    (r"POST /containers/(.+)/attach", _Handler._attach),
    (r"POST /containers/(.+)/start", _Handler._start),
    (r"POST /containers/(.+)/wait", _Handler._wait),
    (r"POST /containers/(.+)/kill", _Handler._kill),
    (r"POST /containers/(.+)/resize", _Handler._resize),
    (r"DELETE /containers/(.+)", _Handler._remove),
)
