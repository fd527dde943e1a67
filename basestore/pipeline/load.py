"""Load: an image goes into an engine, which is asked first; and what verify asks of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.engine.client import Engine, EngineImage
from basestore.engine.load import LoadReport, engine_platform, is_image, load
from basestore.image.model import LOCK_LABEL, PlatformImage
from basestore.pipeline.assembled import required_image
from basestore.pipeline.build import Builder
from basestore.pipeline.needed import needed_image
from basestore.pipeline.recorded import Recorded
from basestore.pipeline.verify import Finding
from basestore.profile.model import Project
from basestore.store import Store


@dataclass(frozen=True, slots=True)
class Loaded:
    """A profile's image in an engine, and what it took to get it there."""

    recorded: Recorded
    report: LoadReport

    @property
    def reference(self) -> str:
        """What `docker run` takes."""
        return self.report.names[0]


def engine_names(project: Project, recorded: Recorded) -> tuple[str, ...]:
    """The names of an image in an engine: the short one, and the registry's, if there is one."""
    short = f"{project.image(recorded.name)}:{recorded.tag}"
    return (short, f"{project.registry.rstrip('/')}/{short}") if project.registry else (short,)


def load_image(project: Project, recorded: Recorded, engine: Engine, builder: Builder) -> Loaded:
    """Load a recorded image, for the engine's platform.

    Raises what `needed_image` raises, EnginePlatformError and what loading raises.
    """
    one = engine_platform(engine, needed_image(project, recorded, builder))
    names = engine_names(project, recorded)
    return Loaded(recorded, load(engine, builder.store, one, names, builder.progress))


def verify_engine(
    project: Project, recorded: Recorded, engine: Engine, store: Store
) -> tuple[Finding, ...]:
    """The engine's image of that name is the recorded one: ID, label and layers.

    Raises NotBuiltError, OtherImageError, EnginePlatformError, EngineRefusedError, NoEngineError.
    """
    one = engine_platform(engine, required_image(project, recorded, store))
    name = engine_names(project, recorded)[0]
    found = engine.image(name)
    if found is None:
        detail = f"{engine.host} has no {name}; run `basestore load {recorded.name}`"
        return (Finding("engine", False, detail),)
    return tuple(_compared(found, one, recorded, name))


def _compared(
    found: EngineImage, one: PlatformImage, recorded: Recorded, name: str
) -> Iterator[Finding]:
    same = is_image(found, one)
    other = f", not {one.config.digest}; run `basestore load {recorded.name}`"
    yield Finding("engine", same, f"{name} is {found.id}{'' if same else other}")
    label, lock = found.labels.get(LOCK_LABEL, ""), recorded.lock.hex
    other = "" if label == lock else f", not {lock}"
    yield Finding("label", label == lock, f"{one.platform}: {LOCK_LABEL} is {label}{other}")
    yield _layers(found.layers, tuple(layer.diff_id for layer in one.layers))


def _layers(found: Sequence[Digest], expected: Sequence[Digest]) -> Finding:
    if tuple(found) == tuple(expected):
        return Finding("layers", True, f"all {len(expected)} diffIDs are the image's")
    pairs = zip(found, expected, strict=False)
    first = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(found), len(expected)))
    detail = (
        f"{len(found)} diffIDs, not {len(expected)}; the first that differs is number {first + 1}"
    )
    return Finding("layers", False, detail)
