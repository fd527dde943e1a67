"""The machine that measures, as far as figures depend on it: nothing that names it."""

import os
import platform
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

FLAGS = ("sha_ni", "avx2", "avx512f", "asimd", "sha2")
"""CPU features on which hashing and inflating depend."""

PROGRAMS = {
    "Docker": ["dockerd", "--version"],
    "docker-registry": ["docker-registry", "--version"],
    "skopeo": ["skopeo", "--version"],
}


@dataclass(frozen=True, slots=True)
class Machine:
    """``flags``: those of FLAGS that the CPU has. ``memory``: bytes. ``versions``: of software.

    ``load``: how many programs wanted to run at a time in the minute before.
    """

    cores: int
    flags: tuple[str, ...]
    memory: int
    versions: tuple[tuple[str, str], ...]
    load: float


def this_machine() -> Machine:
    """What runs here."""
    libraries = [(name, version(name)) for name in ("basestore", "isal", "deflate", "uv", "pip")]
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        flags=_flags(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        versions=(
            ("Linux", platform.release().partition("-")[0]),
            ("Python", platform.python_version()),
            ("OpenSSL", ssl.OPENSSL_VERSION.split()[1]),
            *libraries,
            *_programs(),
        ),
        load=os.getloadavg()[0],
    )


def _flags() -> tuple[str, ...]:
    found = set(re.findall(r"[a-z0-9_]+", Path("/proc/cpuinfo").read_text(encoding="utf-8")))
    return tuple(flag for flag in FLAGS if flag in found)


def _programs() -> list[tuple[str, str]]:
    """The versions of programs, as far as they are here."""
    versions = []
    for name, words in PROGRAMS.items():
        program = shutil.which(words[0])
        if program:
            done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=True)
            if match := re.search(r"\d+(?:\.\d+)+", done.stdout):
                versions.append((name, match[0]))
    return versions
