"""Freshness: of real files in a folder, as people, git and this tool leave them."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from locked_project import edit, lock, make_project

from basestore.digest import Digest
from basestore.errors import ExitCode, InputError
from basestore.lock.freshness import (
    Freshness,
    Reason,
    StaleLockError,
    Why,
    check,
)
from basestore.lock.policy import PolicyHitError
from basestore.profile.document import DocumentError
from basestore.profile.project import read_project
from basestore.state import State


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two locked profiles, one the other's parent."""
    make_project(tmp_path)
    return tmp_path


def checked(root: Path, name: str) -> Freshness:
    """What the check finds."""
    return check(read_project(root), name)


def reasons(root: Path, name: str) -> list[str]:
    """The reasons why a lock is stale, in words."""
    return [str(reason) for reason in checked(root, name).reasons]


def test_what_was_locked_is_fresh(root: Path) -> None:
    for name in ("runtime", "cpu"):
        data = (root / "locks" / f"{name}.lock").read_bytes()
        assert checked(root, name) == Freshness(name, Digest.of(data))
    assert (root / "locks" / ".gitattributes").read_text() == "* -text\n"


def test_layout_is_no_change_but_is_told(root: Path) -> None:
    edit(root / "profiles/runtime.toml", '"redis", "httpx"', '"httpx",\n  "redis",  # cache\n')
    for name in ("runtime", "cpu"):
        found = checked(root, name)
        assert (found.fresh, found.moved) == (True, ("profiles/runtime.toml",))
    lock(root, "runtime")
    lock(root, "cpu")
    assert checked(root, "cpu").moved == ()


def test_a_project_file_that_forbids_nothing_new_is_no_change(root: Path) -> None:
    (root / "basestore.toml").write_text('registry = "registry.example.com"\n')
    assert checked(root, "runtime").moved == ()
    (root / "basestore.toml").write_text('policy.forbid = ["nothing-like-it"]\n')
    assert checked(root, "runtime").moved == ("basestore.toml",)
    lock(root, "runtime")
    (root / "basestore.toml").unlink()
    assert checked(root, "runtime").moved == ("basestore.toml",)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "runtime.toml",
            '"httpx"',
            '"uvicorn"',
            ["requirements added: uvicorn", "requirements removed: httpx"],
        ),
        ("runtime.toml", '"httpx"', '"httpx>=1"', ["changed: requirements"]),
        ("base.txt", "orjson", "orjson<9", ["changed: requirements"]),
        ("base.txt", "orjson\n", "", ["requirements removed: orjson"]),
        ("runtime.toml", "bookworm", "trixie", ["changed: foundation"]),
        ("runtime.toml", "linux/amd64", "linux/arm64", ["changed: platforms"]),
        (
            "runtime.toml",
            "[foundation]",
            'record-exceptions.redis = "no RECORD"\n[foundation]',
            ["changed: record-exceptions"],
        ),
        (
            "runtime.toml",
            "[foundation]",
            '[policy]\nforbid = ["x"]\n[image]\nuser = "app"\n[foundation]',
            ["changed: image"],
        ),
    ],
)
def test_what_changed_is_told(
    root: Path, file: str, old: str, new: str, expected: list[str]
) -> None:
    edit(root / "profiles" / file, old, new)
    assert reasons(root, "runtime") == expected
    assert reasons(root, "cpu")[0] == "its parent is stale: runtime"


def test_the_parents_new_lock_makes_the_child_stale(root: Path) -> None:
    edit(root / "profiles/base.txt", "orjson", "anyio")
    lock(root, "runtime")
    assert reasons(root, "cpu") == ["changed: parent"]
    lock(root, "cpu")
    assert checked(root, "cpu").fresh


def test_a_grandparents_new_lock_makes_the_whole_family_stale(root: Path) -> None:
    (root / "profiles/apps.toml").write_text('extends = "cpu"\n')
    lock(root, "apps")
    assert checked(root, "apps").fresh
    edit(root / "profiles/base.txt", "orjson", "anyio")
    lock(root, "runtime")
    assert reasons(root, "apps") == ["its parent is stale: cpu"]
    edit(root / "profiles/apps.toml", '"cpu"', '"cpu" # the same')
    assert reasons(root, "apps") == ["its parent is stale: cpu"]
    lock(root, "cpu")
    assert reasons(root, "apps") == ["changed: parent"]
    lock(root, "apps")
    assert checked(root, "apps").fresh


def test_a_parent_locked_without_effect_leaves_the_child_fresh(root: Path) -> None:
    edit(root / "profiles/base.txt", "orjson", "# json\norjson")
    lock(root, "runtime")
    assert checked(root, "cpu").fresh


def test_without_lock_or_origin(root: Path) -> None:
    (root / "locks/runtime.origin.toml").unlink()
    assert reasons(root, "runtime") == ["its lock has no origin"]
    (root / "locks/runtime.lock").unlink()
    assert checked(root, "runtime") == Freshness("runtime", None, (Reason(Why.NO_LOCK),))
    assert reasons(root, "cpu") == ["its parent is stale: runtime"]


def test_another_valid_lock_is_stale(root: Path) -> None:
    edit(root / "locks/runtime.lock", 'glibc = "2.36"', 'glibc = "2.37"')
    expected = "its origin describes another lock, after a merge or an edit by hand"
    assert reasons(root, "runtime") == [expected]


@pytest.mark.parametrize("origin", ["kept", "lost"])
def test_a_lock_that_is_none_is_bad_input(root: Path, origin: str) -> None:
    if origin == "lost":
        (root / "locks/runtime.origin.toml").unlink()
    edit(root / "locks/runtime.lock", 'glibc = "2.36"', 'glibc =  "2.36"')
    for name in ("runtime", "cpu"):
        with pytest.raises(InputError, match=r"^locks/runtime\.lock:\d+: not as basestore writes"):
            checked(root, name)


