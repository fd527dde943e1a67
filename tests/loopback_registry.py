"""A registry on loopback (OCI distribution-spec 1.1, what pushing and checking need).

It writes down every request, can ask for credentials (Basic, or Bearer with its own token server),
and fails as it is told. As docker-registry does, it forgets an upload session that was torn.
"""

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from bench.serving import serving


@dataclass(frozen=True)
class Asked:
    """A request that came; ``path`` with its query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Refusal:
    """One answer instead of the right one. ``torn``: the connection closes after so many bytes."""

    method: str
    path: str
    status: int = 500
    torn: int | None = None
    body: bytes = b'{"errors":[{"code":"UNKNOWN","message":"out of order","detail":"SECRET"}]}'


@dataclass
class LoopbackRegistry:
    """What is stored and served; tests look at it and change it while it runs.

    ``basic``: user and password asked for. ``tokens``: whether Bearer tokens are asked for; their
    realm is ``realm``, this server's own /token where empty, which wants ``basic`` if that is set,
    or ``identity`` as refresh token. ``uses``: how often a token serves. ``upload_base``: what
    upload locations begin with. ``mounts``: whether it mounts at all. ``keeps``: whether it accepts
    what it has under a digest already, and keeps that. ``head``: the status that HEAD of blobs and
    manifests is answered, 0 for the right one. ``lengths``: the methods to which it tells the size
    of a blob. ``ranges``: whether it sends parts of one.
    """

    address: str = ""
    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, dict[str, tuple[str, bytes]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    basic: tuple[str, str] | None = None
    tokens: bool = False
    identity: str = ""
    realm: str = ""
    uses: int = 1_000_000
    upload_base: str = ""
    mounts: bool = True
    tells_digests: bool = True
    keeps: bool = False
    head: int = 0
    lengths: tuple[str, ...] = ("HEAD", "GET")
    ranges: bool = False
    sessions: set[str] = field(default_factory=set)
    issued: dict[str, tuple[set[str], int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, pattern: str) -> int:
        """How many requests of that method came for a path that the pattern finds."""
        return sum(a.method == method and bool(re.search(pattern, a.path)) for a in self.asked)

    def refuse(self, method: str, path: str, **how: object) -> None:
        """Refuse one request of that method whose path the pattern finds."""
        self.refusals.append(Refusal(method, path, **how))  # type: ignore[arg-type]

    def next_refusal(self, method: str, path: str) -> Refusal | None:
        """The refusal meant for this request, spent."""
        with self.lock:
            for refusal in self.refusals:
                if refusal.method == method and re.search(refusal.path, path):
                    self.refusals.remove(refusal)
                    return refusal
        return None

    def issue(self, scopes: set[str]) -> str:
        """A new token for these scopes."""
        token = f"token-{uuid.uuid4()}"
        with self.lock:
            self.issued[token] = (scopes, self.uses)
        return token

    def spend(self, token: str, repository: str, action: str) -> bool:
        """Use a token once; whether it allows the action."""
        with self.lock:
            scopes, uses = self.issued.get(token, (set(), 0))
            if uses <= 0:
                return False
            self.issued[token] = (scopes, uses - 1)
        allowed = {
            granted
            for scope in scopes
            if scope.rpartition(":")[0] == f"repository:{repository}"
            for granted in scope.rpartition(":")[2].split(",")
        }
        return action in allowed


@contextmanager
def loopback_registry() -> Iterator[LoopbackRegistry]:
    """A registry that runs until the block ends."""
    registry = LoopbackRegistry()

    class Handler(_Handler):
        served = registry

    with serving(Handler) as registry.address:
        yield registry


def digest_of(data: bytes) -> str:
    """``sha256:…`` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: LoopbackRegistry

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length", 0))
        refusal = self.served.next_refusal(self.command, self.path)
        if refusal and refusal.torn is not None:
            self.rfile.read(min(refusal.torn, length))
            self.served.asked.append(Asked(self.command, self.path, headers))
            self.served.sessions.discard(urlsplit(self.path).path.rpartition("/")[2])
            self.close_connection = True
            return
        body = self.rfile.read(length)
        self.served.asked.append(Asked(self.command, self.path, headers, body))
        if len(body) < length:  # The client broke off.
            self.close_connection = True
        elif refusal:
            self._send(refusal.status, refusal.body)
        elif urlsplit(self.path).path == "/token":
            self._send_token(body)
        elif self._is_allowed():
            self._route(body)

    def _is_allowed(self) -> bool:
        registry = self.served
        sent = self.headers.get("Authorization", "")
        if registry.tokens:
            repository = self._repository()
            action = "pull" if self.command in ("GET", "HEAD") else "push"
            if registry.spend(sent.removeprefix("Bearer "), repository, action):
                return True
            realm = registry.realm or f"http://{registry.address}/token"
            demand = (
                f'Bearer realm="{realm}",service="test",scope="repository:{repository}:{action}"'
            )
        elif registry.basic is None or sent == _basic(registry.basic):
            return True
        else:
            demand = 'Basic realm="test, quoted \\"so\\""'
        error = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        self._send(401, json.dumps(error).encode(), {"WWW-Authenticate": demand})
        return False

    def _repository(self) -> str:
        found = re.match(r"/v2/(.+?)/(?:blobs|manifests)/", self.path)
        return found[1] if found else ""

    def _send_token(self, body: bytes) -> None:
        registry = self.served
        if self.command == "POST":
            form = parse_qs(body.decode())
            allowed = form.get("refresh_token") == [registry.identity]
            scopes = set(" ".join(form.get("scope", [])).split())
        else:
            sent = self.headers.get("Authorization", "")
            allowed = registry.basic is None or sent == _basic(registry.basic)
            scopes = set(parse_qs(urlsplit(self.path).query).get("scope", []))
        if not allowed:
            self._send(401, b"{}")
            return
        name = "access_token" if self.command == "POST" else "token"
        self._send(200, json.dumps({name: registry.issue(scopes)}).encode())

    def _route(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        routes: list[tuple[str, Callable[[str, str, bytes], None]]] = [
            (r"/v2/(.+)/blobs/uploads/(.*)", self._upload),
            (r"/v2/(.+)/blobs/(.+)", self._blob),
            (r"/v2/(.+)/manifests/(.+)", self._manifest),
        ]
        for pattern, route in routes:
            if found := re.fullmatch(pattern, parts.path):
                route(found[1], found[2], body)
                return
        self._send(404, b"{}")

    def _upload(self, repository: str, session: str, body: bytes) -> None:
        registry = self.served
        query = parse_qs(urlsplit(self.path).query)
        if self.command == "POST":
            mounted, source = query.get("mount", [""])[0], query.get("from", [""])[0]
            data = registry.blobs.get(source, {}).get(mounted)
            if registry.mounts and data is not None:
                self._keep(registry.blobs.setdefault(repository, {}), mounted, data)
                self._send(201, b"", {"Location": f"/v2/{repository}/blobs/{mounted}"})
                return
            session = str(uuid.uuid4())
            registry.sessions.add(session)
            location = f"{registry.upload_base}/v2/{repository}/blobs/uploads/{session}?state=1"
            self._send(202, b"", {"Location": location})
        elif session not in registry.sessions:
            self._error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        elif query.get("digest") != [digest_of(body)]:
            self._error(400, "DIGEST_INVALID", "the digest is another")
        else:
            registry.sessions.discard(session)
            self._keep(registry.blobs.setdefault(repository, {}), digest_of(body), body)
            self._send(201, b"", {"Docker-Content-Digest": digest_of(body)})

    def _keep(self, kept: dict[str, bytes], digest: str, data: bytes) -> None:
        if not (self.served.keeps and digest in kept):
            kept[digest] = data

    def _blob(self, repository: str, digest: str, body: bytes) -> None:
        registry = self.served
        data = registry.blobs.get(repository, {}).get(digest)
        if self.command == "HEAD" and registry.head:
            self._send(registry.head, b"")
        elif data is None:
            self._error(404, "BLOB_UNKNOWN", "no such blob")
        elif registry.ranges and self.command == "GET" and self.headers.get("Range"):
            assert self.headers["Range"] == "bytes=0-0"
            status = 206 if data else 416
            self._send(status, data[:1], {"Content-Range": f"bytes 0-0/{len(data)}"})
        else:
            self._send(200, data, told=self.command in registry.lengths)

    def _manifest(self, repository: str, name: str, body: bytes) -> None:
        manifests = self.served.manifests.setdefault(repository, {})
        if self.command == "HEAD" and self.served.head:
            self._send(self.served.head, b"")
        elif self.command == "PUT":
            self._put_manifest(repository, name, body)
        elif name not in manifests:
            self._error(404, "MANIFEST_UNKNOWN", "no such manifest")
        else:
            media_type, data = manifests[name]
            headers = {"Content-Type": media_type}
            if self.served.tells_digests:
                headers["Docker-Content-Digest"] = digest_of(data)
            self._send(200, data, headers)

    def _put_manifest(self, repository: str, name: str, body: bytes) -> None:
        manifests = self.served.manifests[repository]
        blobs = self.served.blobs.get(repository, {})
        document = json.loads(body)
        needed = [entry["digest"] for entry in document.get("layers", [])]
        needed += [document["config"]["digest"]] if "config" in document else []
        lacking = [digest for digest in needed if digest not in blobs]
        lacking += [
            e["digest"] for e in document.get("manifests", []) if e["digest"] not in manifests
        ]
        if lacking:
            self._error(400, "MANIFEST_BLOB_UNKNOWN", f"lacks {lacking[0]}")
            return
        digest = digest_of(body)
        if not (self.served.keeps and digest in manifests):
            manifests[digest] = (self.headers["Content-Type"], body)
        manifests[name] = manifests[digest]
        self._send(201, b"", {"Docker-Content-Digest": digest})

    def _error(self, status: int, code: str, message: str) -> None:
        self._send(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, told: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if told:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _basic(pair: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()
