"""apt in a private root where nothing is installed: what it would install, and from where."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

_FOLDERS = ("lists/partial", "cache/archives/partial", "parts")


class AptRoot:
    """A root with an empty status. ``sources`` are lines of a sources.list."""

    def __init__(self, root: Path, architecture: str, sources: Sequence[str]) -> None:
        for folder in _FOLDERS:
            (root / folder).mkdir(parents=True)
        (root / "status").touch()
        (root / "sources.list").write_text("".join(f"{line}\n" for line in sources))
        options = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
            "Dir::Cache": root / "cache",
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Etc::preferencesparts": root / "parts",
            "Dir::Etc::sourcelist": root / "sources.list",
            "Dir::Etc::sourceparts": root / "parts",
            "Dir::State::extended_states": root / "extended",
            "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "status",
        }
        self._options = [f"-o{name}={value}" for name, value in options.items()]

    def update(self) -> None:
        """Fetch the indexes."""
        done = self._run("update", "-oAcquire::Retries=3")
        assert done.returncode == 0, done.stderr

    def install(self, names: Sequence[str]) -> set[tuple[str, str, str]]:
        """Name, version and architecture of what apt would install; none where it refuses.

        Their order counts: apt installs them one after the other.
        """
        done = self._run("install", "--no-install-recommends", "--print-uris", "--yes", *names)
        files = (line.split()[1] for line in done.stdout.splitlines() if line.startswith("'"))
        parts = (file.removesuffix(".deb").split("_") for file in files)
        return {(name, unquote(version), architecture) for name, version, architecture in parts}

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["apt-get", *self._options, *arguments]
        environ = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(command, capture_output=True, check=False, text=True, env=environ)
