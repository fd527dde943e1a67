"""The project's own family `runtime`, `cpu`, `ml`, built once a test run into the base's store.

PyTorch's index for CPUs can't be asked from everywhere, and pip may know another place that has the
locked wheel of torch: a folder that holds it (``BASESTORE_TEST_WHEELS`` may name one) is served on
loopback as the index's mirror.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.serving import serving
from built_project import BuiltProject, build_once, read_lock
from commandline import CommandLine, Done
from reach import from_pip, is_offered
from runtime_base import PROJECT, Base, command_line

from basestore.lock.model import Wheel
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.target import Platform

GENERATIONS = ("runtime", "cpu", "ml")
TORCH = "torch"
WHEELS = "BASESTORE_TEST_WHEELS"


@dataclass(frozen=True)
class Family(BuiltProject):
    """A copy of the project with three generations."""

    def run(self, *words: str, **environ: str) -> Done:
        """Run basestore on the project with the store."""
        return command_line(self.project, self.store, environ)(*words)

    def copy(self, place: Path) -> CommandLine:
        """The command line on a copy of the project, with the same store."""
        shutil.copytree(self.project, place)
        return command_line(place, self.store)


def make_family(base: Base, folder: Path) -> Family:
    """Build the family from the committed locks, without what is recorded of its images."""
    family = Family(folder, base.store)
    shutil.copytree(PROJECT / "profiles", family.project / "profiles")
    shutil.copytree(PROJECT / "locks", family.project / "locks")
    (family.project / "locks/images.toml").unlink()
    with torch_mirror() as mirror:
        build_once(folder, partial(family.run, **mirror), GENERATIONS)
    return family


def find_torch(folder: Path) -> str:
    """Find who has the locked wheel of torch; what is wrong where nobody has it.

    ``folder``: where it comes to lie if only pip has it.
    """
    wheel = locked_torch()
    if given := os.environ.get(WHEELS):
        there = (Path(given) / wheel.file).is_file()
        return "" if there else f"needs {wheel.file} in the folder that {WHEELS} names"
    (index,) = read_profile(read_project(PROJECT), "cpu").indexes
    if is_offered(wheel, index) or from_pip(wheel, folder):
        return ""
    return f"needs {wheel.file}: neither the index {index.name} nor pip has it here"


@contextmanager
def torch_mirror() -> Iterator[dict[str, str]]:
    """The environment in which the index `pytorch-cpu` can be asked."""
    wheel = locked_torch()
    folder = os.environ.get(WHEELS)
    if not folder:
        yield {}
        return
    file = Path(folder) / wheel.file
    with serving(partial(_OnePage, wheel, file)) as address:
        yield {"BASESTORE_MIRROR_PYTORCH_CPU": f"http://{address}"}


def locked_torch() -> Wheel:
    """The wheel of torch that the committed lock names."""
    lock = read_lock(PROJECT, "cpu")
    wheels = lock.platform(Platform("amd64")).wheels
    return next(wheel for wheel in wheels if wheel.name == TORCH)


class _OnePage(SimpleHTTPRequestHandler):
    """An index of one package that has one wheel (simple repository API, HTML)."""

    def __init__(self, wheel: Wheel, file: Path, *arguments: Any) -> None:
        self._wheel = wheel
        self._file = file
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if self.path == f"/{TORCH}/":
            self._page()
        elif self.path.endswith(".whl"):
            super().do_GET()
        else:
            self.send_error(404)

    def translate_path(self, path: str) -> str:
        """The one file, whatever the path."""
        return str(self._file)

    def log_message(self, *arguments: Any) -> None:
        """Nothing is printed."""

    def _page(self) -> None:
        link = f"/{quote(self._wheel.file)}#sha256={self._wheel.sha256.hex}"
        page = f'<!DOCTYPE html><html><body><a href="{link}">{self._wheel.file}</a></body></html>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())
