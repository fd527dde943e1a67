"""``[services.NAME]`` of ``basestore.toml``, all but its packages, with a place in every error."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from basestore.profile.document import Table
from basestore.profile.lines import KeyPath
from basestore.profile.model import Healthcheck, ImageSettings
from basestore.profile.names import is_plain
from basestore.profile.place import Location
from basestore.profile.service import DEFAULT_LIMIT, DEFAULT_WORKDIR, BuiltBy, Copy, Service
from basestore.profile.settings import read_settings
from basestore.profile.sizes import SIZE_HINT, parse_size

_PACKAGES = (
    "requirements",
    "requirements-files",
    "constraints-files",
    "pyproject",
    "policy",
    "record-exceptions",
)
_IMAGE = ("workdir", "user", "entrypoint", "cmd", "port", "env", "healthcheck", "labels")
_KEYS = (
    "base",
    "platforms",
    "image",
    "context",
    "files",
    "context-limit",
    "builder",
    "dockerfile",
    "build-args",
)
_ENGINE_ONLY = ("dockerfile", "build-args")
_BUILD_ARG = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TIME = re.compile(r"(?P<number>[1-9][0-9]{0,5})(?P<unit>s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def read_services(root: Table) -> Mapping[str, Service]:
    """The services of ``basestore.toml`` by name, sorted; raises DocumentError."""
    stated = root.members("services")
    lines = root.document.lines if stated else {}
    return {name: _service(root, name, stated[name], lines) for name in sorted(stated)}


def service_image(service: Service, inherited: ImageSettings) -> ImageSettings:
    """A service's image settings on top of its base's; raises DocumentError.

    An entrypoint of its own leaves nothing of the base's command, as in Dockerfiles.
    """
    table = service.table
    base = ImageSettings(
        user=inherited.user,
        workdir=inherited.workdir if inherited.workdir not in ("", "/") else DEFAULT_WORKDIR,
        env=inherited.env,
        entrypoint=inherited.entrypoint,
        cmd=() if table.strings("entrypoint") is not None else inherited.cmd,
        labels=inherited.labels,
    )
    own = read_settings(table, base)
    port = _port(table)
    return ImageSettings(
        user=own.user,
        workdir=own.workdir,
        env=own.env,
        entrypoint=own.entrypoint,
        cmd=own.cmd,
        labels=own.labels,
        ports=(port,) if port else (),
        healthcheck=_healthcheck(table.table("healthcheck"), port),
    )


def _service(root: Table, name: str, table: Table, lines: Mapping[KeyPath, int]) -> Service:
    if not is_plain(name):
        hint = "use lower-case letters and digits, with single '.', '_' or '-' between them"
        raise root.error("no plain name for a service", hint, "services", name)
    table.only(*_KEYS, *_PACKAGES, *_IMAGE)
    place = Location(root.document.file, lines["services", name])
    builder = _builder(table)
    return Service(
        name=name,
        base=table.required("base", table.string("base"), 'add base = "ml"'),
        image=_image(table, name),
        place=place,
        table=table,
        context=_inside(table, "context", "."),
        files=tuple(_copies(table, place, lines)),
        limit=_limit(table),
        builder=builder,
        dockerfile=_inside(table, "dockerfile", ""),
        build_args=_build_args(table, builder),
    )


def _image(table: Table, name: str) -> str:
    image = table.string("image")
    if image is None or all(map(is_plain, image.split("/"))):
        return image or name
    raise table.error(
        f"{image!r} is no name for an image",
        "write lower-case letters and digits, without registry and tag, with / between folders: "
        f'image = "{name}"',
        "image",
    )


def _inside(table: Table, key: str, default: str) -> str:
    """A path relative to the project, which it doesn't leave."""
    text = table.string(key)
    if text is None:
        return default
    path = posixpath.normpath(text) if text else ""
    if path and not path.startswith(("/", "../")) and path != ".." and "\0" not in path:
        return path
    raise table.error(f"{text!r} is no path inside the project", 'write it like "apps/one"', key)


def _copies(table: Table, place: Location, lines: Mapping[KeyPath, int]) -> Iterator[Copy]:
    """What is copied; all of the context where nothing is said."""
    if "files" not in table.values:
        yield Copy(".", "", place)
    for number, row in enumerate(table.mixed("files")):
        here = Location(place.file, lines.get((*table.path, "files", number), place.line))
        refuse = table.refusal("files", number)
        if isinstance(row, str):
            yield Copy(_source(row, refuse), "", here)
            continue
        row.only("from", "to")
        source = _source(row.required("from", row.string("from"), 'add from = "app"'), refuse)
        yield Copy(source, _target(row), here)


