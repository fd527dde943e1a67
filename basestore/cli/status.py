"""`basestore status`."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, find_store, start_of
from basestore.cli.policy import hits_to_json, tell_warnings
from basestore.cli.settings import Settings, own_state, read_settings
from basestore.cli.terminal import columns, faint, hint, print_json, say, size
from basestore.cli.tree import branch, trunks
from basestore.errors import ExitCode
from basestore.profile.family import family_order
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.status import Status

_SHORT = 12  # digits of a digest, as engines show them
_HEAD = ("profile", "lock", "image", "tag", "digest", "size", "packages")
_NUMBERS = (5, 6)


def status(
    context: typer.Context,
    profiles: Profiles = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 3 unless every lock is fresh.")
    ] = False,
    json: Json = False,
) -> None:
    """Say how profiles and services, their locks and images stand.

    Shows for each, children below their parents and services below their base: whether its lock is
    fresh, and why not; whether its image is built, or recorded and built elsewhere, and for a
    service whether the files that it copies have changed since; tag and digest in short; the size
    of this machine's platform (with a ~ before it what is to be expected, where the image isn't
    here; with a + what a service adds to its base); the number of packages, of a service its own.
    Offline; writes nothing.
    """
    from basestore.pipeline.lock_state import LockState
    from basestore.pipeline.status import status as find

    project = start_of(context).project()
    settings = read_settings()
    names = chosen_names(project, tuple(profiles or ()))
    found = find(project, names, find_store(settings), datetime.now(UTC), own_state())
    if json:
        print_json({"profiles": [_to_json(one) for one in found]})
    else:
        _show(found, settings)
        for one in found:
            tell_warnings(one.profile, one.warnings)
    if (stale := {name for one in found for name in one.to_lock}) and not json:
        hint(f"run `basestore lock {' '.join(family_order(project, stale))}`")
    if check and any(one.lock is not LockState.FRESH for one in found):
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _show(found: "Sequence[Status]", settings: Settings) -> None:
    """On a terminal a tree with the reasons below each row; in a pipe a line a profile."""
    if not sys.stdout.isatty():
        rows = [(one.profile, *_cells(one, settings), _in_line(one)) for one in found]
        for line in columns(rows, _NUMBERS):
            say(line)
        return
    stems = trunks([one.depth for one in found])
    rows = [
        (branch(stem, one.profile), *_cells(one, settings))
        for stem, one in zip(stems, found, strict=True)
    ]
    head, *lines = columns([_HEAD, *rows], _NUMBERS)
    say(faint(head))
    for line, stem, below, one in zip(lines, stems, [*stems[1:], ""], found, strict=True):
        say(line)
        for reason in _reasons(one):
            beside = "│  " if len(below) > len(stem) else "   "
            say(f"{stem}{beside}  {reason}")


def _in_line(one: "Status") -> str:
    return "; ".join(_reasons(one))


def _reasons(one: "Status") -> Iterator[str]:
    """What the cells don't say already."""
    return (str(reason) for reason in one.reasons if one.lock.value != "no lock")


def _cells(one: "Status", settings: Settings) -> tuple[str, ...]:
    return (
        one.lock.value,
        one.image.value,
        one.tag[:_SHORT] if one.tag else "-",
        one.digest.hex[:_SHORT] if one.digest else "-",
        _size(one, settings),
        str(one.packages) if one.packages else "-",
    )


def _size(one: "Status", settings: Settings) -> str:
    if not one.sizes:
        return "-"
    host = settings.host
    bytes_ = one.sizes.get(host) if host else None
    bytes_ = bytes_ or next(iter(one.sizes.values()))
    return f"{'' if one.exact else '~'}{'+' if one.service else ''}{size(bytes_)}"


def _to_json(one: "Status") -> dict[str, object]:
    return {
        "profile": one.profile,
        "parent": one.parent,
        "lock": one.lock.value,
        "reasons": [
            {"text": reason.text, "file": reason.file, "line": reason.line}
            for reason in one.reasons
        ],
        "kind": "service" if one.service else "profile",
        "lock_digest": one.lock_digest.hex if one.lock_digest else None,
        "tag": one.tag,
        "image": one.image.value,
        "digest": str(one.digest) if one.digest else None,
        "packages": one.packages,
        "sizes": {str(platform): bytes_ for platform, bytes_ in one.sizes.items()},
        "exact": one.exact,
        "warnings": hits_to_json(one.warnings),
    }
