"""Clashes: what an ancestor is locked to, and what else is asked of the same package."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.sources.uv_failure import bounds_on

Newest = Callable[[str], str | None]
"""The newest version that a requirement allows; empty where there is none, None if unknown."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A package's locked version, and the requirements that it doesn't meet.

    ``allowed``: the newest version that these allow, and that what the ancestors themselves ask of
    the package allows; empty and None as `Newest` says.
    """

    package: str
    version: str
    against: tuple[str, ...]
    allowed: Mapping[str, str | None]

    def __str__(self) -> str:
        return "; ".join(_words(text, version) for text, version in self.allowed.items())

    @property
    def hopeless(self) -> bool:
        """Whether no version is known that would do, whoever brought it."""
        return all(self.allowed[text] == "" for text in self.against)

    @property
    def older(self) -> bool:
        """Whether an older version is asked for than the locked one."""
        from packaging.version import Version

        found = [self.allowed[text] for text in self.against]
        return any(Version(one) < Version(self.version) for one in found if one)


def find_clash(
    package: str, version: str, asked: Sequence[str], reason: str, newest: Newest
) -> Clash | None:
    """What a reason of uv's says against a locked version, if anything.

    ``asked``: requirements of the ancestors themselves on the package.
    """
    against = tuple(dict.fromkeys(_against(package, version, reason)))
    if not against:
        return None
    allowed = {text: newest(text) for text in dict.fromkeys((*asked, *against))}
    return Clash(package, version, against, allowed)


def _against(package: str, version: str, reason: str) -> Iterator[str]:
    from packaging.specifiers import SpecifierSet

    for bounds in bounds_on(package, reason):
        try:
            allows = SpecifierSet(bounds).contains(version, prereleases=True)
        except ValueError:  # InvalidSpecifier is one, and so are thousands of digits
            continue
        if not allows:
            yield f"{package}{bounds}"


def _words(text: str, version: str | None) -> str:
    if version is None:
        return f"{text} is asked for"
    return f"{text} allows {version} at most" if version else f"no version there is meets {text}"
