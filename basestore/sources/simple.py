"""Pages of the simple repository API: a project's files that are yanked, or lack a hash.

PEP 503, 592 and 691.
"""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from posixpath import basename
from urllib.parse import unquote, urlsplit

from basestore.errors import UnreachableError
from basestore.reading import UNFIT
from basestore.transport import host_of

LIMIT = 64 * 1024 * 1024
"""The most a page may hold, in bytes."""


class BadPageError(UnreachableError):
    """An index answers with something that is no page of a project."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{host_of(url)} shows a page of a project that can't be read: {reason}",
            "ask the index's operator, or leave refuse-yanked out of [policy]",
        )


def page_url(index: str, project: str) -> str:
    """Where an index has the page of a project, by its normalised name."""
    parts = urlsplit(index)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{project}/").geturl()


def read_yanked(page: bytes, url: str) -> Mapping[str, str]:
    """The yanked files of a page in either form, and why; empty where no reason is told.

    Raises BadPageError.
    """
    try:
        text = page.decode()
        return _of_json(text) if text.lstrip()[:1] == "{" else _of_html(text)
    except UnicodeDecodeError:
        raise BadPageError(url, "it is not UTF-8") from None
    except UNFIT:
        raise BadPageError(url, "its JSON is not the simple API's") from None


def read_unhashed(page: bytes, url: str) -> frozenset[str]:
    """The files of a page in either form for which it tells no SHA-256. Raises BadPageError."""
    try:
        text = page.decode()
        if text.lstrip()[:1] != "{":
            return frozenset(_anchors(text).unhashed)
        files = json.loads(text)["files"]
        return frozenset(str(file["filename"]) for file in files if "sha256" not in file["hashes"])
    except UnicodeDecodeError:
        raise BadPageError(url, "it is not UTF-8") from None
    except UNFIT:
        raise BadPageError(url, "its JSON is not the simple API's") from None


def _of_json(text: str) -> Mapping[str, str]:
    """Simple repository API, "JSON Serialization": ``yanked`` is a boolean or the reason."""
    found = {}
    for file in json.loads(text)["files"]:
        yanked = file.get("yanked", False)
        if yanked not in (False, None):  # some indexes write null for what is not
            found[str(file["filename"])] = yanked if isinstance(yanked, str) else ""
    return found


def _of_html(text: str) -> Mapping[str, str]:
    return _anchors(text).yanked


def _anchors(text: str) -> "_Anchors":
    parser = _Anchors()
    try:
        parser.feed(text)
        parser.close()
    except AssertionError as error:  # html.parser's word for a declaration it can't read
        raise ValueError(str(error)) from None
    return parser


class _Anchors(HTMLParser):
    """Simple repository API, "HTML Serialization": ``data-yanked`` with the reason, or empty.

    A hash stands in the URL's fragment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.yanked: dict[str, str] = {}
        self.unhashed: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag != "a":
            return
        parts = urlsplit(said.get("href") or "")
        file = basename(unquote(parts.path))
        if "data-yanked" in said:
            self.yanked[file] = said["data-yanked"] or ""
        if not parts.fragment.startswith("sha256="):
            self.unhashed.add(file)
