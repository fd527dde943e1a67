"""Credentials of indexes: where they are found, and where they go."""

import pytest

from basestore.sources.uv_environ import credentials_of, with_credentials
from basestore.transport import Credentials, origin

FILE = "https://host.example/files/lib.whl"


@pytest.mark.parametrize(
    ("indexes", "environ"),
    [
        ({"pt": "https://me:p%40ss@host.example/simple"}, {}),
        (
            {"my-index": "https://host.example/simple"},
            {"UV_INDEX_MY_INDEX_USERNAME": "me", "UV_INDEX_MY_INDEX_PASSWORD": "p@ss"},
        ),
        ({}, {"UV_DEFAULT_INDEX": "https://me:p%40ss@host.example/simple"}),
        ({}, {"UV_INDEX": "http://other.example a=https://me:p%40ss@host.example/simple?a=b"}),
        ({}, {"UV_EXTRA_INDEX_URL": "https://me:p%40ss@host.example/simple?a=b"}),
    ],
)
def test_where_credentials_are_found(indexes: dict[str, str], environ: dict[str, str]) -> None:
    known = credentials_of(indexes, environ)

    assert known == {origin(FILE): Credentials("me", "p@ss")}
    assert with_credentials(FILE, known) == "https://me:p%40ss@host.example/files/lib.whl"


@pytest.mark.parametrize(
    "url",
    [
        "http://host.example/files/lib.whl",
        "https://host.example:8443/files/lib.whl",
        "https://files.host.example/lib.whl",
        "https://you@host.example/lib.whl",
        "file:///lib.whl",
    ],
)
def test_no_other_origin_gets_them(url: str) -> None:
    known = {origin(FILE): Credentials("me", "p@ss")}

    assert with_credentials(url, known) == url


def test_an_index_without_credentials_has_none() -> None:
    assert credentials_of({"pt": "https://host.example/simple"}, {"UV_INDEX": ""}) == {}


@pytest.mark.parametrize("url", ["http://[host/simple", "http://me:pw@host:port/simple"])
def test_what_is_no_url_holds_no_credentials(url: str) -> None:
    known = credentials_of({"own": url}, {"UV_INDEX": url, "UV_INDEX_OWN_USERNAME": "me"})

    assert known == {}
    assert with_credentials(url, known) == url
