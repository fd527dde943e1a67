"""What only shows when a whole image is looked at: places taken twice, names that look alike."""

from pathlib import Path

import pytest
from layers import AMD64, SITE, foundation_of, keep, new_store, recipe_of, recorded, workshop
from wheelmaker import MadeWheel, make_wheel

from basestore.errors import ExitCode
from basestore.image.assemble import Realised
from basestore.image.check import check_image, colliding_paths
from basestore.layer.entry import Entry, file, symlink
from basestore.layer.listing import Listing
from basestore.layer.realise import PathConflictError, make
from basestore.store import Store

ENVIRONMENT = ("bin/python", "bin/python3", "bin/python3.11", "lib64", "pyvenv.cfg")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def layers(store: Store, *made: MadeWheel) -> Realised:
    """The environment's own files, and a layer for each wheel."""
    entries: list[Entry] = [symlink(f"opt/venv/{name}", "elsewhere") for name in ENVIRONMENT[:-1]]
    entries.append(file("opt/venv/pyvenv.cfg", b"home = /usr/bin\n"))
    recipes = [recipe_of([keep(store, wheel)]) for wheel in made]
    own = (foundation_of(), recorded(store, foundation_of(), entries))
    return [own, *((recipe, make(recipe, workshop(store))) for recipe in recipes)]


TAKING = {
    **{f"data {name}": {"data": {f"data/{name}": b"evil"}} for name in ENVIRONMENT},
    **{f"script {name}": {"data": {f"scripts/{name[4:]}": b"evil"}} for name in ENVIRONMENT[:3]},
    "entry point": {"entry_points": {"console_scripts": {"python": "demo:main"}}},
    "window": {"entry_points": {"gui_scripts": {"python3": "demo:main"}}},
    "below a link": {"data": {"data/lib64/python3.11/site-packages/os.py": b"evil"}},
}


@pytest.mark.parametrize("case", TAKING)
def test_nothing_takes_the_place_of_the_environments_own(store: Store, case: str) -> None:
    made = make_wheel("demo", **TAKING[case])  # type: ignore[arg-type]
    with pytest.raises(PathConflictError, match="the foundation and demo both bring") as caught:
        check_image(store, AMD64, layers(store, made))
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def listing(*paths: str) -> Listing:
    return Listing(files=dict.fromkeys(paths, (0, 0)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("usr/Readme", "usr/README"),
        ("usr/é", "usr/e\u0301"),
        ("usr/É", "usr/e\u0301"),
        ("usr/straße", "usr/STRASSE"),
        ("usr/\u212b", "usr/å"),
    ],
)
def test_names_that_are_one_elsewhere_are_told(one: str, other: str) -> None:
    first, second = sorted((one, other))

    assert list(colliding_paths([listing(one), listing(other)])) == [(first, second)]
    assert list(colliding_paths([listing(one, other)])) == [(first, second)]


def test_of_folders_that_are_alike_only_they_are_told() -> None:
    found = colliding_paths([listing("a/Lib/x", "a/lib/x", "a/lib/y")])

    assert list(found) == [("a/Lib", "a/lib")]


def test_what_a_base_was_told_of_is_not_told_again() -> None:
    old, new = listing("a/X", "a/x", "b/X"), listing("b/x")

    assert list(colliding_paths([old, new], told=1)) == [("b/X", "b/x")]


def test_names_that_differ_are_not_alike() -> None:
    assert list(colliding_paths([listing("a/x", "b/x", "a/y", "a/x.py", "a/é", "a/e")])) == []


def test_a_build_warns_of_them(store: Store) -> None:
    made = make_wheel("demo", files={"demo/Data.txt": b"1", "demo/data.txt": b"2"})
    (warning,) = check_image(store, AMD64, layers(store, made))

    assert warning == (
        f"linux/amd64: /{SITE}/demo/Data.txt and /{SITE}/demo/data.txt are one file where letter "
        "case or Unicode form is ignored"
    )
