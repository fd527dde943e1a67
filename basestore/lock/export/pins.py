"""What both forms hold: pins, and the markers of the platforms that they are meant for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.lock.model import Lock, Wheel
from basestore.profile.model import Index
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Pin:
    """A version of a package; ``platforms`` are those of the lock that have it.

    ``wheels`` are distinct, and exactly one of them is for each of the platforms.
    """

    name: str
    version: str
    wheels: tuple[Wheel, ...]
    platforms: tuple[Platform, ...]


def pins(lock: Lock) -> tuple[Pin, ...]:
    """All wheels of a lock by name, each of a platform's wheels in exactly one pin."""
    chosen: dict[str, dict[Platform, Wheel]] = {}
    for one in lock.platforms:
        for wheel in one.wheels:
            chosen.setdefault(wheel.name, {})[one.platform] = wheel
    return tuple(pin for name in sorted(chosen) for pin in _pins(chosen[name]))


def marker(platforms: Iterable[Platform]) -> str:
    """An environment marker that holds on these platforms only."""
    each = [
        f"platform_machine == '{platform.kernel}' and sys_platform == 'linux'"
        for platform in platforms
    ]
    return each[0] if len(each) == 1 else " or ".join(f"({one})" for one in each)


def marker_of(pin: Pin, lock: Lock) -> str:
    """A pin's marker; empty where all of the lock's platforms have it."""
    return "" if len(pin.platforms) == len(lock.platforms) else marker(pin.platforms)


def index_of(package: str, indexes: Sequence[Index]) -> Index | None:
    """The index that a package is named for; None for the default one."""
    return next((index for index in indexes if package in index.packages), None)


def _pins(chosen: Mapping[Platform, Wheel]) -> Iterator[Pin]:
    """The pins of one package: one a version, or one a wheel where tags alone might mislead.

    An installer takes of a pin's wheels the one that its machine likes best. That is the locked
    one for certain only if no other of them runs there.
    """
    for version in dict.fromkeys(wheel.version for wheel in chosen.values()):
        same = {platform: wheel for platform, wheel in chosen.items() if wheel.version == version}
        wheels = tuple({wheel.sha256: wheel for wheel in same.values()}.values())
        if all(sum(_runs_on(wheel, platform) for wheel in wheels) == 1 for platform in same):
            yield Pin(wheels[0].name, version, wheels, tuple(same))
        else:
            for wheel in wheels:
                own = tuple(one for one, other in same.items() if other.sha256 == wheel.sha256)
                yield Pin(wheel.name, version, (wheel,), own)


def _runs_on(wheel: Wheel, platform: Platform) -> bool:
    """Whether a wheel's platform tags name the platform's machine, or none (PEP 425, 427)."""
    tags = wheel.file.removesuffix(".whl").rpartition("-")[2].split(".")
    return any(tag == "any" or tag.endswith(f"_{platform.kernel}") for tag in tags)
