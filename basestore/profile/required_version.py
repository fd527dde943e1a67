"""``required-version``: which versions of basestore a project's files are for."""

import re

from basestore import __version__
from basestore.profile.document import DocumentError, Table

KEY = "required-version"

_SINGLE = re.compile(r"[0-9]+(?:\.[0-9]+)*")


class OtherVersionError(DocumentError):
    """The project wants another version of this program."""

    def __init__(self, file: str, line: int | None, wanted: str) -> None:
        super().__init__(
            file,
            f"wants basestore {wanted}, and this is {__version__}",
            "run one of those: others may make other bytes; or change the range, and lock anew",
            key=KEY,
            line=line,
        )
        self.wanted = wanted


def check_required_version(table: Table) -> None:
    """Hold this version to what ``basestore.toml`` requires, before anything else of it is judged.

    A file for another version may hold keys that this one doesn't know. Raises OtherVersionError,
    and DocumentError for what is no range (PEP 440, "Version specifiers").
    """
    wanted = table.string(KEY)
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        versions = SpecifierSet(wanted)
    except InvalidSpecifier:
        raise _no_range(table, wanted) from None
    if not wanted.strip():
        raise _no_range(table, wanted)
    if not versions.contains(__version__, prereleases=True):
        raise OtherVersionError(table.document.file, table.document.line((KEY,)), wanted)


def _no_range(table: Table, wanted: str) -> DocumentError:
    example = f"=={wanted}" if _SINGLE.fullmatch(wanted) else f">={__version__},<1"
    return table.error(
        f"{wanted!r} is no range of versions", f'write one: {KEY} = "{example}"', KEY
    )
