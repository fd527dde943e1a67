"""Locks made of names and sizes only, for what the plan decides."""

from collections.abc import Mapping, Sequence

from basestore.digest import Digest
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.recipe.model import Recipe, WheelsRecipe
from basestore.recipe.plan import plan
from basestore.target import Platform

AMD64 = Platform("amd64")


def wheel(name: str, size: int, generation: str = "base", version: str = "1.0") -> Wheel:
    """A wheel whose digest follows from everything else."""
    digest = Digest.of(f"{name} {version} {size}".encode())
    file = f"{name}-{version}-py3-none-any.whl"
    return Wheel(name, version, file, size, digest, generation)


def planned(
    wheels: Sequence[Wheel], conflicts: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Recipe, ...]:
    """The plan of these wheels, the foundation's layer first."""
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), tuple(wheels))
    lock = Lock("ml", ImageConfig(), (platform,), path_conflicts=conflicts or {})
    return plan(lock, platform)


def layers(wheels: Sequence[Wheel]) -> tuple[tuple[str, ...], ...]:
    """The names in each layer of wheels."""
    return tuple(names(recipe) for recipe in planned(wheels)[1:])


def names(recipe: Recipe) -> tuple[str, ...]:
    """The packages of a layer, by name."""
    assert isinstance(recipe, WheelsRecipe)
    return tuple(wheel.name for wheel in recipe.wheels)
