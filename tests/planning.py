"""Locks made of names and sizes only, for what the plan decides."""

from collections.abc import Mapping, Sequence

from basestore.digest import Digest
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Replaced, Wheel
from basestore.recipe.model import Recipe, WheelsRecipe
from basestore.recipe.plan import plan
from basestore.target import Platform

AMD64 = Platform("amd64")
LINEAGE = ("base", "ml", "child", "grandchild")


def wheel(name: str, size: int, generation: str = "base", version: str = "1.0") -> Wheel:
    """A wheel whose digest follows from everything else."""
    digest = Digest.of(f"{name} {version} {size}".encode())
    file = f"{name}-{version}-py3-none-any.whl"
    return Wheel(name, version, file, size, digest, generation)


def replaced(*wheels: Wheel) -> tuple[Replaced, ...]:
    """What a lock says of wheels that a younger generation has replaced."""
    return tuple(Replaced(wheel.name, wheel.size, wheel.generation) for wheel in wheels)


def planned(
    wheels: Sequence[Wheel],
    conflicts: Mapping[str, tuple[str, ...]] | None = None,
    without: Sequence[Replaced] = (),
) -> tuple[Recipe, ...]:
    """The plan of these wheels, the foundation's layer first."""
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), tuple(wheels), tuple(without))
    lock = Lock("ml", ImageConfig(), (platform,), LINEAGE, conflicts or {})
    return plan(lock, platform)


def layers(
    wheels: Sequence[Wheel], without: Sequence[Replaced] = ()
) -> tuple[tuple[str, ...], ...]:
    """The names in each layer of wheels."""
    return tuple(names(recipe) for recipe in planned(wheels, without=without)[1:])


def names(recipe: Recipe) -> tuple[str, ...]:
    """The packages of a layer, by name."""
    assert isinstance(recipe, WheelsRecipe)
    return tuple(wheel.name for wheel in recipe.wheels)
