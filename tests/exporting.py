"""Reading what was exported, as strictly as the standards allow, and what was installed from it."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import cast

from packaging.markers import Environment, Marker
from packaging.pylock import PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from basestore.lock.model import PlatformLock

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def read_pylock(data: bytes) -> Pylock:
    """The ``pylock.toml``, validated; nothing in it is unknown to the standard."""
    raw = tomllib.loads(data.decode())
    read = Pylock.from_dict(raw)
    assert _keys(read.to_dict()) == _keys(raw)
    return read


def environment(platform: PlatformLock) -> Environment:
    """The environment that markers see in the image."""
    major, minor = platform.python.split(".")[:2]
    return {
        "implementation_name": "cpython",
        "implementation_version": platform.python,
        "os_name": "posix",
        "platform_machine": platform.platform.kernel,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": platform.python,
        "python_version": f"{major}.{minor}",
        "sys_platform": "linux",
    }


def selected(read: Pylock, platform: PlatformLock) -> dict[str, tuple[str, str]]:
    """File and SHA-256 by package: what an installer takes on a platform."""
    tags = list(platform.platform.tags(platform.python, platform.glibc))
    chosen = read.select(environment=environment(platform), tags=tags)
    wheels = [(package.name, cast("PackageWheel", wheel)) for package, wheel in chosen]
    return {name: (wheel.filename, wheel.hashes["sha256"]) for name, wheel in wheels}


@dataclass(frozen=True)
class Pinned:
    """A line of a requirements file with hashes."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def version(self) -> str:
        """The one version that it allows."""
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return specifier.version


def read_requirements(data: bytes) -> list[Pinned]:
    """The requirements file: pins with hashes and comments, no option, no URL."""
    lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
    read = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        hashes = _HASH.findall(line)
        requirement = Requirement(_HASH.sub("", line))
        assert hashes
        assert requirement.url is None
        read.append(Pinned(requirement, frozenset(hashes)))
    return read


def in_force(read: Sequence[Pinned], platform: PlatformLock) -> list[Pinned]:
    """The lines whose markers hold on a platform."""
    there = cast("dict[str, str]", environment(platform))
    markers = [(line, line.requirement.marker) for line in read]
    return [line for line, marker in markers if marker is None or marker.evaluate(there)]


def holds(marker: Marker, platform: PlatformLock) -> bool:
    """Whether a marker holds in a platform's image."""
    return marker.evaluate(cast("dict[str, str]", environment(platform)))


def runs_on(file: str, platform: PlatformLock) -> bool:
    """Whether a wheel can be installed on a platform."""
    tags = set(platform.platform.tags(platform.python, platform.glibc))
    return not parse_wheel_filename(file)[3].isdisjoint(tags)


def locked(platform: PlatformLock) -> dict[str, tuple[str, str]]:
    """Version and wheel tags, in one order, by package: what the image has."""
    return {wheel.name: (wheel.version, _tags([wheel.file])) for wheel in platform.wheels}


def installed(site_packages: Path) -> Mapping[str, tuple[str, str]]:
    """The same of what is installed in a folder."""
    found = {}
    for info in site_packages.glob("*.dist-info"):
        metadata = BytesParser().parsebytes((info / "METADATA").read_bytes())
        wheel = BytesParser().parsebytes((info / "WHEEL").read_bytes())
        stem = info.name.removesuffix(".dist-info")
        build = f"-{wheel['Build']}" if wheel["Build"] else ""
        tags = _tags([f"{stem}{build}-{tag}.whl" for tag in wheel.get_all("Tag", [])])
        found[canonicalize_name(metadata["Name"])] = (metadata["Version"], tags)
    return found


def _keys(value: object) -> object:
    """A document without its values."""
    if isinstance(value, Mapping):
        return {key: _keys(inner) for key, inner in value.items()}
    return [_keys(inner) for inner in value] if isinstance(value, list | tuple) else None


def _tags(files: Collection[str]) -> str:
    """The build tag and all compatibility tags of wheels, by file name."""
    parsed = [parse_wheel_filename(file) for file in files]
    builds = {"".join(map(str, build)) for _, _, build, _ in parsed}
    return " ".join([*sorted(builds), *sorted(str(tag) for one in parsed for tag in one[3])])
