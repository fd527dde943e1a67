"""Client of one repository: OCI distribution-spec 1.1, the parts that pushing and checking need."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urljoin, urlsplit

from basestore.digest import Digest
from basestore.progress import Advance
from basestore.registry.auth import Access, AccessRefusedError, Authorisation
from basestore.registry.config import DockerConfig
from basestore.registry.errors import (
    RegistryRefusedError,
    UnsafeUploadError,
    WrongContentError,
    read_errors,
)
from basestore.registry.reference import Repository
from basestore.transport import (
    Body,
    BrokenOffError,
    Request,
    Response,
    Transport,
    is_loopback,
    origin,
)

LARGEST_MANIFEST = 4 * 1024 * 1024
"""Bytes; distribution-spec "Pushing Manifests" has registries take at least so many."""

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


# RFC 9110 14.4: the size of the whole stands behind the slash, or "*".
_PARTS = (206, 416)
_WHOLE = re.compile(r"/([0-9]{1,18})\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The bytes of a manifest or index, and what they are said to be."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return Digest.of(self.data)


@dataclass(frozen=True, slots=True)
class Upload:
    """A blob to send: ``size`` bytes that ``open`` yields anew each time."""

    digest: Digest
    size: int
    open: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class There:
    """Something that the registry has; ``size`` in bytes, None where it doesn't tell."""

    size: int | None


@dataclass(frozen=True, slots=True)
class Hashed:
    """What the registry sent under a digest: how many bytes, and what they hash to."""

    digest: Digest
    size: int


class DeniedError(AccessRefusedError):
    """The registry refuses this request, whoever sends it or to those credentials (401, 403)."""


