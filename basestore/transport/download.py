"""Downloads: a body that may take several connections to arrive (RFC 9110 14, "Range Requests").

What has arrived stays. A further request asks for the rest alone, on condition that the thing is
still the same (``If-Range``); where the server sends it whole again, the download starts over.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from basestore.progress import Advance
from basestore.store import BlobWriter, WrongDigestError
from basestore.transport.backoff import Backoff, retry_after
from basestore.transport.errors import TransportError, TruncatedError, error_of_status
from basestore.transport.message import Response
from basestore.transport.url import redact

PROGRESS = 1024 * 1024
"""A connection that brought so many new bytes was worth it: the count of failures starts anew."""

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)")

Get = Callable[[str, Mapping[str, str]], Response]
"""One GET of a URL with further headers; no status is an error."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the bytes go. ``size``: how many there must be in all, None where unknown."""

    writer: BlobWriter
    advance: Advance
    size: int | None


class Download:
    """One download under way. ``connections``: those whose bytes were taken."""

    def __init__(self, url: str, target: Target, get: Get) -> None:
        self._url = url
        self._writer = target.writer
        self._advance = target.advance
        self._size = target.size
        self._get = get
        self._validator: str | None = None
        self._furthest = target.writer.size  # the most bytes that were ever there
        self.connections = 0

    def run(self, backoff: Backoff) -> None:
        """Bring all bytes. Raises WrongDigestError (another size) and the last TransportError."""
        failures = 0
        while True:
            before = self._furthest
            try:
                return self._connect()
            except TransportError as error:
                worth_it = self._furthest - before >= PROGRESS
                failures = 1 if worth_it else failures + 1
                backoff.pause(error, failures)

    def _connect(self) -> None:
        """Bring what one connection brings."""
        if self._writer.size and self._writer.size == self._size:
            return
        with self._get(self._url, self._range_headers()) as response:
            if response.status == 416 and self._writer.size:
                rest = self._after_refused_range(response)
            elif response.status == 200 or (response.status == 206 and self._writer.size):
                rest = self._take(response)
            else:
                raise error_of_status(self._url, response.status, retry_after(response.headers))
        if rest:
            self._connect()

    def _range_headers(self) -> Mapping[str, str]:
        if not self._writer.size:
            return {}
        headers = {"Range": f"bytes={self._writer.size}-"}
        if self._validator:
            headers["If-Range"] = self._validator
        return headers

    def _after_refused_range(self, response: Response) -> bool:
        """Whether all is to be asked for again: not if just nothing was missing any more."""
        _, total = _content_range(response)
        if total == self._writer.size and self._size in (None, total):
            return False
        self._writer.restart()
        return True

    def _take(self, response: Response) -> bool:
        """Write a body to its place; whether the server sent another part than was asked for."""
        start, total = _content_range(response) if response.status == 206 else (0, response.length)
        if response.status == 206 and start != self._writer.size:
            self._writer.restart()
            return True
        if start == 0 and self._writer.size:
            self._writer.restart()
        self._validator = _validator(response)
        expected = total if total is not None else self._size
        if expected != self._size and self._size is not None:
            raise self._wrong_size(expected)
        self.connections += 1
        for chunk in response.chunks():
            self._write(chunk)
        if expected is not None and self._writer.size < expected:
            raise TruncatedError(self._url, self._writer.size, expected)
        return False

    def _write(self, chunk: bytes) -> None:
        self._writer.write(chunk)
        if self._writer.size > self._furthest:
            self._advance(self._writer.size - self._furthest)
            self._furthest = self._writer.size
        if self._size is not None and self._writer.size > self._size:
            raise self._wrong_size(self._writer.size)

    def _wrong_size(self, found: int | None) -> WrongDigestError:
        self._writer.restart()
        return WrongDigestError(redact(self._url), f"{self._size} bytes", f"{found} bytes")


def _content_range(response: Response) -> tuple[int | None, int | None]:
    """First byte and complete length (RFC 9110 14.4), each None where not told."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if not found:
        return None, None
    first, _, total = found.groups()
    return (int(first) if first else None), (int(total) if total != "*" else None)


def _validator(response: Response) -> str | None:
    """What ``If-Range`` may carry: a strong entity tag, else a date (RFC 9110 13.1.5)."""
    tag = response.headers.get("etag")
    if tag and not tag.startswith("W/"):
        return tag
    return response.headers.get("last-modified")
