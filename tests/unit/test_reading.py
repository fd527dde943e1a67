"""What becomes of exceptions while foreign bytes are read."""

import json
import struct
import zlib

import pytest

from basestore.cli.terminal import show
from basestore.errors import ExitCode, InputError, IntegrityError
from basestore.reading import UNFIT, reading


class RefusedError(InputError):
    """The reader's own error."""


def refuse(reason: str) -> RefusedError:
    return RefusedError(f"the file is refused: {reason}")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RecursionError("secret"), "it is nested too deeply"),
        (UnicodeDecodeError("utf-8", b"secret", 0, 1, "secret"), "it is not UTF-8"),
        (json.JSONDecodeError("secret", "", 0), "another form than expected (JSONDecodeError)"),
        (KeyError("secret"), "another form than expected (KeyError)"),
        (struct.error("secret"), "another form than expected"),
        (zlib.error("secret"), "another form than expected"),
        *((kind("secret"), "it is ") for kind in UNFIT),
    ],
)  # fmt: skip
def test_what_bytes_raise_is_the_readers_refusal(error: Exception, reason: str) -> None:
    with pytest.raises(RefusedError) as caught, reading(refuse):
        raise error
    assert reason in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is error


def test_what_is_told_already_passes() -> None:
    told = IntegrityError("another file is damaged")
    with pytest.raises(IntegrityError) as caught, reading(refuse):
        raise told
    assert caught.value is told


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("bug"),
        NameError("bug"),
        RuntimeError("bug"),
        MemoryError(),
        OSError(28, "full"),
        KeyboardInterrupt(),
    ],
)
def test_what_is_no_bytes_fault_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, reading(refuse):
        raise error
    assert caught.value is error


def raised(error: Exception) -> Exception:
    """The error with a traceback."""
    try:
        raise error  # noqa: TRY301 - the traceback is what is wanted
    except Exception as there:  # noqa: BLE001 - whichever it is
        return there


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left", "/x/y"), "/x/y: No space left"),
        (MemoryError(), "there is not enough memory for this"),
        (ImportError("failed to map", name="zlib"), "zlib of the program can't be loaded"),
    ],
)
def test_what_the_system_refuses_is_told(
    error: Exception, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert show(raised(error)) == ExitCode.UNREACHABLE
    shown = capfd.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
    assert " hint: " in shown


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("can't start new thread")])
def test_a_bug_is_told_as_one(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    assert show(raised(error)) == ExitCode.BUG
    shown = capfd.readouterr().err
    assert "Traceback" in shown
    assert "this is a bug in basestore" in shown
