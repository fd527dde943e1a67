"""Real foundations out of the archive that this host's apt knows, for both architectures."""

import hashlib
import io
import os
import platform
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import debbytes as d
import pytest

from basestore.layer.entry import Entry, Kind
from basestore.layer.foundation import foundation_entries
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.unpack import unpack_all
from basestore.layer.foundation.x509 import certificates, subject_hash
from basestore.lock.model import Deb
from basestore.recipe.model import FoundationRecipe
from basestore.store.blobs import Blobs
from basestore.target import Platform

PACKAGES = (
    *("python3.11", "ca-certificates", "tzdata", "libgomp1", "libstdc++6", "netbase"),
    *("libc-bin", "dash", "coreutils", "base-files", "base-passwd"),
)
NEEDED = ("apt-get", "dpkg-deb", "dpkg")
AMD64, ARM64 = Platform("amd64"), Platform("arm64")

pytestmark = [
    pytest.mark.long,
    pytest.mark.network,
    pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="needs Debian's tools"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="runs amd64's interpreter"),
    pytest.mark.xdist_group("foundation"),
]


@dataclass(frozen=True)
class Archive:
    """A private apt with an empty status, for one architecture."""

    folder: Path
    architecture: str

    def apt(self, *arguments: str) -> str:
        options = {
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "Acquire::Retries": "3",
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder,
            "Debug::NoLocking": "1",
        }
        given = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        done = subprocess.run(
            ["apt-get", "-qq", *given, *arguments],
            check=True,
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        return done.stdout

    def download(self) -> list[Path]:
        (self.folder / "lists/partial").mkdir(parents=True)
        (self.folder / "archives/partial").mkdir(parents=True)
        (self.folder / "status").touch()
        self.apt("update")
        listed = self.apt(
            "install", "--no-install-recommends", "--print-uris", "-y", *PACKAGES
        ).splitlines()
        names = [line.split()[1].split("_")[0] for line in listed]
        self.apt("download", *names)
        return sorted(self.folder.glob("*.deb"))


def recipe(blobs: Blobs, target: Platform, files: Sequence[Path]) -> FoundationRecipe:
    debs = []
    for file in files:
        shown = subprocess.run(
            ["dpkg-deb", "-W", "--showformat", "${Package} ${Version} ${Architecture}", file],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        name, version, architecture = shown
        data = file.read_bytes()
        debs.append(Deb(name, version, architecture, len(data), blobs.add(data)))
    python = next(deb.version for deb in debs if deb.name == "python3.11").split("-")[0]
    return FoundationRecipe(target, python, tuple(debs))


@dataclass(frozen=True)
class World:
    blobs: Blobs
    recipes: dict[Platform, FoundationRecipe]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("archive")
    blobs = d.blobs_in(folder)
    recipes = {}
    for target in (AMD64, ARM64):
        (folder / target.architecture).mkdir()
        files = Archive(folder / target.architecture, target.architecture).download()
        recipes[target] = recipe(blobs, target, files)
    return World(blobs, recipes)


@pytest.fixture(scope="module")
def amd64(world, tmp_path_factory) -> list[Entry]:
    own = world.recipes[AMD64]
    return foundation_entries(own, own, world.blobs, tmp_path_factory.mktemp("amd64"))


@pytest.fixture(scope="module")
def arm64(world, tmp_path_factory) -> list[Entry]:
    scratch = tmp_path_factory.mktemp("arm64")
    return foundation_entries(world.recipes[ARM64], world.recipes[AMD64], world.blobs, scratch)


def content(entry: Entry) -> bytes:
    return b"".join(piece for part in entry.payload for piece in part.read())


def summary(entries: list[Entry]) -> Iterator[tuple[object, ...]]:
    for e in entries:
        digest = hashlib.sha256(content(e)).hexdigest()
        yield e.path, e.kind, e.mode, e.uid, e.gid, e.target, e.size, digest


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.FOLDER: tarfile.DIRTYPE,
}


@pytest.fixture(scope="module")
def root(amd64, tmp_path_factory) -> Path:
    """The foundation as a tree on the disk, owned by whoever runs the tests."""
    folder = tmp_path_factory.mktemp("rootfs")
    for entry in amd64:
        place = folder / entry.path
        if entry.kind is Kind.FOLDER:
            place.mkdir(exist_ok=True)
        elif entry.kind is Kind.SYMLINK:
            place.symlink_to(entry.target)
        elif entry.kind is Kind.HARDLINK:
            place.hardlink_to(folder / entry.target)
        else:
            place.write_bytes(content(entry))
            place.chmod(entry.mode & 0o755)
    return folder


def test_paths_are_unique_sorted_and_below_folders(amd64):
    paths = [entry.path for entry in amd64]
    assert paths == sorted(set(paths))
    kinds = {entry.path: entry.kind for entry in amd64}
    for path in paths:
        parent = path.rpartition("/")[0]
        assert not parent or kinds[parent] is Kind.FOLDER


def test_a_tar_of_it_is_one_that_tarfile_reads(amd64):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for entry in amd64:
            info = tarfile.TarInfo(entry.path)
            info.type, info.mode, info.linkname = TYPES[entry.kind], entry.mode, entry.target
            info.size = entry.size
            tar.addfile(info, io.BytesIO(content(entry)))
    made.seek(0)
    with tarfile.open(fileobj=made) as tar:
        seen: set[str] = set()
        for member in tar:
            assert not member.islnk() or member.linkname in seen
            seen.add(member.name)
    assert len(seen) == len(amd64)


def test_nothing_of_the_host_decides_a_byte(world, amd64, tmp_path, monkeypatch):
    own = world.recipes[AMD64]
    for name, value in {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    scratch = tmp_path / "with: a colon, and longer"
    scratch.mkdir()
    before = os.umask(0o077)
    try:
        again = foundation_entries(own, own, world.blobs, scratch)
    finally:
        os.umask(before)
    assert list(summary(again)) == list(summary(amd64))


def test_bytecode_is_what_debians_own_py_compile_makes(root, world, tmp_path):
    """Byte for byte, and it covers every module that compiles."""
    library = root / "usr/lib/python3.11"
    script = (
        "import importlib.util as u, marshal, pathlib, sys\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "for source in sorted(root.rglob('*.py')):\n"
        "    if source.is_symlink(): continue\n"
        "    made = source.parent / '__pycache__' / (source.stem + '.cpython-311.pyc')\n"
        "    name = '/usr/lib/python3.11/' + str(source.relative_to(root))\n"
        "    loader = __import__('importlib.machinery').machinery.SourceFileLoader('m', name)\n"
        "    code = loader.source_to_code(source.read_bytes(), name)\n"
        "    print(made.read_bytes()[16:] == marshal.dumps(code), source)\n"
    )
    done = in_place(root, "-c", script, str(library))
    lines = done.splitlines()
    assert len(lines) > 500
    assert [line for line in lines if not line.startswith("True")] == []


def in_place(root: Path, *arguments: str) -> str:
    """Run the tree's Python without root, started by the tree's own linker."""
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = libraries / "ld-linux-x86-64.so.2"
    command = [loader, "--inhibit-cache", "--library-path", libraries, root / "usr/bin/python3.11"]
    done = subprocess.run(
        [*command, "-S", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHOME": str(root / "usr")},
    )
    return done.stdout


def test_arm64s_bytecode_is_amd64s(amd64, arm64):
    ours, theirs = by_path(amd64), by_path(arm64)
    common = [
        path
        for path in ours
        if path.endswith(".pyc") and "_sysconfigdata" not in path and path in theirs
    ]
    assert len(common) > 500
    assert [path for path in common if content(ours[path]) != content(theirs[path])] == []
    only = [path for path in theirs if path.endswith(".pyc") and path not in ours]
    assert all("_sysconfigdata" in path for path in only)


def test_arm64_has_a_cache_of_its_own(arm64, amd64):
    caches = [content(by_path(entries)["etc/ld.so.cache"]) for entries in (amd64, arm64)]
    counts = [int.from_bytes(cache[20:24], "little") for cache in caches]
    assert counts[0] == counts[1] > 50
    assert b"/lib/aarch64-linux-gnu/libgomp.so.1\0" in caches[1]


def test_dpkg_finds_nothing_wrong(root):
    for check in ("--audit", "--verify"):
        done = subprocess.run(
            ["dpkg", f"--root={root}", check], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_certificates_are_found_by_openssls_hash(amd64):
    found = by_path(amd64)
    names = [path for path in found if path.startswith("etc/ssl/certs/") and path.endswith(".pem")]
    assert len(names) > 100
    for name in names:
        [certificate] = certificates(content(found[found[name].target.lstrip("/")]))
        assert f"etc/ssl/certs/{subject_hash(certificate)}.0" in found


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the host has no openssl")
def test_hash_links_are_those_of_openssl_rehash(amd64, tmp_path):
    found = by_path(amd64)
    folder = "etc/ssl/certs/"
    ours = {}
    for path, entry in found.items():
        name = path.removeprefix(folder)
        if path.startswith(folder) and name.endswith(".pem"):
            (tmp_path / name).write_bytes(content(found[entry.target.lstrip("/")]))
        elif path.startswith(folder) and entry.kind is Kind.SYMLINK:
            ours[name] = entry.target
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    theirs = {link.name: str(link.readlink()) for link in tmp_path.iterdir() if link.is_symlink()}
    assert ours == theirs


CHECKS = """
import ctypes.util, grp, pwd, sqlite3, ssl, subprocess, sys, zoneinfo
assert len(ssl.create_default_context().get_ca_certs()) > 100
assert ctypes.util.find_library("gomp") == "libgomp.so.1"
ctypes.CDLL("libgomp.so.1")
done = subprocess.run("echo hi | awk '{print $1}'", shell=True, capture_output=True, text=True)
assert (done.returncode, done.stdout) == (0, "hi\\n"), done
assert zoneinfo.ZoneInfo("Europe/Berlin").key == "Europe/Berlin"
assert pwd.getpwuid(0).pw_dir == "/root" and grp.getgrnam("shadow").gr_gid == 42
assert (sys.prefix, sys.base_prefix) == ("/opt/venv", "/usr")
assert sys.path[-1] == "/opt/venv/lib/python3.11/site-packages"
"""


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


@pytest.fixture(scope="module")
def chroot(root) -> Path:
    """The tree with the one device that a container's runtime would give it and Python asks for."""
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return root


def run_in(root: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/usr/sbin/chroot", root, *command],
        capture_output=True,
        text=True,
        check=True,
        env={"LANG": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )


@needs_root
def test_python_and_the_system_work_together(chroot):
    run_in(chroot, "/opt/venv/bin/python", "-c", CHECKS)


@needs_root
def test_python_takes_its_bytecode(chroot):
    done = run_in(chroot, "/opt/venv/bin/python", "-v", "-c", "import asyncio, json, email")
    taken = [line for line in done.stderr.splitlines() if line.startswith("# code object from")]
    assert len(taken) > 50
    assert [line for line in taken if ".pyc" not in line] == []


@needs_root
def test_ldconfig_would_write_the_same(chroot):
    libraries = chroot / "usr/lib/x86_64-linux-gnu"
    ours = run_in(chroot, "/sbin/ldconfig", "-p").stdout
    before = {path.name for path in libraries.iterdir()}
    run_in(chroot, "/sbin/ldconfig")
    theirs = run_in(chroot, "/sbin/ldconfig", "-p").stdout
    assert ours.splitlines() == [
        line for line in theirs.splitlines() if not line.startswith("Cache generated by")
    ]
    assert {path.name for path in libraries.iterdir()} == before


def test_packages_without_files_of_the_system_still_make_a_foundation(world, tmp_path):
    """Nobody depends on base-files and base-passwd; a profile may leave them out."""
    own = world.recipes[AMD64]
    debs = tuple(deb for deb in own.debs if deb.name not in ("base-files", "base-passwd"))
    small = FoundationRecipe(own.platform, own.python, debs)
    found = by_path(foundation_entries(small, small, world.blobs, tmp_path))
    assert content(found["etc/passwd"]).startswith(b"root:*:0:0:")
    assert (found["tmp"].mode, found["root"].mode, found["var/run"].target) == (
        0o1777,
        0o700,
        "/run",
    )


def test_unpacking_keeps_what_dpkg_deb_shows(world, tmp_path):
    own = world.recipes[AMD64]
    [deb] = [deb for deb in own.debs if deb.name == "coreutils"]
    tree = Tree(tmp_path)
    [package] = unpack_all([deb], world.blobs, tree)
    shown = subprocess.run(
        ["dpkg-deb", "-c", world.blobs.path(deb.sha256)], check=True, capture_output=True, text=True
    ).stdout
    assert len(package.paths) == len(shown.splitlines())
