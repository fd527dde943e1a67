"""The solver of .debs: apt's choices, and the reasons where there are none."""

import pytest
from debmaker import MadeDeb, make_deb, packages_file

from basestore.debian.packages import PackagesIndex, SuiteIndex
from basestore.debian.version import Version
from basestore.profile.model import DebianFoundation
from basestore.resolve.debs import Solution, solve_debs
from basestore.resolve.debs_failure import NoDebsError, UnknownDebError
from basestore.resolve.foundation import (
    NoGlibcError,
    NoPythonError,
    glibc_version,
    offered_pythons,
    python_version,
    solve_foundation,
)
from basestore.target import Platform

AMD64 = Platform("amd64")


def suite(*debs: MadeDeb) -> SuiteIndex:
    return SuiteIndex("bookworm", [PackagesIndex("http://a.example.org", packages_file(debs))])


def solve(index: SuiteIndex, *names: str) -> Solution:
    return solve_debs(index, names)


def chosen(index: SuiteIndex, *names: str) -> list[str]:
    return [deb.name for deb in solve(index, *names).debs]


def test_dependencies_come_along_and_recommends_do_not() -> None:
    index = suite(
        make_deb("a", depends="c", recommends="r"),
        make_deb("c", pre_depends="d"),
        make_deb("d"),
        make_deb("r"),
        make_deb("e", essential="yes"),
    )
    solution = solve(index, "a")
    assert [deb.name for deb in solution.debs] == ["a", "c", "d"]
    assert solution.requires == {"a": ("c",), "c": ("d",), "d": ()}


def test_a_deb_as_a_lock_names_it() -> None:
    made = make_deb("a", "1:1.0", "all")
    assert solve(suite(made), "a").debs == (made.deb,)


def test_dependencies_may_go_round() -> None:
    index = suite(make_deb("a", depends="b"), make_deb("b", depends="a"))
    assert chosen(index, "a") == ["a", "b"]


def test_the_first_alternative_is_taken() -> None:
    index = suite(make_deb("a", depends="missing | b | c"), make_deb("b"), make_deb("c"))
    assert chosen(index, "a") == ["a", "b"]


def test_an_alternative_that_the_profile_asks_for_is_enough() -> None:
    index = suite(make_deb("a", depends="b | c"), make_deb("b"), make_deb("c"))
    assert chosen(index, "a", "c") == ["a", "c"]


def test_an_alternative_that_is_installed_by_then_is_enough() -> None:
    index = suite(
        make_deb("a", depends="x, b | c"),
        make_deb("x", depends="y"),
        make_deb("y", depends="c"),
        make_deb("b"),
        make_deb("c"),
    )
    assert chosen(index, "a") == ["a", "c", "x", "y"]


def test_an_alternative_that_comes_later_is_not() -> None:
    index = suite(make_deb("a", depends="b | c, c"), make_deb("b"), make_deb("c"))
    assert chosen(index, "a") == ["a", "b", "c"]


def test_an_alternative_that_can_not_be_installed_is_passed_over() -> None:
    index = suite(make_deb("a", depends="b | c"), make_deb("b", depends="gone"), make_deb("c"))
    assert chosen(index, "a") == ["a", "c"]


def test_a_conflict_decides_for_another_alternative() -> None:
    index = suite(
        make_deb("a", depends="b | c, d"), make_deb("b"), make_deb("c"), make_deb("d", breaks="b")
    )
    assert chosen(index, "a") == ["a", "c", "d"]


def test_conflicts_with_other_versions_do_not_count() -> None:
    index = suite(make_deb("a", depends="b", conflicts="b (<< 1)"), make_deb("b", "1"))
    assert chosen(index, "a") == ["a", "b"]


def test_a_package_may_conflict_with_what_it_provides() -> None:
    index = suite(make_deb("a", provides="mta", conflicts="mta"), make_deb("b", provides="mta"))
    assert chosen(index, "a") == ["a"]
    with pytest.raises(NoDebsError, match="a conflicts with mta, which is b"):
        solve(index, "a", "b")


def test_a_package_may_provide_what_it_depends_on() -> None:
    index = suite(make_deb("a", depends="b | v", provides="v"), make_deb("b"))
    assert chosen(index, "a") == ["a"]


def test_a_virtual_package_with_one_provider_can_be_asked_for() -> None:
    index = suite(make_deb("liba1t64", provides="liba1 (= 1)"))
    assert chosen(index, "liba1") == ["liba1t64"]


