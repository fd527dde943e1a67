"""The world of the mutations: a small real project, built, pushed and committed once a run.

Its wheels come from indexes on loopback; its foundation is real .debs under a real signature, which
are fetched once and then served from a folder. Each mutation works on a copy.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from commandline import CommandLine, no_network
from committing import commit, git
from loopback_index import LoopbackIndex, loopback_index
from mutations.archives import mirrors
from mutations.servers import Registry, registry
from wheelmaker import MadeWheel, make_wheel, record_with

NAMES = ("base", "ml", "deep", "api", "job")
"""Profiles, parents first, then services."""

SPEEDUP = b'print("fast")\n'


def _conflicting(name: str) -> MadeWheel:
    module = name.replace("-", "_")
    files = {f"{module}/__init__.py": b"", "shared/words.txt": f"by {name}\n".encode()}
    return make_wheel(name, "1.0", files)


def _native(platform: str, version: str = "1.0", python: str = "cp311") -> MadeWheel:
    files = {"speedup/__init__.py": SPEEDUP, "speedup/where.txt": platform.encode()}
    tag = f"{python}-{python}-{platform}"
    return make_wheel("speedup", version, files, tag=tag, purelib=False)


WEB = ("core>=1", "limited", "speedup>=1; extra == 'fast'", "oldpy; python_version < '3.8'")
WHEELS = (
    *(make_wheel("alpha", version) for version in ("1.0", "1.1", "1.2", "2.0")),
    make_wheel("web", "2.0", requires=WEB),
    make_wheel("web", "2.1", requires=WEB),
    *(make_wheel("core", version) for version in ("1.0", "1.1", "1.2", "1.3")),
    *(make_wheel("limited", version) for version in ("1.0", "1.1", "2.0")),
    *(
        _native(platform)
        for platform in (
            "manylinux_2_17_x86_64",
            "manylinux_2_17_aarch64",
            "manylinux_2_5_x86_64",
            "manylinux_2_38_x86_64",
            "musllinux_1_1_x86_64",
        )
    ),
    _native("manylinux_2_17_x86_64", python="cp312"),
    make_wheel("oldpy", "1.0"),
    make_wheel("armed", "1.0"),
    _conflicting("conf-a"),
    _conflicting("conf-b"),
    make_wheel("badrec", "1.0", record=record_with("badrec/ghost.py")),
    make_wheel("copyleft", "1.0", licence="GPL-3.0-only"),
    make_wheel("infile", "1.0"),
    make_wheel("infile", "1.1"),
    make_wheel("hashed", "1.0"),
    make_wheel("hashed", "1.1"),
    make_wheel("evil", "1.0"),
    make_wheel("evil-gpl", "1.0", licence="GPL-2.0-only"),
    make_wheel("forbidden-x", "1.0"),
    make_wheel("tool", "1.0", requires=["core"]),
    make_wheel("tool", "1.1", requires=["core"]),
    make_wheel("deeper", "1.0", requires=["alpha>=1.0"]),
    make_wheel("helper", "1.0"),
    make_wheel("helper", "1.1", requires=["helped"]),
    make_wheel("helped", "1.0"),
    make_wheel("priv", "9.0"),
)
"""What the default index has, mutations' wheels among it."""

PRIVATE = (make_wheel("priv", "1.0"), make_wheel("priv", "1.1"))
YANKED = "alpha-1.2-py3-none-any.whl"

BASE = """\
# The base of all.
python = "3.11"
platforms = ["linux/amd64", "linux/arm64"]
requirements = [
  "alpha<2",  # the first letter
  "web[fast]>=2",
  "core<1.2",
  "conf-a",
  "conf-b",
  "badrec",
  "copyleft",
  "priv<2",
  "oldpy; python_version < '3.8'",
  "armed; platform_machine == 'aarch64'",
]
requirements-files = ["../reqs/base.txt"]
constraints-files = ["../reqs/constraints.txt"]

[foundation]
debian = "bookworm"
packages = ["python3.11"]

[image]
user = "1000:1000"
workdir = "/srv"
env = { LEVEL = "info", MODE = "safe" }
entrypoint = ["/usr/bin/python3.11", "-I"]
cmd = ["-c", "print(1)"]
labels = { team = "platform", tier = "one" }

[indexes.team]
url = "https://wheels.example.com/simple"
packages = ["priv"]

[path-conflicts]
"lib/python3.11/site-packages/shared/words.txt" = ["conf-a", "conf-b"]

[record-exceptions]
badrec = "its builder lists a file too many"
"""

ML = """\
extends = "base"
replaces = ["core"]
platforms = ["linux/amd64"]
requirements = ["core>=1.2", "tool"]

[image]
env = { MODEL = "small" }
"""

DEEP = """\
extends = "ml"
platforms = ["linux/amd64"]
requirements = ["deeper"]
"""

