"""`basestore push`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli import engine_build
from basestore.cli.context import Json, Profiles, open_transport, reach, start_of
from basestore.cli.edited import warn_if_edited
from basestore.cli.registry import repository_of, siblings_of
from basestore.cli.terminal import count, print_json, say, size
from basestore.cli.watch import watching
from basestore.pipeline.recorded import Records
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.engine_push import EnginePushed
    from basestore.pipeline.push import Pushed


def push(
    context: typer.Context,
    profiles: Profiles = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="REGISTRY[/PATH]", help="Where to, instead of `registry` in basestore.toml."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Push built images to a registry, under their lock's digest as tag.

    The image is assembled again from its lock and the layers in the store. Then the registry is
    asked: where the tag is there with the same image, and every blob in its size, nothing is done;
    with another image it is an error, for a tag is never overwritten. Else sends the blobs that it
    lacks (or mounts them from sibling images), asks for those again, then sends manifests, then the
    tag. Credentials come from Docker's configuration; plain HTTP is used on loopback only.
    """
    from basestore.cli.sources import builder_of
    from basestore.pipeline.needed import needed_image
    from basestore.pipeline.push import push_image
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    project = start_of(context).project()
    names = chosen_names(project, tuple(profiles or ()))
    settings = reach(offline=False)
    records = Records.read(project)
    results: list[Pushed | EnginePushed] = []
    try:
        with watching(json) as progress, open_transport(settings) as transport:
            for name in names:
                repository = repository_of(project, name, to)
                siblings = tuple(
                    repository_of(project, other, to).path for other in siblings_of(project, name)
                )
                config = DockerConfig(settings.docker_config)
                client = RegistryClient.writer(transport, repository, config, siblings)
                if engine_build.by_engine(project, name):
                    pushed = engine_build.push_by_engine(project, name, client, settings, progress)
                    results.append(pushed)
                    continue
                recorded = records.required(name)
                builder = builder_of(project, settings, progress)
                warn_if_edited(project, builder.store, recorded)
                image = needed_image(project, recorded, builder)
                pushed_here = push_image(recorded, image, client, siblings, builder.store, progress)
                results.append(pushed_here)
    except BaseException:
        _tell(results, json)  # what was pushed stays pushed
        raise
    _tell(results, json)


def _tell(results: "Sequence[Pushed | EnginePushed]", json: bool) -> None:
    """What was pushed; for machines nothing where nothing was."""
    if json and results:
        print_json({"pushed": [_to_json(one) for one in results]})
    for one in results if not json else ():
        _show(one)


def _show(pushed: "Pushed | EnginePushed") -> None:
    from basestore.pipeline.push import Pushed

    if not isinstance(pushed, Pushed):
        engine_build.show_pushed(pushed)
        return
    report = pushed.report
    if report.changed:
        done = f"sent {count(report.uploaded.count, 'blob')}, {size(report.uploaded.size)}"
        if report.mounted.count:
            done += f"; mounted {report.mounted.count}, {size(report.mounted.size)}"
        if report.present.count:
            done += f"; {report.present.count} there already"
    else:
        done = "nothing to do"
    if report.untold:
        done += f"; the registry doesn't tell the size of {count(report.untold, 'blob')}"
    say(f"{pushed.recorded.name}: {done}")
    say(f"  {pushed.repository}:{pushed.recorded.tag}@{report.digest}")


def _to_json(pushed: "Pushed | EnginePushed") -> dict[str, object]:
    from basestore.pipeline.push import Pushed

    if not isinstance(pushed, Pushed):
        return engine_build.pushed_json(pushed)
    report = pushed.report
    tallies = {"uploaded": report.uploaded, "mounted": report.mounted, "present": report.present}
    return {
        "profile": pushed.recorded.name,
        "reference": f"{pushed.repository}:{pushed.recorded.tag}@{report.digest}",
        "digest": str(report.digest),
        "changed": report.changed,
        **{name: {"blobs": tally.count, "bytes": tally.size} for name, tally in tallies.items()},
        "untold": report.untold,
    }