class RegistryClient:
    """One repository, with the access that its authorisation has. Safe for threads.

    All methods raise TransportError, AccessRefusedError and RegistryRefusedError.
    """

    def __init__(self, transport: Transport, repository: Repository, auth: Authorisation) -> None:
        self.repository = repository
        self._transport = transport
        self._auth = auth

    @classmethod
    def reader(
        cls, transport: Transport, repository: Repository, config: DockerConfig
    ) -> "RegistryClient":
        """A client that may look and pull."""
        access = Access.to_read(repository)
        return cls(transport, repository, Authorisation(transport, config, access))

    @classmethod
    def writer(
        cls,
        transport: Transport,
        repository: Repository,
        config: DockerConfig,
        siblings: Sequence[str] = (),
    ) -> "RegistryClient":
        """A client that may push, and mount from repositories with these paths."""
        access = Access.to_write(repository, siblings)
        return cls(transport, repository, Authorisation(transport, config, access))

    def manifest_digest(self, name: str) -> Digest | None:
        """The digest of what a tag or digest names, None where it names nothing."""
        answer = self._head(self._manifest(name), _accept())
        if answer.status == 404:
            return None
        told = answer.headers.get("docker-content-digest")
        if answer.status != 200 or told is None:
            manifest = self.manifest(name)
            return manifest.digest if manifest else None
        return self._parse_digest(told)

    def manifest(self, name: str) -> Manifest | None:
        """What a tag or digest (``sha256:…``) names, checked; None where it names nothing.

        Raises WrongContentError.
        """
        found = self._read(Request("GET", self._manifest(name), _accept()), LARGEST_MANIFEST)
        if found is None:
            return None
        data, headers = found
        told = headers.get("docker-content-digest")
        for promised in (name if ":" in name else None, told):
            if promised is not None:
                self._check(self._parse_digest(promised), data)
        return Manifest(data, headers.get("content-type", "").partition(";")[0].strip())

    def put_manifest(self, name: str, manifest: Manifest) -> None:
        """Store a manifest under its digest or a tag. Raises WrongContentError."""
        request = Request(
            "PUT",
            self._manifest(name),
            {"Content-Type": manifest.media_type},
            Body.of(manifest.data),
        )
        with self._ask(self._transport.request, request) as response:
            self._expect(response, 201)
            told = response.headers.get("docker-content-digest")
        if told is not None:
            self._check(self._parse_digest(told), manifest.data)

    def blob(self, digest: Digest, limit: int) -> bytes:
        """A small blob whole, checked. Raises WrongContentError and TooLargeError."""
        found = self._read(Request("GET", self._blob(digest)), limit)
        if found is None:
            raise RegistryRefusedError(self.repository, 404, ())
        data, _ = found
        self._check(digest, data)
        return data

    def find_blob(self, digest: Digest, expected: int | None = None) -> There | None:
        """What the repository has under a digest, None where nothing.

        GET is begun, for one byte, where HEAD isn't answered, tells no size, or another one than
        ``expected``: some servers, and some of those that they redirect to, know no HEAD.
        """
        answer = self._head(self._blob(digest), {})
        if answer.status == 404:
            return None
        if answer.status == 200 and answer.size is not None and expected in (None, answer.size):
            return There(answer.size)
        return self._begin(self._blob(digest))

    def hash_blob(self, digest: Digest, most: int, advance: Advance) -> Hashed | None:
        """What the repository sends under a digest, None where nothing; read again where torn.

        No more than ``most`` bytes, and one. ``advance`` is told of bytes never seen before only.
        """
        furthest = 0

        def once() -> Hashed | None:
            nonlocal furthest
            with self._ask(self._transport.send, Request("GET", self._blob(digest))) as response:
                if response.status == 404:
                    return None
                self._expect(response, 200)
                size, sha256 = 0, hashlib.sha256()
                for chunk in response.chunks():
                    size += len(chunk)
                    sha256.update(chunk)
                    if size > most:
                        break
                    advance(max(size - furthest, 0))
                    furthest = max(size, furthest)
                return Hashed(Digest(sha256.hexdigest()), size)

        return self._transport.backoff.retry(once)

    def sibling_has_blob(self, path: str, digest: Digest, size: int) -> bool:
        """Whether another repository has the blob whole, as far as told, and lets us see it."""
        url = f"{self.repository.api}/{path}/blobs/{digest}"
        try:
            answer = self._head(url, {})
        except AccessRefusedError:
            return False
        return answer.status == 200 and answer.size in (None, size)

    def mount(self, upload: Upload, path: str) -> bool:
        """Take a blob over from a repository with that path; whether the registry did.

        Where it didn't, the blob has been sent in the upload session that it opened instead.
        """
        query = urlencode({"mount": str(upload.digest), "from": path}, safe=":/")
        return self._transport.backoff.retry(lambda: self._start(upload, f"?{query}"))

    def upload(self, upload: Upload) -> None:
        """Send a blob. A broken upload starts again from nothing."""
        self._transport.backoff.retry(lambda: self._start(upload, ""))

    def _start(self, upload: Upload, query: str) -> bool:
        """POST, then PUT of all bytes ("Pushing a blob monolithically"); whether it was mounted.

        A session that was torn once is unusable with docker-registry, so that no request of it is
        worth repeating alone.
        """
        begin = Request("POST", f"{self.repository.url}/blobs/uploads/{query}", body=Body.of(b""))
        with self._ask(self._transport.send, begin) as response:
            if response.status == 201 and query:
                return True
            self._expect(response, 202)
            session = self._session(response)
            response.drain()
        self._finish(upload, session)
        return False

    def _finish(self, upload: Upload, session: str) -> None:
        separator = "&" if urlsplit(session).query else "?"
        request = Request(
            "PUT",
            f"{session}{separator}{urlencode({'digest': str(upload.digest)}, safe=':')}",
            {"Content-Type": "application/octet-stream"},
            Body(upload.open, upload.size),
        )
        with self._ask(self._transport.send, request) as response:
            if response.status == 404:
                raise BrokenOffError(request.url, "the upload session is gone")
            self._expect(response, 201)

    def _head(self, url: str, headers: Mapping[str, str]) -> "_Head":
        """What HEAD is answered; what refuses that method may yet answer GET."""
        try:
            with self._request("HEAD", url, headers) as response:
                return _Head(response.status, response.length, response.headers)
        except DeniedError:
            return _Head(403, None, {})

    def _begin(self, url: str) -> There | None:
        """What GET says of something before it sends it."""
        with self._request("GET", url, {"Range": "bytes=0-0"}) as response:
            if response.status == 404:
                return None
            if response.status in _PARTS:
                found = _WHOLE.search(response.headers.get("content-range", ""))
                return There(int(found[1]) if found else None)
            self._expect(response, 200)
            return There(response.length)

    def _session(self, response: Response) -> str:
        """Where the upload goes on; "the Location header", which may be relative."""
        location = response.headers.get("location")
        if location is None:
            raise RegistryRefusedError(
                self.repository, response.status, (), "it doesn't say where an upload goes on"
            )
        try:
            session = urljoin(response.url, location)
            target = origin(session)
        except ValueError:
            target = None
        if target is None or not target.host or target.scheme not in ("http", "https"):
            raise RegistryRefusedError(
                self.repository, response.status, (), "it says that an upload goes on nowhere"
            )
        here = origin(self.repository.api).scheme == "http" and is_loopback(target.host)
        if target.scheme != "https" and not here:
            raise UnsafeUploadError(self.repository, target.host)
        return session

    def _read(self, request: Request, limit: int) -> tuple[bytes, Mapping[str, str]] | None:
        """A small thing and its headers, read again where torn; None where it isn't there."""

        def once() -> tuple[bytes, Mapping[str, str]] | None:
            with self._ask(self._transport.send, request) as response:
                if response.status == 404:
                    return None
                self._expect(response, 200)
                return response.read(limit), response.headers

        return self._transport.backoff.retry(once)

    @contextmanager
    def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        request = Request(method, url, headers or {})
        with self._ask(self._transport.request, request) as response:
            yield response

    @contextmanager
    def _ask(self, send: Callable[[Request], Response], request: Request) -> Iterator[Response]:
        """The answer to a request, after credentials were given if the registry asked for them."""
        if origin(request.url) != origin(self.repository.api):
            with send(request) as response:
                yield response
            return
        header = self._auth.header
        response = send(_with(request, header))
        # Whoever it redirects to has no say in where its credentials go.
        if response.status == 401 and origin(response.url) == origin(self.repository.api):
            response.drain()
            response = send(_with(request, self._auth.renew(header, response)))
        with response:
            if response.status in (401, 403):
                raise self._denied(response)
            yield response
            response.drain()

    def _denied(self, response: Response) -> DeniedError:
        _, reason = read_errors(response)
        return DeniedError(self.repository, reason or f"{response.status}")

    def _expect(self, response: Response, status: int) -> None:
        if response.status == status:
            return
        codes, reason = read_errors(response)
        raise RegistryRefusedError(self.repository, response.status, codes, reason)

    def _parse_digest(self, text: str) -> Digest:
        try:
            return Digest.parse(text)
        except ValueError:
            raise RegistryRefusedError(
                self.repository, 200, (), "it names a digest that is none"
            ) from None

    def _check(self, expected: Digest, data: bytes) -> None:
        found = Digest.of(data)
        if found != expected:
            raise WrongContentError(self.repository, str(expected), str(found))

    def _manifest(self, name: str) -> str:
        return f"{self.repository.url}/manifests/{name}"

    def _blob(self, digest: Digest) -> str:
        return f"{self.repository.url}/blobs/{digest}"


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    size: int | None
    headers: Mapping[str, str]


def _with(request: Request, authorization: str | None) -> Request:
    if authorization is None:
        return request
    return replace(request, headers={**request.headers, "Authorization": authorization})


def _accept() -> Mapping[str, str]:
    return {"Accept": ", ".join(MANIFEST_TYPES)}
