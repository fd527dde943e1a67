"""What is fuzzed: every reader of bytes that others wrote, each as a function of bytes.

A target returns for what it takes and raises one of its ``refusals`` for what it doesn't; all else
is a crash. BasestoreError is what users see; a ValueError is a refusal only where the reader's
contract says so, and its callers turn it into one.
"""

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from fuzz.answers import ANSWERS
from fuzz.files import FILES
from fuzz.stores import STORES
from fuzz.target import Target, scratch

from basestore.debian.packages import PackagesIndex, SuiteIndex
from basestore.debian.release import parse_release
from basestore.digest import Digest
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.content import check_contents as check_deb
from basestore.layer.deb.control import parse_control
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.deb.stream import Reader
from basestore.layer.deb.tar import items
from basestore.layer.elf import MalformedElfError, read_elf
from basestore.layer.foundation.alternatives import choices
from basestore.layer.foundation.x509 import (
    MalformedCertificateError,
    certificates,
    subject_hash,
)
from basestore.layer.wheel.content import check_contents as check_wheel
from basestore.layer.wheel.install import Layout, wheel_entries
from basestore.lock import codec, images, origin, services
from basestore.lock.model import Wheel
from basestore.pins import Bases
from basestore.pins.find import defined, find
from basestore.profile.document import DocumentError
from basestore.profile.project import parse_project
from basestore.profile.reader import read_profile
from basestore.profile.requirement_files import RequirementFiles
from basestore.sources.pylock import read_pylock
from basestore.sources.simple import read_unhashed, read_yanked

ZERO = Digest("0" * 64)
BASES = Bases.of("registry.example.com/team", "base-{profile}", ["runtime", "cpu"])
RUNTIME = b"""python = "3.11"
platforms = ["linux/amd64"]
requirements = ["pip"]
foundation = { debian = "bookworm", packages = ["python3.11"] }
"""


@cache
def project() -> Path:
    """A project with a profile to extend, and requirement files to include."""
    folder = scratch() / "project" / "profiles"
    folder.mkdir(parents=True)
    (folder / "runtime.toml").write_bytes(RUNTIME)
    (folder / "cpu.toml").write_bytes(b'extends = "runtime"\nrequirements = ["numpy"]\n')
    (folder / "constraints.txt").write_bytes(b"numpy<3\n")
    (folder / "requirements.txt").write_bytes(b"numpy\n")
    return folder.parent


def _refuse(reason: str) -> MalformedDebError:
    return MalformedDebError("fuzzed", reason)


def _no(reason: str, hint: str) -> DocumentError:
    return DocumentError("fuzzed", reason, hint)


def _wheel(data: bytes) -> None:
    """The directory, then what is installed, then every content."""
    wheel = Wheel("demo", "1.0", "demo-1.0-py3-none-any.whl", len(data), ZERO, "runtime")
    path = scratch() / wheel.file
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        for entry in wheel_entries(wheel, file, Layout("3.11")):
            assert not entry.path.startswith("/")
            assert ".." not in entry.path.split("/")
        check_wheel(file, wheel.file)


def _deb(data: bytes) -> None:
    archive = DebArchive(io.BytesIO(data), "fuzzed")
    parse_control(archive.control()["control"], "fuzzed")
    check_deb(io.BytesIO(data), "fuzzed")


def _tar(data: bytes) -> None:
    reader = Reader(iter([data[at : at + 700] for at in range(0, len(data), 700)]), _refuse)
    for item, content in items(reader, _refuse):
        assert not item.path.startswith("/")
        assert ".." not in item.path.split("/")
        assert sum(map(len, content)) == item.size


def _profile(data: bytes) -> None:
    folder = project() / "profiles"
    (folder / "fuzzed.toml").write_bytes(data)
    read_profile(parse_project(folder.parent, b""), "fuzzed")


def _requirements(data: bytes) -> None:
    root = project() / "profiles"
    (root / "requirements.txt").write_bytes(data)
    RequirementFiles(root).read("requirements.txt", _no)


