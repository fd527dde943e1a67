"""Credentials: where they come from, what they buy, and where they never go."""

import base64
import json
import logging
import os
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback_registry import LoopbackRegistry, loopback_registry

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.registry import Access, DockerConfig, RegistryClient, Repository
from basestore.registry.auth import AccessRefusedError, UnsafeRealmError
from basestore.registry.challenge import Challenge, parse_challenges
from basestore.registry.client import Upload
from basestore.registry.config import (
    CredentialHelperError,
    DockerConfigError,
    RegistryCredentials,
)
from basestore.transport import Credentials, Transport

CANARY = "canary-5b1e"
ME = RegistryCredentials(Credentials("me", CANARY))
ME_ENCODED = base64.b64encode(f"me:{CANARY}".encode()).decode()
NO_CONFIG = DockerConfig(None)


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as served:
        yield served


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(sleep=lambda seconds: None) as made:
        yield made


def write(folder: Path, config: Mapping[str, object] | bytes) -> DockerConfig:
    data = config if isinstance(config, bytes) else json.dumps(config).encode()
    (folder / "config.json").write_bytes(data)
    return DockerConfig(folder)


def config_for(folder: Path, host: str, **entry: str) -> DockerConfig:
    return write(folder, {"auths": {host: entry or {"auth": ME_ENCODED}}})


def shown(error: BaseException) -> str:
    return f"{error!r} {vars(error)} {''.join(traceback.format_exception(error))}"


# Docker's config.json


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("registry.example.com", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_finds_what_was_given_for_a_host(tmp_path: Path, key: str, host: str) -> None:
    config = config_for(tmp_path, key)
    assert config.find(host) == ME
    assert config.find("other.example.com") is None
    assert config.find(f"{host}1") is None


def test_forms_of_an_entry(tmp_path: Path) -> None:
    found = config_for(tmp_path, "h", username="me", password=CANARY).find("h")
    assert found == ME
    found = config_for(tmp_path, "h", auth=ME_ENCODED, identitytoken=CANARY).find("h")
    assert found == RegistryCredentials(identity_token=CANARY)
    assert config_for(tmp_path, "h", email="me@example.com").find("h") is None


def test_no_file_no_credentials(tmp_path: Path) -> None:
    assert DockerConfig(tmp_path).find("h") is None
    assert NO_CONFIG.find("h") is None
    assert write(tmp_path, {}).find("h") is None


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"\xff",
        {"auths": []},
        {"auths": {"h": "auth"}},
        {"auths": {"h": {"auth": 3}}},
        {"auths": {"h": {"auth": f"{CANARY}!"}}},
        {"auths": {"h": {"auth": base64.b64encode(CANARY.encode()).decode()}}},
        {"credsStore": 3},
        {"credHelpers": "x"},
        {"credHelpers": {"h": 3}},
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, config: Mapping[str, object] | bytes) -> None:
    with pytest.raises(DockerConfigError) as raised:
        write(tmp_path, config).find("h")
    assert raised.value.exit_code == 4
    assert "config.json" in raised.value.message
    assert CANARY not in raised.value.message


def test_a_repr_shows_no_secret(tmp_path: Path) -> None:
    config = config_for(tmp_path, "h", identitytoken=CANARY)
    assert CANARY not in repr(config) + repr(config.find("h")) + repr(ME)


