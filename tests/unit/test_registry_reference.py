"""References: what is one, and how it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.digest import Digest
from basestore.registry import (
    BadReferenceError,
    Reference,
    Repository,
    parse_reference,
    parse_repository,
)

DIGEST = Digest.of(b"image")


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("registry.example.com/team/base-ml", "registry.example.com", "team/base-ml"),
        ("localhost/base", "localhost", "base"),
        ("127.0.0.1:5000/a/b_c/d__e/f.g/h---i", "127.0.0.1:5000", "a/b_c/d__e/f.g/h---i"),
        ("[::1]:5000/base", "[::1]:5000", "base"),
        ("host:1/base", "host:1", "base"),
        ("docker.io/library/python", "docker.io", "library/python"),
        ("docker.io/python", "docker.io", "library/python"),
    ],
)
def test_repositories(text: str, host: str, path: str) -> None:
    assert parse_repository(text) == Repository(host, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "base",
        "team/base",
        "registry.example.com",
        "registry.example.com/",
        "registry.example.com/Team/base",
        "registry.example.com/team//base",
        "registry.example.com/team/-base",
        "registry.example.com/team/base/",
        "registry.example.com/team/a___b",
        "registry.example.com/team/a..b",
        "registry.example.com/../base",
        "registry.example.com:0/base",
        "registry.example.com:99999/base",
        "registry.example.com:/base",
        "-registry.example.com/base",
        "registry.example.com\\evil/base",
        "https://registry.example.com/base",
        "registry.example.com/" + "a" * 250,
        "user:canary@registry.example.com/base",
        "[::1/base",
    ],
)
def test_no_repositories(text: str) -> None:
    with pytest.raises(BadReferenceError) as raised:
        parse_repository(text)
    assert raised.value.exit_code == 2
    assert "canary" not in f"{raised.value!r} {raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(
    ("text", "tag", "digest"),
    [
        ("host:1/base", None, None),
        ("host:1/base:tag", "tag", None),
        (f"host:1/base@{DIGEST}", None, DIGEST),
        (f"host:1/base:{'3f' * 32}@{DIGEST}", "3f" * 32, DIGEST),
        ("host:1/base:_T.a-g", "_T.a-g", None),
    ],
)
def test_references(text: str, tag: str | None, digest: Digest | None) -> None:
    reference = parse_reference(text)
    assert reference == Reference(Repository("host:1", "base"), tag, digest)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "host:1/base:",
        "host:1/base:-tag",
        "host:1/base:a b",
        f"host:1/base:{'a' * 129}",
        "host:1/base@",
        "host:1/base@sha256:12",
        f"host:1/base@md5:{'0' * 32}",
        f"host:1/base:a:b@{DIGEST}",
        f"user:canary@host:1/base@{DIGEST}",
        f"https://user:canary@host:1/base@{DIGEST}",
        "https://user:canary@host:1/base",
        "user:canary/more@host:1/base",
        f"@{DIGEST}",
    ],
)
def test_no_references(text: str) -> None:
    with pytest.raises(BadReferenceError) as raised:
        parse_reference(text)
    assert "canary" not in f"{raised.value!r} {raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:5000", "http://localhost:5000/v2/base"),
        ("127.8.9.1", "http://127.8.9.1/v2/base"),
        ("[::1]:5000", "http://[::1]:5000/v2/base"),
        ("registry.example.com", "https://registry.example.com/v2/base"),
        ("localhost.example.com", "https://localhost.example.com/v2/base"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com/v2/base"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/base"),
        ("docker.io", "https://registry-1.docker.io/v2/base"),
    ],
)
def test_plain_http_on_loopback_only(host: str, url: str) -> None:
    assert Repository(host, "base").url == url


COMPONENT = st.from_regex(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", fullmatch=True)
PATHS = st.lists(COMPONENT.filter(lambda part: len(part) < 40), min_size=1, max_size=4)
TAGS = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True)


@given(
    path=PATHS.map("/".join),
    tag=st.none() | TAGS,
    digest=st.none() | st.binary().map(Digest.of),
)
def test_what_is_written_reads_back(path: str, tag: str | None, digest: Digest | None) -> None:
    reference = Reference(Repository("registry.example.com:5000", path), tag, digest)
    assert parse_reference(str(reference)) == reference


@given(st.text())
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    try:
        reference = parse_reference(text)
    except BadReferenceError:
        return
    assert parse_reference(str(reference)) == reference
