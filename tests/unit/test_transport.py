"""The transport against a server that fails."""

import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clocks import Clock
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.digest import Digest
from basestore.store import BlobWriter, WrongDigestError
from basestore.transport import (
    AccessDeniedError,
    BadUrlError,
    Body,
    BrokenOffError,
    Credentials,
    NoConnectionError,
    NotFoundError,
    RedirectError,
    Request,
    ServerFaultError,
    StatusError,
    Timeouts,
    TooLargeError,
    Transport,
    TransportError,
    TruncatedError,
    origin,
    redact,
)
from basestore.transport.connections import proxy_of
from basestore.transport.errors import NetrcError

DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as served:
        yield served


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> Iterator[Transport]:
    with Transport(sleep=clock.sleep) as made:
        yield made


@dataclass
class Download:
    """A file on the disk being downloaded, and what a watcher saw of it."""

    path: Path
    begun: bytes = b""
    advanced: list[int] = field(default_factory=list)
    digest: Digest | None = None

    def run(self, transport: Transport, url: str, size: int | None = None) -> bytes:
        self.path.write_bytes(self.begun)
        with self.path.open("r+b") as file:
            writer = BlobWriter(file)
            writer.resume()
            transport.download(url, writer, self.advanced.append, size=size)
            self.digest = writer.digest
            file.flush()
        return self.path.read_bytes()


@pytest.fixture
def download(tmp_path: Path) -> Download:
    return Download(tmp_path / "download")


# Documents and sizes


def test_reads_a_document(server: FaultyServer, transport: Transport) -> None:
    assert transport.read(server.serve("/a", b"text"), limit=4) == b"text"


def test_refuses_a_document_beyond_its_limit(server: FaultyServer, transport: Transport) -> None:
    with pytest.raises(TooLargeError):
        transport.read(server.serve("/a", b"text!"), limit=4)
    with pytest.raises(TooLargeError):
        transport.read(server.serve("/b", b"text!", Fault(untold=True)), limit=4)


def test_tells_a_size(server: FaultyServer, transport: Transport) -> None:
    assert transport.size(server.serve("/a", DATA)) == len(DATA)
    assert transport.size(server.serve("/b", DATA, Fault(untold=True))) is None
    assert transport.size(server.serve("/c", DATA, Fault(status=405))) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFoundError),
        (410, NotFoundError),
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (400, StatusError),
        (501, StatusError),
    ],
)
def test_an_answer_that_stands_is_not_asked_for_again(
    server: FaultyServer,
    transport: Transport,
    clock: Clock,
    status: int,
    error: type[StatusError],
) -> None:
    url = server.serve("/a", b"", Fault(status=status))
    with pytest.raises(error) as raised:
        transport.read(url, limit=9)
    assert raised.value.status == status
    assert raised.value.exit_code == 6
    assert clock.slept == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_out_of_order_is_asked_again(
    server: FaultyServer, transport: Transport, clock: Clock, status: int
) -> None:
    url = server.serve("/a", b"text", *[Fault(status=status)] * 5)
    assert transport.read(url, limit=9) == b"text"
    assert clock.slept == [0.5, 1, 2, 4, 8]


