"""Wheels whose RECORD is untrue: refused, and, where they are excepted by name, installed truly."""

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers import SITE, Member, files, keep, new_store, recipe_of, workshop
from wheelmaker import (
    MadeWheel,
    Record,
    Row,
    make_wheel,
    make_zip,
    record_with,
    record_with_wrong_hash,
    record_without,
    right_record,
)

from basestore.digest import Digest
from basestore.layer.realise import make, realise
from basestore.layer.wheel.content import Compared, check_contents, compare_contents
from basestore.layer.wheel.errors import BadRecordError, BadZipError
from basestore.lock.model import ImageConfig, Lock, PlatformLock
from basestore.recipe.model import WheelsRecipe
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store
from basestore.target import Platform

INFO = "demo-1.0.dist-info"
FILES = {"demo/__init__.py": b"one", "demo/two.py": b"two", "demo/empty": b""}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def excepted(recipe: WheelsRecipe, *names: str) -> WheelsRecipe:
    return WheelsRecipe(recipe.python, recipe.wheels, recipe.omitted, names)


def made_with_exception(store: Store, made: MadeWheel) -> Realisation:
    return make(excepted(recipe_of([keep(store, made)]), "demo"), workshop(store))


def rows_of(found: dict[str, Member]) -> dict[str, tuple[str, str]]:
    """The lines of the installed RECORD by the path in the image; none is there twice."""
    text = (found[f"{SITE}/{INFO}/RECORD"].content or b"").decode()
    lines = [(path, (hashed, size)) for path, hashed, size in csv.reader(io.StringIO(text))]
    rows = {posixpath.normpath(f"{SITE}/{path}"): said for path, said in lines}
    assert len(rows) == len(lines)
    return rows


def right_row(content: bytes) -> tuple[str, str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(content))


def bare(found: dict[str, Member]) -> set[str]:
    """The files that RECORD tells no hash of, all others being right, and all of them there."""
    rows = rows_of(found)
    assert rows.keys() == found.keys()
    told = {path: row for path, row in rows.items() if row != ("", "")}
    assert told == {path: right_row(found[path].content or b"") for path in told}
    return {path.removeprefix(f"{SITE}/") for path in rows.keys() - told.keys()}


def without_record(**arguments: object) -> MadeWheel:
    """A wheel that has no RECORD."""
    rows: list[Row] = []

    def note(given: Sequence[Row], _: str) -> bytes:
        rows.extend(given)
        return b""

    made = make_wheel("demo", record=note, **arguments)  # type: ignore[arg-type]
    return MadeWheel(made.file, make_zip(rows))


def twice(rows: Sequence[Row], path: str) -> bytes:
    return right_record(rows, path) + right_record(rows, path)


def contradicting(rows: Sequence[Row], path: str) -> bytes:
    return right_record([*rows, ("demo/two.py", b"three")], path)


def wrong_size(rows: Sequence[Row], path: str) -> bytes:
    return right_record(rows, path).replace(b",3\n", b",4\n", 1)


# --- installed


UNTRUE: dict[str, tuple[Record, set[str]]] = {
    "a file not listed": (record_without("demo/two.py"), {"demo/two.py"}),
    "files that aren't there": (record_with("demo/ghost.py", "../../../etc/passwd"), set()),
    "every file twice": (twice, set()),
    "a file twice, differently": (contradicting, {"demo/two.py"}),
    "another size": (wrong_size, {"demo/__init__.py"}),
    "nothing": (
        lambda rows, path: b"",
        {*FILES, f"{INFO}/METADATA", f"{INFO}/WHEEL"},
    ),
    "itself not, or hashed": (
        lambda rows, path: right_record(rows, path).replace(b",,\n", b",sha256=x,9\n"),
        set(),
    ),
}


@pytest.mark.parametrize("case", UNTRUE)
def test_an_excepted_wheel_is_installed_with_a_true_record(store: Store, case: str) -> None:
    record, untold = UNTRUE[case]
    made = make_wheel("demo", files=FILES, record=record)

    found = files(store, made_with_exception(store, made))

    assert {path for path in found if ".dist-info" not in path} == {f"{SITE}/{p}" for p in FILES}
    assert bare(found) == {*untold, f"{INFO}/RECORD"}


