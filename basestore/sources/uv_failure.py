"""What uv says when it fails, and what its words mean: nobody else reads them.

They are prose, and another version may have others. So each reader here has an answer for words
that it doesn't understand, and the reason is then shown as uv gave it. The oldest uv that basestore
takes and the newest are tried by tests/contract/test_uv_words.py.
"""

import re
from collections.abc import Iterator, Sequence

from basestore.errors import BasestoreError, NoResolutionError, UnreachableError
from basestore.profile.names import normalised
from basestore.transport.url import host_of, redact


class UnsatisfiableError(NoResolutionError):
    """Requirements without a solution. ``reason`` is uv's explanation on one line.

    ``prereleases``: only pre-releases would do, and nobody asked for one. ``too_new``: packages of
    which versions were left out because they are too new.
    """

    def __init__(
        self, reason: str, *, prereleases: bool = False, too_new: Sequence[str] = ()
    ) -> None:
        super().__init__(f"no resolution: {reason}", "loosen one of the requirements")
        self.reason = reason
        self.prereleases = prereleases
        self.too_new = tuple(too_new)


class NotCachedError(UnreachableError):
    """Something has to be asked of an index, and uv is to stay offline."""

    def __init__(self, packages: Sequence[str]) -> None:
        named = f" about {', '.join(packages)}" if packages else ""
        super().__init__(
            f"offline, and uv's cache hasn't what the index says{named}",
            "run the command once with network; the lock is as it was",
        )
        self.packages = tuple(packages)


class IndexUnreachableError(UnreachableError):
    """An index doesn't answer, or answers with a fault."""

    def __init__(self, url: str, reason: str) -> None:
        where = f" ({redact(url)})" if url else ""
        super().__init__(
            f"the package index{f' {host_of(url)}' if url else ''} can't be reached: "
            f"{reason}{where}",
            "check the network, the index's URL and the mirrors; the lock is as it was",
        )
        self.url = redact(url)
        self.reason = reason


class IndexAccessError(UnreachableError):
    """An index wants credentials, or others."""

    def __init__(self, url: str, status: str) -> None:
        super().__init__(
            f"the package index {host_of(url)} refuses access: {status} ({redact(url)})",
            "give credentials in ~/.netrc, in UV_INDEX_<NAME>_USERNAME and _PASSWORD, "
            "or in a mirror's URL",
        )
        self.url = redact(url)
        self.reason = f"access is refused, {status}"


