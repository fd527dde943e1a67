"""The project's own base `runtime`, built once a test run and shared by its workers."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from built_project import build_once
from commandline import CommandLine, Done

from basestore.lock.codec import parse
from basestore.lock.model import Lock

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Base:
    """A folder with a copy of the project's profile and lock, built into a store."""

    folder: Path

    @property
    def project(self) -> Path:
        """The project; tests only read it."""
        return self.folder / "project"

    @property
    def store(self) -> Path:
        """The store; tests may build into it, and damage nothing."""
        return self.folder / "store"

    @property
    def lock_bytes(self) -> bytes:
        """The lock as it lies in the project."""
        return (self.project / "locks/runtime.lock").read_bytes()

    @property
    def lock(self) -> Lock:
        """The lock, read."""
        return parse(self.lock_bytes, "locks/runtime.lock")

    @property
    def built(self) -> Any:
        """What the first `build --json` printed of the image."""
        return json.loads((self.folder / "built.json").read_text())["images"][0]

    def run(self, *words: str, **environ: str) -> Done:
        """Run basestore on the project with the store."""
        return command_line(self.project, self.store, environ)(*words)

    def copy(self, place: Path) -> CommandLine:
        """The command line on a copy of the project, with the same store."""
        shutil.copytree(self.project, place)
        return command_line(place, self.store)


def command_line(
    project: Path, store: Path, environ: Mapping[str, str] | None = None, umask: int = -1
) -> CommandLine:
    """The command line on a project and a store, without anybody's credentials."""
    own = {"BASESTORE_STORE": str(store), "DOCKER_CONFIG": str(store / "no-docker-config")}
    return CommandLine(project, {**own, **(environ or {})}, umask)


def make_base(folder: Path) -> Base:
    """Build `runtime` from its committed lock, without what is recorded of its image."""
    base = Base(folder)
    (base.project / "locks").mkdir(parents=True)
    (base.project / "profiles").mkdir()
    for file in ("profiles/runtime.toml", "locks/runtime.lock", "locks/runtime.origin.toml"):
        shutil.copy(PROJECT / file, base.project / file)
    shutil.copy(PROJECT / "locks/.gitattributes", base.project / "locks")
    build_once(folder, base.run, ["runtime"])
    return base


@dataclass(frozen=True)
class Tree:
    """One platform's image, unpacked by umoci. ``config``: its config as OCI has it."""

    root: Path
    config: Any

    @property
    def environ(self) -> dict[str, str]:
        """The image's environment."""
        return dict(pair.split("=", 1) for pair in self.config["config"]["Env"])

    @property
    def site_packages(self) -> Path:
        """Where the wheels lie."""
        (found,) = self.root.glob("opt/venv/lib/python3.*/site-packages")
        return found


def unpack(base: Base, platform: str, folder: Path, umoci: str) -> None:
    """Export a platform as an OCI layout and let umoci unpack it."""
    layout = folder / "layout"
    base.run("export", "runtime", "--to", f"oci:{layout}", "--platform", platform).expect(0)
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    image = f"{layout}:{base.built['tag']}"
    subprocess.run(
        [umoci, "unpack", *rootless, "--image", image, str(folder / "bundle")], check=True
    )


def unpacked(folder: Path) -> Tree:
    """What `unpack` left in a folder."""
    return Tree(folder / "bundle/rootfs", image_config(folder / "layout"))


def image_config(layout: Path) -> Any:
    """The config of the one image of an OCI layout."""

    def blob(digest: str) -> Any:
        return json.loads((layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes())

    (top,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    return blob(blob(top["digest"])["config"]["digest"])