def test_a_record_that_is_missing_is_made(store: Store) -> None:
    made = without_record(
        files=FILES,
        data={"scripts/tool": b"#!python\n", "data/share/x": b"x"},
        entry_points={"console_scripts": {"demo": "demo:main"}},
    )

    found = files(store, made_with_exception(store, made))

    # What basestore writes itself, scripts and INSTALLER, has its hash.
    untold = {"METADATA", "WHEEL", "entry_points.txt", "RECORD"}
    assert bare(found) == {*FILES, *(f"{INFO}/{n}" for n in untold), "opt/venv/share/x"}
    assert "../../../share/x,," in (found[f"{SITE}/{INFO}/RECORD"].content or b"").decode()


def test_files_that_move_keep_what_is_said_of_them(store: Store) -> None:
    data = {"scripts/tool": b"#!python\n", "data/share/x": b"x", "purelib/y.py": b"y"}
    made = make_wheel("demo", data=data, record=record_without("demo-1.0.data/data/share/x"))

    found = files(store, made_with_exception(store, made))

    assert bare(found) == {"opt/venv/share/x", f"{INFO}/RECORD"}


def test_signatures_need_no_row(store: Store) -> None:
    signed = {"RECORD.jws": b"{}", "RECORD.p7s": b"p"}
    made = make_wheel("demo", extra_dist_info=signed, record=lambda rows, path: b"")

    rows = rows_of(files(store, made_with_exception(store, made)))

    assert not [path for path in rows if "RECORD." in path]


_CHANGES = st.tuples(
    st.sets(st.sampled_from([*FILES, f"{INFO}/METADATA"])),  # not listed
    st.lists(st.sampled_from(["ghost", "../x", "/x", "demo", "demo/two.py/x", "./demo/two.py"])),
    st.sets(st.sampled_from([*FILES])),  # listed twice
    st.booleans(),  # RECORD lists itself
)


@given(changes=_CHANGES)
def test_whatever_record_says_the_installed_one_lists_what_is_there(
    tmp_path_factory: pytest.TempPathFactory,
    changes: tuple[set[str], list[str], set[str], bool],
) -> None:
    unlisted, ghosts, doubled, itself = changes

    def record(rows: Sequence[Row], path: str) -> bytes:
        kept = [row for row in rows if row[0] not in unlisted]
        kept += [(ghost, b"") for ghost in ghosts]
        kept += [row for row in kept if row[0] in doubled]
        said = right_record(kept, path)
        return said if itself else said.replace(f"{path},,\n".encode(), b"")

    store = new_store(tmp_path_factory.mktemp("store"))
    made = make_wheel("demo", files=FILES, record=record)

    assert bare(files(store, made_with_exception(store, made))) == {*unlisted, f"{INFO}/RECORD"}


# --- what an exception is part of


def test_an_exception_that_isnt_needed_changes_no_layer_but_its_recipe(store: Store) -> None:
    plain = recipe_of([keep(store, make_wheel("demo"))])
    other = excepted(plain, "demo")

    assert plain.digest != other.digest
    assert make(plain, workshop(store)).layer == make(other, workshop(store)).layer


def test_a_layer_of_an_excepted_wheel_is_given_to_no_lock_without_the_exception(
    store: Store,
) -> None:
    made = make_wheel("demo", record=record_with("demo/ghost.py"))
    made_with_exception(store, made)

    with pytest.raises(BadRecordError):
        realise(recipe_of([keep(store, made)]), workshop(store))


def test_a_plan_excepts_the_named_wheels_where_they_lie(store: Store) -> None:
    wheels = [keep(store, make_wheel(name)) for name in ("demo", "other")]
    platform = PlatformLock(Platform("amd64"), "3.11.2", "2.36", (), tuple(wheels))
    without = Lock("runtime", ImageConfig(), (platform,), ("runtime",))
    having = Lock(
        "runtime", ImageConfig(), (platform,), ("runtime",), record_exceptions={"other": "old"}
    )

    before, after = plan(without, platform)[1:], plan(having, platform)[1:]

    changed = [two for one, two in zip(before, after, strict=True) if one.digest != two.digest]
    assert [one.record_exceptions for one in changed if isinstance(one, WheelsRecipe)] == [
        ("other",)
    ]


