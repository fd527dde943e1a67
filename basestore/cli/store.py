"""`basestore store`."""

import typer

from basestore.cli.context import Json
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at this machine's store.")


@app.callback()
def store() -> None:
    """Look at this machine's store."""


@app.command()
def path(json: Json = False) -> None:
    """Say where the store lies: $BASESTORE_STORE, or a folder in the user's cache."""
    found = str(read_settings().store)
    if json:
        print_json({"path": found})
    else:
        say(found)
