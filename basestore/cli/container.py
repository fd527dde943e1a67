"""What `run` and `shell` have in common: options of containers, and this process's own streams."""

import errno
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.terminal import show_error
from basestore.errors import UsageError

if TYPE_CHECKING:
    from basestore.engine.client import Engine
    from basestore.engine.container import Wish
    from basestore.engine.run import Signals

STDIN, STDOUT = 0, 1
_PIECE = 64 * 1024
_BROKEN_PIPE = 141  # what shells say of a program that SIGPIPE ended

_FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)

Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        metavar="NAME[=VALUE]",
        help="Set a variable; without a value, to this environment's (repeatable).",
    ),
]
Volume = Annotated[
    list[str] | None,
    typer.Option(
        "--volume",
        "-v",
        metavar="SOURCE:TARGET[:ro]",
        help="Show a folder of this machine, or a volume, in it (repeatable).",
    ),
]
Workdir = Annotated[
    str | None,
    typer.Option("--workdir", "-w", metavar="FOLDER", help="Where in it the command runs."),
]
Network = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Its network (none, host, ...); the engine's default."),
]


def on_terminal() -> bool:
    """Whether input and output are a terminal."""
    return os.isatty(STDIN) and os.isatty(STDOUT)


def has_input() -> bool:
    """Whether this process has a standard input."""
    try:
        os.fstat(STDIN)
    except OSError:
        return False
    return True


def variables(wanted: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """``NAME=VALUE``; a name alone takes this environment's value, where there is one."""
    for one in wanted:
        name, equals, _ = one.partition("=")
        if not name:
            raise UsageError(f"--env {one} names no variable", "write NAME=VALUE or NAME")
        if equals:
            yield one
        elif name in environ:
            yield f"{name}={environ[name]}"


def volume_of(text: str) -> str:
    """A volume as the engine wants it: folders of this machine absolute."""
    source, _, target = text.partition(":")
    if not source or not target.startswith("/"):
        raise UsageError(
            f"--volume {text} has no absolute target", "write SOURCE:/TARGET or SOURCE:/TARGET:ro"
        )
    if source.startswith((".", "~")):
        source = str(_expanded(source).resolve())
    return f"{source}:{target}"


def run_first(engine: "Engine", wishes: Sequence["Wish"]) -> int:
    """Run the first of some containers whose image has the program; its exit code."""
    from basestore.engine.errors import NoProgramError

    code = 0
    for number, wish in enumerate(wishes, start=1):
        try:
            return _run(engine, wish)
        except NoProgramError as error:
            if number == len(wishes):
                show_error(error)
            code = error.code
    return code


def _run(engine: "Engine", wish: "Wish") -> int:
    from basestore.engine.run import run

    try:
        with _forwarded() as signals, _raw_terminal() if wish.tty else nullcontext():
            return run(engine, wish, _Streams(), signals)
    except BrokenPipeError:
        return _BROKEN_PIPE


class _Streams:
    """This process's own standard streams."""

    def read(self) -> bytes:
        """The next bytes of input; empty at its end."""
        try:
            return os.read(STDIN, _PIECE)
        except OSError:
            return b""

    def write(self, stream: int, data: bytes) -> None:
        """Take output; 1 is standard output, 2 standard error, here as in the engine.

        Raises BrokenPipeError where nobody takes it.
        """
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(stream, left) :]
        except OSError as error:
            if error.errno == errno.EIO:  # a terminal that was closed
                raise BrokenPipeError from error
            raise

    def size(self) -> tuple[int, int]:
        """Lines and columns of the terminal."""
        try:
            columns, lines = os.get_terminal_size(STDOUT)
        except OSError:  # closed since
            columns, lines = 80, 24
        return lines, columns


@contextmanager
def _forwarded() -> "Iterator[Signals]":
    """Signals that come from now on, by name, instead of what they do to this process."""
    names: Signals = SimpleQueue()
    before = {
        number: signal.signal(number, lambda got, _: names.put(signal.Signals(got).name))
        for number in _FORWARDED
    }
    try:
        yield names
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the container, ctrl-c too, and the terminal is as before at the end."""
    import termios
    import tty

    before = termios.tcgetattr(STDIN)
    tty.setraw(STDIN)
    try:
        yield
    finally:
        with suppress(termios.error):  # closed since
            termios.tcsetattr(STDIN, termios.TCSADRAIN, before)


def _expanded(source: str) -> Path:
    try:
        return Path(source).expanduser()
    except RuntimeError:
        raise UsageError(
            f"--volume {source}: there is no such user's folder", "write the folder's whole path"
        ) from None