def _pins(file: str) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        found = find(file, data, BASES)
        defined(file, data)
        for occurrence in found.occurrences:
            assert occurrence

    return run


def _packages(data: bytes) -> None:
    index = PackagesIndex("http://archive.example", data)
    suite = SuiteIndex("bookworm", [index])
    for name in list(index.names())[:20]:
        suite.candidate(name)
        suite.providers(name)
    suite.location(ZERO)


def _certificate(data: bytes) -> None:
    for certificate in certificates(data) or [data]:
        subject_hash(certificate)


def _lock(data: bytes) -> None:
    """What is read is what was written, byte for byte."""
    assert codec.write(codec.parse(data, "fuzzed.lock")) == data


PIN = b"registry.example.com/team/base-runtime:" + b"0" * 64 + b"@sha256:" + b"0" * 64
TOML = (b"[", b"]", b"{", b"}", b'"', b"'''", b'"""', b"\\u", b" = ", b"[[", b"\n", b"1e9", b"\xff")
YAML = (b": ", b"- ", b"&a ", b"*a", b"|\n", b">-\n", b"---\n", b"? ", b"!!", b"${", b"}", PIN)
DOCKER = (
    b"\\\n",
    b"FROM ",
    b"ARG ",
    b"${",
    b":-",
    b"}",
    b"<<EOF\n",
    b"EOF\n",
    b"# escape=`\n",
    PIN,
)

TARGETS: Mapping[str, Target] = {
    "zip": Target(_wheel, tokens=(b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"\1\0")),
    "ar": Target(_deb, tokens=(b"`\n", b"!<arch>\n", b"data.tar.xz     ", b"_x")),
    "tar": Target(
        _tar, seal=True, tokens=(b"ustar\x0000", b"ustar  \0", b"./", b"../", b"L", b"K")
    ),
    "lock": Target(_lock, tokens=TOML),
    "origin": Target(lambda data: origin.parse(data, "fuzzed.origin.toml"), tokens=TOML),
    "images": Target(lambda data: images.parse(data, "images.toml"), tokens=TOML),
    "services": Target(lambda data: services.parse(data, "services.toml"), tokens=TOML),
    "project": Target(lambda data: parse_project(scratch(), data), tokens=TOML),
    "profile": Target(_profile, tokens=TOML),
    "requirements": Target(
        _requirements, tokens=(b"-r ", b"-c ", b"--hash=", b" ; ", b" @ ", b"[", b"==", b"\\\n")
    ),
    "dockerfile": Target(_pins("Dockerfile"), tokens=DOCKER),
    "yaml": Target(_pins("compose.yaml"), tokens=YAML),
    "env": Target(_pins("app.env"), tokens=(b"export ", b"=", b"'", b'"', b"#", PIN)),
    "template": Target(_pins("values.tpl"), tokens=(b"{{", b"}}", PIN)),
    "packages": Target(
        _packages, tokens=(b"Package: ", b"Provides: ", b"\n\n", b" | ", b" (>= 1)")
    ),
    "release": Target(parse_release, (ValueError,), tokens=(b"SHA256:\n ", b"Valid-Until: ")),
    "control": Target(lambda data: parse_control(data, "fuzzed"), tokens=(b"\n ", b": ")),
    "postinst": Target(
        lambda data: list(choices(data.decode(errors="replace"))),
        (),
        tokens=(
            b"update-alternatives --install ",
            b"for x in a b; do\n",
            b"done\n",
            b"$x",
            b"\\\n",
        ),
    ),
    "certificate": Target(
        _certificate, (MalformedCertificateError,), tokens=(b"\x30\x80", b"\x84")
    ),
    "elf": Target(lambda data: read_elf(io.BytesIO(data)), (MalformedElfError,)),
    "pylock": Target(read_pylock, tokens=TOML),
    "simple": Target(
        lambda data: (read_yanked(data, "https://x.example"), read_unhashed(data, "x")),
        tokens=(b"<a href=", b"data-yanked", b'"files":', b"[", b"{"),
    ),
    **FILES,
    **STORES,
    **ANSWERS,
}
