"""`basestore affected`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, start_of
from basestore.cli.settings import own_state
from basestore.cli.since import revision_of, since_json
from basestore.cli.terminal import count, print_json, say

if TYPE_CHECKING:
    from basestore.pipeline.affected import Affected, Impact

_TOLD = 5  # so many causes of one name are told to people


def affected(
    context: typer.Context,
    since: Annotated[
        str,
        typer.Option(
            metavar="REVISION", help="What to compare the files with: whatever git takes for one."
        ),
    ],
    json: Json = False,
) -> None:
    """Say what has to be locked, built and pushed for a change.

    The change is everything by which the files here differ from a revision, committed or not.
    What stands on something that has to be built has to be built, too; comments, and files that no
    service copies, affect nothing. With --json the lists can be the matrix of a CI's jobs. Offline;
    writes nothing; needs no store.
    """
    from basestore.pipeline.affected import affected as find

    project = start_of(context).project()
    revision = revision_of(project, since)
    found = find(project, revision, datetime.now(UTC), own_state())
    if json:
        print_json({**since_json(revision), **_to_json(found)})
        return
    for line in _lines(found) if found.names else [f"nothing is affected since {since}"]:
        say(line)


def _lines(found: "Impact") -> Iterator[str]:
    for one in found.names:
        yield f"{one.name}: {', '.join(_verbs(one))}"
        yield from (f"  {cause}" for cause in one.causes[:_TOLD])
        if len(one.causes) > _TOLD:
            yield f"  and {len(one.causes) - _TOLD} more"
    if found.pins:
        yield f"{count(len(found.pins), 'file')} to pin: {', '.join(found.pins)}"


def _verbs(one: "Affected") -> Iterator[str]:
    wanted = {"lock": one.lock, "build": one.build, "push": one.push}
    return (verb for verb, is_wanted in wanted.items() if is_wanted)


def _to_json(found: "Impact") -> dict[str, object]:
    names = found.names
    return {
        "lock": [one.name for one in names if one.lock],
        "build": [one.name for one in names if one.build],
        "push": [one.name for one in names if one.push],
        "bases": [one.name for one in names if one.base is None],
        "services": [one.name for one in names if one.base is not None],
        "pins": list(found.pins),
        "causes": {
            one.name: [
                {"text": cause.text, "file": cause.file, "line": cause.line} for cause in one.causes
            ]
            for one in names
        },
    }