def test_tries_end(server: FaultyServer, transport: Transport, clock: Clock) -> None:
    url = server.serve("/a", b"text", *[Fault(status=500)] * 6)
    with pytest.raises(ServerFaultError):
        transport.read(url, limit=9)
    assert len(clock.slept) == 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "7"),), 7),
        ((("Retry-After", "99999"),), 60),
        ((("Retry-After", "soon"),), 0.5),
        ((("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),), 0.5),
    ],
)
def test_waits_as_long_as_the_server_asks(
    server: FaultyServer,
    transport: Transport,
    clock: Clock,
    headers: tuple[tuple[str, str], ...],
    seconds: float,
) -> None:
    transport.read(server.serve("/a", b"text", Fault(status=429, headers=headers)), limit=9)
    assert clock.slept == [seconds]


def test_a_torn_document_is_read_again(server: FaultyServer, transport: Transport) -> None:
    url = server.serve("/a", b"text", Fault(cut=2), Fault(cut=2, reset=True))
    assert transport.read(url, limit=9) == b"text"


def test_nobody_listens(transport: Transport, clock: Clock) -> None:
    with faulty_server() as gone:
        url = gone.url("/a")
    with pytest.raises(NoConnectionError, match="connection refused") as raised:
        transport.read(url, limit=9)
    assert raised.value.host == gone.address
    assert clock.slept == [0.5, 1]


def test_a_silent_server_is_given_up(clock: Clock) -> None:
    released = threading.Event()
    with (
        faulty_server() as server,
        Transport(sleep=clock.sleep, timeouts=Timeouts(connect=5, read=0.05)) as transport,
    ):
        server.files = _Blocking(released)
        with pytest.raises(BrokenOffError, match="no answer in time"):
            transport.read(server.url("/a"), limit=9)
        released.set()


class _Blocking(dict[str, bytes]):
    """Files that nobody finds before the event."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._event = event

    def __contains__(self, path: object) -> bool:
        self._event.wait(30)
        return False


@pytest.mark.parametrize(
    "url", ["ftp://host/a", "/a/path", "http://", "http://host:port/", "http://[::1/", ""]
)
def test_refuses_what_is_no_url(transport: Transport, url: str) -> None:
    with pytest.raises(BadUrlError) as raised:
        transport.read(url, limit=9)
    assert raised.value.exit_code == 4


# Downloads


def test_downloads(server: FaultyServer, transport: Transport, download: Download) -> None:
    assert download.run(transport, server.serve("/a", DATA), len(DATA)) == DATA
    assert download.digest == Digest.of(DATA)
    assert sum(download.advanced) == len(DATA)


def test_an_empty_file(server: FaultyServer, transport: Transport, download: Download) -> None:
    assert download.run(transport, server.serve("/a", b"")) == b""


@pytest.mark.parametrize("reset", [False, True])
def test_resumes_where_the_connection_broke(
    server: FaultyServer, transport: Transport, download: Download, reset: bool
) -> None:
    url = server.serve("/a", DATA, Fault(cut=1000, reset=reset), Fault(cut=500, reset=reset))
    assert download.run(transport, url) == DATA
    if not reset:  # An RST may overtake bytes that were sent before it.
        assert server.ranges("/a") == ["", "bytes=1000-", "bytes=1500-"]
        assert server.asked[1].headers["if-range"] == '"1"'
    assert sum(download.advanced) == len(DATA)


def test_takes_up_what_an_earlier_run_left(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    download.begun = DATA[:5000]
    assert download.run(transport, server.serve("/a", DATA)) == DATA
    assert server.ranges("/a") == ["bytes=5000-"]
    assert download.digest == Digest.of(DATA)
    assert sum(download.advanced) == len(DATA) - 5000


def test_starts_over_where_the_server_ignores_ranges(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    url = server.serve("/a", DATA, Fault(cut=7000), Fault(whole=True))
    assert download.run(transport, url) == DATA
    assert download.digest == Digest.of(DATA)
    assert sum(download.advanced) == len(DATA)


def test_starts_over_where_the_file_changed(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    other = DATA[::-1]
    url = server.serve("/a", DATA, Fault(cut=7000), Fault(data=other, etag='"2"'))
    assert download.run(transport, url) == other


def test_a_weak_tag_is_no_condition(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    url = server.serve("/a", DATA, Fault(cut=7000), etag='W/"1"')
    assert download.run(transport, url) == DATA
    assert "if-range" not in server.asked[1].headers


def test_nothing_was_missing(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    download.begun = DATA
    url = server.serve("/a", DATA)
    assert download.run(transport, url) == DATA
    assert server.ranges("/a") == [f"bytes={len(DATA)}-"]
    assert download.run(transport, url, len(DATA)) == DATA
    assert len(server.asked) == 1


def test_more_was_there_than_the_file_has(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    download.begun = DATA + b"more"
    assert download.run(transport, server.serve("/a", DATA)) == DATA


def test_stays_truncated(
    server: FaultyServer, transport: Transport, clock: Clock, download: Download
) -> None:
    url = server.serve("/a", DATA)
    server.always["/a"] = Fault(cut=0)
    with pytest.raises(TruncatedError) as raised:
        download.run(transport, url)
    assert (raised.value.found, raised.value.expected) == (0, len(DATA))
    assert raised.value.exit_code == 6
    assert len(clock.slept) == 5


def test_an_untold_end_that_comes_early_is_truncation(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    url = server.serve("/a", DATA, Fault(untold=True, cut=1000))
    assert download.run(transport, url, len(DATA)) == DATA
    assert server.ranges("/a") == ["", "bytes=1000-"]


def test_progress_renews_the_tries(
    server: FaultyServer, transport: Transport, download: Download
) -> None:
    data = DATA * 9
    url = server.serve("/a", data, *[Fault(cut=len(DATA))] * 8)
    assert download.run(transport, url) == data


def test_no_endless_tries_where_each_starts_over(
    server: FaultyServer, transport: Transport, clock: Clock, download: Download
) -> None:
    url = server.serve("/a", DATA * 4)
    server.always["/a"] = Fault(cut=len(DATA) * 2, whole=True)
    with pytest.raises(TruncatedError):
        download.run(transport, url)
    assert len(clock.slept) == 5


@pytest.mark.parametrize("untold", [False, True])
def test_another_size_than_locked(
    server: FaultyServer, transport: Transport, download: Download, untold: bool
) -> None:
    url = server.serve("/a", DATA, Fault(untold=untold))
    with pytest.raises(WrongDigestError) as raised:
        download.run(transport, url, 1000)
    assert raised.value.exit_code == 5
    assert download.path.read_bytes() == b""


# Redirects and credentials


def _port(server: FaultyServer) -> str:
    return server.address.rpartition(":")[2]


def _redirect(url: str, status: int = 302) -> Fault:
    return Fault(status=status, headers=(("Location", url),))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_redirects(server: FaultyServer, transport: Transport, status: int) -> None:
    server.serve("/b/c", b"text")
    url = server.serve("/b/a", b"", _redirect("c", status))
    assert transport.read(url, limit=9) == b"text"


def test_follows_five_redirects_not_six(server: FaultyServer, transport: Transport) -> None:
    server.serve("/0", b"text")
    for number in range(1, 7):
        server.serve(f"/{number}", b"")
        server.always[f"/{number}"] = _redirect(f"/{number - 1}")
    assert transport.read(server.url("/5"), limit=9) == b"text"
    with pytest.raises(RedirectError):
        transport.read(server.url("/6"), limit=9)


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://host/", "http://[/"])
def test_refuses_a_redirect_out_of_the_web(
    server: FaultyServer, transport: Transport, target: str
) -> None:
    with pytest.raises(RedirectError):
        transport.read(server.serve("/a", b"", _redirect(target)), limit=9)


def test_credentials_of_a_url_become_a_header(server: FaultyServer, transport: Transport) -> None:
    server.serve("/a", b"", _redirect("/b"))
    server.serve("/b", b"text")
    transport.read(f"http://us%40er:pa%3Ass@{server.address}/a", limit=9)
    # base64 of us@er:pa:ss
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Basic dXNAZXI6cGE6c3M=",
        "Basic dXNAZXI6cGE6c3M=",
    ]


def test_credentials_stay_with_their_origin(server: FaultyServer, transport: Transport) -> None:
    with faulty_server() as other:
        target = other.serve("/b", b"text")
        server.serve("/a", b"", _redirect(target), _redirect(target))
        request = Request("GET", server.url("/a"), {"authorization": "secret", "X-Other": "kept"})
        with transport.request(request) as response:
            assert response.read(9) == b"text"
            assert response.url == target
        assert transport.read(f"http://user:pass@{server.address}/a", limit=9) == b"text"
    assert ["authorization" in asked.headers for asked in server.asked] == [True, True]
    assert ["authorization" in asked.headers for asked in other.asked] == [False, False]
    assert other.asked[0].headers["x-other"] == "kept"


def test_credentials_in_a_redirect_are_not_used(server: FaultyServer, transport: Transport) -> None:
    server.serve("/b", b"text")
    url = server.serve("/a", b"", _redirect(f"http://user:pass@{server.address}/b"))
    assert transport.read(url, limit=9) == b"text"
    assert "authorization" not in server.asked[1].headers


def test_netrc(server: FaultyServer, tmp_path: Path, clock: Clock) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login d password d\n")
    url = server.serve("/a", b"text", _redirect(f"http://localhost:{_port(server)}/a"))
    with Transport(netrc=netrc, sleep=clock.sleep) as transport:
        transport.read(url, limit=9)
        transport.size(url)
        transport.request(Request("GET", url)).drain()
        transport.read(url.replace("//", "//other:one@"), limit=9)
    seen = [asked.headers.get("authorization") for asked in server.asked]
    mine, other = "Basic bWU6c2VjcmV0", "Basic b3RoZXI6b25l"
    assert seen == [mine, None, mine, None, other]


def test_a_broken_netrc_is_named_without_its_words(
    server: FaultyServer, tmp_path: Path, clock: Clock
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me\ncanary-password\n")
    with (
        Transport(netrc=netrc, sleep=clock.sleep) as transport,
        pytest.raises(NetrcError, match=f"{netrc} can't be used: line") as raised,
    ):
        transport.read(server.url("/a"), limit=9)
    assert "canary" not in raised.value.message
    assert raised.value.exit_code == 4


def test_a_netrc_that_is_not_there_is_none(
    server: FaultyServer, tmp_path: Path, clock: Clock
) -> None:
    with Transport(netrc=tmp_path / "netrc", sleep=clock.sleep) as transport:
        assert transport.read(server.serve("/a", b"text"), limit=9) == b"text"


PASSWORD = "canary-7c1f"
QUERY = "canary-93aa"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=404),
        Fault(status=401),
        Fault(status=500),
        Fault(cut=0, reset=True),
        Fault(cut=1),
        Fault(status=302, headers=(("Location", f"http://{PASSWORD}@/"),)),
        Fault(status=302, headers=(("Location", f"/a?{QUERY}"),)),
        Fault(status=302, headers=(("Location", f"http://u:{PASSWORD}@127.0.0.1:1/?{QUERY}"),)),
    ],
)
def test_no_secret_is_shown(
    server: FaultyServer,
    transport: Transport,
    download: Download,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
) -> None:
    caplog.set_level(0)
    server.serve("/a", DATA)
    server.always["/a"] = fault
    url = f"http://user:{PASSWORD}@{server.address}/a?token={QUERY}#{QUERY}"
    with pytest.raises(TransportError) as raised:
        download.run(transport, url)
    shown = _all_of(raised.value)
    assert PASSWORD not in shown
    assert QUERY not in shown
    # The HTTP library's own debug log, which nothing here turns on, has the query.
    assert PASSWORD not in caplog.text


def _all_of(error: BaseException) -> str:
    """What could be shown of an error: its words, data and whole traceback."""
    trace = "".join(traceback.format_exception(error))
    data = repr(vars(error)) if hasattr(error, "__dict__") else ""
    return f"{error} {error!r} {error.args} {data} {trace}"


def test_values_with_secrets_have_no_secret_repr() -> None:
    request = Request("GET", f"http://u:{PASSWORD}@h/", {"Authorization": PASSWORD})
    assert PASSWORD not in repr(request) + repr(Credentials(PASSWORD, PASSWORD))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host:8443/a/b?x=1#f", "https://host:8443/a/b?…"),
        ("https://host/a", "https://host/a"),
        ("http://a@b:p@host/a", "http://host/a"),
        ("http://[::1", "a malformed URL"),
    ],
)
def test_redaction(url: str, shown: str) -> None:
    assert redact(url) == shown


# Requests


def test_a_body_is_streamed_anew_for_each_try(server: FaultyServer, transport: Transport) -> None:
    opened = []

    def chunks() -> Iterator[bytes]:
        opened.append(1)
        yield b"ab"
        yield b"cd"

    url = server.serve("/a", b"", Fault(status=429), _redirect("/b", 307))
    server.serve("/b", b"done")
    with transport.request(Request("PATCH", url, body=Body(chunks, 4))) as response:
        assert (response.status, response.read(9)) == (200, b"done")
    assert len(opened) == 3
    assert [asked.headers["content-length"] for asked in server.asked] == ["4", "4", "4"]
    assert all("transfer-encoding" not in asked.headers for asked in server.asked)


def test_what_must_not_be_repeated_is_sent_once(
    server: FaultyServer, transport: Transport, clock: Clock
) -> None:
    url = server.serve("/a", b"", Fault(status=500), Fault(cut=0, reset=True))
    with pytest.raises(ServerFaultError):
        transport.send(Request("POST", url))
    assert clock.slept == []


def test_a_secret_body_follows_no_redirect(server: FaultyServer, transport: Transport) -> None:
    url = server.serve("/a", b"", _redirect("/b", 307))
    with pytest.raises(RedirectError):
        transport.send(Request("POST", url, body=Body.of(b"secret"), redirects=0))
    assert len(server.asked) == 1


def test_a_request_takes_any_lasting_status(server: FaultyServer, transport: Transport) -> None:
    with transport.request(Request("GET", server.url("/gone"))) as response:
        assert response.status == 404
    assert [asked.headers.get("authorization") for asked in server.asked] == [None]


def test_connections_are_kept(server: FaultyServer, transport: Transport) -> None:
    url = server.serve("/a", b"text")
    for _ in range(3):
        transport.read(url, limit=9)
        transport.request(Request("GET", server.url("/gone"))).drain()
        transport.size(url)
        with transport.request(Request("GET", server.url("/gone"))) as response:
            response.read(99)
    assert len({asked.port for asked in server.asked}) == 1


# Proxies


def test_a_proxy_is_asked_with_its_credentials(
    server: FaultyServer, clock: Clock, download: Download
) -> None:
    server.serve("http://index.invalid/a", DATA)
    proxies = {"http": f"http://me:secret@{server.address}"}
    with Transport(proxies=proxies, sleep=clock.sleep) as transport:
        assert download.run(transport, "http://index.invalid/a") == DATA
    assert server.asked[0].headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://host/", "http://p:1"),
        ("https://host/", "http://q:2"),
        ("http://127.0.0.1/", ""),
        ("http://localhost:5000/", ""),
        ("http://inner.example.com/", ""),
        ("http://example.com/", ""),
        ("http://badexample.com/", "http://p:1"),
        ("http://ported:8080/", ""),
        ("http://ported/", "http://p:1"),
    ],
)
def test_which_proxy(url: str, proxy: str) -> None:
    proxies = {"http": "p:1", "https": "http://q:2", "no": ".example.com, ported:8080"}
    assert proxy_of(origin(url), proxies) == proxy


def test_no_proxy_for_anything() -> None:
    assert proxy_of(origin("http://host/"), {"http": "http://p:1", "no": "*"}) == ""


# Files


def test_file_urls(transport: Transport, download: Download, tmp_path: Path) -> None:
    path = tmp_path / "a file"
    path.write_bytes(DATA)
    url = path.as_uri()
    assert transport.read(url, limit=len(DATA)) == DATA
    assert transport.size(url) == len(DATA)
    download.begun = DATA[:77]
    assert download.run(transport, url, len(DATA)) == DATA
    assert sum(download.advanced) == len(DATA) - 77
    with pytest.raises(TooLargeError):
        transport.read(url, limit=9)
    with pytest.raises(NotFoundError):
        transport.read(url + "x", limit=9)
    with pytest.raises(TransportError):
        transport.read(tmp_path.as_uri(), limit=9)
    with pytest.raises(BadUrlError):
        transport.read("file://other/a", limit=9)
