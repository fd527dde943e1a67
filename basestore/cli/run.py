"""`basestore run`."""

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import open_store, start_of
from basestore.cli.engine import open_engine
from basestore.cli.settings import read_settings
from basestore.cli.terminal import show_error
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.pipeline.locked import read_locked
from basestore.profile.project import chosen_profiles

if TYPE_CHECKING:
    from basestore.engine.client import Engine
    from basestore.engine.container import Wish
    from basestore.engine.run import Signals

_STDIN, _STDOUT = 0, 1
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


def run(
    context: typer.Context,
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The profile whose image is run.")
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]", help="What to run in it; the image's own command if absent."
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            "-e",
            metavar="NAME[=VALUE]",
            help="Set a variable; without a value, to this environment's (repeatable).",
        ),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            "--volume",
            "-v",
            metavar="SOURCE:TARGET[:ro]",
            help="Show a folder of this machine, or a volume, in it (repeatable).",
        ),
    ] = None,
    workdir: Annotated[
        str | None,
        typer.Option("--workdir", "-w", metavar="FOLDER", help="Where in it the command runs."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its network (none, host, ...); the engine's default."),
    ] = None,
) -> None:
    """Run a command in a container from a built image.

    Loads the image first where the engine lacks it, and removes the container at the end. As with
    `docker run --rm -i`, and -t on a terminal: input, output, errors, signals and the exit code are
    the container's. 127 and 126 mean that the image has no such program.
    """
    from basestore.engine.container import Wish
    from basestore.pipeline.load import load_image

    project = start_of(context).project()
    locked = read_locked(project, chosen_profiles(project, (profile,))[0])
    settings = read_settings()
    wish = Wish(
        command=tuple(command or ()),
        environment=tuple(_variables(env or (), settings.environ)),
        volumes=tuple(map(_volume, volume or ())),
        network=network,
        workdir=workdir,
        stdin=_is_open(_STDIN),
        tty=os.isatty(_STDIN) and os.isatty(_STDOUT),
    )
    store = open_store(settings)
    with open_engine(settings) as engine:
        with watching(json=False) as progress:
            loaded = load_image(project, locked, engine, store, progress)
        raise typer.Exit(_run(engine, replace(wish, image=str(loaded.report.id))))


def _run(engine: "Engine", wish: "Wish") -> int:
    from basestore.engine.errors import NoProgramError
    from basestore.engine.run import run as run_attached

    try:
        with _forwarded() as signals, _raw_terminal() if wish.tty else nullcontext():
            return run_attached(engine, wish, _Streams(), signals)
    except NoProgramError as error:
        show_error(error)
        return error.code
    except BrokenPipeError:
        return _BROKEN_PIPE


class _Streams:
    """This process's own standard streams."""

    def read(self) -> bytes:
        """The next bytes of input; empty at its end."""
        try:
            return os.read(_STDIN, _PIECE)
        except OSError:
            return b""

    def write(self, stream: int, data: bytes) -> None:
        """Take output; 1 is standard output, 2 standard error, here as in the engine."""
        left = memoryview(data)
        while left:
            left = left[os.write(stream, left) :]

    def size(self) -> tuple[int, int]:
        """Lines and columns of the terminal."""
        try:
            columns, lines = os.get_terminal_size(_STDOUT)
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

    before = termios.tcgetattr(_STDIN)
    tty.setraw(_STDIN)
    try:
        yield
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


def _variables(wanted: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """``NAME=VALUE``; a name alone takes this environment's value, where there is one."""
    for one in wanted:
        name, equals, _ = one.partition("=")
        if not name:
            raise UsageError(f"--env {one} names no variable", "write NAME=VALUE or NAME")
        if equals:
            yield one
        elif name in environ:
            yield f"{name}={environ[name]}"


def _volume(text: str) -> str:
    """A volume as the engine wants it: folders of this machine absolute."""
    source, _, target = text.partition(":")
    if not source or not target.startswith("/"):
        raise UsageError(
            f"--volume {text} has no absolute target", "write SOURCE:/TARGET or SOURCE:/TARGET:ro"
        )
    if source.startswith((".", "~")):
        source = str(_expanded(source).resolve())
    return f"{source}:{target}"


def _expanded(source: str) -> Path:
    try:
        return Path(source).expanduser()
    except RuntimeError:
        raise UsageError(
            f"--volume {source}: there is no such user's folder", "write the folder's whole path"
        ) from None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
