"""Where the host's own apt has its packages from, asked of apt itself.

``apt-get update --print-uris`` reads every form of source file, needs no root and no lock, and
works where the lists were never fetched.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Run = Callable[[Sequence[str]], str]
"""Runs a program and gives what it printed; empty where it isn't there or failed."""

_SCHEMES = ("http://", "https://", "file://", "file:/", "copy:/")


@dataclass(frozen=True, slots=True)
class AptSource:
    """A base URL and a suite that apt knows there. ``origin``: what its Release said, if known."""

    base: str
    suite: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class HostApt:
    """The host's apt: its sources in order, and whether it minds an expired Release."""

    sources: tuple[AptSource, ...] = ()
    minds_expiry: bool = True

    def bases(self, suite: str) -> tuple[str, ...]:
        """Base URLs that may hold a suite of Debian, the likeliest first.

        An archive holds all suites of its kind, so one that the host uses for another suite will
        do. Archives whose Release is known to be somebody else's are left out.
        """
        likely = [
            source
            for source in self.sources
            if _is_security(source.suite) == _is_security(suite) and source.origin in ("", "Debian")
        ]
        likely.sort(key=lambda source: (not source.origin, source.suite != suite))
        return tuple(dict.fromkeys(source.base for source in likely))


def host_apt(run: Run) -> HostApt:
    """Ask apt; a host without apt has no sources."""
    listed = run(["apt-get", "update", "--print-uris"])
    if not listed:
        return HostApt()
    origins = _origins(run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN)"]))
    check = run(["apt-config", "shell", "check", "Acquire::Check-Valid-Until"])
    return HostApt(tuple(_sources(listed, origins)), "'false'" not in check.lower())


def run_program(command: Sequence[str]) -> str:
    """The ``Run`` of a real host."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _sources(listed: str, origins: Mapping[str, str]) -> Iterator[AptSource]:
    """Lines of ``'BASE/dists/SUITE/InRelease' file-name size``, among others."""
    for line in listed.splitlines():
        url = line.partition(" ")[0].strip("'")
        base, dists, path = url.partition("/dists/")
        suite, _, name = path.rpartition("/")
        if dists and name == "InRelease" and base.startswith(_SCHEMES):
            yield AptSource(_base(base), suite, origins.get(_base(base), ""))


def _origins(targets: str) -> dict[str, str]:
    """Lines of base URL and Origin, of what was fetched before."""
    return {_base(base): origin for base, _, origin in map(_halves, targets.splitlines())}


def _halves(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


def _base(url: str) -> str:
    """A base URL in one form: apt writes ``file:/srv`` and a slash at the end or none."""
    scheme, _, path = url.partition(":")
    if scheme in ("file", "copy"):
        return "file:///" + path.strip("/")
    return url.rstrip("/")


def _is_security(suite: str) -> bool:
    return suite.endswith(("-security", "/updates"))