def test_a_virtual_package_with_several_can_not() -> None:
    index = suite(make_deb("mawk", provides="awk"), make_deb("gawk", provides="awk"))
    with pytest.raises(UnknownDebError) as caught:
        solve(index, "awk")
    assert caught.value.near == ("mawk", "gawk")
    assert caught.value.exit_code == 7


def test_an_unknown_package_and_one_like_it() -> None:
    with pytest.raises(UnknownDebError, match="bookworm has no package tesseract-orc") as caught:
        solve(suite(make_deb("tesseract-ocr")), "tesseract-orc")
    assert caught.value.near == ("tesseract-ocr",)


def test_an_unmet_dependency_in_the_profiles_words() -> None:
    index = suite(
        make_deb("a", depends="b"), make_deb("b", depends="c (>= 2) | d"), make_deb("c", "1.5")
    )
    with pytest.raises(NoDebsError) as caught:
        solve(index, "a")
    assert caught.value.message == (
        "the foundation's packages have no solution in bookworm: "
        "a -> b needs c (>= 2) | d, but bookworm has c 1.5 and no d"
    )
    assert caught.value.exit_code == 7


def test_two_packages_that_exclude_each_other() -> None:
    index = suite(make_deb("a", depends="x"), make_deb("x", conflicts="b"), make_deb("b"))
    with pytest.raises(NoDebsError, match="a -> x conflicts with b") as caught:
        solve(index, "a", "b")
    assert "the profile asks for b" in caught.value.message


def test_the_order_of_the_profile_means_nothing() -> None:
    index = suite(
        make_deb("a", depends="x | y"), make_deb("b", depends="y | x"), make_deb("x"), make_deb("y")
    )
    assert solve(index, "a", "b") == solve(index, "b", "a", "b")


FOUNDATION = (
    make_deb("python3.11", "3.11.2-6+deb12u3", depends="libc6 (>= 2.34)"),
    make_deb("python3.13", "3.13.0~rc1+dfsg-1"),
    make_deb("libc6", "2.36-9+deb12u14"),
)


def test_a_foundation_tells_its_python_and_its_glibc() -> None:
    solved = solve_foundation(
        suite(*FOUNDATION), DebianFoundation("bookworm", ("python3.11",)), "3.11", AMD64
    )
    assert (solved.python, solved.glibc) == ("3.11.2", "2.36")
    assert [deb.name for deb in solved.debs] == ["libc6", "python3.11"]
    assert solved.requires["python3.11"] == ("libc6",)


@pytest.mark.parametrize(
    ("python", "hint"), [("3.12", "another python"), ("3.13", 'add "python3.13"')]
)
def test_a_foundation_without_the_profiles_python(python: str, hint: str) -> None:
    asked = DebianFoundation("bookworm", ("python3.11",))
    with pytest.raises(NoPythonError, match=r"offers 3\.11, 3\.13") as caught:
        solve_foundation(suite(*FOUNDATION), asked, python, AMD64)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 7


def test_a_foundation_without_a_c_library() -> None:
    asked = DebianFoundation("bookworm", ("python3.13",))
    with pytest.raises(NoGlibcError, match="libc6"):
        solve_foundation(suite(*FOUNDATION), asked, "3.13", AMD64)


def test_pythons_by_number() -> None:
    index = suite(*(make_deb(f"python3.{minor}") for minor in (13, 9)), make_deb("python3.9-venv"))
    assert offered_pythons(index) == ("3.9", "3.13")


@pytest.mark.parametrize(
    ("version", "python"),
    [
        ("3.11.2-6+deb12u3", "3.11.2"),
        ("3.13.0~rc1-1", "3.13.0rc1"),
        ("3.12.0~a6-1", "3.12.0a6"),
        ("1:3.9.2+dfsg-1", "3.9.2"),
        ("3.13.0~b2+really3.13.0-1", "3.13.0b2"),
    ],
)
def test_the_interpreters_own_version(version: str, python: str) -> None:
    assert python_version(Version.parse(version)) == python


def test_the_c_librarys_own_version() -> None:
    assert glibc_version(Version.parse("2.42~git20251001-1")) == "2.42"
    with pytest.raises(ValueError, match="GNU C library"):
        glibc_version(Version.parse("x-1"))
