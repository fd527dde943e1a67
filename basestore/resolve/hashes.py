"""Hashes that people wrote to their requirements: which wheels of a package will do."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from basestore.digest import Digest
from basestore.errors import IntegrityError
from basestore.profile.model import Requirement
from basestore.sources.pylock import IndexedPackage
from basestore.sources.uv import Target


class UnlistedWheelError(IntegrityError):
    """No wheel of a package has one of the hashes that its requirement lists."""

    def __init__(self, requirement: Requirement, version: str, target: Target) -> None:
        count = len(requirement.hashes)
        super().__init__(
            f"{requirement.location} allows {requirement.name} with "
            f"{f'{count} hashes' if count > 1 else 'one hash'} only, which no wheel of "
            f"{requirement.name} {version} for {target.platform} has",
            "find out why before you trust it; where only the source archive's hash is listed, add "
            "the wheels'",
        )
        self.requirement = requirement


def permitted(
    package: IndexedPackage, asked: Iterable[Requirement], target: Target
) -> IndexedPackage:
    """The package with those wheels that all requirements in force on the target allow.

    Raises UnlistedWheelError. A package without wheels stays one.
    """
    for requirement in asked:
        if requirement.hashes and package.wheels and in_force(requirement, target):
            wheels = [one for one in package.wheels if one.sha256 in requirement.hashes]
            if not wheels:
                raise UnlistedWheelError(requirement, package.version, target)
            package = replace(package, wheels=tuple(wheels))
    return package


def lists(asked: Sequence[Requirement], digest: Digest) -> bool:
    """Whether a wheel is among those that requirements list, as far as they list any."""
    return all(digest in one.hashes for one in asked if one.hashes)


def in_force(requirement: Requirement, target: Target) -> bool:
    """Whether a requirement's marker holds on a target."""
    from packaging.requirements import Requirement as Parsed

    marker = Parsed(requirement.text).marker
    return marker is None or marker.evaluate(target.platform.markers(target.python))
