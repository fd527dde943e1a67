"""`basestore store`."""

import typer

from basestore.cli import store_gc, store_info, store_verify
from basestore.cli.context import Json
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look at this machine's store, and tend it."
)
app.command("info")(store_info.info)
app.command("roots")(store_info.roots)
app.command("gc")(store_gc.gc)
app.command("verify")(store_verify.verify)


@app.callback()
def store() -> None:
    """Look at this machine's store, and tend it."""


@app.command()
def path(json: Json = False) -> None:
    """Say where the store lies: $BASESTORE_STORE, or a folder in the user's cache."""
    found = str(read_settings().store)
    if json:
        print_json({"path": found})
    else:
        say(found)
