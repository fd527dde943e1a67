"""Building whatever a name stands for, and writing down what came out."""

from collections.abc import Sequence

from basestore.pipeline.build import Builder, Built, Make, record_image
from basestore.pipeline.locked import read_locked
from basestore.profile.model import Project
from basestore.store import MissingBlobError
from basestore.target import Platform


def build_and_record(
    project: Project, builder: Builder, name: str, platforms: Sequence[Platform], make: Make
) -> Built:
    """Build a profile's or service's image, unless ``make`` is `realise` and it is there.

    It is recorded where it has all of the lock's platforms. What goes from the store's seed
    meanwhile, whose owner knows nothing of us, is fetched or made here in a second try. Raises what
    building raises.
    """
    try:
        return _build_and_record(project, builder, name, platforms, make)
    except MissingBlobError as error:
        if not builder.store.seed:
            raise
        builder.progress.note(f"{error.digest} has gone from the seed: building {name} once more")
        return _build_and_record(project, builder, name, platforms, make)


def _build_and_record(
    project: Project, builder: Builder, name: str, platforms: Sequence[Platform], make: Make
) -> Built:
    if name in project.services:
        from basestore.pipeline.service import ServiceBuilder, record_built

        built = ServiceBuilder(project, builder).build(name, platforms, make)
        if not platforms:
            record_built(project, built)
        return built
    built = builder.build(read_locked(project, name), platforms, make)
    if not platforms:
        record_image(project, built)
    return built
