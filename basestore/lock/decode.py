"""From a lock's tables to its values, so strictly that no later stage meets rubbish.

Order and spelling are not looked at here: the codec compares bytes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock.model import FORMAT, Deb, ImageConfig, Lock, PlatformLock, Replaced, Wheel
from basestore.profile.document import Table
from basestore.profile.model import Healthcheck
from basestore.profile.names import is_normalised, is_plain, normalised
from basestore.profile.record_exceptions import is_reason
from basestore.target import Platform

_PYTHON = re.compile(r"3\.[0-9]{1,4}\.[0-9]{1,4}((a|b|rc)[0-9]{1,4})?")
_GLIBC = re.compile(r"2\.[0-9]{1,4}")
_DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # Debian policy 5.6.7
_DEBIAN_VERSION = re.compile(r"([0-9]+:)?[0-9A-Za-z][0-9A-Za-z.+~-]*")  # Debian policy 5.6.12
_VERSION = re.compile(  # PEP 440, appendix B, canonical public version, then a local one
    r"([1-9][0-9]*!)?(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*((a|b|rc)(0|[1-9][0-9]*))?"
    r"(\.post(0|[1-9][0-9]*))?(\.dev(0|[1-9][0-9]*))?(\+[a-z0-9]+(\.[a-z0-9]+)*)?"
)
_WHEEL_FILE = re.compile(  # PEP 427, "File name convention"
    r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.+!]+)(-[0-9][A-Za-z0-9_.]*)?"
    r"(-[A-Za-z0-9_.]+){3}\.whl"
)


class NewerLockError(InputError):
    """A lock has a format that this version doesn't know."""

    def __init__(self, file: str, found: int) -> None:
        super().__init__(
            f"{file} has the format {found}; this basestore knows none above {FORMAT}",
            "use the version of basestore that wrote it",
        )
        self.file = file
        self.found = found


_T = TypeVar("_T", Deb, Wheel)


def decode(table: Table) -> Lock:
    """The lock in a document; raises DocumentError, NewerLockError."""
    number = table.required("format", table.integer("format"), "")
    if number > FORMAT:
        raise NewerLockError(table.document.file, number)
    _expect(table, number >= 0, "no format of a lock", "format")
    if "service" in table.values:
        return _service(table, number)
    table.only(
        "format", "profile", "extends", "image", "path-conflicts", "record-exceptions", "platforms"
    )
    profile = table.required("profile", table.string("profile"), "")
    lineage = (*(table.strings("extends") or ()), profile)
    _expect(table, all(map(is_plain, lineage)), "not a plain name", "profile")
    _expect(table, len(set(lineage)) == len(lineage), "names a profile twice", "extends")
    platforms = _platforms(table, lineage)
    return Lock(
        profile=profile,
        image=_image(table.table("image")),
        platforms=platforms,
        lineage=lineage,
        path_conflicts=_path_conflicts(table),
        format=number,
        record_exceptions=_record_exceptions(table, platforms),
    )


def _service(table: Table, number: int) -> Lock:
    table.only("format", "service", "base", "image", "record-exceptions", "platforms")
    service, base = _string(table, "service"), _string(table, "base")
    _expect(table, is_plain(service), "not a plain name", "service")
    _expect(table, is_plain(base) and base != service, "not another plain name", "base")
    lineage = (service,)
    platforms = _platforms(table, lineage)
    _expect(table, not any(one.debs or one.replaced for one in platforms), "not a service's lock")
    return Lock(
        profile=service,
        image=_image(table.table("image")),
        platforms=platforms,
        lineage=lineage,
        base=base,
        format=number,
        record_exceptions=_record_exceptions(table, platforms),
    )


def _image(image: Table | None) -> ImageConfig:
    if image is None:
        return ImageConfig()
    image.only("env", "entrypoint", "cmd", "user", "workdir", "labels", "ports", "healthcheck")
    env = image.strings("env") or ()
    names = [entry.partition("=")[0] for entry in env]
    _expect(image, all("=" in entry[1:] for entry in env), "not all of the form NAME=value", "env")
    _expect(image, len(set(names)) == len(names), "has a variable twice", "env")
    ports = image.integers("ports") or ()
    _expect(image, all(0 < port < 1 << 16 for port in ports), "not all TCP ports", "ports")
    return ImageConfig(
        env=env,
        entrypoint=image.strings("entrypoint") or (),
        cmd=image.strings("cmd") or (),
        user=image.string("user") or "",
        workdir=image.string("workdir") or "",
        labels=image.string_map("labels") or {},
        ports=ports,
        healthcheck=_healthcheck(image.table("healthcheck")),
    )


def _healthcheck(check: Table | None) -> Healthcheck | None:
    if check is None:
        return None
    keys = ("interval", "timeout", "start-period", "retries")
    check.only("command", *keys)
    numbers = [check.integer(key) or 0 for key in keys]
    _expect(check, min(numbers) >= 0, "below zero")
    return Healthcheck(check.required("command", check.strings("command"), ""), *numbers)


def _path_conflicts(table: Table) -> Mapping[str, tuple[str, ...]]:
    conflicts = table.strings_map("path-conflicts") or {}
    for path, names in conflicts.items():
        sound = len(names) > 1 and len(set(names)) == len(names) and all(map(is_normalised, names))
        _expect(table, sound, "not two or more names of packages", "path-conflicts", path)
    return conflicts


