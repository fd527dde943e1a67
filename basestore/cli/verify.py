"""`basestore verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, open_store, open_transport, start_of
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.pipeline.locked import read_locked
from basestore.profile.model import Project
from basestore.profile.project import chosen_profiles

if TYPE_CHECKING:
    from basestore.pipeline.verify import Finding


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

    Offline, the lock is canonical, the profile's, and known to the images file. Exits 3 where
    something disagrees, 5 where a rebuild gives other bytes.
    """
    project = start_of(context).project()
    names = chosen_profiles(project, tuple(profiles or ()))
    found = {}
    for name in names:
        findings = _offline(project, name)
        if registry is not None and all(finding.holds for finding in findings):
            findings += _registry(project, name, registry)
        if engine and all(finding.holds for finding in findings):
            findings += _engine(project, name)
        if content and all(finding.holds for finding in findings):
            findings += _content(project, name, json)
        if rebuild and all(finding.holds for finding in findings):
            findings += _rebuild(project, name, json)
        found[name] = findings
    holds = all(finding.holds for findings in found.values() for finding in findings)
    if json:
        print_json({"profiles": [_to_json(name, findings) for name, findings in found.items()]})
    else:
        for name, findings in found.items():
            _show(name, findings)
    if not holds:
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _offline(project: Project, name: str) -> "tuple[Finding, ...]":
    from datetime import UTC, datetime

    from basestore.pipeline.verify import verify_project

    return verify_project(project, name, datetime.now(UTC))


def _registry(project: Project, name: str, named: str) -> "tuple[Finding, ...]":
    from basestore.cli.registry import repository_of
    from basestore.pipeline.build import recorded_image
    from basestore.pipeline.verify import verify_registry
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    settings = read_settings()
    locked = read_locked(project, name)
    record = recorded_image(project, locked)
    repository = repository_of(project, name, named)
    if record is None:
        return ()
    with open_transport(settings) as transport:
        config = DockerConfig(settings.docker_config)
        client = RegistryClient.reader(transport, repository, config)
        return verify_registry(record, locked, client)


def _engine(project: Project, name: str) -> "tuple[Finding, ...]":
    from basestore.cli.engine import open_engine
    from basestore.pipeline.load import verify_engine

    settings = read_settings()
    with open_engine(settings) as engine:
        return verify_engine(project, read_locked(project, name), engine, open_store(settings))


def _content(project: Project, name: str, json: bool) -> "tuple[Finding, ...]":
    from basestore.cli.sources import bring_from
    from basestore.pipeline.verify import verify_content

    settings = read_settings()
    with watching(json) as progress:
        bring = bring_from(project, settings, progress)
        locked = read_locked(project, name)
        return (verify_content(locked, open_store(settings), bring, progress),)


def _rebuild(project: Project, name: str, json: bool) -> "tuple[Finding, ...]":
    from basestore.cli.sources import bring_from
    from basestore.layer.realise import remake
    from basestore.pipeline.build import Builder, record_image
    from basestore.pipeline.verify import Finding

    settings = read_settings()
    with watching(json) as progress:
        bring = bring_from(project, settings, progress)
        builder = Builder(open_store(settings), bring, progress, settings.jobs, settings.host)
        built = builder.build(read_locked(project, name), (), remake)
    record_image(project, built)
    return (Finding("rebuild", True, f"every layer again: {built.image.digest}"),)


def _show(name: str, findings: "tuple[Finding, ...]") -> None:
    agrees = all(finding.holds for finding in findings)
    say(f"{name}: {'agrees' if agrees else 'DISAGREES'}")
    for finding in findings:
        say(f"  {'ok  ' if finding.holds else 'FAIL'}  {finding.check:<9}  {finding.detail}")


def _to_json(name: str, findings: "tuple[Finding, ...]") -> dict[str, object]:
    return {
        "profile": name,
        "agrees": all(finding.holds for finding in findings),
        "findings": [
            {"check": finding.check, "holds": finding.holds, "detail": finding.detail}
            for finding in findings
        ],
    }
