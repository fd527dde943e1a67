"""The transport over TLS, with a certificate made for the test."""

import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from bench.serving import serving
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.transport import (
    CaBundleError,
    NoConnectionError,
    RedirectError,
    Request,
    Transport,
    UntrustedServerError,
)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a self-signed certificate for 127.0.0.1 and index.invalid, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    options = (
        "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=test "
        "-addext subjectAltName=IP:127.0.0.1,DNS:index.invalid -keyout key.pem -out certificate.pem"
    )
    subprocess.run(
        ["openssl", "req", "-x509", *options.split()], cwd=folder, check=True, capture_output=True
    )
    path = folder / "both.pem"
    path.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def server(tls: ssl.SSLContext) -> Iterator[FaultyServer]:
    with faulty_server(tls) as served:
        yield served


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def transport(certificate: Path, slept: list[float]) -> Iterator[Transport]:
    with Transport(ca_bundle=certificate, sleep=slept.append) as made:
        yield made


def test_a_certificate_of_the_bundle_is_trusted(server: FaultyServer, transport: Transport) -> None:
    assert transport.read(server.serve("/a", b"text"), limit=9) == b"text"


def test_another_certificate_is_not(server: FaultyServer, slept: list[float]) -> None:
    with (
        Transport(sleep=slept.append) as transport,
        pytest.raises(UntrustedServerError, match=server.address) as raised,
    ):
        transport.read(server.serve("/a", b"text"), limit=9)
    assert raised.value.exit_code == 6
    assert slept == []
    assert server.asked == []


def test_another_name_is_not(server: FaultyServer, transport: Transport) -> None:
    port = server.address.rpartition(":")[2]
    with pytest.raises(UntrustedServerError):
        transport.read(f"https://localhost:{port}/a", limit=9)


def test_no_redirect_out_of_tls(server: FaultyServer, transport: Transport) -> None:
    with faulty_server() as plain:
        target = plain.serve("/a", b"text")
        url = server.serve("/a", b"", Fault(status=302, headers=(("Location", target),)))
        with pytest.raises(RedirectError, match="plain http"):
            transport.read(url, limit=9)
        assert plain.asked == []


def test_a_redirect_into_tls_goes_without_credentials(
    server: FaultyServer, transport: Transport
) -> None:
    target = server.serve("/a", b"text")
    with faulty_server() as plain:
        url = plain.serve("/a", b"", Fault(status=302, headers=(("Location", target),)))
        request = Request("GET", url, {"Authorization": "secret"})
        with transport.request(request) as response:
            assert response.read(9) == b"text"
    assert "authorization" not in server.asked[0].headers


def test_no_tls_where_tls_was_expected(transport: Transport) -> None:
    with faulty_server() as plain, pytest.raises(NoConnectionError, match="TLS"):
        transport.read(f"https://{plain.address}/a", limit=9)


def test_a_bundle_that_is_not_there(server: FaultyServer, tmp_path: Path) -> None:
    with (
        Transport(ca_bundle=tmp_path / "absent.pem", sleep=lambda seconds: None) as transport,
        pytest.raises(CaBundleError, match=r"absent\.pem") as raised,
    ):
        transport.read(server.url("/a"), limit=9)
    assert raised.value.exit_code == 4


@contextmanager
def tunnelling(target: str, tls: ssl.SSLContext | None) -> Iterator[tuple[str, list[str]]]:
    """A proxy that leads each CONNECT (RFC 9110 9.3.6) to one server; what it was asked for."""
    asked: list[str] = []
    host, _, port = target.rpartition(":")

    class Handler(socketserver.StreamRequestHandler):
        rbufsize = 0

        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().split()[1])
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 Connected\r\nX: y\r\n\r\n")
            with socket.create_connection((host, int(port))) as there:
                back = threading.Thread(target=carry, args=(there, self.request))
                back.start()
                carry(self.request, there)
                back.join()

    with serving(Handler, tls) as address:
        yield address, asked


def carry(here: socket.socket, there: socket.socket) -> None:
    """Hand on what comes until the end, and the end."""
    with suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)


def test_what_comes_through_a_tunnel(server: FaultyServer, certificate: Path) -> None:
    """It is read in steps as well; a further connection is made only for what was broken off."""
    data = bytes(range(256)) * 4000
    server.serve("/a", data, Fault(cut=500_000))
    url = "https://index.invalid/a"
    with tunnelling(server.address, None) as (address, asked):
        proxies = {"https": f"http://{address}"}
        with Transport(
            ca_bundle=certificate, proxies=proxies, sleep=lambda seconds: None
        ) as transport:
            for _ in range(3):
                assert transport.read(url, limit=len(data)) == data
                assert transport.size(url) == len(data)
        assert asked == ["index.invalid:443"] * 2


def test_what_comes_through_a_tunnel_in_tls(
    server: FaultyServer, certificate: Path, tls: ssl.SSLContext
) -> None:
    """The proxy itself is spoken to in TLS, and its certificate is the bundle's, too."""
    server.serve("/a", b"text")
    with tunnelling(server.address, tls) as (address, asked):
        proxies = {"https": f"https://{address}"}
        with Transport(
            ca_bundle=certificate, proxies=proxies, sleep=lambda seconds: None
        ) as transport:
            for _ in range(3):
                assert transport.read("https://index.invalid/a", limit=9) == b"text"
        assert asked == ["index.invalid:443"]
