"""`basestore verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import (
    Json,
    Profiles,
    find_store,
    open_store,
    open_transport,
    reach,
    start_of,
)
from basestore.cli.engine_build import by_engine
from basestore.cli.registry import AsksRegistry
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.verify import Finding


COMMAND = AsksRegistry

_WORDS = {True: "ok", False: "FAIL", None: "skip"}


def verify(
    context: typer.Context,
    profiles: Profiles = None,
    registry: Annotated[
        str | None,
        typer.Option(
            metavar="[REGISTRY[/PATH]]",
            help="Ask the registry too, another than the one in basestore.toml if it is named. "
            "No layer is pulled.",
        ),
    ] = None,
    engine: Annotated[
        bool,
        typer.Option(
            "--engine", help="Ask the local Docker Engine too: image ID, label and layers."
        ),
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Make every layer again and compare it bit for bit."),
    ] = False,
    content: Annotated[
        bool,
        typer.Option("--content", help="Hold every file of every wheel to its RECORD's hash."),
    ] = False,
    json: Json = False,
) -> None:
    """Prove that profile, lock, image, registry and engine agree.

    Offline, the lock is canonical, the profile's, and known to the images file; a service's stands
    on its base's image, and the files that it copies are those of its image. What wheels and .debs
    in the store declare is held against lock and origin; of the rest it is told as unproven. What
    can't be checked of an image that an engine built is told as skipped. Exits 3 where something
    disagrees, 5 where a rebuild gives other bytes.
    """
    project = start_of(context).project()
    names = chosen_names(project, tuple(profiles or ()))
    found = {}
    for name in names:
        findings = _offline(project, name)
        if _agree(findings):
            findings += _edges(project, name)
        if registry is not None and _agree(findings):
            findings += _registry(project, name, registry)
        if engine and _agree(findings):
            findings += _engine(project, name)
        if content and _agree(findings):
            findings += _content(project, name, json)
        if rebuild and _agree(findings):
            findings += _rebuild(project, name, json)
        found[name] = findings
    holds = all(map(_agree, found.values()))
    if json:
        print_json({"profiles": [_to_json(name, findings) for name, findings in found.items()]})
    else:
        for name, findings in found.items():
            _show(name, findings)
    if not holds:
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _agree(findings: "tuple[Finding, ...]") -> bool:
    """Whether nothing that was checked fails."""
    return not any(finding.fails for finding in findings)


def _offline(project: Project, name: str) -> "tuple[Finding, ...]":
    from datetime import UTC, datetime

    from basestore.pipeline.verify import verify_files, verify_project

    if by_engine(project, name):
        from basestore.pipeline.engine_verify import verify_built

        return verify_built(project, name, datetime.now(UTC))
    findings = verify_project(project, name, datetime.now(UTC))
    recorded = Records.read(project).find(name) if _agree(findings) else None
    if recorded is None:
        return findings
    return findings + verify_files(project, recorded, find_store(read_settings()))


def _edges(project: Project, name: str) -> "tuple[Finding, ...]":
    from basestore.pipeline.edges import verify_edges
    from basestore.state import State

    settings = read_settings()
    return verify_edges(project, name, find_store(settings), State.open(settings.state))


def _registry(project: Project, name: str, named: str) -> "tuple[Finding, ...]":
    from basestore.cli.registry import repository_of
    from basestore.pipeline.verify import verify_registry
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    settings = read_settings()
    records = Records.read(project)
    recorded = records.find(name)
    repository = repository_of(project, name, named)
    with open_transport(settings) as transport:
        config = DockerConfig(settings.docker_config)
        client = RegistryClient.reader(transport, repository, config)
        if by_engine(project, name):
            from basestore.pipeline.engine_verify import verify_built_registry

            return tuple(verify_built_registry(records.services[name], client))
        if recorded is None:
            return ()
        return verify_registry(recorded, client)


def _engine(project: Project, name: str) -> "tuple[Finding, ...]":
    from basestore.cli.engine import open_engine
    from basestore.pipeline.load import verify_engine

    settings = read_settings()
    records = Records.read(project)
    with open_engine(settings) as engine:
        if by_engine(project, name):
            from basestore.pipeline.engine_verify import verify_built_engine

            return (verify_built_engine(records.services[name], engine),)
        recorded = records.required(name)
        return verify_engine(project, recorded, engine, open_store(settings, project))


def _content(project: Project, name: str, json: bool) -> "tuple[Finding, ...]":
    from basestore.cli.sources import bring_from
    from basestore.pipeline.verify import verify_content

    settings = reach(offline=False)
    with watching(json) as progress:
        bring = bring_from(project, settings, progress)
        locked = read_locked(project, name)
        return verify_content(locked, open_store(settings, project), bring, progress)


def _rebuild(project: Project, name: str, json: bool) -> "tuple[Finding, ...]":
    from basestore.cli.sources import bring_from
    from basestore.layer.realise import remake
    from basestore.pipeline.build import Builder
    from basestore.pipeline.record import build_and_record
    from basestore.pipeline.verify import Finding

    if by_engine(project, name):
        said = "not made again: an engine builds it, and no two of its builds need to be alike"
        return (Finding("rebuild", None, said),)
    settings = reach(offline=False)
    with watching(json) as progress:
        bring = bring_from(project, settings, progress)
        builder = Builder(
            open_store(settings, project), bring, progress, settings.jobs, settings.host
        )
        built = build_and_record(project, builder, name, (), remake)
    which = "every layer above its base's" if name in project.services else "every layer"
    return (Finding("rebuild", True, f"{which} again: {built.image.digest}"),)


def _show(name: str, findings: "tuple[Finding, ...]") -> None:
    say(f"{name}: {'agrees' if _agree(findings) else 'DISAGREES'}")
    for finding in findings:
        say(f"  {_WORDS[finding.holds]:<4}  {finding.check:<9}  {finding.detail}")


def _to_json(name: str, findings: "tuple[Finding, ...]") -> dict[str, object]:
    return {
        "profile": name,
        "agrees": _agree(findings),
        "findings": [
            {
                "check": finding.check,
                "holds": finding.holds,
                "detail": finding.detail,
                **_exception(finding),
            }
            for finding in findings
        ],
    }


def _exception(finding: "Finding") -> dict[str, object]:
    """What an exception of the lock is of, and why there is one; nothing for other findings."""
    return {"package": finding.package, "reason": finding.reason} if finding.package else {}
