"""Requests and responses as values that know nothing of the library underneath."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from basestore.digest import CHUNK
from basestore.errors import IntegrityError
from basestore.transport.errors import BrokenOffError, TooLargeError, TruncatedError
from basestore.transport.pace import Pace, Paced

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

# What is read of an answer nobody wants, so that its connection can serve again.
_DRAIN = 64 * 1024

_DIGITS = 18  # of a body's length in bytes


class BodySizeError(IntegrityError):
    """What was to be sent has another size than it should; the server would wait for the rest."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"of {expected} bytes to send {found} or more were found",
            "the store may be damaged: `basestore build --rebuild` checks it",
        )
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: ``size`` bytes that ``open`` yields anew each time."""

    open: Callable[[], Iterator[bytes]]
    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes once more; raises BodySizeError where they aren't as many as promised."""
        found = 0
        for chunk in self.open():
            found += len(chunk)
            if found > self.size:
                break
            yield chunk
        if found != self.size:
            raise BodySizeError(self.size, found)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """A body that is in memory."""
        return cls(lambda: iter((data,)), len(data))


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. URL and ``headers`` may hold secrets and are never shown.

    ``redirects``: how many to follow; none where the body holds a secret.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = None
    redirects: int = 5


class Response:
    """An answer whose body is still to be read; a context manager that gives the connection back.

    ``headers`` have lower-case names; several of one name are joined by ", " (RFC 9110 5.3).
    ``url`` is where the answer came from, after redirects. ``length``: the body's size where told.
    """

    def __init__(self, url: str, raw: "BaseHTTPResponse", pace: Pace) -> None:
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = {name.lower(): raw.headers[name] for name in raw.headers}
        self.length = _natural(self.headers.get("content-length"))
        self._raw = raw
        self._pace = pace
        self._whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The body as it was sent, never decoded, as it comes: ``size`` bytes at a time at most.

        Raises BrokenOffError: TruncatedError where the end came early, StalledError where it is
        not worth waiting for.
        """
        found = 0
        with _broken_off(self.url):
            try:
                for chunk in self._pieces(size):
                    found += len(chunk)
                    yield chunk
            except _connection_faults():
                if self.length is not None and found < self.length:
                    raise TruncatedError(self.url, found, self.length) from None
                raise
        self._whole = True

    def _pieces(self, size: int) -> Iterator[bytes]:
        """What each wait brings: a larger piece would be waited for without looking at the pace."""
        paced = Paced(self.url, self._pace)
        while piece := paced.next(lambda: self._raw.read1(size, decode_content=False)):
            yield piece

    def read(self, limit: int) -> bytes:
        """The whole body; TooLargeError if it has more than ``limit`` bytes."""
        if self.length is not None and self.length > limit:
            raise TooLargeError(self.url, limit)
        body = bytearray()
        for chunk in self.chunks(min(CHUNK, limit + 1)):
            body += chunk
            if len(body) > limit:
                raise TooLargeError(self.url, limit)
        return bytes(body)

    def drain(self) -> None:
        """Have done with an answer whose body is of no use."""
        try:
            self.read(_DRAIN)
        except (BrokenOffError, TooLargeError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back, or cut it off where the body was not read whole."""
        if self._whole or self._raw.length_remaining == 0:
            self._raw.drain_conn()
        else:
            self._raw.close()
        self._raw.release_conn()


@contextmanager
def _broken_off(url: str) -> Iterator[None]:
    try:
        yield
    except _connection_faults() as error:
        raise BrokenOffError(url, reason_of(error)) from None


def _connection_faults() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError

    return (HTTPError, OSError)


def reason_of(error: BaseException) -> str:
    """The innermost reason of a connection's fault in plain words, free of addresses."""
    from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror[:1].lower() + cause.strerror[1:]
    for cause in chain:
        if isinstance(cause, TimeoutError | Urllib3TimeoutError):
            return "no answer in time"
    return "the connection was closed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _natural(text: str | None) -> int | None:
    """A number of bytes that a body can have; what says more says nothing."""
    plain = text is not None and len(text) <= _DIGITS and text.isascii() and text.isdigit()
    return int(text) if text is not None and plain else None
