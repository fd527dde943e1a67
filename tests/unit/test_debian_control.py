"""Stanzas, relations and Releases: the texts of an archive."""

from datetime import UTC, datetime

import pytest

from basestore.debian.control import parse_stanza, spans
from basestore.debian.relations import (
    Relation,
    clause_text,
    parse_clauses,
    parse_relations,
)
from basestore.debian.release import IndexFile, parse_release
from basestore.debian.version import Version
from basestore.digest import Digest


def test_stanzas_lie_between_blank_lines() -> None:
    data = b"\n\nA: 1\n b\n\n\nC: 2\n\nD: 3"
    assert [data[span.start : span.end] for span in spans(data)] == [b"A: 1\n b", b"C: 2", b"D: 3"]


def test_no_stanza() -> None:
    assert not list(spans(b""))
    assert not list(spans(b"\n\n"))


def test_fields_by_lower_case_name() -> None:
    assert parse_stanza(b"Package: a\nMULTI-Arch:same \nEmpty:") == {
        "package": "a",
        "multi-arch": "same",
        "empty": "",
    }


def test_continuation_lines_keep_their_newlines() -> None:
    fields = parse_stanza(
        "Description: short\n first\x85half: line\n .\n\tlast\nNext: 1\n".encode()
    )
    assert fields == {"description": "short\nfirst\x85half: line\n.\nlast", "next": "1"}


@pytest.mark.parametrize(
    "stanza", [b" a", b"A", b": 1", b"A: 1\na: 2", b"A: 1\n\nB: 2", b"A: \xff"]
)
def test_no_stanza_of_fields(stanza: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_stanza(stanza)


def test_clauses() -> None:
    clauses = parse_clauses("libc6 (>= 2.36), awk|mawk:any ( << 1:3 ),\n python3:any,")
    assert [clause_text(clause) for clause in clauses] == [
        "libc6 (>= 2.36)",
        "awk | mawk:any (<< 1:3)",
        "python3:any",
    ]
    assert clauses[1][1] == Relation("mawk", "<<", Version.parse("1:3"), "any")
    assert parse_clauses("") == ()


@pytest.mark.parametrize("text", ["a b", "a (2)", "a (~ 2)", "a (= )", "A", "a [amd64]", "a | | b"])
def test_no_clauses(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_clauses(text)


def test_relations_have_no_alternatives() -> None:
    assert [str(relation) for relation in parse_relations("a, b (= 1)")] == ["a", "b (= 1)"]
    with pytest.raises(ValueError, match="relation"):
        parse_relations("a | b")


@pytest.mark.parametrize(
    ("relation", "accepted"),
    [
        ("a", "0 1 2"),
        ("a (<< 1)", "0"),
        ("a (<= 1)", "0 1"),
        ("a (< 1)", "0 1"),
        ("a (= 1)", "1"),
        ("a (>= 1)", "1 2"),
        ("a (> 1)", "1 2"),
        ("a (>> 1)", "2"),
    ],
)
def test_which_versions_a_relation_accepts(relation: str, accepted: str) -> None:
    parsed = Relation.parse(relation)
    found = [text for text in ("0", "1", "2") if parsed.accepts(Version.parse(text))]
    assert found == accepted.split()
    assert parsed.accepts(None) is (relation == "a")


def test_a_release() -> None:
    digest = Digest.of(b"x")
    text = (
        "Origin: Debian\nSuite: stable\nCodename: trixie\nAcquire-By-Hash: yes\n"
        "Valid-Until: Wed, 25 Nov 2026 22:17:43 UTC\n"
        f"SHA256:\n {digest.hex}        1 main/binary-amd64/Packages.xz\n"
    )
    release = parse_release(text.encode())
    assert release.is_for("trixie")
    assert release.is_for("stable")
    assert not release.is_for("bookworm")
    assert release.valid_until == datetime(2026, 11, 25, 22, 17, 43, tzinfo=UTC)
    assert release.by_hash
    assert release.files == {"main/binary-amd64/Packages.xz": IndexFile(digest, 1)}


def test_a_release_may_last_for_ever() -> None:
    release = parse_release(b"Origin: Debian\n")
    assert release.valid_until is None
    assert not release.by_hash
    assert not release.files


@pytest.mark.parametrize("text", [b"SHA256:\n abc 1 x\n", b"Valid-Until: soon\n", b"no field\n"])
def test_no_release(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_release(text)