def _source(text: str, refuse: Callable[[str, str], Exception]) -> str:
    source = posixpath.normpath(text) if text else ""
    if not source or source.startswith(("/", "../")) or source == ".." or "\0" in source:
        raise refuse(
            f"{text!r} is no path below the service's context",
            'write it relative to the context, "." for all of it; set context to a folder further '
            "up if files lie beside it",
        )
    return source


def _target(row: Table) -> str:
    target = row.string("to")
    plain = target is not None and target.startswith("/") and "\0" not in target
    if target is None or (plain and posixpath.normpath(target) == (target.rstrip("/") or "/")):
        return target or ""
    raise row.error(
        f"{target!r} is no plain absolute path",
        'write where it goes in the image: "/etc/app.toml", or "/data/" for a folder',
        "to",
    )


def _limit(table: Table) -> int:
    text = table.string("context-limit")
    if text is None:
        return DEFAULT_LIMIT
    try:
        return parse_size(text)
    except ValueError as error:
        raise table.error(str(error), SIZE_HINT, "context-limit") from None


def _builder(table: Table) -> BuiltBy:
    text = table.string("builder")
    try:
        builder = BuiltBy(text or BuiltBy.BASESTORE)
    except ValueError:
        known = " or ".join(f'"{one}"' for one in BuiltBy)
        raise table.error(f"no builder {text!r}", f"write {known}", "builder") from None
    if builder is not BuiltBy.DOCKER:
        for key in _ENGINE_ONLY:
            if key in table.values:
                _refuse_engines(table, key)
    return builder


def _refuse_engines(table: Table, key: str) -> NoReturn:
    raise table.error(
        "only means something where the engine builds the service",
        'take it out, or add builder = "docker"',
        key,
    )


def _build_args(table: Table, builder: BuiltBy) -> Mapping[str, str]:
    found = table.string_map("build-args") or {} if builder is BuiltBy.DOCKER else {}
    for name in found:
        if not _BUILD_ARG.fullmatch(name):
            raise table.error(
                "no name for an argument", "use letters, digits and _", "build-args", name
            )
    return found


def _port(table: Table) -> int | None:
    port = table.integer("port")
    if port is None or 0 < port < 1 << 16:
        return port
    raise table.error(f"{port} is no TCP port", "write a number from 1 to 65535", "port")


def _healthcheck(stated: Table | None, port: int | None) -> Healthcheck | None:
    if stated is None:
        return None
    stated.only("http", "cmd", "interval", "timeout", "start-period", "retries")
    return Healthcheck(
        command=_health_command(stated, port),
        interval=_seconds(stated, "interval"),
        timeout=_seconds(stated, "timeout"),
        start_period=_seconds(stated, "start-period"),
        retries=_retries(stated),
    )


def _health_command(stated: Table, port: int | None) -> tuple[str, ...]:
    path, command = stated.string("http"), stated.strings("cmd")
    if (path is None) == (not command):
        raise stated.error(
            "needs either http or cmd", 'write http = "/healthz", or cmd = ["python", "-c", "…"]'
        )
    if path is None:
        return command or ()
    if port is None:
        raise stated.error("there is no port to ask", "add port = 8000 to the service", "http")
    if not re.fullmatch(r"/[A-Za-z0-9._~/?=&%-]*", path):
        raise stated.error(f"{path!r} is no path of a URL", 'write it like "/healthz"', "http")
    return ("python", "-c", _ASK.format(url=f"http://127.0.0.1:{port}{path}"))


# The standard library alone: a base may have no HTTP client. urlopen raises for 4xx and 5xx.
_ASK = "import urllib.request as r; r.urlopen({url!r}, timeout=5)"


def _seconds(stated: Table, key: str) -> int:
    text = stated.string(key)
    if text is None:
        return 0
    match = _TIME.fullmatch(text)
    if match is None:
        raise stated.error(f"{text!r} is no time", 'write it like "30s" or "2m"', key)
    return int(match["number"]) * _SECONDS[match["unit"]]


def _retries(stated: Table) -> int:
    retries = stated.integer("retries")
    if retries is None or 0 < retries < 100:
        return retries or 0
    raise stated.error(f"{retries} is no number of tries", "write a number above 0", "retries")
