"""A registry that lies: its tries are bounded, its bytes are checked, its friends get no secret."""

import base64
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import Clock
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.registry import DockerConfig, RegistryClient, Repository
from basestore.registry.auth import AccessRefusedError
from basestore.registry.client import Upload
from basestore.registry.errors import RegistryRefusedError, WrongContentError
from basestore.transport import (
    BrokenOffError,
    RedirectError,
    ServerFaultError,
    StalledError,
    Timeouts,
    TooLargeError,
    Transport,
)
from basestore.transport.backoff import LONGEST_DELAY

CANARY = "c4n4ry"
SECRET = base64.b64encode(f"me:{CANARY}".encode()).decode()
DATA = b"a config's bytes " * 100
DIGEST = Digest.of(DATA)
BLOB = f"/v2/team/base/blobs/{DIGEST}"
MANIFEST = "/v2/team/base/manifests/tag"
UPLOADS = "/v2/team/base/blobs/uploads/"
BASIC = Fault(status=401, headers=(("WWW-Authenticate", 'Basic realm="r"'),))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as served:
        yield served


@pytest.fixture
def other() -> Iterator[FaultyServer]:
    """Another server, which must see no secret."""
    with faulty_server() as served:
        yield served
        said = json.dumps([[one.path, one.headers] for one in served.asked])
        assert CANARY not in said
        assert SECRET not in said


@pytest.fixture
def client(server: FaultyServer, clock: Clock, tmp_path: Path) -> Iterator[RegistryClient]:
    auths = {"auths": {server.address: {"auth": SECRET}}}
    (tmp_path / "config.json").write_text(json.dumps(auths))
    timeouts = Timeouts(connect=5, read=5)
    with Transport(sleep=clock.sleep, clock=clock, timeouts=timeouts) as transport:
        repository = Repository(server.address, "team/base")
        yield RegistryClient.writer(transport, repository, DockerConfig(tmp_path))


def shown(error: BasestoreError) -> str:
    return f"{error!r} {vars(error)} {error.hint} {''.join(traceback.format_exception(error))}"


def refused(client: RegistryClient, kind: type[BasestoreError], code: int = 6) -> BasestoreError:
    """Ask for the blob in vain; nothing secret is told."""
    with pytest.raises(kind) as raised:
        client.blob(DIGEST, len(DATA))
    assert raised.value.exit_code == code
    assert CANARY not in shown(raised.value)
    assert SECRET not in shown(raised.value)
    return raised.value


def redirect(url: str) -> Fault:
    return Fault(status=307, headers=(("Location", url),))


# Bytes


@pytest.mark.parametrize(
    "fault",
    [Fault(status=503), Fault(status=500), Fault(status=429), Fault(cut=9), Fault(reset=True)],
)
def test_what_passes_is_waited_for(
    server: FaultyServer, client: RegistryClient, fault: Fault
) -> None:
    server.serve(BLOB, DATA, fault, fault)
    assert client.blob(DIGEST, len(DATA)) == DATA


@pytest.mark.parametrize(("asked", "waited"), [("9", 9), ("86400", LONGEST_DELAY), ("x", 0.5)])
def test_waits_as_asked_within_bounds(
    server: FaultyServer, client: RegistryClient, clock: Clock, asked: str, waited: float
) -> None:
    server.serve(BLOB, DATA, Fault(status=429, headers=(("Retry-After", asked),)))
    client.blob(DIGEST, len(DATA))
    assert clock.slept == [waited]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_tries_end(server: FaultyServer, client: RegistryClient, clock: Clock, status: int) -> None:
    server.always[BLOB] = Fault(status=status)
    refused(client, ServerFaultError)
    assert len(server.asked) == 6
    assert len(clock.slept) == 5


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(data=DATA[:-1] + b"x"), WrongContentError, 5),
        (Fault(data=b"<!DOCTYPE html>"), WrongContentError, 5),
        (Fault(data=DATA + b"x"), TooLargeError, 6),
        (Fault(untold=True, endless=True), TooLargeError, 6),
        (Fault(cut=5), BrokenOffError, 6),
        (Fault(cut=5, reset=True), BrokenOffError, 6),
        (Fault(told=3), WrongContentError, 5),
        (Fault(status=418), RegistryRefusedError, 6),
    ],
    ids=["changed", "page", "longer", "endless", "cut", "reset", "told-less", "teapot"],
)
def test_other_bytes(
    server: FaultyServer,
    client: RegistryClient,
    fault: Fault,
    kind: type[BasestoreError],
    code: int,
) -> None:
    server.serve(BLOB, DATA)
    server.always[BLOB] = fault
    refused(client, kind, code)
    assert len(server.asked) == (6 if kind is BrokenOffError else 1)


