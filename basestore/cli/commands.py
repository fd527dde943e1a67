"""The commands, each loaded when it is called: start-up is paid for one of them, not for all."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

COMMANDS = (
    "lock",
    "build",
    "export",
    "push",
    "load",
    "run",
    "shell",
    "verify",
    "status",
    "graph",
    "diff",
    "plan",
    "affected",
    "why",
    "pin",
    "dockerfile",
    "store",
)
"""In the order of the help. Each is a module beside this one, with a function of its name, or an
``app`` where it has commands of its own; ``COMMAND`` is a command's class if not typer's."""


class Commands(TyperGroup):
    """The program's commands by name."""

    def __init__(self, **settings: Any) -> None:  # typer's own, handed on as they are
        super().__init__(**settings)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # names to choose from

    def list_commands(self, ctx: Any) -> list[str]:  # click's or typer's Context
        """All names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"basestore.cli.{cmd_name}")
        if app := getattr(module, "app", None):
            group = get_group(app)
            group.name = cmd_name
            return group
        cls = getattr(module, "COMMAND", None)
        info = CommandInfo(name=cmd_name, cls=cls, callback=getattr(module, cmd_name))
        return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def program() -> typer.Typer:
    """The program, without what stands before its commands."""
    return typer.Typer(
        name="basestore",
        cls=Commands,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
