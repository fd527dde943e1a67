"""A project of two bases and three services in a git repository, with locks nobody resolved."""

from pathlib import Path

from committing import commit, git
from locked_project import lock, make_project
from pretended import pretend_build, pretend_layer

from basestore.layer.realise import realise
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.locked import read_locked
from basestore.pipeline.record import build_and_record
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.plan import plan
from basestore.store import Store
from basestore.target import Platform

SERVICES = """registry = "registry.example.com/team"

[services.api]
base = "runtime"
context = "apps/api"
requirements = ["itsdangerous"]
entrypoint = ["python", "main.py"]

[services.ocr]
base = "cpu"
context = "apps/ocr"
requirements-files = ["apps/ocr/requirements.txt"]
entrypoint = ["python", "main.py"]

[services.jobs]
base = "cpu"
files = ["libs", { from = "apps/jobs/*.py", to = "/app/" }]
entrypoint = ["python", "main.py"]
"""
NAMES = ("runtime", "cpu", "api", "ocr", "jobs")


def make_serving_project(root: Path) -> None:
    """Write the project, lock it and commit it."""
    root.mkdir(parents=True, exist_ok=True)
    make_project(root)
    (root / "basestore.toml").write_text(SERVICES)
    files = {
        "apps/api/main.py": "print('api')\n",
        "apps/api/.dockerignore": "*.md\ntests\n",
        "apps/api/README.md": "nothing that is copied\n",
        "apps/ocr/main.py": "print('ocr')\n",
        "apps/ocr/requirements.txt": "pypdf\n",
        "apps/jobs/main.py": "print('jobs')\n",
        "libs/shared/words.py": "WORDS = 3\n",
    }
    for file, text in files.items():
        write(root, file, text)
    for name in ("api", "ocr", "jobs"):
        lock(root, name)
    git(root, "init", "-q", "-b", "main")
    commit(root)


def write(root: Path, file: str, text: str) -> None:
    """Write a file of the project."""
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)


def build_team(root: Path, store: Store) -> None:
    """Build the services, on bases and wheels that are pretended."""
    for name in ("runtime", "cpu"):
        pretend_build(root, name, store)
    for name in ("api", "ocr", "jobs"):
        build_service(root, name, store)


def build_service(root: Path, name: str, store: Store) -> Built:
    """Build a service whose wheels are pretended."""
    project = read_project(root)
    own = read_locked(project, name).parse()
    for platform in own.platforms:
        for recipe in plan(own, platform):
            pretend_layer(store, recipe)
    builder = Builder(store, lambda *_: None, Progress(), 1, Platform("amd64"))
    return build_and_record(project, builder, name, (), realise)
