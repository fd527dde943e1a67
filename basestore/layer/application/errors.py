"""What an application can't be made of."""

from collections.abc import Sequence

from basestore.errors import InputError, IntegrityError
from basestore.profile.place import Location


class PatternError(InputError):
    """A pattern that is none, or has no meaning that builders agree on."""

    def __init__(self, place: Location, pattern: str, reason: str) -> None:
        super().__init__(
            f"{place}: the pattern {pattern!r} {reason}",
            "patterns are paths with *, ?, [a-z] and **; a backslash takes the meaning from what "
            "follows it",
        )
        self.place = place
        self.pattern = pattern


class NotTextError(InputError):
    """A file of patterns that isn't UTF-8."""

    def __init__(self, place: Location) -> None:
        super().__init__(f"{place}: the line is not UTF-8", "write the file as UTF-8")
        self.place = place


class OutsideProjectError(InputError):
    """A context or source that lies outside of what it must lie in."""

    def __init__(self, place: Location, what: str, within: str) -> None:
        super().__init__(
            f"{place}: {what} lies outside of {within}",
            f"copy it below {within}, or let the context be a folder that holds it",
        )
        self.place = place


class NoContextError(InputError):
    """The context is no folder."""

    def __init__(self, place: Location, context: str) -> None:
        super().__init__(
            f"{place}: the context {context} is no folder",
            "`context` names a folder of the project, relative to basestore.toml",
        )


class NoSourceError(InputError):
    """Something that ``files`` names isn't there."""

    def __init__(self, place: Location, source: str, context: str, near: Sequence[str]) -> None:
        meant = f"did you mean {' or '.join(near)}?" if near else ""
        super().__init__(
            f"{place}: nothing in {context} matches {source!r}",
            meant
            or "`files` is relative to the context, and has no part in what is left out of it",
        )
        self.place = place
        self.near = tuple(near)


class IgnoredSourceError(InputError):
    """Something that ``files`` names is left out, all of it."""

    def __init__(self, place: Location, source: str, pattern: str, by: str) -> None:
        super().__init__(
            f"{place}: {source!r} brings nothing: {pattern!r} of {by} leaves it out",
            "drop it from `files`, or take it back with a line `!PATTERN` in .dockerignore",
        )
        self.place = place


class EmptySourceError(InputError):
    """A folder that ``files`` names holds no file."""

    def __init__(self, place: Location, source: str) -> None:
        super().__init__(
            f"{place}: {source!r} brings nothing: there is no file in it, or none that isn't "
            "left out",
            "folders without files are not copied; drop it, or look at .dockerignore",
        )
        self.place = place


class SourceBehindLinkError(InputError):
    """A source whose path passes through a symbolic link."""

    def __init__(self, place: Location, source: str, link: str) -> None:
        super().__init__(
            f"{place}: {source!r} passes through the symbolic link {link}",
            "name the folder that the link leads to",
        )
        self.place = place


class TargetError(InputError):
    """A path of the image that an application may not have."""

    def __init__(self, place: Location, target: str, reason: str) -> None:
        super().__init__(
            f"{place}: {target!r} can't be a path of the application: {reason}",
            'give that entry of `files` another path, as in { from = "app", to = "/srv" }',
        )
        self.place = place
        self.target = target


class UnfitFileError(InputError):
    """A file of the context that no layer can hold."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path!r} can't be copied into an image: {reason}",
            "remove it, or leave it out with a line in .dockerignore",
        )
        self.path = path


class UnreadableFileError(InputError):
    """A file or folder that this user can't read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} can't be read: {reason}",
            "make it readable, or leave it out with a line in .dockerignore",
        )
        self.path = path


class LinkError(InputError):
    """A symbolic link that would lead nowhere, or elsewhere, in the image."""

    def __init__(self, path: str, target: str, reason: str) -> None:
        super().__init__(
            f"the symbolic link {path} -> {target} {reason}",
            "copy what it leads to along with it, put the file in the link's place, or leave the "
            "link out with a line in .dockerignore",
        )
        self.path = path
        self.target = target


class TwiceError(InputError):
    """Two sources give one path of the image, with different content."""

    def __init__(self, path: str, first: str, second: str) -> None:
        super().__init__(
            f"{first} and {second} would both be /{path} in the image",
            "copy one of them elsewhere with `to`, or leave one out",
        )
        self.path = path


class BelowFileError(InputError):
    """A source gives a file or link where another one gives a folder."""

    def __init__(self, path: str, file: str, below: str) -> None:
        super().__init__(
            f"{file} would be /{path} in the image, and {below} would lie below it",
            f'for a folder, end `to` with a slash: "/{path}/"',
        )
        self.path = path


class TooLargeError(InputError):
    """The files come to more bytes than the service allows."""

    def __init__(self, place: Location, size: int, limit: int, largest: Sequence[str]) -> None:
        super().__init__(
            f"{place}: the application has {in_words(size)}, and its limit is {in_words(limit)}; "
            f"the most lies in {', '.join(largest)}",
            "leave out what isn't needed with lines in .dockerignore, name less in `files`, or set "
            f'`context-limit = "{-(-size // 1_000_000)} MB"`',
        )
        self.size = size
        self.limit = limit


class ChangedFileError(IntegrityError):
    """A file has other bytes than it had a moment ago."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} changed while it was read",
            "run it again when nothing writes to it; what changes with time belongs in "
            ".dockerignore",
        )
        self.path = path


def in_words(size: int) -> str:
    """A size for people: in millions of bytes, and small ones in thousands."""
    return f"{size / 1_000_000:,.1f} MB" if size >= 1_000_000 else f"{size / 1_000:,.1f} kB"