def test_a_recipe_without_exceptions_has_the_digest_it_always_had() -> None:
    """As written down in docs/layer-format.md."""
    recipe = WheelsRecipe("3.11", (), ())
    body = (
        b'{"kind":"wheels","layout":0,"omitted":[],"python":"3.11","venv":"opt/venv","wheels":[]}'
    )

    assert recipe.digest == Digest(hashlib.sha256(body).hexdigest())


# --- refused


def test_an_exception_is_of_its_package_alone(store: Store) -> None:
    wheels = [
        keep(store, make_wheel(name, record=record_with("ghost.py"))) for name in ("demo", "other")
    ]

    with pytest.raises(BadRecordError, match=r"^other-1\.0"):
        make(excepted(recipe_of(wheels), "demo"), workshop(store))


@pytest.mark.parametrize(
    "made",
    [
        make_wheel("demo", record=lambda rows, path: b"\xff"),
        make_wheel("demo", record=lambda rows, path: b"demo/__init__.py\n"),
        MadeWheel("demo-2.0-py3-none-any.whl", make_wheel("demo").data),
        make_wheel("demo", data={"nowhere/x": b""}),
    ],
)
def test_all_else_is_refused_all_the_same(store: Store, made: MadeWheel) -> None:
    with pytest.raises(BadZipError) as caught:
        made_with_exception(store, made)
    assert "record-exceptions" not in caught.value.hint


@pytest.mark.parametrize(
    ("file", "package"),
    [("Demo_Pkg.x-1.0-py3-none-any.whl", "demo-pkg-x"), ("demo-1.0-py3-none-any.whl", "demo")],
)
def test_the_way_out_names_the_package(file: str, package: str) -> None:
    error = BadRecordError(file, "it has no RECORD")

    assert error.package == package
    assert f'[record-exceptions] {package} = "' in error.hint


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (make_wheel("demo", record=record_without("demo/__init__.py")), "doesn't list"),
        (make_wheel("demo", record=record_with("demo/ghost.py")), "doesn't hold"),
        (make_wheel("demo", record=twice), "twice"),
        (without_record(), "has no demo-1.0.dist-info/RECORD"),
    ],
)
def test_without_an_exception_the_way_out_is_told(
    store: Store, made: MadeWheel, reason: str
) -> None:
    with pytest.raises(BadRecordError, match=reason) as caught:
        make(recipe_of([keep(store, made)]), workshop(store))
    assert "[record-exceptions] demo = " in caught.value.hint


# --- held to hashes when asked


def compared(made: MadeWheel, folder: Path) -> Compared:
    with made.write(folder).open("rb") as file:
        return compare_contents(file, made.file)


def test_what_is_untrue_is_told_of_an_excepted_wheel(tmp_path: Path) -> None:
    def record(rows: Sequence[Row], path: str) -> bytes:
        kept = [row for row in rows if row[0] != "demo/two.py"]
        said = record_with_wrong_hash("demo/__init__.py")([*kept, ("ghost", b"")], path)
        return said.replace(right_row(b"")[0].encode(), b"", 1)

    found = compared(make_wheel("demo", files=FILES, record=record), tmp_path)

    assert found.files == 2
    assert found.faults == (
        "its RECORD doesn't list demo/two.py",
        "its RECORD lists ghost, which it doesn't hold",
        "demo/__init__.py is not what its RECORD says",
        "its RECORD has no strong hash of demo/empty",
    )
    assert str(found).endswith("demo/__init__.py is not what its RECORD says; 1 more such")


def test_that_nothing_is_untrue_is_told_too(tmp_path: Path) -> None:
    found = compared(make_wheel("demo"), tmp_path)

    assert found == Compared(3, ())
    assert "nothing in it is untrue" in str(found)


def test_a_wheel_without_record_has_nothing_to_be_held_to(tmp_path: Path) -> None:
    found = compared(without_record(), tmp_path)

    assert found == Compared(0, ("it has no RECORD",))


def test_progress_is_told_in_bytes_read(tmp_path: Path) -> None:
    made = make_wheel("demo", files={"demo/x": bytes(range(256)) * 400})
    told: list[int] = []
    with made.write(tmp_path).open("rb") as file:
        check_contents(file, made.file, told.append)

    assert 0 < sum(told) < len(made.data)
    assert len(told) == 3
