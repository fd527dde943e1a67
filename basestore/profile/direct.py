"""Direct references: wheels that are asked for by URL, as PEP 508 and pip's files write them.

A URL is a place, like an index's: it may change without changing the lock. What only the
environment knows stands in its userinfo as ``${NAME}``, as in pip's requirement files; everything
else of it is public, so that no credential lies in a project. A query is refused: uv keeps URLs in
its cache, all but their userinfo.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from basestore.digest import Digest
from basestore.profile.document import DocumentError
from basestore.profile.names import normalised

if TYPE_CHECKING:
    from urllib.parse import SplitResult

Refuse = Callable[[str, str], DocumentError]
"""Makes the error for one place of a file, from a reason and a hint."""

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""A variable of the environment (pip, "Requirements file format")."""

_BARE = re.compile(r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://\S+)(?P<rest>.*)")
_HASH = re.compile(r"[0-9a-f]{64}")
_SET = r"\$\{[A-Z0-9_]+\}"
_PRIVATE = re.compile(rf"{_SET}(:({_SET}|x-oauth-basic)?)?|[^:${{}}]*:{_SET}")
_BUILD = "build a wheel of it, put that into an index or at a URL and name it here"
_NO_QUERY = (
    "give the credential before the host, https://user:${NAME}@host/…, or in ~/.netrc; what its "
    "server takes in a query alone, put into an index"
)
_NO_CREDENTIAL = "write ${NAME} for it, and set that variable where you lock and build"


class Direct(NamedTuple):
    """A wheel by URL. ``name`` is the package's, normalised.

    ``url`` without fragment, ``shown`` also without userinfo and query.
    """

    name: str
    url: str
    shown: str
    wheel: str
    hashes: tuple[Digest, ...]


def named(text: str, refuse: Refuse) -> str:
    """A line that is a URL as PEP 508, under the name of its wheel; any other as it is.

    Raises what ``refuse`` makes.
    """
    match = _BARE.fullmatch(text)
    if not match:
        return text
    return f"{read_direct(match['url'], refuse).name} @ {match['url']}{match['rest']}"


def read_direct(url: str, refuse: Refuse) -> Direct:
    """The URL of a wheel; raises what ``refuse`` makes. It is never shown as a whole."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise refuse("a URL that is none", "write https://host/path/name.whl") from None
    wheel = unquote(parts.path.rpartition("/")[2])
    _refuse_scheme(parts, refuse)
    _refuse_secrets(parts, refuse)
    name = _wheel_name(wheel)
    if not wheel.endswith(".whl"):
        raise refuse(f"a URL of {_kind(wheel)}, not of a wheel", _BUILD)
    if not name:
        raise refuse(f"{wheel!r} is no wheel's name", "write the URL of a wheel: …/name-1.0-….whl")
    host = parts.netloc.rpartition("@")[2]
    shown = parts._replace(netloc=host, query="", fragment="").geturl()
    return Direct(name, url.partition("#")[0], shown, wheel, _hashes(parts.fragment, refuse))


def _refuse_scheme(parts: "SplitResult", refuse: Refuse) -> None:
    scheme = parts.scheme.lower()
    if "+" in scheme:
        raise refuse(f"a reference to a repository ({scheme.partition('+')[0]})", _BUILD)
    if scheme == "file" or not parts.hostname:
        raise refuse(
            "a file of one machine",
            "put the wheel into an index, or at an https URL, and name that here",
        )
    if scheme not in {"http", "https"}:
        raise refuse(f"a URL of the scheme {scheme}", "wheels come by https or http")


def _refuse_secrets(parts: "SplitResult", refuse: Refuse) -> None:
    userinfo, _, host = parts.netloc.rpartition("@")
    if userinfo and not _PRIVATE.fullmatch(userinfo):
        raise refuse("a URL with a credential in it", _NO_CREDENTIAL)
    if parts.query:
        raise refuse("a URL with a query, which uv's cache would keep in clear", _NO_QUERY)
    if VARIABLE.search(parts.path.rpartition("/")[2]):
        raise refuse("a variable in a wheel's name", "write the name; it says what the wheel is")
    if VARIABLE.search(parts.path):
        raise refuse(
            "a variable in a URL's path, which messages show",
            "write the path; a credential belongs before the host: https://user:${NAME}@host/…",
        )
    if "$" in host:
        raise refuse("a variable in a host's name", "write the host; it says whom to trust")


def _hashes(fragment: str, refuse: Refuse) -> tuple[Digest, ...]:
    """The ``sha256=`` of a URL's fragment (PyPA direct URL, simple API "Hash")."""
    found = []
    for part in filter(None, fragment.split("&")):
        key, _, value = part.partition("=")
        if key == "sha256":
            found.append(read_hash(value, refuse))
        elif key in {"md5", "sha1", "sha224", "sha384", "sha512"}:
            raise refuse(f"a hash of the kind {key}", "give the file's SHA-256: #sha256=…")
        elif key == "subdirectory":
            raise refuse("a folder inside a source", _BUILD)
    return tuple(found)


def read_hash(text: str, refuse: Refuse) -> Digest:
    """64 hexadecimal digits; raises what ``refuse`` makes."""
    if not _HASH.fullmatch(text.lower()):
        raise refuse("a SHA-256 that is not 64 hexadecimal digits", "copy it anew")
    return Digest(text.lower())


def _wheel_name(file: str) -> str:
    """The normalised name of a wheel's package; empty where the file's name is no wheel's."""
    from packaging.utils import parse_wheel_filename

    try:
        return normalised(parse_wheel_filename(file)[0])
    except ValueError:  # InvalidWheelFilename is one, and so are thousands of digits
        return ""


def _kind(file: str) -> str:
    source = file.endswith((".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz"))
    return "a source archive" if source else "something else"