def test_a_byte_at_a_time_is_given_up(
    server: FaultyServer, client: RegistryClient, clock: Clock
) -> None:
    clock.step = 20
    server.serve(BLOB, DATA)
    server.always[BLOB] = Fault(pause=0.001, told=len(DATA))
    refused(client, StalledError)


# Where secrets never go


def test_a_redirect_takes_no_credentials_along(
    server: FaultyServer, other: FaultyServer, client: RegistryClient
) -> None:
    server.serve(BLOB, DATA, BASIC)
    server.always[BLOB] = redirect(other.serve("/cdn", DATA) + "?X-Sig=1")
    assert client.blob(DIGEST, len(DATA)) == DATA
    assert [one.headers.get("authorization") for one in server.asked] == [None, f"Basic {SECRET}"]


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_who_is_redirected_to_may_not_ask_for_credentials(
    server: FaultyServer, other: FaultyServer, client: RegistryClient, scheme: str
) -> None:
    """What asks is not the registry that the credentials are for."""
    realm = other.serve("/token", b'{"token": "t"}')
    demand = f'{scheme} realm="{realm}",service="s",scope="repository:team/base:pull"'
    other.always["/cdn"] = Fault(status=401, headers=(("WWW-Authenticate", demand),))
    server.always[BLOB] = redirect(other.url("/cdn"))
    refused(client, AccessRefusedError)
    assert [one.path for one in other.asked] == ["/cdn"]


def test_asked_for_credentials_for_ever(server: FaultyServer, client: RegistryClient) -> None:
    server.always[BLOB] = BASIC
    refused(client, AccessRefusedError)
    assert len(server.asked) == 2


def test_tokens_that_never_suffice(server: FaultyServer, client: RegistryClient) -> None:
    realm = server.serve("/token", b'{"token": "t"}')
    demand = f'Bearer realm="{realm}",service="s",scope="repository:team/base:pull"'
    server.always[BLOB] = Fault(status=401, headers=(("WWW-Authenticate", demand),))
    refused(client, AccessRefusedError)
    assert [one.path.partition("?")[0] for one in server.asked] == [BLOB, "/token", BLOB]


def test_a_token_server_that_redirects_elsewhere(
    server: FaultyServer, other: FaultyServer, client: RegistryClient
) -> None:
    realm = server.url("/token")
    server.always["/token"] = redirect(other.serve("/token", b'{"token": "t"}'))
    demand = f'Bearer realm="{realm}",service="s",scope="repository:team/base:pull"'
    server.serve(BLOB, DATA, Fault(status=401, headers=(("WWW-Authenticate", demand),)))
    client.blob(DIGEST, len(DATA))
    assert [one.headers.get("authorization") for one in other.asked] == [None]


def test_redirects_end(server: FaultyServer, client: RegistryClient) -> None:
    server.always[BLOB] = redirect(f"{BLOB}?again")
    refused(client, RedirectError)
    assert len(server.asked) == 6


def test_an_upload_that_is_sent_elsewhere_midway_brings_no_credentials(
    server: FaultyServer, other: FaultyServer, client: RegistryClient
) -> None:
    accepted = Fault(status=202, headers=(("Location", other.url("/session")),))
    server.faults[UPLOADS] = [BASIC, accepted]
    other.always["/session"] = Fault(status=201)
    client.upload(Upload(DIGEST, len(DATA), lambda: iter((DATA,))))
    assert [one.method for one in other.asked] == ["PUT"]


def test_an_upload_without_a_place(client: RegistryClient, server: FaultyServer) -> None:
    server.always[UPLOADS] = Fault(status=202)
    with pytest.raises(RegistryRefusedError, match="where an upload goes on"):
        client.upload(Upload(DIGEST, len(DATA), lambda: iter((DATA,))))


@pytest.mark.parametrize("location", ["http://[", "ftp://127.0.0.1/", "//:x/", "http://"])
def test_an_upload_to_nowhere(client: RegistryClient, server: FaultyServer, location: str) -> None:
    server.always[UPLOADS] = Fault(status=202, headers=(("Location", location),))
    with pytest.raises(BasestoreError) as raised:
        client.upload(Upload(DIGEST, len(DATA), lambda: iter((DATA,))))
    assert raised.value.exit_code == 6


def test_another_manifest_than_was_asked_for(client: RegistryClient, server: FaultyServer) -> None:
    server.serve(f"/v2/team/base/manifests/{DIGEST}", b"{}")
    with pytest.raises(WrongContentError) as raised:
        client.manifest(str(DIGEST))
    assert raised.value.exit_code == 5


def test_a_manifest_that_is_said_to_be_another(
    client: RegistryClient, server: FaultyServer
) -> None:
    server.serve(MANIFEST, b"{}")
    server.always[MANIFEST] = Fault(headers=(("Docker-Content-Digest", str(DIGEST)),))
    with pytest.raises(WrongContentError):
        client.manifest("tag")
