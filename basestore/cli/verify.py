"""`basestore verify`."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
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
from basestore.cli.settings import own_state, read_settings
from basestore.cli.since import checks_since, revision_of, since_json
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.verify import Finding
    from basestore.progress import Progress
    from basestore.sources.git import Revision


COMMAND = AsksRegistry

_WORDS = {True: "ok", False: "FAIL", None: "skip"}
_UNPROVEN = "unproven"
_PROVABLE = frozenset({"image", "metadata"})


def verify(
    context: typer.Context,
    profiles: Profiles = None,
    registry: Annotated[
        str | None,
        typer.Option(
            metavar="[REGISTRY[/PATH]]",
            help="Ask the registry too, another than the one in basestore.toml if it is named. "
            "Every blob is asked for, with its size; with --content each is read and hashed.",
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
    since: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Hold images to a revision that is trusted: what stands has that one's image, "
            "what changed is assembled again, and only its new layers are made.",
        ),
    ] = None,
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
    revision = revision_of(project, since) if since is not None else None
    found = dict(_since(project, names, revision, registry, json)) if revision else {}
    records = Records.read(project)
    for name in names:
        findings = found[name] if revision else _offline(records, name)
        if _agree(findings):
            findings += _edges(project, name)
        if registry is not None and _agree(findings):
            with watching(json) if content else nullcontext() as hashed:
                findings += _registry(project, name, registry, hashed)
        if engine and _agree(findings):
            findings += _engine(project, name)
        if content and _agree(findings):
            findings += _content(project, name, json)
        if rebuild and _agree(findings):
            findings = _proven(findings) + _rebuild(project, name, json)
        found[name] = findings
    holds = all(map(_agree, found.values()))
    if json:
        told = [_to_json(name, findings) for name, findings in found.items()]
        print_json({**since_json(revision), "profiles": told})
    else:
        for name, findings in found.items():
            _show(name, findings)
    if not holds:
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _agree(findings: "tuple[Finding, ...]") -> bool:
    """Whether nothing that was checked fails."""
    return not any(finding.fails for finding in findings)


def _offline(records: Records, name: str) -> "tuple[Finding, ...]":
    from datetime import UTC, datetime

    from basestore.pipeline.verify import verify_files, verify_project

    project, now = records.project, datetime.now(UTC)
    if by_engine(project, name):
        from basestore.pipeline.engine_verify import verify_built

        return verify_built(project, name, now, own_state())
    store = find_store(read_settings())
    findings = verify_project(project, name, now, store, own_state(), records)
    recorded = records.find(name) if _agree(findings) else None
    if recorded is None:
        return findings
    return findings + verify_files(project, recorded, store)


def _since(
    project: Project,
    names: Sequence[str],
    revision: "Revision",
    registry: str | None,
    json: bool,
) -> Mapping[str, "tuple[Finding, ...]"]:
    """What is found of each name offline, but that images are held to a revision."""
    from datetime import UTC, datetime

    from basestore.pipeline.engine_verify import verify_built
    from basestore.pipeline.strange_rows import check_rows
    from basestore.pipeline.verify import verify_project

    now, found = datetime.now(UTC), {}
    with checks_since(project, revision, registry, json) as checks:
        check_rows(checks.records, checks.then)
        for name in names:
            if by_engine(project, name):
                findings = verify_built(project, name, now, own_state())
            else:
                findings = verify_project(
                    project, name, now, state=own_state(), records=checks.records
                )
            if all(one.check == "image" for one in findings if one.fails):
                findings = _proven(findings) + checks.findings(name)
            found[name] = findings
    return found


def _edges(project: Project, name: str) -> "tuple[Finding, ...]":
    from basestore.pipeline.edges import verify_edges

    return verify_edges(project, name, find_store(read_settings()), own_state())


def _registry(
    project: Project, name: str, named: str, hashed: "Progress | None"
) -> "tuple[Finding, ...]":
    from basestore.cli.registry import repository_of
    from basestore.pipeline.verify_registry import verify_registry
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

            return tuple(verify_built_registry(records.services[name], client, hashed))
        if recorded is None:
            return ()
        return verify_registry(recorded, client, hashed)


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
    from basestore.cli.sources import builder_of
    from basestore.layer.realise import remake
    from basestore.pipeline.record import build_and_record
    from basestore.pipeline.verify import Finding

    if by_engine(project, name):
        said = "not made again: an engine builds it, and no two of its builds need to be alike"
        return (Finding("rebuild", None, said),)
    settings = reach(offline=False)
    with watching(json) as progress:
        builder = builder_of(project, settings, progress)
        built = build_and_record(project, builder, name, (), remake)
    which = "every layer above its base's" if name in project.services else "every layer"
    return (Finding("rebuild", True, f"{which} again: {built.image.digest}"),)


def _proven(findings: "tuple[Finding, ...]") -> "tuple[Finding, ...]":
    """What was found before the image was made again: that proves it, or ends with an error."""
    return tuple(one for one in findings if not _is_unproven(one))


def _is_unproven(finding: "Finding") -> bool:
    return finding.check == "image" and finding.holds is None


def _show(name: str, findings: "tuple[Finding, ...]") -> None:
    agrees = "agrees"
    if any(map(_is_unproven, findings)):
        agrees += ", but its image is unproven"
    say(f"{name}: {agrees if _agree(findings) else 'DISAGREES'}")
    words = [_word(finding) for finding in findings]
    width = max(map(len, words), default=0)
    for word, finding in zip(words, findings, strict=True):
        say(f"  {word:<{max(width, 4)}}  {finding.check:<9}  {finding.detail}")


def _word(finding: "Finding") -> str:
    """What could be looked at and wasn't is unproven; of some there is nothing to look at."""
    unproven = finding.holds is None and finding.check in _PROVABLE
    return _UNPROVEN if unproven else _WORDS[finding.holds]


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
