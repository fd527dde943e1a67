"""The transport over TLS, with a certificate made for the test."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
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
    """A file with a self-signed certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    options = (
        "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=test "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem"
    )
    subprocess.run(
        ["openssl", "req", "-x509", *options.split()], cwd=folder, check=True, capture_output=True
    )
    path = folder / "both.pem"
    path.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[FaultyServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with faulty_server(context) as served:
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
