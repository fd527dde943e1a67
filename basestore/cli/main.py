"""The program: commands put together, errors rendered, exit codes given."""

import sys
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import typer

from basestore.cli import (
    build,
    diff,
    export,
    load,
    lock,
    plan,
    push,
    run,
    status,
    store,
    verify,
    why,
)
from basestore.cli.context import Start
from basestore.cli.terminal import show_bug, show_error
from basestore.errors import BasestoreError

_INTERRUPTED = 130  # what shells say of a program that SIGINT ended

app = typer.Typer(
    name="basestore",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("lock")(lock.lock)
app.command("build")(build.build)
app.command("export")(export.export)
app.command("push")(push.push)
app.command("load")(load.load)
app.command("run")(run.run)
app.command("verify")(verify.verify)
app.command("status")(status.status)
app.command("diff")(diff.diff)
app.command("plan")(plan.plan)
app.command("why")(why.why)
app.add_typer(store.app, name="store")


def _version(asked: bool) -> None:
    if asked:
        from basestore import __version__

        typer.echo(f"basestore {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            "-C",
            metavar="FOLDER",
            help="The project's folder, or one in it, instead of this one.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Base images as a pure function of a lock.

    A profile (profiles/NAME.toml) says what a base holds. `lock` resolves it to locks/NAME.lock,
    whose SHA-256 is the image's tag; `build` assembles the image from wheels and .debs, without a
    daemon and bit for bit the same anywhere; `push` sends only the layers that a registry lacks;
    `load` and `run` take it to the local Docker Engine; `verify` proves that profile, lock, image,
    registry and engine agree. `status`, `diff`, `plan` and `why` say how things stand, what
    changes, what would be done, and what brought a package in.

    Exit codes: 0 done, 2 usage, 3 a check found disagreement, 4 bad input file, 5 integrity,
    6 unreachable, 7 no resolution, 8 forbidden by policy, 1 a bug.
    """
    del version
    context.obj = Start(project)


def main() -> None:
    """Run the command line."""
    try:
        app(_with_registry(sys.argv[1:]), prog_name="basestore")
    except (BasestoreError, OSError) as error:
        sys.exit(show_error(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception:  # noqa: BLE001  # the one place where a bug becomes words
        sys.exit(show_bug())


def _with_registry(words: list[str]) -> list[str]:
    """``--registry`` may stand without a value; it takes the next word only if that is a host's."""
    return [
        "--registry=" if word == "--registry" and not _names_host(following) else word
        for word, following in zip_longest(words, words[1:], fillvalue="")
    ]


def _names_host(word: str) -> bool:
    """Docker's rule: the first component has a dot or a colon, or is ``localhost``."""
    host = word.partition("/")[0]
    return not word.startswith("-") and ("." in host or ":" in host or host == "localhost")
