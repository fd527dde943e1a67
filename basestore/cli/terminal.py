"""Words for people: errors, notes, sizes, tables. Colours only on a terminal."""

import contextlib
import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence

from basestore.cli.streams import BROKEN_PIPE, drop
from basestore.errors import BasestoreError, ExitCode, UnreachableError

_MORE = "end other programs, or raise the limits of this one (`ulimit -a`, the container's memory)"

_BOLD_RED, _CYAN, _YELLOW, _DIM, _OFF = "\x1b[1;31m", "\x1b[36m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def show_error(error: BaseException) -> int:
    """Tell an error on standard error, and return the exit code it stands for.

    An error of the system is one of reach: a full disk, a folder that can't be written, too little
    memory. Raises what is neither told already nor the system's.
    """
    if not isinstance(error, BasestoreError):
        error = _of_system(error)
    _say(_BOLD_RED, "error", error.message)
    if error.hint:
        hint(error.hint)
    return int(error.exit_code)


def show(error: Exception) -> int:
    """Tell an error, be it a bug; the exit code. Raises MemoryError and ImportError at that."""
    try:
        return show_error(error)
    except Exception as unknown:
        if unknown is not error:
            raise
        return _show_bug(error)


def _show_bug(error: Exception) -> int:
    """Tell an error that should not exist, with its traceback."""
    import traceback

    with contextlib.suppress(OSError):
        traceback.print_exception(error)
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
        drop(1)
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:
        drop(1)
        raise OSError(error.errno, error.strerror, "standard output") from None


def note(line: str) -> None:
    """A line of progress on standard error, in one write, so that threads' lines stay apart.

    Work goes on where nobody can be told of it.
    """
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")


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


def _of_system(error: BaseException) -> BasestoreError:
    """What the system refused; raises the error itself where it is none of the system's."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        hint = "check permissions and free space, then run the command again"
        return UnreachableError(f"{where}{reason}", hint)
    if isinstance(error, MemoryError):
        return UnreachableError("there is not enough memory for this", _MORE)
    if isinstance(error, ImportError):
        part = error.name or "a part"
        hint = f"{_MORE}; or install basestore anew"
        return UnreachableError(f"{part} of the program can't be loaded: {error}", hint)
    if _is_no_thread(error):
        return UnreachableError("the system has no room for another thread", _MORE)
    raise error


def _is_no_thread(error: BaseException) -> bool:
    """Whether no thread could be started, which Python tells by an error of no kind of its own."""
    import threading
    import traceback

    begins = threading.Thread.start.__code__
    frames = traceback.walk_tb(error.__traceback__)
    last = max(enumerate(frame for frame, _ in frames), default=None, key=lambda pair: pair[0])
    return isinstance(error, RuntimeError) and last is not None and last[1].f_code is begins


def _say(colour: str, label: str, text: str) -> None:
    coloured = _coloured(sys.stderr.fileno())
    start, end = (colour, _OFF) if coloured else ("", "")
    with contextlib.suppress(OSError):  # the disk may be full that it goes to: the exit code stays
        print(f"{start}{label}{end}: {text}", file=sys.stderr)  # noqa: T201


def _coloured(descriptor: int) -> bool:
    """https://no-color.org, and only on terminals."""
    return os.isatty(descriptor) and not os.environ.get("NO_COLOR")