def _record_exceptions(table: Table, platforms: Sequence[PlatformLock]) -> Mapping[str, str]:
    exceptions = table.string_map("record-exceptions") or {}
    held = {wheel.name for platform in platforms for wheel in platform.wheels}
    for name, reason in exceptions.items():
        _expect(table, name in held, "names no wheel of the lock", "record-exceptions", name)
        _expect(table, is_reason(reason), "no reason in one line", "record-exceptions", name)
    return exceptions


def _platforms(table: Table, lineage: Sequence[str]) -> tuple[PlatformLock, ...]:
    platforms = tuple(_platform(row, lineage) for row in table.tables("platforms"))
    _expect(table, bool(platforms), "names no platform", "platforms")
    distinct = {platform.platform for platform in platforms}
    _expect(table, len(distinct) == len(platforms), "has a platform twice", "platforms")
    return platforms


def _platform(row: Table, lineage: Sequence[str]) -> PlatformLock:
    row.only("platform", "python", "glibc", "debs", "wheels", "replaced")
    try:
        platform = Platform.parse(_string(row, "platform"))
    except ValueError as error:
        raise row.error(str(error), "", "platform") from None
    wheels = _distinct(row, "wheels", [_wheel(w, lineage) for w in row.tables("wheels")])
    return PlatformLock(
        platform=platform,
        python=_matching(row, "python", _PYTHON),
        glibc=_matching(row, "glibc", _GLIBC),
        debs=_distinct(row, "debs", [_deb(deb, platform) for deb in row.tables("debs")]),
        wheels=wheels,
        replaced=_all_replaced(row, wheels, lineage),
    )


def _deb(row: Table, platform: Platform) -> Deb:
    row.only("name", "version", "architecture", "size", "sha256")
    architecture = _string(row, "architecture")
    fits = architecture in {platform.architecture, "all"}
    _expect(row, fits, f"{architecture!r} doesn't run on {platform}", "architecture")
    return Deb(
        name=_matching(row, "name", _DEBIAN_NAME),
        version=_matching(row, "version", _DEBIAN_VERSION),
        architecture=architecture,
        size=_size(row),
        sha256=_sha256(row),
    )


def _wheel(row: Table, lineage: Sequence[str]) -> Wheel:
    row.only("name", "version", "file", "size", "sha256", "from")
    name = _string(row, "name")
    _expect(row, is_normalised(name), f"{name!r} is no normalised name of a package", "name")
    version = _matching(row, "version", _VERSION)
    file = _string(row, "file")
    _expect(row, _is_wheel_of(file, name, version), f"no wheel of {name} {version}", "file")
    generation = _generation(row, lineage)
    return Wheel(name, version, file, _size(row), _sha256(row), generation)


def _is_wheel_of(file: str, name: str, version: str) -> bool:
    match = _WHEEL_FILE.fullmatch(file)
    if match is None or normalised(match["name"]) != name:
        return False
    return match["version"] == version or _same_version(match["version"], version)


def _same_version(spelt: str, version: str) -> bool:
    from packaging.version import Version

    try:
        return Version(spelt) == Version(version)
    except ValueError:  # InvalidVersion is one, and so are thousands of digits
        return False


def _all_replaced(
    row: Table, wheels: Sequence[Wheel], lineage: Sequence[str]
) -> tuple[Replaced, ...]:
    brought = {wheel.name: wheel.generation for wheel in wheels}
    rows = tuple(_replaced(r, brought, lineage) for r in row.tables("replaced"))
    distinct = {(one.name, one.generation) for one in rows}
    _expect(row, len(distinct) == len(rows), "names a package of a profile twice", "replaced")
    return rows


def _replaced(row: Table, brought: Mapping[str, str], lineage: Sequence[str]) -> Replaced:
    row.only("name", "size", "from")
    name, generation = _string(row, "name"), _generation(row, lineage)
    _expect(row, name in brought, f"no wheel of {name!r} takes its place", "name")
    older = lineage.index(generation) < lineage.index(brought[name])
    _expect(row, older, f"{generation!r} is no ancestor of the profile that brings {name}", "from")
    return Replaced(name, _size(row), generation)


def _generation(row: Table, lineage: Sequence[str]) -> str:
    if "from" not in row.values and len(lineage) == 1:
        return lineage[0]  # a service's; of a profile's the codec finds that it isn't written so
    generation = _string(row, "from")
    _expect(row, generation in lineage, f"{generation!r} is no profile of this family", "from")
    return generation


def _size(row: Table) -> int:
    size = row.required("size", row.integer("size"), "")
    _expect(row, size > 0, "not a number of bytes", "size")
    return size


def _sha256(row: Table) -> Digest:
    try:
        return Digest(_string(row, "sha256"))
    except ValueError as error:
        raise row.error(str(error), "", "sha256") from None


def _matching(row: Table, key: str, pattern: re.Pattern[str]) -> str:
    text = _string(row, key)
    _expect(row, pattern.fullmatch(text) is not None, f"{text!r} is no {key} of a lock", key)
    return text


def _string(row: Table, key: str) -> str:
    return row.required(key, row.string(key), "")


def _distinct(row: Table, key: str, values: Sequence[_T]) -> tuple[_T, ...]:
    names = {value.name for value in values}
    _expect(row, len(names) == len(values), "names a package twice", key)
    return tuple(values)


def _expect(table: Table, holds: bool, reason: str, *inner: str) -> None:
    if not holds:
        raise table.error(reason, "", *inner)
