"""A package index on loopback that caches may keep as they keep the real one (simple API, JSON).

Pages are to be asked for again and answer 304 where nothing has changed; metadata never changes.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from zipfile import ZipFile

from serving import serving

JSON = "application/vnd.pypi.simple.v1+json"
FOREVER = "max-age=365000000, immutable"
REVALIDATE = "max-age=0, must-revalidate"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers. ``tag``: what a cache may ask with, whether it has changed."""

    body: bytes
    media_type: str
    caching: str

    @property
    def tag(self) -> str:
        """The entity tag (RFC 9110, section 8.8.3)."""
        return f'"{sha256(self.body).hexdigest()}"'


@dataclass
class Index:
    """``url``: what a mirror's setting takes. ``answers``: by path."""

    url: str = ""
    files: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def list_wheel(self, name: str, path: Path, file: str, digest: str) -> None:
        """List a wheel on its package's page, and answer for its metadata, not for its content."""
        metadata = metadata_of(path)
        listed = {
            "filename": file,
            "url": f"/files/{file}",
            "hashes": {"sha256": digest},
            "size": path.stat().st_size,
            "upload-time": "2026-01-02T03:04:05Z",
            "core-metadata": {"sha256": sha256(metadata).hexdigest()},
        }
        files = self.files.setdefault(name, [])
        files.append(listed)
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        self.answers[f"/simple/{name}/"] = Answer(json.dumps(page).encode(), JSON, REVALIDATE)
        self.answers[f"/files/{file}.metadata"] = Answer(metadata, "text/plain", FOREVER)


def metadata_of(path: Path) -> bytes:
    """The content of a wheel's METADATA, the one of its top-level folder."""
    with ZipFile(path) as archive:
        (name,) = (
            name
            for name in archive.namelist()
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA")
        )
        return archive.read(name)


@contextmanager
def serve() -> Iterator[Index]:
    """An index that runs until the block ends."""
    index = Index()

    class Handler(_Handler):
        answers = index.answers

    with serving(Handler) as address:
        index.url = f"http://{address}/simple"
        yield index


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else a small body waits for the acknowledgement of its header.
    wbufsize = -1
    disable_nagle_algorithm = True
    answers: dict[str, Answer]

    def do_GET(self) -> None:
        answer = self.answers.get(self.path)
        if answer is None:
            self._send(404, Answer(b"", "text/plain", REVALIDATE))
        elif self.headers["If-None-Match"] == answer.tag:
            self._send(304, Answer(b"", answer.media_type, answer.caching), answer.tag)
        else:
            self._send(200, answer, answer.tag)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""

    def _send(self, status: int, answer: Answer, tag: str = '""') -> None:
        self.send_response(status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", answer.caching)
        self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