class UvFailedError(UnreachableError):
    """uv failed for a reason of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"uv failed: {reason}", "see uv's settings (UV_* variables, uv.toml)")
        self.reason = reason


_FRAME = " \u00d7\u2570\u251c\u2502\u2500\u25b6"  # what older versions draw around a message
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_HINT = re.compile(r"^\s*hint:", re.MULTILINE)
_URL = re.compile(r"\b(?:https?|file)://[^\s)>`'\"]+")
_DENIED = re.compile(
    r"An index URL \((?P<url>\S+)\) could not be queried due to a lack of valid authentication "
    r"credentials \((?P<status>[^)]+)\)"
    r"|An index \((?P<url_403>\S+)\) returned a (?P<status_403>403 Forbidden) error"
)
_AT = re.compile(r" for url \(\S+\)$")
_TOO_NEW = re.compile(r"`([a-z0-9-]+)` was filtered by `exclude-newer")
_UNCACHED = re.compile(r"\b([a-z0-9-]+)(?:==\S+)? was not found in the cache")
_UNREACHED = (
    "error sending request",
    "failed to fetch",
    "http status server error",
    "http status client error",
    "operation timed out",
    "request failed after",
    "error decoding response body",
)


_STEP = re.compile(r"\(\d+\) (?=Because )")
_LONGEST = 2000  # characters; some derivations have thousands of steps, one a version


def _readable(reason: str) -> str:
    """Of a long derivation the last step: that is about the newest versions, which people mean."""
    if len(reason) <= _LONGEST:
        return reason
    steps = [match.end() for match in _STEP.finditer(reason)]
    last = reason[steps[-1] :] if steps else reason
    if len(last) <= _LONGEST:
        return last
    return f"{last[: _LONGEST // 2]} ... {last[-_LONGEST // 2 :]}"


def failure_of(stderr: str) -> BasestoreError:
    """The error that a failed call of uv stands for; nothing in it is a credential."""
    text = _ANSI.sub("", stderr)
    denied = _DENIED.search(text)
    if denied:
        url = denied["url"] or denied["url_403"]
        return IndexAccessError(url, denied["status"] or denied["status_403"])
    body, *hints = _HINT.split(text)
    lines = _lines(body)
    if "network was disabled" in text or "network connectivity is disabled" in text.lower():
        return NotCachedError(sorted(set(_UNCACHED.findall(text))))
    if any(phrase in text.lower() for phrase in _UNREACHED):
        return _unreachable(text, lines)
    reason = _readable(redact_urls(" ".join(lines[1:])))
    if "No solution found" in body and reason:
        return UnsatisfiableError(
            reason,
            prereleases=any("re-releases are available" in hint for hint in hints),
            too_new=sorted(set(_TOO_NEW.findall(text))),
        )
    return UvFailedError(redact_urls(": ".join(lines)) or "it gave no reason")


_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_BOUND = r"[<>=!~]=?=?[^\s,]+"
_BOUNDS = rf"{_BOUND}(?:,\s?{_BOUND})*"
_PACKAGE = rf"(?<![\w.,<>=!~-])(?P<name>{_WORD.pattern})(?:\[[^\]\s]*\])?"
_NO_WHEEL = re.compile(
    rf"{_PACKAGE}(?:{_BOUNDS})? ha(?:s|ve) no (?:usable wheels|wheels with a matching)"
)
_UNKNOWN = re.compile(rf"{_PACKAGE} was not found in the (?:package registry|cache)")


def mentioned(reason: str) -> frozenset[str]:
    """All that may be a package's name in a reason, normalised."""
    return frozenset(normalised(word) for word in _WORD.findall(reason))


def without_wheel(reason: str) -> str:
    """The package that has no wheel for the target; empty where the reason says nothing like it."""
    return _named(_NO_WHEEL.search(reason))


def unknown_package(reason: str) -> str:
    """The package that the index hasn't; empty where the reason says nothing like it."""
    return _named(_UNKNOWN.search(reason))


def bounds_on(package: str, reason: str) -> Iterator[str]:
    """What may be bounds of a package's version in a reason, such as ``>=1,<2``."""
    for match in re.finditer(rf"(?<![\w.-]){re.escape(package)}({_BOUNDS})", reason):
        yield match[1].rstrip(".;)")


def _named(match: re.Match[str] | None) -> str:
    """The package of a match, if it is one: a version there is the end of something else."""
    from packaging.version import InvalidVersion, Version

    name = match["name"] if match else ""
    try:
        Version(name)
    except InvalidVersion:
        return normalised(name)
    return ""


def redact_urls(text: str) -> str:
    """The text with every URL in it redacted."""
    return _URL.sub(lambda match: redact(match[0]), text)


def _unreachable(text: str, lines: list[str]) -> IndexUnreachableError:
    url = _URL.search(text)
    reason = _AT.sub("", lines[-1]) if lines else ""  # the URL is told besides
    return IndexUnreachableError(url[0] if url else "", redact_urls(reason))


def _lines(body: str) -> list[str]:
    """The lines of a message without uv's frame around them; warnings left out."""
    lines = (line.strip().lstrip(_FRAME) for line in body.splitlines())
    bare = (line.removeprefix("error:").removeprefix("cause:").strip() for line in lines)
    return [line for line in bare if line and not line.startswith("warning:")]
