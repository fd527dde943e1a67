"""`basestore graph`."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, start_of
from basestore.cli.settings import own_state
from basestore.cli.terminal import columns, count, faint, print_json, say
from basestore.cli.tree import branch, trunks
from basestore.errors import UsageError
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.digest import Digest
    from basestore.pipeline.graph import Node

_SHORT = 12  # digits of a digest, as engines show them
_HEAD = ("base or service", "lock", "image", "stands on", "a new lock makes stale")


def graph(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Profiles and services, with all that they stand on and that stands on them; "
            "all there are if none is named.",
        ),
    ] = None,
    json: Json = False,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print a diagram that Markdown can hold.")
    ] = False,
) -> None:
    """Say what stands on what, and what a new base makes stale.

    Shows for each profile and service whether its lock is fresh, the image recorded for it, the
    base's image that a service's stands on, and how many others a new lock of it makes stale.
    Offline; writes nothing; needs no store.
    """
    from basestore.pipeline.graph import graph as find

    if json and mermaid:
        raise UsageError("--json and --mermaid are two forms of output", "leave one of them out")
    project = start_of(context).project()
    wanted = chosen_names(project, tuple(names or ()))
    nodes = find(project, wanted, datetime.now(UTC), own_state())
    if json:
        print_json({"nodes": [_to_json(node) for node in nodes]})
        return
    for line in _mermaid(nodes) if mermaid else _table(nodes):
        say(line)


def _table(nodes: "Sequence[Node]") -> Iterator[str]:
    """On a terminal a tree; in a pipe a line each."""
    if not sys.stdout.isatty():
        yield from columns([(node.name, *_cells(node)) for node in nodes])
        return
    stems = trunks([node.depth for node in nodes])
    rows = [(branch(stem, one.name), *_cells(one)) for stem, one in zip(stems, nodes, strict=True)]
    head, *lines = columns([_HEAD, *rows])
    yield faint(head)
    yield from lines


def _cells(node: "Node") -> tuple[str, ...]:
    return (
        node.lock.value,
        _short(node.image) or node.standing.value,
        _stands_on(node),
        _counted(node),
    )


def _stands_on(node: "Node") -> str:
    if node.parent and node.stands_on:
        return f"{node.parent}@{_short(node.stands_on)}"
    return node.parent or "-"


def _short(digest: "Digest | None") -> str:
    return digest.hex[:_SHORT] if digest else ""


def _counted(node: "Node") -> str:
    return count(len(node.dependents), "other") if node.dependents else "-"


def _mermaid(nodes: "Sequence[Node]") -> Iterator[str]:
    """Source: mermaid.js.org, "Flowcharts". Names may be its words, so they are labels."""
    ids = {node.name: f"n{number}" for number, node in enumerate(nodes)}
    yield "flowchart LR"
    for node in nodes:
        start, end = ("([", "])") if node.service else ("[", "]")
        about = _short(node.image) or node.standing.value
        yield f'  {ids[node.name]}{start}"{node.name}<br>{node.lock.value}, {about}"{end}'
    for node in nodes:
        if node.parent in ids:
            yield f"  {ids[node.parent]} --> {ids[node.name]}"
    if stale := [ids[node.name] for node in nodes if node.lock.value != "fresh"]:
        yield "  classDef stale stroke-dasharray: 5 5"
        yield f"  class {','.join(stale)} stale"


def _to_json(node: "Node") -> dict[str, object]:
    return {
        "name": node.name,
        "kind": "service" if node.service else "profile",
        "parent": node.parent,
        "lock": node.lock.value,
        "tag": node.tag,
        "image": str(node.image) if node.image else None,
        "standing": node.standing.value,
        "stands_on": str(node.stands_on) if node.stands_on else None,
        "makes_stale": list(node.dependents),
    }
