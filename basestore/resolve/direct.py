"""Wheels by URL: whether one is what its requirement says, and what is told where it isn't."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from basestore.errors import IntegrityError, NoResolutionError, UnreachableError
from basestore.lock.model import Wheel
from basestore.profile.model import Profile, Requirement
from basestore.resolve.explain import ChangedWheelError
from basestore.resolve.hashes import in_force
from basestore.resolve.pin import Pin
from basestore.sources.direct import place_of
from basestore.sources.pylock import IndexedWheel, UnhashedWheel
from basestore.sources.uv import Target
from basestore.sources.uv_failure import IndexAccessError, IndexUnreachableError
from basestore.transport import TransportError, redact

_WAY_OUT = (
    "mend the URL, or check the network and the credentials (~/.netrc, or ${NAME} in the URL); the "
    "lock is as it was"
)


class UnreachableWheelError(UnreachableError):
    """The URL of a wheel gives nothing."""

    def __init__(self, requirement: Requirement, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{requirement.location}: {requirement.wheel} can't be had: {reason}",
            hint or _WAY_OUT,
        )
        self.requirement = requirement


class WrongHashError(IntegrityError):
    """The wheel at a URL has none of the hashes that its requirement lists."""

    def __init__(self, requirement: Requirement, found: IndexedWheel) -> None:
        listed = [digest.hex for digest in requirement.hashes]
        one_of = f"one of {len(listed)} hashes" if len(listed) > 1 else f"sha256 {listed[0]}"
        super().__init__(
            f"{requirement.location} asks for {requirement.wheel} with {one_of}, but "
            f"{redact(requirement.url)} gives it with sha256 {found.sha256.hex}",
            "find out why before you trust it; then write the hash of the wheel that you mean, or "
            "the URL where that one lies",
        )
        self.requirement = requirement


class ChangedUrlError(ChangedWheelError):
    """The wheel at a URL is not what it was when it was locked, and no hash says which is meant."""

    def __init__(self, wheel: Wheel, requirement: Requirement, found: IndexedWheel) -> None:
        where = f"{redact(requirement.url)} ({requirement.location})"
        super().__init__(wheel, f"gives it with sha256 {found.sha256.hex}", where)
        self.requirement = requirement


class UnnamedUrlError(NoResolutionError):
    """A wheel requires another one by its URL, which no profile names."""

    def __init__(self, profile: Profile, wheel: IndexedWheel, path: str) -> None:
        super().__init__(
            f"profile {profile.name} would get {wheel.file} from {redact(wheel.url)}, which only a "
            f"wheel asks for ({path})",
            "name it in the profile's requirements too, by that URL: a build looks there",
        )


@dataclass(frozen=True, slots=True)
class Direct:
    """Looks at wheels by URL. ``environ``: what the variables in their URLs stand for."""

    profile: Profile
    environ: Mapping[str, str]
    pin: Pin

    def asked(self, wheel: IndexedWheel, name: str, target: Target) -> tuple[Requirement, ...]:
        """The requirements in force on a target that ask for a wheel by its URL."""
        found = (one for one in self.profile.demanded(name) if one.wheel == wheel.file)
        return tuple(one for one in found if in_force(one, target))

    def checked(
        self, wheel: IndexedWheel, asked: Sequence[Requirement], locked: Wheel | None
    ) -> IndexedWheel:
        """The wheel with the digest that its file has.

        uv believes a hash that is written behind a URL, and may have hashed what its cache had. So
        the file is fetched and hashed, unless ``locked`` is that very wheel: what is locked was
        looked at then. Raises WrongHashError and UnreachableWheelError.
        """
        same = locked and (locked.file, locked.sha256) == (wheel.file, wheel.sha256)
        found = wheel if same else self._fetched(wheel, asked[0])
        for one in asked:
            if one.hashes and found.sha256 not in one.hashes:
                raise WrongHashError(one, found)
        return found

    def _fetched(self, wheel: IndexedWheel, requirement: Requirement) -> IndexedWheel:
        url = place_of(requirement, self.environ)
        try:
            found = self.pin(UnhashedWheel(wheel.file, url, None, wheel.uploaded))
        except TransportError as error:
            raise UnreachableWheelError(requirement, error.message, error.hint) from error
        return replace(found, told=wheel.told)


def by_requirement(
    error: IndexUnreachableError | IndexAccessError, profile: Profile
) -> UnreachableError:
    """The error that uv's stands for: of the requirement that has its URL, if one has."""
    for generation in reversed(profile.lineage):
        for requirement in generation.requirements:
            if requirement.url and unquote(redact(requirement.url)) == unquote(error.url):
                reason = f"{error.reason} ({error.url})"
                return UnreachableWheelError(requirement, reason)
    return error