def test_a_malformed_origin_is_bad_input(root: Path) -> None:
    edit(root / "locks/runtime.origin.toml", "inputs = ", "inputs ")
    with pytest.raises(InputError, match=r"^locks/runtime\.origin\.toml:3: not valid TOML"):
        checked(root, "runtime")


def test_an_origin_without_files_is_not_believed(root: Path) -> None:
    origin = root / "locks/runtime.origin.toml"
    text = origin.read_text()
    line = next(line for line in text.splitlines() if line.startswith("files = "))
    origin.write_text(text.replace(line, "files = {}"))
    assert checked(root, "runtime").fresh
    edit(root / "profiles/runtime.toml", '"httpx"', '"httpx>=1"')
    assert not checked(root, "runtime").fresh


def test_a_package_that_the_policy_forbids_by_now(root: Path) -> None:
    (root / "basestore.toml").write_text('[policy]\nforbid = ["or*", "ht*"]\n')
    with pytest.raises(PolicyHitError) as caught:
        checked(root, "runtime")
    assert [hit.packages for hit in caught.value.hits] == [("httpx",), ("orjson",)]
    assert caught.value.exit_code is ExitCode.POLICY
    assert caught.value.message == (
        "the policy refuses locks/runtime.lock for 2 reasons:\n"
        "  httpx 1 is forbidden as 'ht*' (basestore.toml:2: policy.forbid); "
        "profiles/runtime.toml:3 asks for httpx\n"
        "  orjson 1 is forbidden as 'or*' (basestore.toml:2: policy.forbid); "
        "profiles/base.txt:1 asks for orjson"
    )


def test_a_policy_that_refuses_nothing_makes_no_lock_stale(root: Path) -> None:
    (root / "basestore.toml").write_text('[policy]\nforbid = ["@cuda"]\nmax-total-size = "1 MB"\n')
    assert checked(root, "cpu") == Freshness(
        "cpu", Digest.of_file(root / "locks/cpu.lock"), (), ("basestore.toml",)
    )


def test_a_rule_that_needs_more_than_the_origin_has_makes_a_lock_stale(root: Path) -> None:
    (root / "basestore.toml").write_text('[policy]\nrefuse-licences = ["GPL-*"]\n')
    assert reasons(root, "runtime") == ["not found out yet for the policy: refuse-licences"]


WAIVED = """[policy]
forbid = ["orjson"]
[[policy.{effect}]]
rule = "forbid"
package = "orjson"
reason = "until ours is there"
until = 2026-12-31
"""
LAST_DAY = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
NEXT_DAY = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("effect", "warnings"), [("allow", 0), ("warn", 1)])
def test_what_is_excepted_is_fresh_until_its_day_has_passed(
    root: Path, effect: str, warnings: int
) -> None:
    (root / "basestore.toml").write_text(WAIVED.format(effect=effect))
    project = read_project(root)

    found = check(project, "runtime", LAST_DAY)

    assert (found.fresh, found.waived) == (True, date(2026, 12, 31))
    assert len(found.warnings) == warnings
    with pytest.raises(PolicyHitError, match=r"expired on 2026-12-31: until ours"):
        check(project, "runtime", NEXT_DAY)


def test_an_exception_runs_out_though_no_file_was_changed(root: Path) -> None:
    (root / "basestore.toml").write_text(WAIVED.format(effect="warn"))
    lock(root, "runtime", waived=date(2026, 12, 31))
    project = read_project(root)

    assert len(check(project, "runtime", LAST_DAY).warnings) == 1
    assert check(project, "runtime").moved == ()
    with pytest.raises(PolicyHitError, match="expired"):
        check(project, "runtime", NEXT_DAY)


def test_a_wrong_or_missing_profile(root: Path) -> None:
    edit(root / "profiles/runtime.toml", "platforms", "platform")
    with pytest.raises(DocumentError, match=r"^profiles/runtime\.toml:2: platform: unknown key"):
        checked(root, "runtime")
    (root / "profiles/runtime.toml").unlink()
    with pytest.raises(DocumentError, match=r"^profiles/cpu\.toml:1: extends: there is no profile"):
        checked(root, "cpu")


def test_the_error_names_every_reason() -> None:
    found = Freshness(
        "x", Digest.of(b""), (Reason(Why.ADDED, ("a", "b")), Reason(Why.CHANGED, ("python",)))
    )
    error = StaleLockError(found)
    assert error.exit_code is ExitCode.DISAGREEMENT
    assert error.message == "the lock of x is stale: requirements added: a, b; changed: python"
    assert error.hint == "run `basestore lock x`"
    missing = StaleLockError(Freshness("x", None, (Reason(Why.NO_LOCK),)), ("base", "x"))
    assert missing.message == "the profile x has no lock"
    assert missing.hint == "run `basestore lock base x`"


def test_a_remembered_check_and_reading_images_imports_nothing_heavy(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("state") / "basestore"
    for name in ("runtime", "cpu"):
        assert check(read_project(root), name, state=State.open(folder)).fresh
    program = (
        "import sys; from pathlib import Path\n"
        "from basestore.lock.files import read_images\n"
        "from basestore.lock.freshness import check\n"
        "from basestore.profile.project import read_project\n"
        "from basestore.state import State\n"
        "project = read_project(Path(sys.argv[1]))\n"
        "state = State.open(Path(sys.argv[2]))\n"
        "assert check(project, 'cpu', state=state).fresh and read_images(project) == ()\n"
        "heavy = {'packaging', 'msgspec', 'rich', 'urllib3', 'difflib', 'ssl', 'socket', 'typer'}\n"
        "print(*heavy & {name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, root, folder], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("\n", "")
