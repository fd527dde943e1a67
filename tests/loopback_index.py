"""A package index on loopback (simple repository API, HTML and JSON) that serves made wheels.

It writes down every request, can ask for credentials, can fail, and can leave things out that
real indexes leave out: hashes, sizes, upload times, metadata files.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Self
from urllib.parse import unquote

from bench.serving import serving
from wheelmaker import MadeWheel

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class File:
    """A file of an index. ``location`` is where it lies instead, ``data`` then stays empty.

    ``sha256`` empty: the index tells no hash. ``told_size`` false: HEAD tells no length.
    ``query``: what its URL ends with, such as ``?token=1``. ``md5``: what an index of old tells
    instead.
    """

    name: str
    file: str
    data: bytes = b""
    sha256: str = ""
    metadata: bytes | None = None
    uploaded: str = "2026-01-02T03:04:05Z"
    yanked: bool = False
    told_size: bool = True
    location: str = ""
    query: str = ""
    md5: str = ""

    @classmethod
    def of(cls, wheel: MadeWheel) -> Self:
        """A wheel as a good index shows it."""
        name = normal(wheel.file.split("-")[0])
        return cls(name, wheel.file, wheel.data, wheel.sha256, wheel.metadata)


@dataclass
class LoopbackIndex:
    """What a server serves; tests change it while it runs.

    ``credentials``: user and password that every request must bring. ``status``: answered to
    everything, where it isn't 200. ``speaks_json``: false for an index that has HTML only.
    """

    address: str = ""
    files: list[File] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    credentials: tuple[str, str] | None = None
    status: int = 200
    speaks_json: bool = True

    @property
    def url(self) -> str:
        """The index's URL, as written in a profile."""
        return f"http://{self.address}/simple"

    @property
    def url_with_credentials(self) -> str:
        """The same with the credentials in it, as people write it who shouldn't."""
        user, password = self.credentials or ("", "")
        return f"http://{user}:{password}@{self.address}/simple"

    @property
    def asked(self) -> set[str]:
        """The names of the packages whose page was asked for."""
        pages = (re.fullmatch(r"/simple/([^/]+)/?", path) for _, path in self.requests)
        return {page[1] for page in pages if page}

    def add(self, *wheels: MadeWheel) -> Self:
        """Serve these wheels too."""
        self.files += [File.of(wheel) for wheel in wheels]
        return self

    def remove(self, file: str) -> None:
        """Stop to serve and to list a file."""
        self.files = [known for known in self.files if known.file != file]

    def change(self, file: str, **changes: object) -> None:
        """Serve a file with other fields."""
        self.files = [
            replace(known, **changes) if known.file == file else known for known in self.files
        ]

    def authorised(self, header: str | None) -> bool:
        """Whether a request's ``Authorization`` header is the one that is asked for."""
        if self.credentials is None:
            return True
        token = base64.b64encode(":".join(self.credentials).encode()).decode()
        return header == f"Basic {token}"

    def find(self, file: str) -> File | None:
        """The file of that name."""
        return next((known for known in self.files if known.file == file), None)

    def page(self, name: str) -> Sequence[File]:
        """The files of a project."""
        return [known for known in self.files if known.name == name]


@contextmanager
def loopback_index(*wheels: MadeWheel) -> Iterator[LoopbackIndex]:
    """An index that runs until the block ends."""
    index = LoopbackIndex()

    class Handler(_Handler):
        served = index

    index.add(*wheels)
    with serving(Handler) as index.address:
        yield index


def normal(name: str) -> str:
    """A name as the simple API spells it (name normalisation)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: LoopbackIndex

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        index = self.served
        index.requests.append((self.command, self.path))
        if index.status != 200:
            self._send(index.status, b"out of order", "text/plain")
        elif not index.authorised(self.headers["Authorization"]):
            self._send(401, b"who are you?", "text/plain")
        elif page := re.fullmatch(r"/simple/([^/]+)/?", self.path):
            self._send_page(index.page(page[1]))
        elif self.path.startswith("/files/"):
            self._send_file(unquote(self.path.removeprefix("/files/").partition("?")[0]))
        else:
            self._send(404, b"nothing here", "text/plain")

    def _send_page(self, files: Sequence[File]) -> None:
        if not files:
            self._send(404, b"no such project", "text/plain")
        elif self.served.speaks_json and JSON in self.headers.get("Accept", ""):
            self._send(200, _json_page(files), JSON)
        else:
            self._send(200, _html_page(files), "text/html")

    def _send_file(self, path: str) -> None:
        file = self.served.find(path.removesuffix(".metadata"))
        if file is None or (path.endswith(".metadata") and file.metadata is None):
            self._send(404, b"no such file", "text/plain")
        elif path.endswith(".metadata"):
            self._send(200, file.metadata or b"", "application/octet-stream")
        elif file.location:
            self.send_response(302)
            self.send_header("Location", file.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif not file.told_size and self.command == "HEAD":
            self.send_response(200)
            self.end_headers()
        else:
            self._send_range(file)

    def _send_range(self, file: File) -> None:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not asked or self.command == "HEAD":
            self._send(200, file.data, "application/octet-stream")
            return
        size = len(file.data)
        start = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
        stop = min(int(asked[2]) + 1, size) if asked[1] and asked[2] else size
        if start >= size:
            self._send(416, b"", "text/plain")
            return
        where = f"bytes {start}-{stop - 1}/{size}"
        self._send(206, file.data[start:stop], "application/octet-stream", where)

    def _send(self, status: int, body: bytes, media_type: str, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        if content_range:
            self.send_header("Content-Range", content_range)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _json_page(files: Sequence[File]) -> bytes:
    entries: list[dict[str, object]] = []
    for file in files:
        entry: dict[str, object] = {
            "filename": file.file,
            "url": f"/files/{file.file}{file.query}",
            "hashes": _hashes(file),
            "yanked": file.yanked,
        }
        if file.uploaded:
            entry["upload-time"] = file.uploaded
        if file.metadata is not None:
            entry["core-metadata"] = {"sha256": hashlib.sha256(file.metadata).hexdigest()}
        entries.append(entry)
    page = {"meta": {"api-version": "1.1"}, "name": files[0].name, "files": entries}
    return json.dumps(page).encode()


def _hashes(file: File) -> dict[str, str]:
    told = {"sha256": file.sha256, "md5": file.md5}
    return {algorithm: value for algorithm, value in told.items() if value}


def _html_page(files: Sequence[File]) -> bytes:
    links = [
        f'<a href="/files/{file.file}{f"#sha256={file.sha256}" if file.sha256 else ""}"'
        f"{' data-yanked' if file.yanked else ''}>{html.escape(file.file)}</a><br/>"
        for file in files
    ]
    return "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()
