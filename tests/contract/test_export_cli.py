"""`basestore export` as a user runs it; nothing has been built, but for the last part."""

import os
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, index_of_wheels, store_of
from commandline import CommandLine, contents
from exporting import read_pylock, read_requirements
from locked_project import edit
from stored_project import stored_project

from basestore.digest import Digest

REDIS = WHEELS[0]


def test_requirements_need_no_index_and_no_store(basestore: CommandLine, root: Path) -> None:
    done = basestore("export", "runtime", "--to", "requirements:out/base.txt").expect(0)

    assert done.out == "runtime: exported to requirements:out/base.txt\n"
    assert done.err == ""
    lines = read_requirements((root / "out/base.txt").read_bytes())
    assert {line.requirement.name for line in lines} == {
        "async-timeout",
        "httpx",
        "orjson",
        "redis",
    }
    assert str(Digest.of_file(root / "locks/runtime.lock")) in (root / "out/base.txt").read_text()
    assert not Path(basestore.environ["BASESTORE_STORE"]).exists()


def test_pylock_needs_an_index_and_no_store(root: Path) -> None:
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        done = basestore("export", "cpu", "--to", "pylock:pylock.cpu.toml").expect(0)
        again = basestore("export", "cpu", "--to", "pylock:pylock.toml").expect(0)

    assert done.out == "cpu: exported to pylock:pylock.cpu.toml\n"
    assert done.err.splitlines()[-1] == "its URLs are those of this machine's mirrors of default"
    assert again.err.splitlines()[-1] == done.err.splitlines()[-1]
    data = (root / "pylock.cpu.toml").read_bytes()
    assert data == (root / "pylock.toml").read_bytes()
    urls = {wheel.url for package in read_pylock(data).packages for wheel in package.wheels or ()}
    assert urls == {f"http://{index.address}/files/{wheel.file}" for wheel in WHEELS}
    assert not Path(basestore.environ["BASESTORE_STORE"]).exists()


def test_for_machines(basestore: CommandLine, root: Path) -> None:
    to = "requirements:base.txt"
    done = basestore("export", "cpu", "--to", to, "--platform", "linux/amd64", "--json").expect(0)

    assert done.err == ""
    assert done.json == {
        "profile": "cpu",
        "form": "requirements",
        "path": "base.txt",
        "lock": str(Digest.of_file(root / "locks/cpu.lock")),
    }


@pytest.mark.parametrize("name", ["lock.toml", "pylock.a.b.toml", "pylock..toml", "Pylock.toml"])
def test_names_that_installers_dont_know(basestore: CommandLine, name: str) -> None:
    done = basestore("export", "runtime", "--to", f"pylock:out/{name}").expect(2)

    assert done.err == (
        f"error: {name} is no name for a pylock.toml: installers would take it for another kind "
        "of file\n"
        " hint: call it pylock.toml, or pylock.NAME.toml with a NAME without dots (PEP 751)\n"
    )


@pytest.mark.parametrize("to", ["pylock:pylock.toml", "requirements:base.txt"])
def test_a_platform_that_the_lock_hasnt(basestore: CommandLine, to: str) -> None:
    done = basestore("export", "runtime", "--to", to, "--platform", "linux/arm64").expect(2)

    assert done.err == (
        "error: locks/runtime.lock has no platform linux/arm64\n"
        " hint: pass --platform with one of linux/amd64, or none for all of them\n"
    )


FILES = ("requirements:", "docker-archive:")


@pytest.mark.parametrize("form", FILES)
def test_a_folder_is_not_replaced(basestore: CommandLine, root: Path, form: str) -> None:
    (root / "out").mkdir()
    before = contents(root)

    done = basestore("export", "runtime", "--to", f"{form}out", "--force").expect(2)

    assert done.err.startswith("error: out is no file\n")
    assert contents(root) == before


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("there", ["file", "link", "link to nothing"])
def test_a_file_is_replaced_by_force_only(
    basestore: CommandLine, root: Path, form: str, there: str
) -> None:
    if there != "link to nothing":
        (root / "old").write_text("old\n")
    name = "old" if there == "file" else "out"
    if name == "out":
        (root / "out").symlink_to("old")
    before = sorted(root.iterdir())

    done = basestore("export", "runtime", "--to", f"{form}{name}").expect(2)

    assert done.err == (
        f"error: {name} is there already\n"
        " hint: name another file, or let --force replace this one\n"
    )
    assert sorted(root.iterdir()) == before
    assert there == "link to nothing" or (root / "old").read_text() == "old\n"


def test_a_file_is_replaced_where_a_link_leads(basestore: CommandLine, root: Path) -> None:
    (root / "real.txt").write_text("old\n")
    (root / "base.txt").symlink_to("real.txt")

    basestore("export", "runtime", "--to", "requirements:base.txt", "--force").expect(0)

    assert (root / "base.txt").is_symlink()
    assert read_requirements((root / "real.txt").read_bytes())


