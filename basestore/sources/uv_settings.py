"""uv's own settings files: what of them says how indexes are reached, as uv's variables.

What would change an answer (``exclude-newer``, ``find-links``, ``constraint-dependencies``, further
indexes, ...) is left out: a lock follows from its profile and the indexes alone.

The files and where they lie: "Configuration files" and "Authentication" of uv's documentation.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from basestore.errors import InputError
from basestore.profile.lines import KeyPath, key_lines, show_path
from basestore.reading import UNFIT
from basestore.transport.url import has_query

_Kind = TypeVar("_Kind")
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})

_TEXTS = {"cache-dir": "UV_CACHE_DIR", "keyring-provider": "UV_KEYRING_PROVIDER"}
_FLAGS = {
    "native-tls": "UV_NATIVE_TLS",
    "no-cache": "UV_NO_CACHE",
    "offline": "UV_OFFLINE",
    "system-certs": "UV_SYSTEM_CERTS",
}


class UvSettingsError(InputError):
    """A settings file of uv can't be taken as it is. Nothing of its content is shown."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"uv's settings in {path} can't be used: {reason}",
            "mend the file, or set UV_NO_CONFIG=1 to leave uv's settings files alone",
        )
        self.path = path


class IndexQueryError(InputError):
    """The URL of an index has a query, which isn't shown. ``place``: where it stands."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place}: the URL of an index has a query, which uv's cache would keep in clear",
            "give a credential before the host, https://user:SECRET@host/simple, in ~/.netrc or by "
            "`uv auth login`",
        )


def user_settings(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """An environment, and what uv's settings files and its credential store add to it.

    A variable that is set comes before a file, the user's file before the system's. URLs that are
    there for their credentials alone go to ``UV_INDEX``. Raises UvSettingsError, and
    IndexQueryError for an index that uv would ask.
    """
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if has_query(environ.get(variable, "")):
            raise IndexQueryError(variable)
    urls = list(_stored_urls(_read(_credentials_file(environ, home))))
    found: dict[str, str] = {}
    if not is_true(environ.get("UV_NO_CONFIG", "")):
        for path in _settings_files(environ, home):
            settings = _read(path)
            found = {**dict(_variables(settings)), **found}
            urls += _index_urls(settings)
    merged = {**found, **environ}
    words = [*(url for url in urls if " " not in url), *environ.get("UV_INDEX", "").split()]
    return {**merged, "UV_INDEX": " ".join(words)} if words else merged


def is_true(text: str) -> bool:
    """Whether uv takes a variable's value for true."""
    return text.strip().lower() in _TRUE


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a settings file; a value's kind is checked when it is asked for."""

    path: Path
    values: Mapping[str, object] = field(default_factory=dict, repr=False)

    def get(self, key: str, kind: type[_Kind]) -> _Kind | None:
        """The key's value, None where it isn't there."""
        return self._checked(key, self.values[key], kind) if key in self.values else None

    def texts(self, key: str) -> Sequence[str]:
        """A list of strings."""
        return [self._checked(key, item, str) for item in self.get(key, list) or ()]

    def tables(self, key: str) -> Sequence["_Table"]:
        """An array of tables."""
        items = [self._checked(key, item, dict) for item in self.get(key, list) or ()]
        return [_Table(self.path, item) for item in items]

    def table(self, key: str) -> "_Table":
        """A table, empty where it isn't there."""
        return _Table(self.path, self.get(key, dict) or {})

    def _checked(self, key: str, value: object, kind: type[_Kind]) -> _Kind:
        if not isinstance(value, kind):
            raise UvSettingsError(self.path, f"{key} has a value of the wrong kind")
        return value


def _settings_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The user's file and the system's, or the one that is named instead of both."""
    named = environ.get("UV_CONFIG_FILE")
    if named:
        path = Path(named)
        if not path.is_file():
            raise UvSettingsError(path, "UV_CONFIG_FILE names it, and there is no such file")
        yield path
        return
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    system = [*(Path(folder) / "uv/uv.toml" for folder in folders), Path("/etc/uv/uv.toml")]
    yield next((path for path in system if path.is_file()), system[-1])


def _credentials_file(environ: Mapping[str, str], home: Path) -> Path:
    """Where `uv auth login` keeps what it was told."""
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "uv/credentials"
    return Path(environ.get("UV_CREDENTIALS_DIR") or data) / "credentials.toml"


def _read(path: Path) -> _Table:
    try:
        return _Table(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return _Table(path)
    except OSError as error:
        raise UvSettingsError(path, error.strerror or "it can't be read") from None
    except UNFIT:
        # The reason may quote a word of the file, which may be a password.
        raise UvSettingsError(path, "it is no TOML") from None


def _variables(settings: _Table) -> Iterator[tuple[str, str]]:
    """The variables that settings stand for. ``[pip]`` comes before what stands above it."""
    for above, table in (((), settings), (("pip",), settings.table("pip"))):
        for key, variable in _TEXTS.items():
            if text := table.get(key, str):
                yield variable, text
        if hosts := table.texts("allow-insecure-host"):
            yield "UV_INSECURE_HOST", " ".join(hosts)
        if default := _default_index(table):
            path, url = default
            if has_query(url):
                raise IndexQueryError(_place(settings.path, (*above, *path)))
            # The older of two variables: the newer one, where it is set, comes before it.
            yield "UV_INDEX_URL", url
    for key, variable in _FLAGS.items():
        if (flag := settings.get(key, bool)) is not None:
            yield variable, str(flag).lower()


def _default_index(table: _Table) -> tuple[KeyPath, str] | None:
    """Where a table names the default index, and its URL."""
    for number, index in enumerate(table.tables("index")):
        if index.get("default", bool):
            url = index.get("url", str)
            return (("index", number, "url"), url) if url else None
    url = table.get("index-url", str)
    return (("index-url",), url) if url else None


def _place(path: Path, key: KeyPath) -> str:
    """Where a file has a key."""
    line = key_lines(path.read_text(encoding="utf-8")).get(key)
    return f"{path}:{line}: {show_path(key)}" if line else f"{path}: {show_path(key)}"


def _index_urls(settings: _Table) -> Iterator[str]:
    """URLs of further indexes."""
    for table in (settings, settings.table("pip")):
        yield from table.texts("extra-index-url")
        for index in table.tables("index"):
            if (url := index.get("url", str)) and not index.get("default", bool):
                yield url


def _stored_urls(store: _Table) -> Iterator[str]:
    """The stored services with their credentials in their URLs."""
    for one in store.tables("credential"):
        service, user = one.get("service", str), one.get("username", str)
        password = one.get("password", str)
        if service and password and one.get("scheme", str) == "basic":
            try:
                parts = urlsplit(service)
            except ValueError:
                raise UvSettingsError(store.path, "service is no URL") from None
            userinfo = f"{quote(user or '', safe='')}:{quote(password, safe='')}"
            yield urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}"))
