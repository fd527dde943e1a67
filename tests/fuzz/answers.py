"""Targets of what registries and their token servers answer, through the client that asks them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import cast

from fuzz.target import Target
from urllib3 import HTTPResponse

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.registry.auth import Access, Authorisation
from basestore.registry.challenge import parse_challenges
from basestore.registry.client import Manifest, RegistryClient, Upload
from basestore.registry.config import DockerConfig
from basestore.registry.inspect import inspect_image
from basestore.registry.reference import Repository, parse_reference, parse_repository
from basestore.transport import Request, Response, Transport
from basestore.transport.backoff import Backoff
from basestore.transport.pace import Pace

STATUSES = (200, 201, 202, 400, 401, 404, 429)
PARTS = b"\n-----\n"
REPOSITORY = parse_repository("registry.example.com/team/app")
JSON = (b"{", b"[", b"]", b"}", b'"', b",", b":", b"null", b"-1", b"9" * 5000, b"[" * 9000)
HEADERS = (
    b"Bearer realm=",
    b'"https://',
    b",",
    b"scope=",
    b"Basic ",
    b"\\",
    b"sha256:" + b"0" * 64,
)


@dataclass(frozen=True)
class Answering:
    """A transport that has one answer to all requests, and never waits."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    backoff: Backoff = field(default_factory=lambda: Backoff(lambda _: None))

    def send(self, request: Request) -> Response:
        """The answer, as the wire gives it."""
        raw = HTTPResponse(
            BytesIO(self.body),
            headers=dict(self.headers),
            status=self.status,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return Response(request.url, raw, Pace(1, 60.0, lambda: 0.0))

    request = send


@dataclass(frozen=True)
class Publishing:
    """A client that finds the parts of an input, whatever it asks for."""

    parts: Iterator[bytes]
    repository: Repository = REPOSITORY

    def manifest(self, name: str) -> Manifest | None:
        """The next part."""
        del name
        data = next(self.parts, None)
        return None if data is None else Manifest(data, "")

    def blob(self, digest: Digest, limit: int) -> bytes:
        """The next part."""
        del digest, limit
        return next(self.parts, b"")


def _client(status: int, headers: Mapping[str, str], body: bytes) -> RegistryClient:
    transport = cast(Transport, Answering(status, headers, body))
    return RegistryClient.writer(transport, REPOSITORY, DockerConfig(None))


def _line(data: bytes) -> tuple[str, bytes]:
    """The first line as a header's value, and the rest."""
    line, _, rest = data.partition(b"\n")
    return line.decode("latin-1").replace("\r", "").strip(), rest


def _published(data: bytes) -> None:
    inspect_image(cast(RegistryClient, Publishing(iter(data.split(PARTS)))), "tag")


def _challenge(data: bytes) -> None:
    """A demand, and what the token server answers to the request that it leads to."""
    demand, answer = _line(data)
    parse_challenges(demand)
    refused = Answering(401, {"WWW-Authenticate": demand}, b"").send(Request("GET", REPOSITORY.url))
    serving = cast(Transport, Answering(200, {}, answer))
    auth = Authorisation(serving, DockerConfig(None), Access.to_write(REPOSITORY, ["team/other"]))
    header = auth.renew(None, refused)
    assert header.isascii()
    assert header.isprintable()


def _ask_all(client: RegistryClient) -> None:
    """Everything that is asked of a registry, whatever became of what was asked before."""
    upload = Upload(Digest.of(b""), 0, lambda: iter(()))
    zero = Digest("0" * 64)
    questions: tuple[Callable[[], object], ...] = (
        partial(client.manifest_digest, "tag"),
        partial(client.manifest, "tag"),
        partial(client.manifest, str(zero)),
        partial(client.put_manifest, "tag", Manifest(b"{}", "application/json")),
        partial(client.blob, zero, 100),
        partial(client.find_blob, zero, 100),
        partial(client.sibling_has_blob, "team/other", zero, 100),
        partial(client.mount, upload, "team/other"),
        partial(client.upload, upload),
    )
    for ask in questions:
        with suppress(BasestoreError):
            ask()


def _answer(data: bytes) -> None:
    """A header's value in each place where one is read, and a body."""
    value, body = _line(data)
    names = ("location", "docker-content-digest", "content-type", "content-length", "retry-after")
    status = STATUSES[len(data) % len(STATUSES)]
    _ask_all(_client(status, dict.fromkeys(names, value), body))


def _reference(data: bytes) -> None:
    parse_reference(data.decode("utf-8", "surrogateescape"))


ANSWERS: Mapping[str, Target] = {
    "published": Target(_published, tokens=(PARTS, b'"manifests":', b'"config":', *JSON)),
    "challenge": Target(_challenge, tokens=(*HEADERS, b'\n{"token":', *JSON)),
    "answer": Target(_answer, (), tokens=(*HEADERS, b"https://[", b"http://a:b", b"\n", *JSON)),
    "reference": Target(_reference, tokens=(b":", b"@sha256:", b"/", b"9" * 5000, b"[::1]")),
}
