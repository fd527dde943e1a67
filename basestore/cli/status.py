"""`basestore status`."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, find_store, start_of
from basestore.cli.policy import hits_to_json, tell_warnings
from basestore.cli.settings import Settings, read_settings
from basestore.cli.terminal import columns, faint, hint, print_json, say, size
from basestore.errors import ExitCode
from basestore.profile.project import chosen_profiles

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
    """Say how profiles, locks and images stand.

    Shows for each profile, children below their parents: whether its lock is fresh, and why not;
    whether its image is built, or recorded and built elsewhere; tag and digest in short; the size
    of this machine's platform (with a ~ before it the size of the wheels and .debs, where the image
    isn't here); the number of packages. Offline; writes nothing.
    """
    from basestore.pipeline.status import LockState
    from basestore.pipeline.status import status as find

    project = start_of(context).project()
    settings = read_settings()
    names = chosen_profiles(project, tuple(profiles or ()))
    found = find(project, names, find_store(settings), datetime.now(UTC))
    if json:
        print_json({"profiles": [_to_json(one) for one in found]})
    else:
        _show(found, settings)
        for one in found:
            tell_warnings(one.profile, one.warnings)
    to_lock = [o.profile for o in found if o.lock in (LockState.STALE, LockState.MISSING)]
    if to_lock and not json:
        hint(f"run `basestore lock {' '.join(to_lock)}`")
    if check and any(one.lock is not LockState.FRESH for one in found):
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _show(found: "Sequence[Status]", settings: Settings) -> None:
    """On a terminal a tree with the reasons below each row; in a pipe a line a profile."""
    if not sys.stdout.isatty():
        rows = [(one.profile, *_cells(one, settings), _in_line(one)) for one in found]
        for line in columns(rows, _NUMBERS):
            say(line)
        return
    trunks = _trunks([one.depth for one in found])
    rows = [
        (_branch(trunk, one), *_cells(one, settings))
        for trunk, one in zip(trunks, found, strict=True)
    ]
    head, *lines = columns([_HEAD, *rows], _NUMBERS)
    say(faint(head))
    for line, trunk, below, one in zip(lines, trunks, [*trunks[1:], ""], found, strict=True):
        say(line)
        for reason in _reasons(one):
            beside = "│  " if len(below) > len(trunk) else "   "
            say(f"{trunk}{beside}  {reason}")


def _trunks(depths: Sequence[int]) -> list[str]:
    """What stands below each row to the left of its own column, three characters a generation."""
    trunks = []
    for number, depth in enumerate(depths):
        following = depths[number + 1 :]
        trunks.append("".join("│  " if _goes_on(d, following) else "   " for d in range(depth)))
    return trunks


def _goes_on(depth: int, following: Sequence[int]) -> bool:
    """Whether a row of the next generation comes before one of this or an older one."""
    nearest = next((other for other in following if other <= depth + 1), None)
    return nearest == depth + 1


def _branch(trunk: str, one: "Status") -> str:
    if not one.depth:
        return one.profile
    return f"{trunk[:-3]}{'├' if trunk.endswith('│  ') else '└'}─ {one.profile}"


def _in_line(one: "Status") -> str:
    return "; ".join(_reasons(one))


def _reasons(one: "Status") -> Iterator[str]:
    """What the cells don't say already."""
    return (str(reason) for reason in one.reasons if one.lock.value != "no lock")


def _cells(one: "Status", settings: Settings) -> tuple[str, ...]:
    return (
        one.lock.value,
        one.image.value,
        one.tag.hex[:_SHORT] if one.tag else "-",
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
    return size(bytes_) if one.image.value == "built" else f"~{size(bytes_)}"


def _to_json(one: "Status") -> dict[str, object]:
    return {
        "profile": one.profile,
        "parent": one.parent,
        "lock": one.lock.value,
        "reasons": [
            {"text": reason.text, "file": reason.file, "line": reason.line}
            for reason in one.reasons
        ],
        "tag": one.tag.hex if one.tag else None,
        "image": one.image.value,
        "digest": str(one.digest) if one.digest else None,
        "packages": one.packages,
        "sizes": {str(platform): bytes_ for platform, bytes_ in one.sizes.items()},
        "exact": one.image.value == "built",
        "warnings": hits_to_json(one.warnings),
    }
