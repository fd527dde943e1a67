"""`lock` of several profiles, its options beside each other, and what it says on the way."""

from pathlib import Path

import pytest
from clicases import command_line_on, index_of_wheels, make_locked_project
from commandline import CommandLine, Done, contents
from locked_project import edit

APPS = 'extends = "cpu"\n'


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generations: runtime, cpu, apps."""
    folder = tmp_path_factory.mktemp("cli") / "project"
    make_locked_project(folder)
    (folder / "profiles/apps.toml").write_text(APPS)
    with index_of_wheels() as index:
        command_line_on(folder, index)("lock").expect(0)
    return folder


def refused(basestore: CommandLine, root: Path, words: str, code: int) -> Done:
    """A command that ends so, and changes nothing."""
    before = contents(root)
    done = basestore(*words.split()).expect(code)
    assert contents(root) == before
    assert done.out == ""
    return done


def test_a_profile_between_those_named_is_asked_for_first(
    basestore: CommandLine, root: Path
) -> None:
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis"]')

    done = refused(basestore, root, "lock runtime apps", 3)

    assert "error: the lock of cpu is stale: its parent is stale: runtime\n" in done.err
    assert "hint: run `basestore lock runtime cpu apps`\n" in done.err


@pytest.mark.parametrize("option", ["--upgrade", "--upgrade-foundation"])
def test_an_upgrade_leaves_nobody_out(basestore: CommandLine, root: Path, option: str) -> None:
    done = refused(basestore, root, f"lock apps runtime {option}", 2)

    assert "cpu stands between the profiles named" in done.err
    assert "name it too: runtime cpu apps\n" in done.err


def test_ancestors_without_a_lock_are_all_named(basestore: CommandLine, root: Path) -> None:
    for name in ("runtime", "cpu", "apps"):
        (root / f"locks/{name}.lock").unlink()

    for words, code in (("lock apps", 3), ("lock --check apps", 3), ("build apps", 3)):
        assert "`basestore lock runtime cpu apps`" in basestore(*words.split()).expect(code).err
    assert "`basestore lock runtime cpu apps`" in basestore("plan", "apps").expect(0).out
    assert "`basestore lock runtime cpu apps`" in basestore("status", "apps").expect(0).err


@pytest.mark.parametrize("form", ["", "--json"])
def test_what_was_locked_before_an_error_is_told(root: Path, form: str) -> None:
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis"]')
    edit(root / "profiles/apps.toml", APPS, f'{APPS}requirements = ["nothing"]\n')
    with index_of_wheels() as index:
        done = command_line_on(root, index)("lock", *form.split()).expect(7)

    if form:
        told = [one["profile"] for one in done.json["locks"]]
    else:
        told = [line.partition(":")[0] for line in done.out.splitlines() if line[0] != " "]
    assert told == ["runtime", "cpu"]
    assert "profiles/apps.toml:2 asks for nothing" in done.err
    assert command_line_on(root)("lock", "--check", "runtime", "cpu").code == 0


def test_an_inherited_package_is_upgraded_where_it_is_brought(
    basestore: CommandLine, root: Path
) -> None:
    done = refused(basestore, root, "lock apps --upgrade-package Async_Timeout", 2)

    assert "async-timeout is in the lock of apps as its ancestor runtime has it" in done.err
    assert "`basestore lock runtime cpu apps --upgrade-package async-timeout`" in done.err
    with index_of_wheels() as index:
        words = ("runtime", "cpu", "apps", "--upgrade-package", "async-timeout")
        command_line_on(root, index)("lock", *words).expect(0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--check --upgrade", "--upgrade beside --check, which resolves nothing"),
        ("--check --upgrade-package redis", "--upgrade-package beside --check"),
        ("--check --upgrade-foundation", "--upgrade-foundation beside --check"),
        ("--check --exclude-newer 2026-01-01", "--exclude-newer beside --check"),
        ("--upgrade-package redis==5", "hint: name it alone: redis; which versions"),
        ("--upgrade-package rediss", "hint: did you mean redis? or add it"),
    ],
)
def test_options_that_mean_nothing(
    basestore: CommandLine, root: Path, words: str, message: str
) -> None:
    assert message in refused(basestore, root, f"lock {words}", 2).err


PYLOCK = """lock-version = "1.0"
created-by = "somebody"
[[packages]]
name = "httpx"
version = "1"
"""


@pytest.mark.parametrize("option", ["--upgrade", "--exclude-newer 2026-01-01"])
def test_a_lock_of_another_tool_is_not_upgraded(
    basestore: CommandLine, root: Path, option: str
) -> None:
    (root / "pylock.toml").write_text(PYLOCK)
    edit(root / "profiles/apps.toml", APPS, f'{APPS}[from-lock]\nfile = "../pylock.toml"\n')

    done = refused(basestore, root, f"lock apps {option}", 2)

    assert "has no meaning for apps, which takes pylock.toml as it is ([from-lock])" in done.err


def test_an_upgrade_of_several_takes_a_lock_of_another_tool_as_it_is(root: Path) -> None:
    (root / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    edit(root / "profiles/apps.toml", APPS, f'{APPS}[from-lock]\nfile = "../pylock.toml"\n')
    with index_of_wheels() as index:
        done = command_line_on(root, index)("lock", "--upgrade").expect(0)

    assert "warning: apps takes the wheels of pylock.toml as they are" in done.err


def test_a_package_that_is_to_be_replaced_is_a_profiles_own(root: Path) -> None:
    edit(root / "profiles/apps.toml", APPS, f'{APPS}replaces = ["redis"]\n')
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        basestore("lock", "apps", "--upgrade-package", "redis").expect(0)


def test_a_package_of_a_lock_whose_profile_has_left_its_family(root: Path) -> None:
    runtime = (root / "profiles/runtime.toml").read_text()
    (root / "profiles/apps.toml").write_text(runtime)
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        basestore("lock", "apps", "--upgrade-package", "torch").expect(0)

    assert basestore("lock", "--check", "apps").code == 0


def test_check_names_the_changed_lines_of_all_files(basestore: CommandLine, root: Path) -> None:
    (root / "profiles/base.txt").write_text("# all\norjson<9\n")
    done = basestore("lock", "--check", "runtime").expect(3)
    assert '  profiles/base.txt:2: was "orjson", now "orjson<9"\n' in done.out

    (root / "profiles/base.txt").write_text(f"orjson --hash=sha256:{'0' * 64}\n")
    done = basestore("lock", "--check", "runtime").expect(3)
    assert "  hashes were changed in profiles/base.txt\n" in done.out


def test_an_origin_follows_lines_that_only_moved(basestore: CommandLine, root: Path) -> None:
    lock = (root / "locks/runtime.lock").read_bytes()
    edit(root / "profiles/runtime.toml", "python =", "# Moved.\n\npython =")
    with index_of_wheels() as index:
        command_line_on(root, index)("lock", "runtime").expect(0)

    assert (root / "locks/runtime.lock").read_bytes() == lock
    assert "profiles/runtime.toml:5  httpx" in basestore("why", "runtime", "httpx").expect(0).out


WAIVER = """[policy]
forbid = ["nvidia-*", "torch"]
[[policy.allow]]
rule = "forbid"
package = "nvidia-nothing"
reason = "r"
until = 2099-01-01
[[policy.allow]]
rule = "forbid"
package = "torch"
reason = "r"
until = 2099-01-01
"""


def test_an_exception_that_excepts_nothing_is_told(root: Path) -> None:
    (root / "basestore.toml").write_text(WAIVER)
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        some, everything = basestore("lock", "runtime"), basestore("lock")

    assert some.expect(0).err.count("excepts nothing") == 0  # cpu may need it
    told = [line for line in everything.expect(0).err.splitlines() if "excepts nothing" in line]
    assert told == [
        (
            "warning: basestore.toml:3: this exception from forbid excepts nothing: "
            "no nvidia-nothing breaks that rule"
        )
    ]


def test_a_broken_lock_of_another_profile_stops_no_question(
    basestore: CommandLine, root: Path
) -> None:
    (root / "locks/cpu.lock").write_text("<<<<<<< ours\n")

    assert "did you mean" in basestore("why", "runtime", "redi").expect(2).err
    assert "the lock of apps holds it" in basestore("why", "runtime", "torch").expect(2).err
