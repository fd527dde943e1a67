"""`basestore load`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from basestore.cli.context import Json, Profiles, open_store, reach, start_of
from basestore.cli.edited import warn_if_edited
from basestore.cli.engine import open_engine
from basestore.cli.engine_build import by_engine
from basestore.cli.terminal import print_json, say, size
from basestore.cli.watch import watching
from basestore.pipeline.recorded import Recorded, Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.load import Loaded


def load(context: typer.Context, profiles: Profiles = None, json: Json = False) -> None:
    """Load built images into the local Docker Engine.

    Asks the engine first: where it has the image, nothing is sent. Else it is sent the layers that
    no image there shares with this one, from the lowest on. The image is called NAME:LOCK, and
    REGISTRY/NAME:LOCK as well where basestore.toml names a registry. The engine is the one that
    `docker` speaks to: DOCKER_HOST, DOCKER_CONTEXT, or the current context.
    """
    from basestore.pipeline.run import check_built

    project = start_of(context).project()
    # What an engine built is there, or where it was pushed to.
    chosen = chosen_names(project, tuple(profiles or ()))
    names = [name for name in chosen if not by_engine(project, name)]
    records = Records.read(project)
    wanted = [records.required(name) for name in names]
    for name in chosen:
        if name not in names:
            check_built(project, name)
    results = _load(project, wanted, json) if wanted else []
    if json:
        print_json({"loaded": [_to_json(one) for one in results]})
        return
    for one in results:
        _show(one)
    for name in chosen:
        if name not in names:
            say(f"{name}: nothing to load, an engine builds it")


def _load(project: Project, wanted: "Sequence[Recorded]", json: bool) -> "list[Loaded]":
    from basestore.cli.sources import builder_of
    from basestore.pipeline.load import load_image

    settings = reach(offline=False)
    store = open_store(settings, project)
    for recorded in wanted:
        warn_if_edited(project, store, recorded)
    with open_engine(settings) as engine, watching(json) as progress:
        builder = builder_of(project, settings, progress)
        return [load_image(project, one, engine, builder) for one in wanted]


def _show(loaded: "Loaded") -> None:
    report = loaded.report
    if report.size:
        layers = f"{report.sent} of {len(report.platform.layers)} layers sent"
        done = f"loaded, {layers}, {size(report.size)}"
    elif report.named:
        done = "named, nothing sent"
    else:
        done = "nothing to do"
    say(f"{loaded.recorded.name}: {done}")
    for name in report.names:
        say(f"  {name}")


def _to_json(loaded: "Loaded") -> dict[str, object]:
    report = loaded.report
    return {
        "profile": loaded.recorded.name,
        "lock": str(loaded.recorded.lock),
        "reference": loaded.reference,
        "names": list(report.names),
        "image": str(report.id),
        "platform": str(report.platform.platform),
        "reused": not report.size,
        "layers": len(report.platform.layers),
        "sent": {"layers": report.sent, "bytes": report.size},
    }
