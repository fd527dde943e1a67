"""What differs between machines and never reaches a lock: environment and user configuration."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from basestore.errors import InputError, UsageError
from basestore.profile.document import nearest
from basestore.profile.lines import key_lines, show_path
from basestore.state import State
from basestore.target import Platform

_MIRROR = "BASESTORE_MIRROR_"
_SCHEMES = frozenset({"file", "http", "https"})


class ConfigError(InputError):
    """The user configuration can't be taken as it is."""

    def __init__(self, path: Path, reason: str, guess: str = "") -> None:
        hint = 'it holds one table: [mirrors] NAME = "URL"'
        super().__init__(f"{path}: {reason}", f"{guess}; {hint}" if guess else hint)


class MirrorError(InputError):
    """A mirror is no URL. Its value isn't shown: it may hold a credential."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the mirror of {name} is no URL",
            f"write https://host/path, in {_MIRROR}… or in [mirrors] of the configuration",
        )


class MirrorQueryError(InputError):
    """A mirror's URL has a query, which isn't shown. ``place``: where it stands."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place}: the URL of a mirror has a query, which uv's cache would keep in clear",
            "give a credential before the host, https://user:SECRET@host/…, or in ~/.netrc",
        )


class NoHomeError(UsageError):
    """Nobody says where the user's folder is."""

    def __init__(self) -> None:
        super().__init__(
            f"there is no home folder: HOME is not set, and the user {os.getuid()} has no entry in "
            "the password file",
            "set HOME to a folder that you can write to",
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The machine's side of things. ``mirrors``: name to base URL; ``host``: what runs here.

    ``home``: the user's folder. ``offline``: nothing may be asked of a server. ``seed``: a store
    that is read where one's own lacks something. ``state``: the folder of the user's own records.
    """

    store: Path
    state: Path
    mirrors: Mapping[str, str]
    docker_config: Path
    netrc: Path
    environ: Mapping[str, str]
    host: Platform | None
    jobs: int
    home: Path
    offline: bool = False
    seed: Path | None = None


def read_settings() -> Settings:
    """Read environment and user configuration.

    Raises ConfigError, MirrorError, MirrorQueryError, NoHomeError.
    """
    environ = dict(os.environ)
    home = _home()
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "basestore" / "config.toml"
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "basestore"
    return Settings(
        store=Path(environ.get("BASESTORE_STORE") or cache).absolute(),
        state=_state_folder(environ, home),
        mirrors=_sound(_configured_mirrors(config) | _mirrors_of(environ)),
        docker_config=Path(environ.get("DOCKER_CONFIG") or home / ".docker"),
        netrc=Path(environ.get("NETRC") or home / ".netrc"),
        environ=environ,
        host=Platform.of_kernel(os.uname().machine),
        jobs=len(os.sched_getaffinity(0)),
        home=home,
        seed=Path(seed).absolute() if (seed := environ.get("BASESTORE_STORE_SEED")) else None,
    )


def own_state() -> State:
    """What this user remembers; nothing where there is no home to remember it in."""
    try:
        return State.open(_state_folder(os.environ, _home()))
    except NoHomeError:
        return State.none()


def _state_folder(environ: Mapping[str, str], home: Path) -> Path:
    state = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return (state / "basestore").absolute()


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise NoHomeError from None


def _mirrors_of(environ: Mapping[str, str]) -> dict[str, str]:
    """``BASESTORE_MIRROR_PYTORCH_CPU`` names the mirror of ``pytorch-cpu``."""
    found = {name: url for name, url in environ.items() if name.startswith(_MIRROR) and url}
    for name, url in found.items():
        if _has_query(url):
            raise MirrorQueryError(name)
    return {
        name.removeprefix(_MIRROR).lower().replace("_", "-"): url for name, url in found.items()
    }


def _sound(mirrors: Mapping[str, str]) -> Mapping[str, str]:
    for name, url in mirrors.items():
        if not _is_url(url):
            raise MirrorError(name)
    return mirrors


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # which is looked at only now
    except ValueError:
        return False
    return parts.scheme in _SCHEMES


def _has_query(url: str) -> bool:
    try:
        return bool(urlsplit(url).query)
    except ValueError:
        return False


def _configured_mirrors(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:  # whose words name the file once more
        raise ConfigError(path, f"can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "not UTF-8 text") from error
    except RecursionError:
        raise ConfigError(path, "nested too deeply") from None
    except ValueError as error:  # also a number of thousands of digits
        raise ConfigError(path, f"not valid TOML: {error}") from error
    unknown = sorted(set(found) - {"mirrors"})
    if unknown:
        raise ConfigError(path, f"unknown key {unknown[0]!r}", nearest(unknown[0], ("mirrors",)))
    mirrors = found.get("mirrors", {})
    if not isinstance(mirrors, dict):
        raise ConfigError(path, "mirrors is no table")
    for name, url in mirrors.items():
        if not isinstance(url, str):
            raise ConfigError(path, f"mirrors.{name} is no string")
        if _has_query(url):
            line = key_lines(text)["mirrors", name]
            raise MirrorQueryError(f"{path}:{line}: {show_path(('mirrors', name))}")
    return mirrors
