"""A wheel with an untrue RECORD, as a user meets it: refused, excepted, built, looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from clicases import command_line_on, store_of
from commandline import CommandLine
from layers import SITE, foundation_of, recorded
from locked_project import debs_of, edit, lock
from loopback_index import loopback_index
from loopback_registry import loopback_registry
from wheelmaker import Row, make_wheel, right_record

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.layer.entry import folder
from basestore.store import Store

RUNTIME = """python = "3.11"
platforms = ["linux/amd64"]
requirements = ["demo"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
REASON = "built by hand, demo#12"
EXCEPTION = f'[record-exceptions]\ndemo = "{REASON}"\n'


def untrue(rows: list[Row], path: str) -> bytes:
    """Without one file, with one that isn't there, and with another content's hash."""
    kept = [row for row in rows if row[0] != "demo/unlisted.py"]
    kept = [(n, b"other" if n == "demo/wrong.py" else c) for n, c in kept]
    return right_record([*kept, ("demo/ghost.py", b"")], path)


WHEEL = make_wheel(
    "demo",
    files={"demo/__init__.py": b"", "demo/unlisted.py": b"x = 1\n", "demo/wrong.py": b"right"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
    record=untrue,  # type: ignore[arg-type]
)


@pytest.fixture
def run(tmp_path: Path) -> CommandLine:
    """A project that is locked to the wheel, in a store that has it and a foundation."""
    root = tmp_path / "project"
    (root / "profiles").mkdir(parents=True)
    (root / "profiles" / "runtime.toml").write_text(RUNTIME)
    lock(root, "runtime")
    run = command_line_on(root)
    store = store_of(run)
    store.blobs.add(WHEEL.data)
    recorded(store, foundation_of(*debs_of()), [folder("etc"), folder("opt")])
    relock(root, "--upgrade-package=demo")
    return run


def relock(root: Path, *words: str) -> None:
    with loopback_index(WHEEL) as index:
        command_line_on(root, index)("lock", *words).expect(0)


def except_demo(run: CommandLine) -> None:
    profile = run.folder / "profiles" / "runtime.toml"
    profile.write_text(profile.read_text() + EXCEPTION)
    relock(run.folder)


def digest_of_lock(run: CommandLine) -> Digest:
    return Digest.of((run.folder / "locks" / "runtime.lock").read_bytes())


READ = """
import importlib.metadata, json, sys
(found,) = importlib.metadata.distributions(path=sys.argv[1:])
print(json.dumps({str(f): [f.locate().exists(), f.hash and f.hash.value, f.size]
                  for f in found.files}))
"""


def test_refused_then_excepted_then_built_with_a_true_record(
    run: CommandLine, tmp_path: Path
) -> None:
    refused = run("build").expect(ExitCode.INTEGRITY)
    assert f"{WHEEL.file} is refused: its RECORD doesn't list demo/unlisted.py" in refused.err
    assert "[record-exceptions] demo = " in " ".join(refused.err.split())
    assert "Traceback" not in refused.err
    before = digest_of_lock(run)

    except_demo(run)
    run("build").expect(0)
    run("export", "runtime", "--to", f"rootfs:{tmp_path / 'root'}").expect(0)

    assert digest_of_lock(run) != before
    assert REASON in (run.folder / "locks" / "runtime.lock").read_text()
    site = tmp_path / "root" / SITE
    found = json.loads(
        subprocess.run(
            [sys.executable, "-I", "-c", READ, str(site)], check=True, capture_output=True
        ).stdout
    )
    assert all(exists for exists, _, _ in found.values())
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(found) == {*there, "../../../bin/demo"}
    assert found["demo/unlisted.py"] == [True, None, None]
    assert found["demo/__init__.py"][1:] == ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", 0]


def test_a_lock_without_the_exception_doesnt_get_the_excepted_layer(run: CommandLine) -> None:
    except_demo(run)
    run("build").expect(0)
    edit(run.folder / "profiles" / "runtime.toml", EXCEPTION, "")
    relock(run.folder)

    assert "record-exceptions" in run("build").expect(ExitCode.INTEGRITY).err


def test_verify_says_what_is_excepted_and_why(run: CommandLine) -> None:
    except_demo(run)
    run("build").expect(0)

    done = run("verify", "--content").expect(0)
    assert f"the lock excepts it: {REASON}" in done.out
    (profile,) = run("verify", "--content", "--json").expect(0).json["profiles"]
    *_, content, exception = profile["findings"]
    assert content["check"] == "content"
    assert "package" not in content
    assert (exception["package"], exception["reason"]) == ("demo", REASON)
    assert "demo/wrong.py is not what its RECORD says" in exception["detail"]


def test_a_wheel_that_the_disk_damaged_is_not_its_makers_fault(run: CommandLine) -> None:
    except_demo(run)
    run("build").expect(0)
    blob = Store.look(Path(run.environ["BASESTORE_STORE"])).blobs.path(Digest(WHEEL.sha256))
    data = bytearray(WHEEL.data)
    name = b"demo/wrong.py"  # its content comes after the first; only that is sent
    data[WHEEL.data.index(name) + len(name)] ^= 1
    blob.unlink()
    blob.write_bytes(data)

    done = run("verify", "--content").expect(ExitCode.INTEGRITY)
    assert f"sha256:{WHEEL.sha256} is damaged" in done.err
    assert "store verify --repair" in " ".join(done.err.split())
    assert "maintainers" not in done.err
    with loopback_registry() as registry:
        pushed = run("push", "--to", f"{registry.address}/team").expect(ExitCode.INTEGRITY)
        assert not any(registry.manifests.values())
    assert "a blob made from the store" in pushed.err
    assert "store verify --repair" in " ".join(pushed.err.split())


def test_the_store_is_sound_yet_a_package_isnt(run: CommandLine) -> None:
    Store.open(Path(run.environ["BASESTORE_STORE"])).register(run.folder)
    run("store", "verify").expect(0)

    told = run("store", "verify", "--deep").expect(ExitCode.INTEGRITY)
    assert "0 damaged files" in told.out
    assert f"runtime of {run.folder}" in told.out
    assert "[record-exceptions] demo = " in " ".join(told.err.split())
    found = run("store", "verify", "--deep", "--repair", "--json").expect(ExitCode.INTEGRITY).json
    assert found["damage"] == []
    assert found["packages"] == 1
    (one,) = found["untrue"]
    assert one["package"] == WHEEL.file
    assert one["digest"] == f"sha256:{WHEEL.sha256}"
    named = {"project": str(run.folder), "profile": "runtime", "exception": ""}
    assert one["named_by"] == [named]

    except_demo(run)
    done = run("store", "verify", "--deep").expect(0)
    assert f"excepted by runtime of {run.folder}: {REASON}" in done.out
    found = run("store", "verify", "--deep", "--json").expect(0).json
    assert found["untrue"] == []
    (one,) = found["excepted"]
    assert one["named_by"] == [{**named, "exception": REASON}]
    assert len(one["faults"]) == 3
