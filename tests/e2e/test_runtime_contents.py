"""What is in the built base, unpacked by umoci and loaded by an engine: it is whole, and works."""

import base64
import csv
import hashlib
import io
import json
import os
import platform
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from inside import Inside
from runtime_base import Base, Tree
from services import lacking, need_program

pytestmark = [pytest.mark.long, pytest.mark.network]

IMPORTS = (
    "import asyncpg, dateutil, fastapi, httpx, hvac, minio, nats, neo4j, orjson, "
    "prometheus_client, psycopg2, pydantic, qdrant_client, redis, ulid, uvicorn"
)
EM_AARCH64 = 183


def test_every_file_of_every_wheel_is_there_with_its_records_hash(base: Base, tree: Tree) -> None:
    assert_wheels_are_whole(base, "linux/amd64", tree)


def test_every_file_of_every_arm64_wheel_too(base: Base, arm64_tree: Tree) -> None:
    assert_wheels_are_whole(base, "linux/arm64", arm64_tree)


def test_every_elf_file_for_arm64_is_arm64s(arm64_tree: Tree) -> None:
    machines = {str(path): machine for path, machine in elf_machines(arm64_tree.root)}

    assert len(machines) > 200
    assert {path for path, machine in machines.items() if machine != EM_AARCH64} == set()


def test_the_trees_own_python_imports_all_sixteen(container: Inside) -> None:
    """From /opt/venv/bin, which is first in the image's PATH."""
    code = f"{IMPORTS}, sys, pytz; print(sys.prefix, sys.version_info[:2], fastapi.__file__)"

    prefix, major, minor, file = container.python(code).split()

    assert prefix == "/opt/venv"
    assert (major, minor) == ("(3,", "11)")
    assert file.startswith("/opt/venv/lib/python3.11/site-packages/")


