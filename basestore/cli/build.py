"""`basestore build`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli import engine_build
from basestore.cli.context import Json, Offline, Profiles, reach, start_of
from basestore.cli.settings import own_state
from basestore.cli.since import believe_since
from basestore.cli.sources import builder_of
from basestore.cli.terminal import count, print_json, say, size, warn
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.image.model import Image
from basestore.lock.freshness import check
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.recorded import Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names
from basestore.target import Platform

if TYPE_CHECKING:
    from basestore.pipeline.engine_build import EngineBuilt


def build(
    context: typer.Context,
    profiles: Profiles = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OS/ARCH",
            help="Build for this platform only (repeatable); such a build is not recorded.",
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Make every layer again and compare it bit for bit."),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Take layers that others recorded (a restored cache, a seed) where the images of "
            "this trusted revision prove them.",
        ),
    ] = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Build images from locks, without a daemon.

    Fetches what the store lacks, makes the layers that are not there yet, and records the image's
    digest in locks/images.toml. Where everything is there it does nothing.
    """
    project = start_of(context).project()
    platforms = [_platform(text) for text in platform or ()]
    names = chosen_names(project, tuple(profiles or ()))
    settings = reach(offline)
    for name in names:
        if engine_build.by_engine(project, name):
            engine_build.check_options(name, settings, platforms)
    results: list[Built | EngineBuilt] = []
    try:
        with watching(json) as progress:
            builder = builder_of(project, settings, progress)
            if since is not None:
                believe_since(project, since, names, settings, builder.store)
            for name in names:
                warn_if_stale(project, name)
                if engine_build.by_engine(project, name):
                    if rebuild:
                        engine_build.warn_of_rebuild(name)
                    results.append(engine_build.build_by_engine(project, name, settings, progress))
                else:
                    results.append(_build(builder, project, name, platforms, rebuild))
    except BaseException:
        _tell(project, results, json)  # what was built is recorded
        raise
    _tell(project, results, json)


def _tell(project: Project, results: "Sequence[Built | EngineBuilt]", json: bool) -> None:
    """What was built; for machines nothing where nothing was."""
    if json and results:
        print_json({"images": [_to_json(project, built) for built in results]})
    for built in results if not json else ():
        _show(project, built)


def warn_if_stale(project: Project, name: str) -> None:
    """A build takes the lock as it is; if its profile has moved on, say so."""
    freshness = check(project, name, state=own_state())
    if freshness.lock and not freshness.fresh:
        from basestore.lock.stale import to_lock

        reasons = "; ".join(map(str, freshness.reasons))
        names = " ".join(to_lock(project, [name]))
        warn(f"the lock of {name} is stale ({reasons}): run `basestore lock {names}`")


def reference(project: Project, built: Built) -> str:
    """The pin of an image: registry (if there is one), name, tag and digest."""
    name = project.image(built.recorded.name)
    prefix = f"{project.registry}/" if project.registry else ""
    return f"{prefix}{name}:{built.recorded.tag}@{built.image.digest}"


def _build(
    builder: Builder, project: Project, name: str, platforms: Sequence[Platform], rebuild: bool
) -> Built:
    if not rebuild and not platforms and name not in project.services:
        there = builder.there(project, Records.read(project).find(name))
        if there:
            return there
    from basestore.layer.realise import realise, remake
    from basestore.pipeline.record import build_and_record

    return build_and_record(project, builder, name, platforms, remake if rebuild else realise)


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except ValueError as error:
        raise UsageError(str(error), "name one of the lock's platforms") from error


def _show(project: Project, built: "Built | EngineBuilt") -> None:
    if not isinstance(built, Built):
        engine_build.show_built(built)
        return
    for line in built.missing:
        warn(line)
    made = [one for one in built.image.layers if one.descriptor.digest not in built.kept_layers]
    done = f"made {count(len(made), 'layer')}"
    if not made:
        done = "assembled of layers that were there" if built.renewed else "nothing to do"
    say(f"{built.recorded.name}: {done}")
    say(f"  image     {project.image(built.recorded.name)}:{built.recorded.tag}")
    say(f"  digest    {built.image.digest}")
    for one in built.image.platforms:
        total = size(sum(layer.descriptor.size for layer in one.layers))
        say(f"  platform  {one.platform}, {count(len(one.layers), 'layer')}, {total}")


def _to_json(project: Project, built: "Built | EngineBuilt") -> dict[str, object]:
    if not isinstance(built, Built):
        return engine_build.built_json(built)
    return {
        "profile": built.recorded.name,
        "lock": str(built.recorded.lock),
        "tag": built.recorded.tag,
        "reference": reference(project, built),
        "digest": str(built.image.digest),
        "reused": built.reused,
        "missing": list(built.missing),
        "platforms": _platforms(built.image, built),
    }


def _platforms(image: Image, built: Built) -> list[dict[str, object]]:
    return [
        {
            "platform": str(one.platform),
            "digest": str(one.manifest.digest),
            "layers": [
                {
                    "digest": str(layer.descriptor.digest),
                    "diff_id": str(layer.diff_id),
                    "size": layer.descriptor.size,
                    "packages": list(layer.packages),
                    "reused": layer.descriptor.digest in built.kept_layers,
                }
                for layer in one.layers
            ],
        }
        for one in image.platforms
    ]