PROJECT = """\
registry = "{registry}/team"

[policy]
forbid = ["forbidden*"]
require-index = {{ priv = "team" }}
refuse-licences = ["GPL-*"]
refuse-yanked = true
max-package-size = "10 kB"

[[policy.allow]]
rule = "refuse-licences"
package = "copyleft"
reason = "only looked at"
until = 2099-12-31

[services.api]
base = "base"
requirements = ["helper"]
context = "apps/api"
files = ["main.py", "static"]
platforms = ["linux/amd64"]
entrypoint = ["python", "main.py"]
env = {{ SERVE = "yes" }}
port = 8000
user = "10001"
labels = {{ team = "web" }}
healthcheck = {{ cmd = ["python", "-c", "pass"], interval = "30s" }}

[services.job]
base = "ml"
platforms = ["linux/amd64"]
files = ["libs", {{ from = "apps/job/*.py", to = "/app/" }}]
entrypoint = ["python", "job.py"]
"""

TEXTS = {
    "profiles/base.toml": BASE,
    "profiles/ml.toml": ML,
    "profiles/deep.toml": DEEP,
    "reqs/constraints.txt": "limited<2\n",
    "apps/api/main.py": 'print("api")\n',
    "apps/api/static/page.html": "<p>a page</p>\n",
    "apps/api/static/run.sh": "#!/bin/sh\nexit 0\n",
    "apps/api/notes.md": "not copied\n",
    "apps/api/.dockerignore": "*.md\n",
    "apps/job/job.py": 'print("job")\n',
    "libs/shared/words.py": "WORDS = 3\n",
    "README.md": "# A team's images\n",
}


@dataclass(frozen=True)
class World:
    """What mutations are copies of. ``commit``: the merge base, in which all agrees."""

    folder: Path
    index: LoopbackIndex
    team: LoopbackIndex
    registry: Registry
    environ: Mapping[str, str]
    commit: str

    @property
    def project(self) -> Path:
        """The project, in a git repository."""
        return self.folder / "project"

    @property
    def store(self) -> Path:
        """The store that all was built in."""
        return self.folder / "store"

    @property
    def state(self) -> Path:
        """What the user remembers who built it."""
        return self.folder / "state"

    def wheel(self, file: str) -> MadeWheel:
        """A wheel of the indexes."""
        return next(one for one in (*WHEELS, *PRIVATE) if one.file == file)


@contextmanager
def world(folder: Path, archives: Path | None = None) -> Iterator[World]:
    """Make the world in a new folder; its servers run until the block ends.

    ``archives``: a folder that keeps what Debian answered, for another run as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        index = stack.enter_context(loopback_index(*WHEELS))
        index.change(YANKED, yanked=True)
        team = stack.enter_context(loopback_index(*PRIVATE))
        served = stack.enter_context(registry(folder / "registry"))
        debian = stack.enter_context(mirrors(archives or folder / "archives", "bookworm"))
        environ = {
            **_environ(folder),
            **debian,
            "BASESTORE_MIRROR_DEFAULT": index.url,
            "BASESTORE_MIRROR_TEAM": team.url,
        }
        made = World(folder, index, team, served, environ, "")
        _write(made)
        yield replace(made, commit=_settle(made))


def _environ(folder: Path) -> dict[str, str]:
    """A home of its own, and no way out to any network."""
    home = folder / "home"
    home.mkdir()
    return {
        **no_network(),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
        "BASESTORE_STORE": str(folder / "store"),
        "UV_CACHE_DIR": str(home / "uv-cache"),
        "DOCKER_CONFIG": str(home / "no-docker"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }


def _write(made: World) -> None:
    hashed = made.wheel("hashed-1.0-py3-none-any.whl").sha256
    texts = {
        **TEXTS,
        "basestore.toml": PROJECT.format(registry=made.registry.address),
        "reqs/base.txt": f"infile\nhashed==1.0 --hash=sha256:{hashed}\n",
    }
    for file, text in texts.items():
        path = made.project / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (made.project / "apps/api/static/run.sh").chmod(0o755)


def _settle(made: World) -> str:
    """Lock, build and push all, and commit it; the commit."""
    run = CommandLine(made.project, made.environ)
    git(made.project, "init", "-q", "-b", "main")
    run("lock").expect(0)
    run("build").expect(0)
    run("push").expect(0)
    commit(made.project)
    run("lock", "--check").expect(0)
    run("verify", "--registry").expect(0)
    head = made.project / ".git/refs/heads/main"
    return head.read_text().strip()


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with modes, times and links."""
    shutil.copytree(source, target, symlinks=True)


def copy_store(source: Path, target: Path) -> None:
    """Copy a store, but for what belongs to commands that use it just now."""

    def passing(folder: str, names: list[str]) -> list[str]:
        return names if Path(folder).name in ("leases", "partials", "scratch") else []

    shutil.copytree(source, target, symlinks=True, ignore=passing)