def test_the_trees_own_python_runs_without_any_container(tree: Tree) -> None:
    """As docs/demo.sh does it: no root, no namespaces."""
    if platform.machine() != "x86_64":
        lacking("runs linux/amd64's programs")
    done = subprocess.run(
        [
            *(tree.root / "lib64/ld-linux-x86-64.so.2", "--library-path"),
            *(tree.root / "usr/lib/x86_64-linux-gnu", tree.root / "usr/bin/python3.11"),
            *("-c", f"import sys; sys.path.insert(0, sys.argv[1]); {IMPORTS}; print('done')"),
            tree.site_packages,
        ],
        env={"PYTHONHOME": str(tree.root / "usr"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "done\n"


def test_console_scripts_run(container: Inside) -> None:
    assert container("/usr/bin/env", "uvicorn", "--version").startswith("Running uvicorn")


def test_the_python_has_its_bytecode(container: Inside) -> None:
    """No user of the image could write it."""
    code = "import json, pathlib; print(pathlib.Path(json.__cached__).exists())"
    assert container.python(code) == "True"


def test_tls_knows_authorities(container: Inside) -> None:
    code = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(container.python(code)) > 100


@pytest.mark.parametrize("library", ["gomp", "stdc++", "c", "ssl"])
def test_shared_libraries_are_found_by_name(container: Inside, library: str) -> None:
    find = f"import ctypes.util; found = ctypes.util.find_library({library!r})"
    code = f"{find}; ctypes.CDLL(found); print(found)"
    assert f"lib{library}.so" in container.python(code)


def test_a_shell_works(container: Inside) -> None:
    code = "import subprocess; print(subprocess.check_output('echo $((6 * 7)) | cat', shell=True))"
    assert container.python(code) == "b'42\\n'"


def test_time_zones_work(container: Inside) -> None:
    code = (
        "import datetime, time, zoneinfo; zone = zoneinfo.ZoneInfo('Europe/Berlin'); "
        "print(datetime.datetime(2026, 7, 1, 12, tzinfo=zone).utcoffset(), time.tzname[0])"
    )
    assert container.python(code) == "2:00:00 UTC"


def test_users_and_groups_resolve(container: Inside) -> None:
    code = (
        "import grp, os, pwd; print(pwd.getpwnam('nobody').pw_uid, pwd.getpwuid(0).pw_name, "
        "grp.getgrgid(0).gr_name, grp.getgrnam('nogroup').gr_gid, os.path.expanduser('~root'))"
    )
    assert container.python(code) == "65534 root root 65534 /root"


def test_services_and_the_system_have_names(container: Inside) -> None:
    code = (
        "import platform, socket; release = platform.freedesktop_os_release(); "
        "print(socket.getservbyname('https'), release['VERSION_CODENAME'])"
    )
    assert container.python(code) == "443 bookworm"


def test_folders_that_programs_expect(tree: Tree) -> None:
    assert (tree.root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert str((tree.root / "var/run").readlink()) in ("/run", "../run")
    assert str((tree.root / "lib").readlink()) == "usr/lib"
    assert (tree.root / "etc/localtime").is_symlink()


def test_dpkg_knows_its_packages(base: Base, tree: Tree) -> None:
    """The status that scanners read; nothing half-installed, nothing changed but what is ours."""
    if os.geteuid() != 0:
        lacking("needs root, which umoci unpacks owners for")
    dpkg = [need_program("dpkg"), f"--root={tree.root}"]
    (locked,) = (one for one in base.lock.platforms if str(one.platform) == "linux/amd64")

    assert output([*dpkg, "--audit"]) == ""
    assert output([*dpkg, "--verify"]) == ""
    show = [need_program("dpkg-query"), f"--admindir={tree.root}/var/lib/dpkg", "--show"]
    shown = output([*show, "--showformat=${Package} ${Version} ${Status}\\n"]).splitlines()
    assert sorted(shown) == sorted(
        f"{d.name} {d.version} install ok installed" for d in locked.debs
    )


@pytest.mark.engine
def test_a_real_engine_loads_and_runs_it(base: Base, docker: list[str], tmp_path: Path) -> None:
    if platform.machine() != "x86_64":
        lacking("runs linux/amd64's programs")
    archive = tmp_path / "runtime.tar"
    words = ("--to", f"docker-archive:{archive}", "--platform", "linux/amd64")
    base.run("export", "runtime", *words).expect(0)
    image = f"base-runtime:{base.built['tag']}"

    assert image in output([*docker, "load", "--input", str(archive)])

    (seen,) = json.loads(output([*docker, "image", "inspect", image]))
    assert seen["Id"] == config_digest(archive)
    assert seen["Config"]["Labels"]["dev.basestore.lock"] == base.built["tag"]
    run = ["run", "--rm", "--network", "none", image]
    assert output([*docker, *run, "python", "-c", f"{IMPORTS}; print('done')"]) == "done\n"
    history = output(
        [*docker, "history", "--no-trunc", "--format", "{{.CreatedBy}}", image]
    ).splitlines()
    (amd64,) = (one for one in base.built["platforms"] if one["platform"] == "linux/amd64")
    assert history == [", ".join(layer["packages"]) for layer in reversed(amd64["layers"])]


def assert_wheels_are_whole(base: Base, platform_name: str, tree: Tree) -> None:
    """Each wheel's RECORD is fulfilled, and site-packages holds nothing that no RECORD lists."""
    (locked,) = (one for one in base.lock.platforms if str(one.platform) == platform_name)
    listed: set[Path] = set()
    for wheel in locked.wheels:
        data = (base.store / "blobs/sha256" / wheel.sha256.hex[:2] / wheel.sha256.hex).read_bytes()
        names, info = names_in(data)
        record = list(records(tree.site_packages, info))
        assert {path for path, _ in record} >= names
        assert all(digest or path == f"{info}/RECORD" for path, digest in record)
        for path, digest in record:
            place = tree.site_packages / path
            assert not digest or sha256_of(place) == digest, f"{wheel.file}: {path}"
            listed.add(Path(os.path.normpath(place)))
    assert len(listed) > 1000
    there = {path for path in tree.site_packages.rglob("*") if not path.is_dir()}
    assert there <= listed


def names_in(wheel: bytes) -> tuple[set[str], str]:
    """The files of a wheel that land in site-packages under their own names; its .dist-info."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    tops = {name.split("/")[0] for name in names}
    (info,) = (top for top in tops if top.endswith(".dist-info"))
    ours = {name for name in names if not name.split("/")[0].endswith(".data")}
    return ours - {f"{info}/RECORD.jws", f"{info}/RECORD.p7s"}, info


def records(site_packages: Path, info: str) -> Iterator[tuple[str, str]]:
    """Path and hash of each line of an installed RECORD; the hash of itself is empty."""
    with (site_packages / info / "RECORD").open(newline="") as file:
        for path, digest, _ in csv.reader(file):
            yield path, digest


def sha256_of(path: Path) -> str:
    """A file's hash as RECORD writes it."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def elf_machines(root: Path) -> Iterator[tuple[Path, int]]:
    """ELF files with their e_machine (System V ABI, "ELF Header"), little-endian."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                head = file.read(20)
            if head[:4] == b"\x7fELF":
                yield path.relative_to(root), int.from_bytes(head[18:20], "little")


def config_digest(archive: Path) -> str:
    """The digest of the config in a docker archive."""
    manifest = json.loads(output([need_program("tar"), "-xOf", str(archive), "manifest.json"]))
    return f"sha256:{Path(manifest[0]['Config']).name.removesuffix('.json')}"


def output(command: list[str]) -> str:
    """What a program that ends well writes to its standard output."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