@pytest.mark.parametrize("form", ["requirements", "docker-archive", "oci", "rootfs"])
@pytest.mark.parametrize(
    "place", ["profiles/x", "profiles/x/y", "profiles", "locks/x", "locks", "l/x", "./a/../locks/x"]
)
def test_nothing_is_exported_into_the_project_itself(
    basestore: CommandLine, root: Path, form: str, place: str
) -> None:
    (root / "a").mkdir()
    (root / "l").symlink_to("locks")
    before = contents(root)

    done = basestore("export", "runtime", "--to", f"{form}:{place}", "--force").expect(2)

    own = "profiles" if "profiles" in place else "locks"
    assert f"lies in the project's {own}, where nothing is exported to\n" in done.err
    assert contents(root) == before


def test_the_projects_own_file_is_never_replaced(basestore: CommandLine, root: Path) -> None:
    (root / "basestore.toml").touch()
    basestore("export", "runtime", "--to", "requirements:basestore.toml", "--force").expect(2)
    assert (root / "basestore.toml").read_bytes() == b""


@pytest.mark.parametrize("place", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output(basestore: CommandLine, root: Path, place: str) -> None:
    before = contents(root)

    done = basestore("export", "runtime", "--to", f"requirements:{place}").expect(0)

    assert {line.requirement.name for line in read_requirements(done.out.encode())} >= {"redis"}
    assert done.err == ""
    assert contents(root) == before


def test_a_device_and_a_pipe_are_written_to(basestore: CommandLine, root: Path) -> None:
    os.mkfifo(root / "pipe")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append((root / "pipe").read_bytes()))
    reader.start()
    done = basestore("export", "runtime", "--to", "requirements:pipe").expect(0)
    reader.join()
    basestore("export", "runtime", "--to", "requirements:/dev/null").expect(0)

    assert done.out == "runtime: exported to requirements:pipe\n"
    assert read_requirements(found[0])
    assert stat.S_ISFIFO((root / "pipe").lstat().st_mode)
    assert stat.S_ISCHR(Path("/dev/null").lstat().st_mode)


@pytest.mark.parametrize("to", ["oci:-", "rootfs:-", "docker-archive:-", "requirements:-"])
def test_what_standard_output_cant_be(basestore: CommandLine, root: Path, to: str) -> None:
    done = basestore("export", "runtime", "--to", to, "--json").expect(2)

    assert done.out == ""
    assert not (root / "-").exists()


# --- a built image


@pytest.fixture
def built(tmp_path: Path) -> CommandLine:
    """The command line on a project whose image is built."""
    run = command_line_on(tmp_path / "project")
    stored_project(tmp_path, store_of(run))
    return run


def test_an_archive_on_standard_output(built: CommandLine) -> None:
    to = ("--platform", "linux/amd64", "--to")
    file = built.folder / "out.tar"
    built("export", "runtime", *to, "docker-archive:out.tar").expect(0)
    words = [sys.executable, "-m", "basestore", "export", "runtime", *to, "docker-archive:-"]
    environ = {**os.environ, **built.environ}

    done = subprocess.run(words, cwd=built.folder, env=environ, capture_output=True, check=True)

    assert done.stdout == file.read_bytes()


def test_an_archive_whose_reader_goes(built: CommandLine) -> None:
    words = ["export", "runtime", "--platform", "linux/amd64", "--to", "docker-archive:-"]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "basestore", *words],
        cwd=built.folder,
        env={**os.environ, **built.environ},
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    _, err = process.communicate()

    assert process.returncode == 141
    assert b"Traceback" not in err


def test_forced_an_image_replaces_a_file(built: CommandLine) -> None:
    to = ("--platform", "linux/amd64", "--to", "docker-archive:out.tar")
    (built.folder / "out.tar").write_text("old")
    built("export", "runtime", *to).expect(2)
    built("export", "runtime", *to, "--force").expect(0)

    with tarfile.open(built.folder / "out.tar") as archive:
        assert "manifest.json" in archive.getnames()


def test_a_wheel_that_is_gone_leaves_the_old_file(root: Path) -> None:
    (root / "pylock.toml").write_text("old\n")
    to = ("--to", "pylock:pylock.toml", "--force")
    with index_of_wheels() as index:
        index.remove(REDIS.file)
        done = command_line_on(root, index)("export", "cpu", *to).expect(6)

    assert f"error: no index lists {REDIS.file} with the locked hash\n" in done.err
    assert "requirements:FILE" in done.err
    assert (root / "pylock.toml").read_text() == "old\n"


def test_no_index_at_all(basestore: CommandLine, root: Path) -> None:
    done = basestore("export", "runtime", "--to", "pylock:pylock.toml").expect(6)

    assert "Traceback" not in done.err
    assert not (root / "pylock.toml").exists()


def test_a_stale_lock_is_exported_with_a_warning(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis", "httpx", "rich"]')

    done = basestore("export", "runtime", "--to", "requirements:base.txt").expect(0)

    assert done.err.startswith("warning: the lock of runtime is stale (requirements added: rich)")
    assert "rich" not in (root / "base.txt").read_text()


def test_a_lock_that_was_edited(basestore: CommandLine, root: Path) -> None:
    lock = root / "locks/runtime.lock"
    lock.write_text(lock.read_text().replace(" = 0", "=0"))

    basestore("export", "runtime", "--to", "requirements:base.txt").expect(4)

    assert not (root / "base.txt").exists()
