"""`basestore export --to pylock: / requirements:` as a user runs it; nothing has been built."""

from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, index_of_wheels
from commandline import CommandLine, contents
from exporting import read_pylock, read_requirements
from locked_project import edit

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


def test_a_folder_is_not_replaced(basestore: CommandLine, root: Path) -> None:
    before = contents(root)

    done = basestore("export", "runtime", "--to", "requirements:locks").expect(2)

    assert done.err.startswith("error: locks is no file\n")
    assert contents(root) == before


def test_a_file_is_replaced_where_a_link_leads(basestore: CommandLine, root: Path) -> None:
    (root / "real.txt").write_text("old\n")
    (root / "base.txt").symlink_to("real.txt")

    basestore("export", "runtime", "--to", "requirements:base.txt").expect(0)

    assert (root / "base.txt").is_symlink()
    assert read_requirements((root / "real.txt").read_bytes())


def test_a_wheel_that_is_gone_leaves_the_old_file(root: Path) -> None:
    (root / "pylock.toml").write_text("old\n")
    with index_of_wheels() as index:
        index.remove(REDIS.file)
        done = command_line_on(root, index)("export", "cpu", "--to", "pylock:pylock.toml").expect(6)

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
