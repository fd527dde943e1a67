"""`basestore why`."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, start_of
from basestore.cli.terminal import count, faint, print_json, say, size
from basestore.profile.names import NotAPackageNameError
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.lock.graph import Path
    from basestore.pipeline.why import Reason, Weight

_ARROW = " -> "
_NARROWEST = 40  # columns: below that lines are not broken any further
_NAMED = 8  # so many names of what only a package brings are told


def why(
    context: typer.Context,
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE", help="A profile or service by name.")
    ],
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help="A wheel or .deb by name.")],
    every: Annotated[
        bool, typer.Option("--all", help="Show each path, not only each requirement's shortest.")
    ] = False,
    weigh: Annotated[
        bool, typer.Option("--size", help="Show what it weighs with what only it brings.")
    ] = False,
    json: Json = False,
) -> None:
    """Say which requirements bring a package into a profile's lock.

    Shows for each requirement, with its file and line, the shortest path to the package; of a
    service, what it has from its base, and why that has it. Reads the lock and its origin; needs no
    network and no store.
    """
    from basestore.pipeline.why import why as find

    _refuse_versions(package)
    project = start_of(context).project()
    name = chosen_names(project, (profile,))[0]
    reasons = find(project, name, package, every)
    if json:
        print_json({"packages": [_to_json(reason) for reason in reasons]})
        return
    for reason in reasons:
        _show(reason, weigh)


def _refuse_versions(text: str) -> None:
    """Raise NotAPackageNameError for a requirement; a .deb's name may have ``+`` and dots."""
    if any(character in text for character in "<>=!~;@[ "):
        raise NotAPackageNameError(text)


def _show(reason: "Reason", weigh: bool) -> None:
    kind = "wheel" if reason.kind == "wheel" else ".deb"
    found = f"{reason.name} {reason.version}, a {kind} that {reason.generation} brought"
    say(f"{found}; {reason.profile} has it from its base {reason.base}" if reason.base else found)
    for line in _paths(reason.paths):
        say(f"  {line}")
    if not reason.paths:
        say("  no requirement brings it any more: the profile was changed since it was locked")
    if reason.cut:
        say("  and by longer paths")
    for weight in reason.weights if weigh else ():
        _show_weight(weight)


def _show_weight(weight: "Weight") -> None:
    shown = [f"{name} {size(bytes_)}" for name, bytes_ in weight.only[:_NAMED]]
    if rest := weight.only[_NAMED:]:
        shown.append(f"{count(len(rest), 'more package')} {size(sum(b for _, b in rest))}")
    say(f"  on {weight.platform}")
    say(f"    itself          {size(weight.own):>9}")
    for line, text in enumerate(shown or ["nothing"]):
        say(f"    {'only it brings' if line == 0 else '':<14}  {_right(text)}")
    say(f"    together        {size(weight.together):>9}  of {size(weight.whole)}")


def _right(text: str) -> str:
    """A name and its size, the size in the column of the sizes."""
    name, _, amount = text.rpartition(" ")
    name, _, number = name.rpartition(" ")
    return f"{f'{number} {amount}':>9}  {name}" if number else text


def _paths(paths: "Sequence[Path]") -> Iterator[str]:
    """A line a path; on a terminal as many as its columns need."""
    width = max((len(str(path.place)) for path in paths), default=0)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    room = max(columns - width - 4, _NARROWEST) if columns else 0
    for path in paths:
        first, *rest = broken(path.names, room)
        yield f"{faint(f'{path.place!s:<{width}}')}  {first}"
        yield from (f"{'':<{width}}  {line}" for line in rest)


def broken(names: Sequence[str], room: int) -> list[str]:
    """A path in lines of at most ``room`` characters, in one line where that is 0."""
    if not room:
        return [_ARROW.join(names)]
    lines = [names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(_ARROW) + len(name) <= room:
            lines[-1] += f"{_ARROW}{name}"
        else:
            lines.append(f"  -> {name}")
    return lines


def _to_json(reason: "Reason") -> dict[str, object]:
    return {
        "profile": reason.profile,
        "kind": str(reason.kind),
        "name": reason.name,
        "version": reason.version,
        "from": reason.generation,
        "base": reason.base or None,
        "paths": [
            {"file": path.place.file, "line": path.place.line, "packages": list(path.names)}
            for path in reason.paths
        ],
        "complete": not reason.cut,
        "platforms": [
            {
                "platform": str(weight.platform),
                "version": weight.version,
                "size": weight.own,
                "only": [{"name": name, "size": bytes_} for name, bytes_ in weight.only],
                "together": weight.together,
                "whole": weight.whole,
            }
            for weight in reason.weights
        ],
    }
