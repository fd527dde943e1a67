"""What uv says when it fails, in the words of its versions, and what becomes of it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from basestore.errors import UnreachableError
from basestore.sources.uv_failure import (
    IndexAccessError,
    IndexUnreachableError,
    UnsatisfiableError,
    UvFailedError,
    failure_of,
    mentioned,
    unknown_package,
    without_wheel,
)

NEW = """error: No solution found when resolving dependencies
  cause: Because all versions of app depend on lib>=2 and x depends on app, we can conclude that
         x depends on lib>=2.
         And because x depends on lib<2, we can conclude that your requirements are unsatisfiable.

hint: Pass `--prerelease=allow`
"""
OLD = """  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because all versions of app depend on lib>=2 and x depends on app, we can
      conclude that x depends on lib>=2.
      And because x depends on lib<2, we can conclude that your requirements are unsatisfiable.

      hint: Pass `--prerelease=allow`
"""
REASON = (
    "Because all versions of app depend on lib>=2 and x depends on app, we can conclude that x "
    "depends on lib>=2. And because x depends on lib<2, we can conclude that your requirements "
    "are unsatisfiable."
)


@pytest.mark.parametrize("text", [NEW, OLD, f"\x1b[1m\x1b[31m{NEW}\x1b[0m", f"warning: old\n{NEW}"])
def test_a_reason_comes_without_its_frame_and_hints(text: str) -> None:
    error = failure_of(text)

    assert isinstance(error, UnsatisfiableError)
    assert error.reason == REASON
    assert not error.prereleases


def test_that_only_prereleases_would_do_is_kept() -> None:
    hint = "hint: Pre-releases are available for `lib` in the requested range"
    error = failure_of(NEW.replace("hint: Pass", hint))

    assert isinstance(error, UnsatisfiableError)
    assert error.prereleases


def test_refused_access() -> None:
    error = failure_of(
        "error: No solution found when resolving dependencies\n  cause: Because lib was not found\n"
        "\nhint: An index URL (https://me:s3cret@host.example/simple?token=s3cret) could not be "
        "queried due to a lack of valid authentication credentials (401 Unauthorized)\n"
    )

    assert isinstance(error, IndexAccessError)
    assert "host.example refuses access: 401 Unauthorized" in error.message
    assert "s3cret" not in error.message + error.hint + str(error.args) + error.url


def test_a_host_that_is_not_there() -> None:
    error = failure_of(
        "error: Failed to fetch: https://me:s3cret@host.example/simple/lib/\n"
        "  cause: Request failed after 3 retries in 5.0s\n"
        "  cause: error sending request for url (https://me:s3cret@host.example/simple/lib/)\n"
        "  cause: client error (Connect)\n"
        "  cause: Connection refused (os error 111)\n"
    )

    assert isinstance(error, IndexUnreachableError)
    assert "host.example can't be reached: Connection refused (os error 111)" in error.message
    assert "s3cret" not in error.message + error.url


def test_anything_else_is_uvs_own_failure() -> None:
    error = failure_of("error: something at https://me:s3cret@host.example/x broke\n  cause: why\n")

    assert isinstance(error, UvFailedError)
    assert error.message == "uv failed: something at https://host.example/x broke: why"


@pytest.mark.parametrize("text", ["", "\n", "error:", "error: No solution found when resolving\n"])
def test_a_failure_without_words_is_a_failure(text: str) -> None:
    error = failure_of(text)

    assert isinstance(error, UnreachableError)
    assert error.message.startswith("uv failed: ")


def test_of_a_derivation_of_many_steps_the_last_is_told() -> None:
    steps = " ".join(
        f"({n}) Because tool=={n} depends on lib<1 and lib==2, we can conclude that tool=={n} "
        "cannot be used."
        for n in range(100)
    )
    end = "And because you require tool, we can conclude that your requirements are unsatisfiable."
    error = failure_of(
        f"  x No solution found when resolving dependencies:\n  Because a. {steps}\n {end}"
    )

    assert isinstance(error, UnsatisfiableError)
    assert error.reason == (
        "Because tool==99 depends on lib<1 and lib==2, we can conclude that tool==99 cannot be "
        f"used. {end}"
    )


def test_what_is_long_in_one_step_is_cut() -> None:
    error = failure_of("  x No solution found when resolving dependencies:\n  " + "word " * 5000)

    assert isinstance(error, UnsatisfiableError)
    assert len(error.reason) < 2100


@pytest.mark.parametrize(
    ("reason", "package"),
    [
        ("fast==1.0 has no wheels with a matching platform tag", "fast"),
        ("fast>=1.0.1,<=1.0.2 has no wheels with a matching platform tag", "fast"),
        ("fast>=1.0.1, <=1.0.2 has no wheels with a matching platform tag", "fast"),
        ("any of: fast<1 fast>1.0.2 have no usable wheels", "fast"),
        ("all versions of My_Fast.x have no usable wheels", "my-fast-x"),
        ("fast[extra]==1.0 has no usable wheels", "fast"),
        ("2fast==1 has no usable wheels", "2fast"),
        # Words that no version of uv has said yet.
        ("fast (1.0.1 to 1.0.2) has no usable wheels", ""),
        ("fast in 1.0.1, 1.0.2 has no usable wheels", ""),
        ("fast is without a wheel", ""),
        ("1.0.2 has no usable wheels", ""),
        ("fast from 1.0 to 1.0.2rc1 has no usable wheels", ""),
    ],
)
def test_the_package_without_a_wheel_is_a_package_or_nobody(reason: str, package: str) -> None:
    assert without_wheel(f"Because {reason} and x depends on it, nothing works.") == package


@given(st.from_regex(r"[a-z0-9.,<>=!~ ()|-]{0,40}", fullmatch=True))
def test_a_version_is_never_taken_for_a_package(subject: str) -> None:
    for told in (
        without_wheel(f"Because {subject} has no usable wheels"),
        unknown_package(f"Because {subject} was not found in the package registry"),
    ):
        assert not is_version(told)
        assert not told or told in mentioned(subject)


def is_version(text: str) -> bool:
    with suppress(InvalidVersion):
        return bool(Version(text))
    return False
