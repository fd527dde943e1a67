"""One origin of a lock out of those of its platforms."""

from collections.abc import Mapping, Sequence

from basestore.lock.origin import DebOrigin, PackageOrigin


def merge_packages(
    platforms: Sequence[Mapping[str, PackageOrigin]],
) -> Mapping[str, PackageOrigin]:
    """One origin a package out of those of several platforms: all it requires, its last upload."""
    merged: dict[str, PackageOrigin] = {}
    for name, origin in (item for platform in platforms for item in platform.items()):
        known = merged.get(name, origin)
        uploads = [moment for moment in (known.uploaded, origin.uploaded) if moment]
        requires = tuple(sorted({*known.requires, *origin.requires}))
        merged[name] = PackageOrigin(
            known.index,
            requires,
            max(uploads, default=None),
            _both(known.licences, origin.licences),
            max(filter(None, (known.standing, origin.standing)), default=None),  # a yank wins
            known.told and origin.told,
            tuple(sorted({*known.extras, *origin.extras})),
        )
    return merged


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if one is None or other is None else tuple(sorted({*one, *other}))


def merge_debs(platforms: Sequence[Mapping[str, DebOrigin]]) -> Mapping[str, DebOrigin]:
    """One origin a .deb out of those of several platforms: all it requires, the first's suite."""
    merged: dict[str, DebOrigin] = {}
    for name, origin in (item for platform in platforms for item in platform.items()):
        known = merged.get(name, origin)
        requires = tuple(sorted({*known.requires, *origin.requires}))
        provides = tuple(sorted({*known.provides, *origin.provides}))
        merged[name] = DebOrigin(known.suite, requires, provides)
    return merged
