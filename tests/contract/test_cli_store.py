"""`basestore store` as a user runs it: what it says, deletes, mends, and ends with."""

import shutil
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, index_of_wheels, make_locked_project
from commandline import CommandLine, Done, contents
from locked_project import keep_debs

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.files import read_lock
from basestore.profile.project import read_project
from basestore.store import Store

SPARE = b"PK nobody needs this"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A locked project, and beside it a store with the wheels of its lock."""
    folder = tmp_path_factory.mktemp("store") / "project"
    make_locked_project(folder)
    store = Store.open(Path(command_line_on(folder).environ["BASESTORE_STORE"]))
    for made in WHEELS:
        store.blobs.add(made.data)
    return folder.parent


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "copy")
    run = command_line_on(tmp_path / "copy" / "project")
    store = Store.open(Path(run.environ["BASESTORE_STORE"]))
    for file in store.roots.files():  # the template's
        store.roots.drop(file)
    store.register(tmp_path / "copy" / "project")
    return tmp_path / "copy" / "project"


@pytest.fixture
def run(project: Path) -> CommandLine:
    return command_line_on(project)


def store_of(run: CommandLine) -> Store:
    return Store.look(Path(run.environ["BASESTORE_STORE"]))


def spare_in(run: CommandLine) -> Digest:
    """A blob that nobody needs."""
    return Store.open(store_of(run).root).blobs.add(SPARE)


def wheels(project: Path) -> list[Digest]:
    lock, _ = read_lock(read_project(project), "cpu")
    return [wheel.sha256 for part in lock.platforms for wheel in part.wheels]


def damage(run: CommandLine, digest: Digest) -> Path:
    path = store_of(run).blobs.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    return path


def kinds(done: Done) -> dict[str, int]:
    return {kind: amount["files"] for kind, amount in done.json["kinds"].items()}


# --- gc


def test_gc_deletes_what_no_project_needs(run: CommandLine, project: Path) -> None:
    spare = spare_in(run)

    told = run("store", "gc", "--dry-run", "--json").expect(0)
    assert kinds(told) == {"wheels": 1}
    assert store_of(run).blobs.has(spare)
    done = run("store", "gc", "--json").expect(0)

    assert {**done.json, "dry_run": True} == told.json
    assert done.json["deleted"] == {"files": 1, "bytes": len(SPARE)}
    assert not store_of(run).blobs.has(spare)
    assert all(map(store_of(run).blobs.has, wheels(project)))
    assert run("store", "gc").expect(0).out.startswith("deleted 0 files, 0 B of ")


def test_gc_says_how_much_of_what(run: CommandLine) -> None:
    spare_in(run)

    lines = run("store", "gc", "--dry-run").expect(0).out.splitlines()

    assert lines[0].startswith("would delete 1 file, 20 B of ")
    assert lines[1].split() == ["wheels", "1", "20", "B"]


def test_a_command_that_uses_the_store_registers_its_project(run: CommandLine) -> None:
    shutil.rmtree(store_of(run).root / "roots")
    with index_of_wheels() as index:
        command_line_on(run.folder, index)("lock", "--upgrade").expect(0)

    (root,) = run("store", "roots", "--json").expect(0).json["projects"]
    assert root == {"project": str(run.folder), "state": "", "profiles": ["cpu", "runtime"]}


def test_the_project_at_hand_is_kept_though_it_isnt_known(run: CommandLine, project: Path) -> None:
    run("store", "roots", "--forget", str(project)).expect(0)
    assert run("store", "gc", "--dry-run", "--json").expect(0).json["deleted"]["files"] == 0
    assert run("store", "roots").expect(0).out == ""

    assert run("store", "gc", "--json").expect(0).json["deleted"]["files"] == 0
    assert run("store", "roots").expect(0).out == f"{project}  cpu, runtime\n"


def test_a_store_that_nobody_is_known_to_use_is_left_alone(
    run: CommandLine, project: Path, tmp_path: Path
) -> None:
    run("store", "roots", "--forget", str(project)).expect(0)
    elsewhere = CommandLine(tmp_path, run.environ)

    done = elsewhere("store", "gc").expect(ExitCode.USAGE)

    assert "no project is known to use the store" in done.err
    assert all(map(store_of(run).blobs.has, wheels(project)))


def test_gc_stops_at_a_project_that_cant_be_read(
    run: CommandLine, project: Path, tmp_path: Path
) -> None:
    needed = wheels(project)
    (project / "locks" / "cpu.lock").write_text("<<<<<<< ours\n")
    elsewhere = CommandLine(tmp_path, run.environ)
    before = contents(store_of(run).root / "blobs")

    done = elsewhere("store", "gc").expect(ExitCode.BAD_INPUT)
    assert f"--ignore-project {project}" in done.err
    assert "locks/cpu.lock" in done.err
    assert contents(store_of(run).root / "blobs") == before

    elsewhere("store", "gc", "--ignore-project", str(project)).expect(0)
    assert not any(map(store_of(run).blobs.has, needed))
    assert str(project) in elsewhere("store", "roots").expect(0).out


def test_a_project_to_ignore_that_nobody_knows_is_told(run: CommandLine, project: Path) -> None:
    misspelt = project.with_name("projct")

    told = run("store", "gc", "--ignore-project", str(misspelt)).expect(0)
    assert f"the store isn't kept for {misspelt}" in told.err
    assert all(map(store_of(run).blobs.has, wheels(project)))
    known = run("store", "gc", "--dry-run", "--ignore-project", str(project)).expect(0)
    assert "isn't kept for" not in known.err


def test_a_project_that_is_gone_is_told_and_forgotten(
    run: CommandLine, project: Path, tmp_path: Path
) -> None:
    elsewhere = CommandLine(tmp_path, run.environ)
    shutil.rmtree(project)

    assert "the folder is gone" in elsewhere("store", "roots").expect(0).out
    done = elsewhere("store", "gc").expect(0)
    assert f"{project} is gone" in done.err
    assert elsewhere("store", "roots").expect(0).out == ""


def test_what_is_to_stay_is_said_in_days_and_bytes(run: CommandLine) -> None:
    spare = spare_in(run)

    run("store", "gc", "--keep-days", "1").expect(0)
    run("store", "gc", "--keep-days", "9" * 30).expect(0)
    run("store", "gc", "--max-size", "1 GB").expect(0)
    assert store_of(run).blobs.has(spare)
    done = run("store", "gc", "--max-size", "1 B").expect(0)
    assert not store_of(run).blobs.has(spare)
    assert "the store has still more than 1 B" in done.err
    told = run("store", "gc", "--max-size", "1 B", "--json").expect(0)
    assert "the store has still more than 1 B" in told.err
    assert "--max-size" in run("store", "gc", "--max-size", "much").expect(ExitCode.USAGE).err


# --- verify


def test_a_sound_store_is_told(run: CommandLine, project: Path) -> None:
    done = run("store", "verify").expect(0)
    assert f"{len(set(wheels(project)))} blobs with " in done.out
    assert "0 damaged files" in done.out
    assert run("store", "verify", "--deep", "--json").expect(0).json["damage"] == []


def test_damage_is_told_until_it_is_repaired(run: CommandLine, project: Path) -> None:
    wheel = wheels(project)[0]
    path = damage(run, wheel)

    done = run("store", "verify").expect(ExitCode.INTEGRITY)
    lock, _ = read_lock(read_project(project), "cpu")
    (name,) = {one.file for part in lock.platforms for one in part.wheels if one.sha256 == wheel}
    assert f"  blob {wheel.hex}: has other bytes than its name says ({name})\n" in done.out
    assert "store verify --repair" in done.err
    (found,) = run("store", "verify", "--json").expect(ExitCode.INTEGRITY).json["damage"]
    assert (found["path"], found["name"]) == (str(path), name)

    with index_of_wheels() as index:
        repaired = command_line_on(project, index)("store", "verify", "--repair").expect(0)
    assert "fetched or made again" in repaired.out
    run("store", "verify").expect(0)
    store_of(run).blobs.check(wheel)


def test_what_cant_be_brought_back_is_damage_with_a_reason(run: CommandLine, project: Path) -> None:
    wheel = wheels(project)[0]
    damage(run, wheel)

    done = run("store", "verify", "--repair", "--offline").expect(ExitCode.INTEGRITY)

    assert "could not be brought back" in done.out
    assert done.err.count("cpu: offline") == 1
    assert not store_of(run).blobs.has(wheel)
    run("store", "verify").expect(0)


def test_a_project_that_cant_be_read_is_no_damage_but_told(run: CommandLine, project: Path) -> None:
    (project / "locks" / "cpu.lock").write_text("<<<<<<< ours\n")

    done = run("store", "verify").expect(0)
    assert "locks/cpu.lock" in done.err


# --- info, roots, seed


def test_info_says_what_is_in_it_by_kind_and_profile(run: CommandLine, project: Path) -> None:
    spare_in(run)
    store = store_of(run)

    found = run("store", "info", "--json").expect(0).json

    assert found["kinds"]["wheels"]["files"] == len(set(wheels(project))) + 1
    assert found["free"] == len(SPARE)
    assert found["bytes"] == sum(
        path.stat().st_size for path in (store.root / "blobs").rglob("*") if path.is_file()
    )
    cpu, runtime = found["profiles"]
    assert (cpu["profile"], runtime["profile"]) == ("cpu", "runtime")
    lock, _ = read_lock(read_project(project), "cpu")
    own = sum(one.size for part in lock.platforms for one in part.wheels if one.generation == "cpu")
    assert (cpu["unique"], runtime["unique"]) == (own, 0)
    assert cpu["bytes"] == runtime["bytes"] + own
    (largest, *_) = found["largest"]
    assert largest["name"] in {one.file for part in lock.platforms for one in part.wheels}
    text = run("store", "info").expect(0).out
    assert "`store gc` would free 20 B" in text
    assert largest["name"] in text


def test_a_copy_of_a_project_shares_its_rows(
    run: CommandLine, project: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "another")
    store_of(run).register(copy)
    both = sorted([str(copy), str(project)])

    rows = run("store", "info", "--json").expect(0).json["profiles"]
    assert [(one["profile"], one["projects"]) for one in rows] == [("cpu", both), ("runtime", both)]
    assert rows[0]["unique"] > 0

    (copy / "locks/cpu.lock").unlink()
    rows = run("store", "info", "--json").expect(0).json["profiles"]
    found = {one["profile"]: one["projects"] for one in rows}
    assert found == {"cpu": [str(project)], "runtime": both}
    shown = run("store", "info").expect(0).out.splitlines()
    assert shown.count(str(copy)) == 1
    assert shown.count(str(project)) == 2


def test_a_project_that_isnt_known_cant_be_forgotten(run: CommandLine, tmp_path: Path) -> None:
    done = run("store", "roots", "--forget", str(tmp_path)).expect(ExitCode.USAGE)
    assert str(tmp_path) in done.err


@pytest.mark.parametrize("words", ["gc", "verify", "info", "roots"])
def test_where_no_store_is_none_is_made(run: CommandLine, tmp_path: Path, words: str) -> None:
    nowhere = tmp_path / "nowhere"
    done = run("store", words, BASESTORE_STORE=str(nowhere)).expect(ExitCode.USAGE)
    assert str(nowhere) in done.err
    assert not nowhere.exists()


def test_a_seed_is_read_and_never_written(run: CommandLine, tmp_path: Path) -> None:
    keep_debs(store_of(run))
    seed = store_of(run).root
    before = contents(seed)
    own = {"BASESTORE_STORE": str(tmp_path / "own"), "BASESTORE_STORE_SEED": str(seed)}

    # The foundation of this project can't be made; its wheels are looked for before.
    done = run("build", "cpu", "--offline", **own)
    alone = run("build", "cpu", "--offline", BASESTORE_STORE=str(tmp_path / "other"))

    assert "the store lacks" in alone.expect(ExitCode.UNREACHABLE).err
    assert "the store lacks" not in done.err
    assert contents(seed) == before
    assert f"the seed {seed} is not counted" in run("store", "info", **own).expect(0).out
    held = {digest.hex for digest in wheels(run.folder)}
    # Wheels that layers are to be made of are copied while they are hashed: the seed is another's.
    assert held <= {path.name for path in (tmp_path / "own").rglob("*")}
    done = run("build", "cpu", **{**own, "BASESTORE_STORE_SEED": "/nowhere"})
    assert "/nowhere" in done.expect(ExitCode.UNREACHABLE).err
