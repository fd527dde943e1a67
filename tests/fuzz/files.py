"""Targets of files: those beside a project's profiles, and those of this machine and its user."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from fuzz.target import Target, scratch

from basestore.cli.settings import _configured_mirrors
from basestore.digest import Digest
from basestore.engine.endpoint import find_endpoint
from basestore.layer.application.ignore import read_ignore
from basestore.profile.project import parse_project
from basestore.profile.reader import read_profile
from basestore.registry.config import DockerConfig
from basestore.sources.direct import team_direct_places, team_places
from basestore.sources.uv_settings import user_settings
from basestore.transport.netrc import Netrc

HEAD = b"""python = "3.11"
platforms = ["linux/amd64"]
foundation = { debian = "bookworm", packages = ["python3.11"] }
"""
TOML = (
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'''",
    b" = ",
    b"[[",
    b"\n",
    b"\xff",
    b"9" * 5000,
    b"[" * 3000,
)
JSON = (b"{", b"[", b"]", b"}", b'"', b",", b":", b"null", b"1e9", b"9" * 5000, b"[" * 9000)
HOSTS = ("registry.example.com", "docker.io", "127.0.0.1:5000")


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    """A reader of a file, as one of its bytes."""

    @cache
    def place() -> Path:
        made = scratch() / "files" / name
        made.parent.mkdir(parents=True)
        return made

    def run(data: bytes) -> None:
        place().write_bytes(data)
        read(place())

    return run


def _pyproject(file: Path) -> None:
    said = b'[[pyproject]]\nfile = "pyproject.toml"\nextras = ["more"]\ngroups = ["dev"]\n'
    (file.parent / "fuzzed.toml").write_bytes(HEAD + said)
    read_profile(parse_project(file.parents[1], b""), "fuzzed")


def _team(file: Path) -> None:
    (file.parent / "pyproject.toml").write_bytes(b'[project]\nname = "app"\nversion = "1"\n')
    said = f'from-lock = {{ file = "{file.name}" }}\n'
    (file.parent / "fuzzed.toml").write_bytes(HEAD + said.encode())
    profile = read_profile(parse_project(file.parents[1], b""), "fuzzed")
    team_places(profile, {Digest("1" * 64)})
    team_direct_places(profile, {Digest("1" * 64)})


def _docker(file: Path) -> None:
    for host in HOSTS:
        DockerConfig(file.parent).find(host)


def _context(file: Path) -> None:
    """What names a context, and the same bytes where the context is described."""
    find_endpoint({}, file.parent)


def _netrc(file: Path) -> None:
    for host in HOSTS:
        Netrc(file).find(host)


def _ignore(data: bytes) -> None:
    rules = read_ignore(data, ".dockerignore")
    for path in ("a", "a/b.py", ".git/config", "x" * 200, "a/" * 40 + "b"):
        rules.judge(path, rules.root())
        rules.may_take_back_below(path)


def _uv(file: Path) -> None:
    user_settings({"UV_CONFIG_FILE": str(file)}, file.parent)


def _uv_credentials(file: Path) -> None:
    user_settings({"UV_CREDENTIALS_DIR": str(file.parent), "UV_NO_CONFIG": "1"}, file.parent)


FILES: Mapping[str, Target] = {
    "pyproject": Target(in_file("py/profiles/pyproject.toml", _pyproject), tokens=TOML),
    "uv-lock": Target(in_file("uv/profiles/uv.lock", _team), tokens=TOML),
    "team-pylock": Target(in_file("team/profiles/pylock.toml", _team), tokens=TOML),
    "dockerignore": Target(_ignore, tokens=(b"!", b"**", b"[a-", b"\\", b"/", b"#", b"..", b"?")),
    "config": Target(in_file("basestore/config.toml", _configured_mirrors), tokens=TOML),
    "uv-settings": Target(in_file("settings/uv.toml", _uv), tokens=TOML),
    "uv-credentials": Target(in_file("stored/credentials.toml", _uv_credentials), tokens=TOML),
    "docker-config": Target(in_file("docker/config.json", _docker), tokens=JSON),
    "docker-context": Target(in_file("context/config.json", _context), tokens=JSON),
    "netrc": Target(
        in_file("net/netrc", _netrc),
        tokens=(b"machine ", b"login ", b"password ", b"macdef ", b"default ", b"\n\n", b'"', b"#"),
    ),
}
