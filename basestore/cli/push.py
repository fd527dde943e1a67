"""`basestore push`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, open_store, open_transport, start_of
from basestore.cli.registry import repository_of
from basestore.cli.settings import read_settings
from basestore.cli.terminal import count, print_json, say, size
from basestore.cli.watch import watching
from basestore.pipeline.locked import read_locked
from basestore.profile.project import chosen_profiles, profile_names

if TYPE_CHECKING:
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

    Asks the registry first: where the tag is there with the same image, nothing is done and no
    store is needed; with another image it is an error, for a tag is never overwritten. Else sends
    the blobs that it lacks (or mounts them from sibling images), then manifests, then the tag.
    Credentials come from Docker's configuration; plain HTTP is used on loopback only.
    """
    from basestore.pipeline.push import push_image
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    project = start_of(context).project()
    names = chosen_profiles(project, tuple(profiles or ()))
    settings = read_settings()
    results: list[Pushed] = []
    with watching(json) as progress, open_transport(settings) as transport:
        for name in names:
            repository = repository_of(project, name, to)
            siblings = tuple(
                repository_of(project, other, to).path
                for other in profile_names(project)
                if other != name
            )
            config = DockerConfig(settings.docker_config)
            client = RegistryClient.writer(transport, repository, config, siblings)
            results.append(
                push_image(
                    project,
                    read_locked(project, name),
                    client,
                    siblings,
                    lambda: open_store(settings),
                    progress,
                )
            )
    if json:
        print_json({"pushed": [_to_json(one) for one in results]})
        return
    for one in results:
        report = one.report
        if report.tagged:
            done = f"sent {count(report.uploaded.count, 'blob')}, {size(report.uploaded.size)}"
            if report.mounted.count:
                done += f"; mounted {report.mounted.count}, {size(report.mounted.size)}"
            if report.present.count:
                done += f"; {report.present.count} there already"
        else:
            done = "nothing to do"
        say(f"{one.locked.name}: {done}")
        say(f"  {one.repository}:{one.locked.tag}@{report.digest}")


def _to_json(pushed: "Pushed") -> dict[str, object]:
    report = pushed.report
    tallies = {"uploaded": report.uploaded, "mounted": report.mounted, "present": report.present}
    return {
        "profile": pushed.locked.name,
        "reference": f"{pushed.repository}:{pushed.locked.tag}@{report.digest}",
        "digest": str(report.digest),
        "changed": report.tagged,
        **{name: {"blobs": tally.count, "bytes": tally.size} for name, tally in tallies.items()},
    }
