"""Target: what an image runs on, and what that is called in OCI, Debian, PyPA and uv terms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from packaging.tags import Tag


@dataclass(frozen=True, slots=True)
class _Machine:
    kernel: str  # `uname -m`, as wheel tags spell it
    multiarch: str  # Debian multiarch tuple, Debian policy 9.1
    loader: str  # ELF interpreter
    oldest_glibc: int  # minor of 2.x, the first glibc of the architecture (PEP 600)


_MACHINES = {
    "amd64": _Machine("x86_64", "x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2", 5),
    "arm64": _Machine("aarch64", "aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1", 17),
}

# PEP 600: the older names of three manylinux platforms.
_ALIASES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
_ALIASED = {name: minor for minor, name in _ALIASES.items()}
_ALIASES_EVERYWHERE = 17  # those of older glibcs are x86's alone
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")

# What `uv pip compile --python-platform` knows for glibc targets.
_UV_GLIBC_MINORS = (17, 28, *range(31, 41))


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An OCI platform, ``linux/amd64`` or ``linux/arm64``.

    Raises ValueError for any other. The Debian architecture has the same name as OCI's.
    """

    architecture: str

    def __post_init__(self) -> None:
        if self.architecture not in _MACHINES:
            raise ValueError(f"no platform linux/{self.architecture}; known: {', '.join(KNOWN)}")

    def __str__(self) -> str:
        return f"linux/{self.architecture}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``linux/<architecture>``; raises ValueError for anything else."""
        system, _, architecture = text.partition("/")
        if system != "linux" or architecture not in _MACHINES:
            raise ValueError(f"no platform {text!r}; known: {', '.join(KNOWN)}")
        return cls(architecture)

    @classmethod
    def of_kernel(cls, kernel: str) -> Self | None:
        """The platform of a machine that calls itself ``kernel`` (`uname -m`), if it is one."""
        for architecture, machine in _MACHINES.items():
            if machine.kernel == kernel:
                return cls(architecture)
        return None

    @property
    def kernel(self) -> str:
        """The machine's name as wheel tags and `uname -m` spell it."""
        return _MACHINES[self.architecture].kernel

    @property
    def multiarch(self) -> str:
        """The Debian multiarch tuple, a folder's name below /usr/lib."""
        return _MACHINES[self.architecture].multiarch

    @property
    def loader(self) -> str:
        """The path of the ELF interpreter."""
        return _MACHINES[self.architecture].loader

    def uv_platform(self, glibc: str) -> str:
        """uv's name for this platform with at most that glibc (``2.36``)."""
        minor = max(m for m in _UV_GLIBC_MINORS if m <= _minor(glibc))
        return f"{self.kernel}-manylinux_2_{minor}"

    def tags(self, python: str, glibc: str) -> Iterator["Tag"]:
        """The wheel tags that run here, best first (PyPA platform compatibility tags).

        ``python`` is a full or short version (``3.11.2``), ``glibc`` such as ``2.36``.
        """
        from packaging.tags import compatible_tags, cpython_tags

        major, minor = (int(part) for part in python.split(".")[:2])
        platforms = [*self._manylinux(_minor(glibc)), f"linux_{self.kernel}"]
        interpreter = f"cp{major}{minor}"
        yield from cpython_tags((major, minor), abis=[interpreter], platforms=platforms)
        yield from compatible_tags((major, minor), interpreter=interpreter, platforms=platforms)

    def takes(self, tag: str, glibc: str) -> bool:
        """Whether a wheel's platform tag, other than ``any``, is one of those in `tags`."""
        if tag == f"linux_{self.kernel}":
            return True
        name = tag.removesuffix(f"_{self.kernel}")
        minor = _ALIASED.get(name)
        if minor is None:
            number = name.removeprefix("manylinux_2_")
            if not _NUMBER.fullmatch(number) or number == name:
                return False
            minor = int(number)
        elif minor < _ALIASES_EVERYWHERE and self.kernel != "x86_64":
            return False
        return tag != name and _MACHINES[self.architecture].oldest_glibc <= minor <= _minor(glibc)

    def markers(self, python: str) -> dict[str, str]:
        """The environment of markers (PyPA dependency specifiers) for a full Python version."""
        return {
            "implementation_name": "cpython",
            "implementation_version": python,
            "os_name": "posix",
            "platform_machine": self.kernel,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
            "sys_platform": "linux",
        }

    def _manylinux(self, newest: int) -> Iterator[str]:
        for minor in range(newest, _MACHINES[self.architecture].oldest_glibc - 1, -1):
            yield f"manylinux_2_{minor}_{self.kernel}"
            if minor in _ALIASES and (minor >= _ALIASES_EVERYWHERE or self.kernel == "x86_64"):
                yield f"{_ALIASES[minor]}_{self.kernel}"


KNOWN = tuple(f"linux/{architecture}" for architecture in _MACHINES)
"""Every platform there is, as written in profiles."""


def _minor(glibc: str) -> int:
    major, _, minor = glibc.partition(".")
    if major != "2" or not minor.isdigit():
        raise ValueError(f"{glibc!r} is not a glibc version of the form 2.N")
    return int(minor)