HELPER = """#!/bin/sh
read -r server
echo "$1 $server" >> "{log}"
case "$server" in
  known*) echo '{{"ServerURL":"x","Username":"me","Secret":"{secret}"}}' ;;
  token*) echo '{{"ServerURL":"x","Username":"<token>","Secret":"{secret}"}}' ;;
  https://index.docker.io/v1/) echo '{{"Username":"me","Secret":"{secret}"}}' ;;
  odd*) echo '{{"Username":3}}' ;;
  words*) echo 'what? {secret}' ;;
  locked*) echo 'the keychain with {secret} is locked'; exit 1 ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""


@pytest.fixture
def helper_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Credential helpers ``test`` and ``mute`` in the path; what they were asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "log"
    helper = programs / "docker-credential-test"
    helper.write_text(HELPER.format(log=log, secret=CANARY))
    helper.chmod(0o755)
    (programs / "docker-credential-mute").write_text("not executable")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return log


def test_a_helper_for_a_host(tmp_path: Path, helper_log: Path) -> None:
    config = write(tmp_path, {"credHelpers": {"known.example.com": "test"}})
    assert config.find("known.example.com") == ME
    assert config.find("token.example.com") is None
    assert helper_log.read_text() == "get known.example.com\n"


def test_a_helper_for_all_hosts(tmp_path: Path, helper_log: Path) -> None:
    config = write(tmp_path, {"credsStore": "test", "auths": {"filed": {"auth": ME_ENCODED}}})
    assert config.find("known.example.com:5000") == ME
    assert config.find("token.example.com") == RegistryCredentials(identity_token=CANARY)
    assert config.find("docker.io") == ME
    assert config.find("nobody.example.com") is None
    assert config.find("filed") == ME


@pytest.mark.parametrize(
    ("helper", "host"),
    [
        ("absent", "known"),
        ("mute", "known"),
        ("../bin/docker-credential-test", "known"),
        ("test", "odd"),
        ("test", "words"),
        ("test", "locked"),
    ],
)
def test_a_helper_that_fails_is_named(
    tmp_path: Path, helper_log: Path, helper: str, host: str
) -> None:
    with pytest.raises(CredentialHelperError) as raised:
        write(tmp_path, {"credsStore": helper}).find(host)
    assert raised.value.exit_code == 6
    assert helper in raised.value.message
    assert CANARY not in shown(raised.value)


# Challenges


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Basic", [Challenge("basic", {})]),
        ('Basic realm="a b"', [Challenge("basic", {"realm": "a b"})]),
        ("bearer realm=x , service = y", [Challenge("bearer", {"realm": "x", "service": "y"})]),
        (
            r'Basic realm="say \"hi\", you", Bearer realm="https://a/t",scope="r:a:pull,push"',
            [
                Challenge("basic", {"realm": 'say "hi", you'}),
                Challenge("bearer", {"realm": "https://a/t", "scope": "r:a:pull,push"}),
            ],
        ),
        ('Negotiate abc==, Basic realm="x"', None),
        ('Bearer realm="open', [Challenge("bearer", {})]),
    ],
)
def test_challenges(header: str, challenges: list[Challenge] | None) -> None:
    found = parse_challenges(header)
    if challenges is None:
        assert found[-1] == Challenge("basic", {"realm": "x"})
    else:
        assert found == tuple(challenges)


@given(st.text(alphabet='Bearer Basic="\\,; \t\nx') | st.text())
def test_any_header_is_read(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme


# Signing in


def client_of(
    transport: Transport, registry: LoopbackRegistry, config: DockerConfig
) -> RegistryClient:
    return RegistryClient.writer(
        transport, Repository(registry.address, "team/base"), config, ["team/parent"]
    )


def upload_of(data: bytes) -> Upload:
    return Upload(Digest.of(data), len(data), lambda: iter((data,)))


def test_nothing_is_sent_before_it_is_asked_for(
    transport: Transport, registry: LoopbackRegistry, tmp_path: Path
) -> None:
    config = config_for(tmp_path, registry.address)
    client_of(transport, registry, config).upload(upload_of(b"bytes"))
    assert all("authorization" not in asked.headers for asked in registry.asked)


def test_basic(transport: Transport, registry: LoopbackRegistry, tmp_path: Path) -> None:
    registry.basic = ("me", CANARY)
    client = client_of(transport, registry, config_for(tmp_path, registry.address))
    client.upload(upload_of(b"bytes"))
    assert client.find_blob(Digest.of(b"bytes"))
    sent = [asked.headers.get("authorization") for asked in registry.asked]
    assert sent == [None, *[f"Basic {ME_ENCODED}"] * 3]


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("entry", [{}, {"username": "me", "password": f"{CANARY}-wrong"}])
def test_refused(
    transport: Transport,
    registry: LoopbackRegistry,
    tmp_path: Path,
    tokens: bool,
    entry: dict[str, str],
) -> None:
    registry.basic, registry.tokens = ("me", CANARY), tokens
    config = config_for(tmp_path, registry.address, **entry) if entry else NO_CONFIG
    with pytest.raises(AccessRefusedError) as raised:
        client_of(transport, registry, config).manifest_digest("tag")
    assert raised.value.exit_code == 6
    assert f"docker login {registry.address}" in raised.value.hint
    assert CANARY not in shown(raised.value)


def test_tokens(transport: Transport, registry: LoopbackRegistry, tmp_path: Path) -> None:
    registry.basic, registry.tokens = ("me", CANARY), True
    client = client_of(transport, registry, config_for(tmp_path, registry.address))
    assert client.manifest_digest("tag") is None
    client.upload(upload_of(b"bytes"))
    assert not client.sibling_has_blob("team/parent", Digest.of(b"bytes"), 5)
    assert registry.count("GET", "^/token") == 1
    assert {scope for scopes, _ in registry.issued.values() for scope in scopes} == {
        "repository:team/base:pull,push",
        "repository:team/parent:pull",
    }
    for asked in registry.asked:
        basic = asked.headers.get("authorization", "").startswith("Basic")
        assert basic == asked.path.startswith("/token")


def test_anonymous_tokens(transport: Transport, registry: LoopbackRegistry) -> None:
    registry.tokens = True
    client_of(transport, registry, NO_CONFIG).upload(upload_of(b"bytes"))
    token = next(asked for asked in registry.asked if asked.path.startswith("/token"))
    assert "authorization" not in token.headers


def test_a_token_that_ran_out_is_renewed(transport: Transport, registry: LoopbackRegistry) -> None:
    registry.tokens, registry.uses = True, 1
    client = client_of(transport, registry, NO_CONFIG)
    client.upload(upload_of(b"bytes"))
    assert client.find_blob(Digest.of(b"bytes"), 5)
    assert registry.count("GET", "^/token") == 3


def test_a_token_for_too_little_is_refused(
    transport: Transport, registry: LoopbackRegistry
) -> None:
    registry.tokens = True
    repository = Repository(registry.address, "team/base")
    reader = RegistryClient.reader(transport, repository, NO_CONFIG)
    assert reader.manifest_digest("tag") is None
    with pytest.raises(AccessRefusedError):
        reader.upload(upload_of(b"bytes"))


def test_a_sibling_that_may_not_be_seen_has_nothing(
    transport: Transport, registry: LoopbackRegistry
) -> None:
    registry.tokens = True
    client = client_of(transport, registry, NO_CONFIG)
    assert not client.sibling_has_blob("other/team", Digest.of(b""), 0)


def test_identity_tokens(transport: Transport, registry: LoopbackRegistry, tmp_path: Path) -> None:
    registry.tokens, registry.identity = True, CANARY
    config = config_for(tmp_path, registry.address, identitytoken=CANARY)
    client_of(transport, registry, config).upload(upload_of(b"bytes"))
    asked = next(asked for asked in registry.asked if asked.path == "/token")
    assert asked.method == "POST"
    assert b"grant_type=refresh_token" in asked.body


def test_the_access_that_is_asked_for() -> None:
    repository = Repository("h:1", "a/b")
    assert Access.to_read(repository).scopes == ("repository:a/b:pull",)
    assert Access.to_write(repository, ["c"]).scopes == (
        "repository:a/b:pull,push",
        "repository:c:pull",
    )


# Where credentials never go


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        ("http://tokens.example.com/", UnsafeRealmError),
        ("http://10.0.0.1/", UnsafeRealmError),
        ("http://127.0.0.1.example.com/", UnsafeRealmError),
        ("ftp://127.0.0.1/", AccessRefusedError),
        ("file:///etc/hostname", AccessRefusedError),
        ("http://[", AccessRefusedError),
        ("/token", AccessRefusedError),
    ],
)
def test_no_credentials_for_an_unsafe_realm(
    transport: Transport,
    registry: LoopbackRegistry,
    tmp_path: Path,
    realm: str,
    error: type[BasestoreError],
) -> None:
    registry.tokens, registry.realm = True, realm
    config = config_for(tmp_path, registry.address)
    with pytest.raises(error) as raised:
        client_of(transport, registry, config).manifest_digest("tag")
    assert raised.value.exit_code == 6
    assert CANARY not in shown(raised.value)


def test_no_credentials_where_uploads_go_elsewhere(
    transport: Transport, registry: LoopbackRegistry, tmp_path: Path
) -> None:
    registry.basic = ("me", CANARY)
    with loopback_registry() as storage:
        storage.sessions = registry.sessions
        registry.upload_base = f"http://{storage.address}"
        client = client_of(transport, registry, config_for(tmp_path, registry.address))
        client.upload(upload_of(b"bytes"))
        assert [asked.headers.get("authorization") for asked in storage.asked] == [None]


def test_no_credentials_of_another_port(
    transport: Transport, registry: LoopbackRegistry, tmp_path: Path
) -> None:
    registry.basic = ("me", CANARY)
    config = config_for(tmp_path, "127.0.0.1")
    with pytest.raises(AccessRefusedError):
        client_of(transport, registry, config).manifest_digest("tag")
    assert all("authorization" not in asked.headers for asked in registry.asked)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"token": 3}', b'{"token": "a b\\r\\nX: y"}'])
def test_a_token_server_without_tokens(
    transport: Transport, registry: LoopbackRegistry, answer: bytes
) -> None:
    registry.tokens = True
    registry.refuse("GET", "^/token", status=200, body=answer)
    with pytest.raises(AccessRefusedError):
        client_of(transport, registry, NO_CONFIG).manifest_digest("tag")


def test_a_whole_push_logs_no_secret(
    transport: Transport,
    registry: LoopbackRegistry,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.NOTSET)
    registry.basic, registry.tokens = ("me", CANARY), True
    client = client_of(transport, registry, config_for(tmp_path, registry.address))
    client.upload(upload_of(b"bytes"))
    secrets = [CANARY, ME_ENCODED, *registry.issued]
    assert caplog.text
    assert not [secret for secret in secrets if secret in caplog.text]
