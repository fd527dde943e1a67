"""Downgrades: versions that went down since a revision though nothing rules the older lock's out.

A version that nobody bounds goes up, or stays: whoever wants a lower one writes a bound. So a lower
one without a bound is one that nobody asked for, such as one with a known hole.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from basestore.debian.version import Version as DebVersion
from basestore.layer.wheel.metadata import required_texts
from basestore.lock.files import read_lock, read_origin
from basestore.lock.model import Deb, Lock, PlatformLock, Wheel
from basestore.pipeline.aside import Aside, Source
from basestore.profile.model import Profile, Project, profile_file
from basestore.profile.names import normalised
from basestore.profile.reader import read_profile
from basestore.sources.git import Revision

_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Downgrades:
    """The downgrades of a profile's or service's lock. ``aside``: where its wheels are read."""

    project: Project
    revision: Revision
    aside: Aside
    source: Source

    def unforced(self, old: Lock) -> Iterator[str]:
        """A sentence on each package that is lower than in an older lock, and needn't be.

        Of a wheel a bound is what the profile and its parents ask for, or a wheel of the lock, by
        its METADATA; a .deb only goes down with the suite. Raises what reading the profile,
        fetching and reading wheels raise.
        """
        wheels, debs = [*self._lowered(old)], [*self._lowered_debs(old)]
        if not (wheels or debs):
            return
        profile = read_profile(self.project, self.source[0].name)
        for platform, before, now in wheels:
            if not self._is_forced(profile, platform, before):
                yield (
                    f"{before.name} is {now.version} on {platform.platform}, and was "
                    f"{before.version}, which no bound rules out: take it with `--upgrade-package "
                    f'{before.name}`, or write the bound that you want ("{before.name}<'
                    f'{before.version}")'
                )
        if debs and self._suite_then(old) == profile.foundation.suite:
            for deb, other in debs:
                yield (
                    f"the .deb {deb.name} is {other.version}, and was {deb.version}, of the same "
                    "suite: run `basestore lock --upgrade-foundation`"
                )

    def _suite_then(self, old: Lock) -> str:
        """The suite of an older lock, as the youngest of its generations said that names one."""
        for name in reversed(old.lineage):
            data = self.revision.read(profile_file(name))
            try:
                said = tomllib.loads((data or b"").decode()).get("foundation", {})
            except (ValueError, RecursionError):
                return ""
            if isinstance(said, dict) and isinstance(said.get("debian"), str):
                return str(said["debian"])
        return ""

    def _lowered_debs(self, old: Lock) -> Iterator[tuple[Deb, Deb]]:
        """.debs as they were and as they are now, that being lower; each once."""
        found: dict[tuple[Deb, Deb], None] = {}
        then = {one.platform: one.debs for one in old.platforms}
        for platform in self.source[1].platforms:
            now = {deb.name: deb for deb in platform.debs}
            for deb in then.get(platform.platform, ()):
                other = now.get(deb.name)
                if other and DebVersion.parse(other.version) < DebVersion.parse(deb.version):
                    found[deb, other] = None
        yield from found

    def _lowered(self, old: Lock) -> Iterator[tuple[PlatformLock, Wheel, Wheel]]:
        """Platforms with a wheel as it was and as it is now, that being lower."""
        then = {one.platform: one for one in old.platforms}
        for platform in self.source[1].platforms:
            before = then.get(platform.platform)
            if before is None or _minor(before) != _minor(platform):
                continue  # another Python takes other wheels
            now = self._wheels(platform)
            for wheel in before.wheels:
                other = now.get(wheel.name)
                if other and _is_lower(other.version, wheel.version):
                    yield platform, wheel, other

    def _wheels(self, platform: PlatformLock) -> Mapping[str, Wheel]:
        """What an image of the lock has: of a service also its base's."""
        base = self.source[1].base
        lower = read_lock(self.project, base)[0].platforms if base else ()
        below = [
            wheel for one in lower if one.platform == platform.platform for wheel in one.wheels
        ]
        return {wheel.name: wheel for wheel in (*below, *platform.wheels)}

    def _is_forced(self, profile: Profile, platform: PlatformLock, before: Wheel) -> bool:
        if profile.team_lock or not _runs(before, platform):
            return True
        stated = [*profile.demanded(before.name), *profile.bounds(before.name)]
        texts = (*(one.text for one in stated), *self._asked(platform, before.name))
        return any(_rules_out(text, before, platform) for text in texts)

    def _asked(self, platform: PlatformLock, name: str) -> Iterator[str]:
        """What wheels of the lock ask of a package; which ones do, the origin tells."""
        origin = read_origin(self.project, self.source[0].name)
        packages = origin.packages if origin else {}
        asking = {one for one, how in packages.items() if name in how.requires}
        wheels = [wheel for wheel in platform.wheels if wheel.name in asking]
        self.aside.take({wheel.sha256 for wheel in wheels}, self.source)
        for wheel in wheels:
            with self.aside.builder.store.blobs.verified(wheel.sha256) as file:
                yield from required_texts(file, wheel.file)


def _minor(platform: PlatformLock) -> str:
    return ".".join(platform.python.split(".")[:2])


def _is_lower(now: str, before: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(now) < Version(before)
    except InvalidVersion:
        return False


def _runs(wheel: Wheel, platform: PlatformLock) -> bool:
    """Whether a wheel is one for a platform as it is locked now."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        tags = parse_wheel_filename(wheel.file)[3]
    except InvalidWheelFilename:
        return True
    return not tags.isdisjoint(platform.platform.tags(platform.python, platform.glibc))


def _rules_out(text: str, wheel: Wheel, platform: PlatformLock) -> bool:
    """Whether a requirement is of a wheel's package, in force, and not met by its version."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        asked = Requirement(text)
    except InvalidRequirement:
        return False
    if normalised(asked.name) != wheel.name:
        return False
    if asked.url:
        return True
    markers = platform.platform.markers(platform.python)
    # Which extras are asked for is known elsewhere: a bound of any of them counts.
    extras = ("", *_EXTRA.findall(text))
    marker = asked.marker
    if marker and not any(marker.evaluate({**markers, "extra": extra}) for extra in extras):
        return False
    return not asked.specifier.contains(wheel.version, prereleases=True)
