"""Records, settings and answers that are none: refused by name, or made again."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from layers import new_store
from locked_project import make_project

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.image.stored import NotAnImageError, image_of, read_image, whole_image
from basestore.layer import gzip
from basestore.layer.listing import Listing, UnreadableListingError
from basestore.lock.codec import EditedLockError
from basestore.lock.origin import MalformedOriginError
from basestore.lock.origin import parse as parse_origin
from basestore.lock.tally import tally
from basestore.profile.document import DocumentError
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.registry.config import DockerConfig, DockerConfigError
from basestore.registry.reference import BadReferenceError, parse_reference
from basestore.store.blobs import DamagedBlobError
from basestore.store.realisations import ROW, Realisation, parse_layer, parse_recipe
from basestore.store.roots import DamagedRootError
from basestore.transport import Request, Transport
from basestore.transport.errors import NetrcError, ProxyError
from basestore.transport.message import Response
from basestore.transport.netrc import Netrc

ZERO = Digest("0" * 64)
DEEP = b"[" * 100_000
ENDLESS = b"9" * 10_000

ODD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'"\xff"',
    "a nesting without end": DEEP,
    "an object nested without end": b'{"a":' * 100_000,
    "a number of thousands of digits": b'{"size":' + ENDLESS + b"}",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"layer"',
    "a number": b"1",
    "half a pair": b'{"layer":"\\ud800"}',
    "other kinds": b'{"layer":7,"path":7,"manifests":7,"mediaType":7,"blobs":7,"auths":7}',
    "lists of other kinds": b'{"manifests":[7],"mediaType":"x","blobs":[7],"layers":[[]]}',
}


@pytest.mark.parametrize("case", ODD)
def test_records_are_made_again(case: str) -> None:
    assert parse_recipe(ODD[case]) is None
    assert parse_layer(ZERO, ODD[case]) is None


@pytest.mark.parametrize("size", [-1, 1 << 63, True, 1.5, "1", None, [1]])
def test_a_record_of_no_size_is_made_again(size: object) -> None:
    digest = f"sha256:{'1' * 64}"
    record = {"blobs": [digest], "diff_id": digest, "listing": digest, "segments": digest}

    assert parse_layer(ZERO, json.dumps({**record, "size": 1}).encode()) is not None
    assert parse_layer(ZERO, json.dumps({**record, "size": size}).encode()) is None


@pytest.mark.parametrize(
    "table",
    [
        b"\0" * 19,
        ROW.pack(1, 0, 1),
        ROW.pack(0, (1 << 64) - 1, 1),
        ROW.pack(0, 0, 1) + ROW.pack(0, 1 << 62, 1 << 62),
    ],
)
def test_a_segment_table_that_is_none(tmp_path: Path, table: bytes) -> None:
    store = new_store(tmp_path)
    blob, segments = store.blobs.add(b"content"), store.blobs.add(table)
    layer = Realisation(ZERO, ZERO, 1, (blob,), segments, blob)
    with pytest.raises(DamagedBlobError) as caught:
        list(store.realisations.segments(layer))
    assert segments.hex in caught.value.message


@pytest.mark.parametrize("case", ODD)
def test_a_root_that_names_no_project(tmp_path: Path, case: str) -> None:
    store = new_store(tmp_path)
    store.register(tmp_path)
    (file,) = store.roots.files()
    for data in (ODD[case], b'{"path":"a\\u0000b"}', b'{"path":"\\ud800"}'):
        file.write_bytes(data)
        with pytest.raises(DamagedRootError, match=file.name):
            store.roots.project_of(file)
    store.register(tmp_path)
    assert store.roots.project_of(file) == tmp_path


LISTINGS = [
    b'{"files":{"a":[1]},"links":{},"dynamic":{}}',
    b'{"files":{"a":["1",2]},"links":{},"dynamic":{}}',
    b'{"files":{},"links":{"a":7},"dynamic":{}}',
    b'{"files":{},"links":[],"dynamic":{}}',
    b'{"files":{},"links":{},"dynamic":{"a":["b",[7]]}}',
    b'{"files":{},"links":{},"dynamic":{"a":[null,[]]}}',
]


@pytest.mark.parametrize("data", [*ODD.values(), *LISTINGS])
def test_a_listing_that_is_none(data: bytes) -> None:
    members = [gzip.member(data[at : at + gzip.MEMBER]) for at in range(0, len(data), gzip.MEMBER)]
    for raw in (data, b"".join(members)):
        if raw:
            with pytest.raises(UnreadableListingError):
                Listing.from_bytes(raw)


@pytest.mark.parametrize("case", ODD)
def test_a_document_that_is_of_no_image(tmp_path: Path, case: str) -> None:
    store = new_store(tmp_path)
    digest = store.blobs.add(ODD[case])
    with pytest.raises(NotAnImageError, match=str(digest)) as caught:
        read_image(store, digest)
    assert caught.value.exit_code is ExitCode.INTEGRITY
    with pytest.raises(NotAnImageError):
        whole_image(store, digest)
    assert image_of(store, digest, ZERO) is None


def test_a_lock_of_an_unknown_platform_is_no_bug() -> None:
    """Also one that its origin knows, so that it is only counted, not read."""
    lock = b'[[platforms]]\nplatform = "linux/riscv64"\n'
    with pytest.raises(EditedLockError, match=r"demo\.lock"):
        tally(lock, "demo.lock")
    with pytest.raises(EditedLockError, match=r"demo\.lock"):
        tally(b'platform = "\xff"\n', "demo.lock")


def test_a_line_of_thousands_of_digits_in_an_origin() -> None:
    head = f'lock = "{ZERO}"\ninputs = "{ZERO}"\nfiles = {{}}\nresolver = "x"\n'
    rest = 'resolved = 2026-01-01T00:00:00Z\n[direct]\na = ["f:%s"]\n'
    assert parse_origin((head + rest % 7).encode(), "demo.origin.toml")
    with pytest.raises(MalformedOriginError, match=r"demo\.origin\.toml"):
        parse_origin((head + rest % ENDLESS.decode()).encode(), "demo.origin.toml")


def test_a_python_of_thousands_of_digits(tmp_path: Path) -> None:
    make_project(tmp_path)
    file = tmp_path / "profiles/odd.toml"
    file.write_text(f'python = "3.{ENDLESS.decode()}"\nplatforms = ["linux/amd64"]\n')
    with pytest.raises(DocumentError, match=r"profiles/odd\.toml"):
        read_profile(read_project(tmp_path), "odd")


def test_a_port_of_thousands_of_digits() -> None:
    with pytest.raises(BadReferenceError):
        parse_reference(f"host:{ENDLESS.decode()}/app:1")


@pytest.mark.parametrize("case", ODD)
def test_dockers_config(tmp_path: Path, case: str) -> None:
    (tmp_path / "config.json").write_bytes(ODD[case])
    config = DockerConfig(tmp_path)
    if case in ("half a pair", "lists of other kinds"):  # objects, with nothing that is looked for
        assert config.find("registry.example.com") is None
        return
    with pytest.raises(DockerConfigError) as caught:
        config.find("registry.example.com")
    assert str(tmp_path / "config.json") in caught.value.message
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize("data", [b"\xff", b"machine a what b", b"what"])
def test_a_netrc_that_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "netrc").write_bytes(data)
    with pytest.raises(NetrcError) as caught:
        Netrc(tmp_path / "netrc").find("example.com")
    assert str(tmp_path / "netrc") in caught.value.message


PROXIES = [
    "http://[::1", "http://user:SECRET@h:port", "http://h:99999", "http://", "http:///x", "[",
    "socks5://user:SECRET@h:1", "ftp://h", "http://h\u2100.x", "http://a b", "http://:80",
]  # fmt: skip


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_no_url_is_told_by_its_variable(proxy: str, scheme: str) -> None:
    with (
        Transport(proxies={scheme: proxy}) as transport,
        pytest.raises(ProxyError, match=f"the proxy for {scheme} servers") as caught,
    ):
        transport.send(Request("GET", f"{scheme}://index.example/"))
    assert "SECRET" not in caught.value.message + caught.value.hint
    assert f"{scheme}_proxy" in caught.value.hint
    assert caught.value.exit_code is ExitCode.BAD_INPUT


class _Raw:
    status = 200
    headers = {"Content-Length": ENDLESS.decode()}  # noqa: RUF012 - as a server sends it


def test_a_length_of_thousands_of_digits_says_nothing() -> None:
    assert Response("https://x.example", cast(Any, _Raw()), cast(Any, None)).length is None
