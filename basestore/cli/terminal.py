"""Words for people: errors, notes, sizes, tables. Colours only on a terminal."""

import contextlib
import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence

from basestore.errors import BasestoreError, ExitCode, UnreachableError

BROKEN_PIPE = 141  # what shells say of a program that SIGPIPE ended

_BOLD_RED, _CYAN, _YELLOW, _DIM, _OFF = "\x1b[1;31m", "\x1b[36m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def show_error(error: BaseException) -> int:
    """Tell an error on standard error, and return the exit code it stands for.

    An error of the operating system is one of reach: a full disk, a folder that can't be written.
    """
    if isinstance(error, OSError):
        error = _of_system(error)
    if not isinstance(error, BasestoreError):
        raise error
    _say(_BOLD_RED, "error", error.message)
    if error.hint:
        hint(error.hint)
    return int(error.exit_code)


def show_bug() -> int:
    """Tell an error that should not exist, with its traceback."""
    import traceback

    traceback.print_exc()
    _say(_BOLD_RED, "error", "this is a bug in basestore; please report it with the lines above")
    return int(ExitCode.BUG)


def hint(text: str) -> None:
    """The way out of what was said before, on standard error."""
    _say(_CYAN, " hint", text)


def warn(text: str) -> None:
    """A line that deserves a look but stops nothing."""
    _say(_YELLOW, "warning", text)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def say(line: str = "") -> None:
    """A line of the result on standard output."""
    try:
        print(line, flush=True)  # noqa: T201
    except BrokenPipeError:
        # Keep the interpreter from flushing into the closed pipe at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(BROKEN_PIPE) from None


def faint(text: str) -> str:
    """Text that steps back, on a terminal."""
    return f"{_DIM}{text}{_OFF}" if _coloured(sys.stdout.fileno()) else text


def size(count: int) -> str:
    """Bytes as people read them: decimal units, as registries use."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} GB"


def count(number: int, noun: str) -> str:
    """``1 package``, ``2 packages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns on standard output; the head only on a terminal."""
    on_terminal = sys.stdout.isatty()
    for number, line in enumerate(columns([head, *rows] if on_terminal else rows)):
        say(faint(line) if on_terminal and number == 0 else line)


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Rows of cells in aligned lines; the columns numbered in ``right`` are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _of_system(error: OSError) -> BasestoreError:
    where = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error)
    return UnreachableError(
        f"{where}{reason}", "check permissions and free space, then run the command again"
    )


def _say(colour: str, label: str, text: str) -> None:
    coloured = _coloured(sys.stderr.fileno())
    start, end = (colour, _OFF) if coloured else ("", "")
    with contextlib.suppress(OSError):  # the disk may be full that it goes to: the exit code stays
        print(f"{start}{label}{end}: {text}", file=sys.stderr)  # noqa: T201


def _coloured(descriptor: int) -> bool:
    """https://no-color.org, and only on terminals."""
    return os.isatty(descriptor) and not os.environ.get("NO_COLOR")
