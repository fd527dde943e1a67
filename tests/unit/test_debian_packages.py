"""The index of a suite: candidates, what meets a relation, and where a .deb lies."""

import pytest
from debmaker import MadeDeb, make_deb, packages_file

from basestore.debian.packages import MalformedStanzaError, PackagesIndex, SuiteIndex
from basestore.debian.relations import Relation
from basestore.digest import Digest

MAIN, SECURITY = "http://a.example.org/debian", "http://a.example.org/debian-security"


def suite(*debs: MadeDeb, security: tuple[MadeDeb, ...] = ()) -> SuiteIndex:
    archives = [(MAIN, debs), (SECURITY, security)]
    return SuiteIndex("x", [PackagesIndex(base, packages_file(made)) for base, made in archives])


def names(index: SuiteIndex, relation: str) -> list[str]:
    return [package.name for package in index.matches(Relation.parse(relation))]


def test_the_candidate_is_the_highest_version_of_all_archives() -> None:
    index = suite(
        make_deb("a", "1.9"), make_deb("a", "1.10"), security=(make_deb("a", "1.10+deb12u1"),)
    )
    candidate = index.candidate("a")
    assert candidate is not None
    assert str(candidate.version) == "1.10+deb12u1"
    assert candidate.archive == SECURITY


def test_of_equal_versions_the_first_archives_counts() -> None:
    first, second = make_deb("a", "1.0", items=(b"",)), make_deb("a", "1.0", section="x")
    candidate = suite(first, security=(second,)).candidate("a")
    assert candidate is not None
    assert candidate.sha256 == first.deb.sha256


def test_no_candidate() -> None:
    assert suite(make_deb("ab")).candidate("a") is None
    assert suite().candidate("a") is None


def test_everything_a_stanza_says() -> None:
    made = make_deb(
        "a",
        "1:2.0-1",
        pre_depends="b",
        depends="c | d (>= 2)",
        conflicts="e",
        breaks="f (<< 1)",
        provides="g (= 2)",
        essential="yes",
        priority="required",
        multi_arch="foreign",
    )
    package = suite(made).candidate("a")
    assert package is not None
    assert [[str(r) for r in clause] for clause in package.depends] == [["b"], ["c", "d (>= 2)"]]
    assert [str(relation) for relation in package.conflicts] == ["e", "f (<< 1)"]
    assert [str(relation) for relation in package.provides] == ["g (= 2)"]
    assert (package.essential, package.priority, package.multiarch) == (True, 0, "foreign")
    assert (package.size, package.sha256) == (made.deb.size, made.deb.sha256)


def test_the_real_package_comes_before_its_providers() -> None:
    index = suite(make_deb("zz", provides="a"), make_deb("a"), make_deb("b", provides="x, a"))
    assert names(index, "a") == ["a", "zz", "b"]


def test_providers_by_essential_and_priority_before_their_name() -> None:
    index = suite(
        make_deb("plain", provides="v"),
        make_deb("needed", provides="v", essential="yes"),
        make_deb("usual", provides="v", priority="standard"),
        make_deb("other", provides="v"),
    )
    assert names(index, "v") == ["needed", "usual", "plain", "other"]


def test_an_unversioned_provides_meets_no_version() -> None:
    index = suite(make_deb("b", "9", provides="v"), make_deb("c", "1", provides="v (= 2)"))
    assert names(index, "v") == ["c", "b"]
    assert names(index, "v (>= 2)") == ["c"]
    assert names(index, "v (>= 3)") == []


def test_only_the_candidates_provides_counts() -> None:
    index = suite(make_deb("b", "1", provides="v"), make_deb("b", "2"))
    assert names(index, "v") == []


def test_architecture_qualifiers() -> None:
    index = suite(make_deb("a"), make_deb("b", multi_arch="allowed"), make_deb("c", provides="a"))
    assert names(index, "b:any") == ["b"]
    assert names(index, "a:any") == []
    assert names(index, "b:amd64") == ["b"]
    assert names(index, "b:arm64") == []


def test_a_name_in_another_field_is_no_package() -> None:
    index = suite(make_deb("a", depends="b", description_md5="Package: b"))
    assert index.candidate("b") is None
    assert list(index.names()) == ["a"]


def test_package_need_not_be_the_first_field() -> None:
    data = b"Source: s\n" + packages_file([make_deb("a")])
    index = PackagesIndex(MAIN, data)
    assert [package.name for package in index.packages("a")] == ["a"]


def test_where_a_deb_lies() -> None:
    old, new = make_deb("liba", "1:1.0+x~1"), make_deb("liba", "2.0")
    index = suite(make_deb("first"), old, make_deb("last"), security=(new,))
    assert index.location(old.deb.sha256) == f"{MAIN}/pool/main/l/liba/liba_1.0+x~1_amd64.deb"
    assert index.location(new.deb.sha256) == f"{SECURITY}/pool/main/l/liba/liba_2.0_amd64.deb"
    assert index.location(Digest.of(b"")) is None


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (b"Version: 1.0-1", b"Version: 1 0"),
        (b"Version: 1.0-1\n", b""),
        (b"Size: ", b"Size: x"),
        (b"SHA256: ", b"SHA256: x"),
        (b"Depends: b", b"Depends: b ("),
    ],
)
def test_a_malformed_stanza_is_named(line: bytes, instead: bytes) -> None:
    data = packages_file([make_deb("a", depends="b")]).replace(line, instead)
    with pytest.raises(MalformedStanzaError, match=f"{MAIN} describes the package a") as caught:
        list(PackagesIndex(MAIN, data).packages("a"))
    assert caught.value.exit_code == 5
