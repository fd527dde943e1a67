"""`basestore pin`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, start_of
from basestore.cli.settings import read_settings
from basestore.cli.terminal import columns, count, hint, print_json, say, warn
from basestore.errors import ExitCode
from basestore.profile.model import Project
from basestore.profile.project import chosen_profiles

if TYPE_CHECKING:
    from basestore.pins import Target
    from basestore.pipeline.pin import Pin, Pins

_SHORT = 12  # digits of a digest, as engines show them


def pin(
    context: typer.Context,
    profiles: Profiles = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 3 unless every reference is a pin."),
    ] = False,
    only_changed: Annotated[
        bool,
        typer.Option("--only-changed", help="Only the bases whose lock isn't that of git's HEAD."),
    ] = False,
    json: Json = False,
) -> None:
    """Pin the files of services to the bases' images.

    Makes each reference to a base, in the files of [pins] in basestore.toml, name the base's lock
    and image: REGISTRY/base-NAME:LOCK@sha256:IMAGE. Replaces just those characters, in all files or
    in none. Reads Dockerfiles (with ARGs before FROM), YAML (Compose, Kubernetes, Kustomize, Helm's
    values), .env files, and in other text what stands there literally.

    `--check` lists with file and line what is stale (another lock or image), unpinned (no digest)
    or unknown (no base has that name). Offline.
    """
    from basestore.pipeline.pin import find_pins, rewrite_pins

    project = start_of(context).project()
    found = find_pins(project, _bases(project, tuple(profiles or ()), only_changed))
    changed = () if check else rewrite_pins(found)
    if json:
        print_json(_to_json(found, changed))
    else:
        _show_checked(found) if check else _show_rewritten(found, changed)
    if found.left or (check and found.to_mend):
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _bases(project: Project, names: tuple[str, ...], only_changed: bool) -> frozenset[str] | None:
    """The bases that are looked at; None for all, and what names none."""
    chosen = frozenset(chosen_profiles(project, names)) if names else None
    if not only_changed:
        return chosen
    from basestore.pipeline.pin import changed_bases
    from basestore.sources.git import Git

    changed = changed_bases(project, Git(project.root, read_settings().environ).revision("HEAD"))
    return changed if chosen is None else changed & chosen


def _show_checked(found: "Pins") -> None:
    _tell_unmatched(found)
    wrong = [one for one in found.pins if one.edits or one in found.left]
    _list(wrong)
    if not wrong:
        say(f"{count(len(found.pins), 'pin')} in {_files(found.pins)}: all as locked")
    elif found.to_mend:
        hint("run `basestore pin`")


def _show_rewritten(found: "Pins", changed: tuple[str, ...]) -> None:
    _tell_unmatched(found)
    for one in found.to_mend:
        say(f"{one.file}:{one.line}  {_version(one.reference)} -> {_target(one.target)}")
    _list(found.left)
    if not changed and not found.left:
        say(f"{count(len(found.pins), 'pin')} in {_files(found.pins)}: nothing to do")


def _list(pins: "list[Pin] | tuple[Pin, ...]") -> None:
    """A line each: where, how it stands, what it is, and why or what it should be."""
    rows = [
        (
            f"{one.file}:{one.line}",
            one.state.value,
            _version(one.reference) if one.base else one.reference,
            one.obstacle or f"-> {_target(one.target)}",
        )
        for one in pins
    ]
    for line in columns(rows) if rows else ():
        say(line)


def _tell_unmatched(found: "Pins") -> None:
    for pattern in found.unmatched:
        warn(f"basestore.toml: pins.files: no file matches {pattern!r}")


def _files(pins: "tuple[Pin, ...]") -> str:
    return count(len({one.file for one in pins}), "file")


def _version(reference: str) -> str:
    """A reference without its registry, digests in short."""
    name, at, digest = reference.partition("@sha256:")
    last = name.rpartition("/")[2]
    image, colon, tag = last.partition(":")
    short = tag[:_SHORT] if len(tag) == 64 else tag
    return f"{image}{colon}{short}{'@' if at else ''}{digest[:_SHORT]}"


def _target(target: "Target | None") -> str:
    return f"{target.lock.hex[:_SHORT]}@{target.image.hex[:_SHORT]}" if target else "-"


def _to_json(found: "Pins", changed: tuple[str, ...]) -> dict[str, object]:
    return {
        "pins": [
            {
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "base": one.base,
                "state": one.state.value,
                "reference": one.reference,
                "target": str(one.target) if one.target else None,
                "reason": one.obstacle,
                "rewritten": bool(changed and one.edits),
            }
            for one in found.pins
        ],
        "changed": list(changed),
        "unmatched": list(found.unmatched),
    }
