"""Checks over a whole image: paths that two layers bring, and libraries that nobody brings."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from debbytes import elf
from layers import AMD64, SITE, files, foundation_of, keep, new_store, recipe_of, recorded, workshop
from wheelmaker import MadeWheel, make_wheel

from basestore.errors import ExitCode
from basestore.image.assemble import Realised
from basestore.image.check import check_image, missing_libraries
from basestore.layer.entry import Entry, file, folder, symlink
from basestore.layer.listing import Dynamic, Listing
from basestore.layer.realise import PathConflictError, make
from basestore.layer.wheel.scripts import entry_point_scripts
from basestore.lock.model import ImageConfig, Lock, PlatformLock, Wheel
from basestore.recipe.plan import SHAPE, plan
from basestore.store import Store

SHARED = "shared/data.txt"
PATH = f"{SITE}/{SHARED}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def apart(store: Store, *made: MadeWheel) -> Realised:
    """A layer for each wheel."""
    recipes = [recipe_of([keep(store, wheel)]) for wheel in made]
    return [(recipe, make(recipe, workshop(store))) for recipe in recipes]


def system(store: Store, *entries: Entry) -> Realised:
    """A foundation's layer with these entries."""
    recipe = foundation_of()
    return [(recipe, recorded(store, recipe, entries))]


def conflict(store: Store, realised: Realised) -> PathConflictError:
    with pytest.raises(PathConflictError) as caught:
        check_image(store, AMD64, realised)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    return caught.value


# --- conflicts


def test_layers_without_a_common_path_agree(store: Store) -> None:
    realised = apart(store, make_wheel("one"), make_wheel("two"))

    assert check_image(store, AMD64, [*system(store, folder("etc")), *realised]) == ()


def test_the_same_content_in_two_layers_is_no_conflict(store: Store) -> None:
    made = [
        make_wheel("one", files={SHARED: b"same" * 50}),
        make_wheel("two", files={SHARED: b"same" * 50}, stored=["*"]),
    ]

    assert check_image(store, AMD64, apart(store, *made)) == ()


def test_other_content_in_two_layers_names_both_packages(store: Store) -> None:
    made = [make_wheel(name, files={SHARED: name.encode()}) for name in ("one", "two")]
    error = conflict(store, apart(store, *made))

    assert (error.path, error.packages) == (PATH, ("one", "two"))
    assert '["one", "two"]' in error.hint


def test_contents_with_one_size_and_crc32_conflict_all_the_same(store: Store) -> None:
    """CRC-32 is no proof: these two words have the same one."""
    made = [make_wheel("one", files={SHARED: b"plumless"}, stored=["*"])]
    made.append(make_wheel("two", files={SHARED: b"buckeroo"}, stored=["*"]))

    assert conflict(store, apart(store, *made)).packages == ("one", "two")
    with pytest.raises(PathConflictError):
        make(recipe_of([keep(store, wheel) for wheel in made]), workshop(store))


def test_a_copied_and_a_generated_file_may_be_the_same(store: Store) -> None:
    """A script that one wheel brings is the one that the other's entry point becomes."""
    listed = b"[console_scripts]\ntool = tool:main\n"
    script = entry_point_scripts(listed, "/opt/venv/bin/python", "one")["tool"]
    made = [
        make_wheel("one", entry_points={"console_scripts": {"tool": "tool:main"}}),
        make_wheel("two", data={"scripts/tool": script}),
    ]

    assert check_image(store, AMD64, apart(store, *made)) == ()
    assert make(recipe_of([keep(store, wheel) for wheel in made]), workshop(store))


def test_a_wheel_and_the_foundation_may_conflict(store: Store) -> None:
    lower = system(store, symlink("opt/venv/bin/python", "/usr/bin/python3.11"))
    made = make_wheel("demo", data={"scripts/python": b"#!/bin/sh\n"})
    error = conflict(store, [*lower, *apart(store, made)])

    assert (error.path, error.packages) == ("opt/venv/bin/python", ("the foundation", "demo"))


def test_two_links_to_different_places_conflict(store: Store) -> None:
    one = foundation_of()
    two = replace(one, python="3.11.9")
    layers = [
        (recipe, recorded(store, recipe, [symlink("lib", target)]))
        for recipe, target in ((one, "usr/lib"), (two, "usr/lib64"))
    ]

    assert conflict(store, layers).path == "lib"


@pytest.mark.parametrize("first", [0, 1])
def test_a_file_of_one_and_a_folder_of_another_conflict(store: Store, first: int) -> None:
    made = [
        make_wheel("plain", files={"thing": b"x"}),
        make_wheel("deep", files={"thing/sub/mod.py": b"y"}),
    ]
    error = conflict(store, apart(store, made[first], made[1 - first]))

    assert error.path == f"{SITE}/thing"
    assert set(error.packages) == {"plain", "deep"}


def test_a_folder_must_not_take_the_place_of_a_link(store: Store) -> None:
    """The link's target would be gone: every engine replaces what is no folder."""
    lower = system(store, symlink("opt/venv/lib64", "lib"))
    made = make_wheel("demo", data={"data/lib64/demo/x": b"x"})
    error = conflict(store, [*lower, *apart(store, made)])

    assert (error.path, error.packages) == ("opt/venv/lib64", ("the foundation", "demo"))


# --- allowed conflicts, from the lock on


def of_lock(store: Store, wheels: Sequence[Wheel], names: tuple[str, ...]) -> Realised:
    """The layers of a lock that allows the conflict, the last name winning."""
    inside = PATH.removeprefix("opt/venv/")
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), tuple(wheels))
    conflicts = {inside: names} if names else {}
    recipes = plan(Lock("runtime", ImageConfig(), (platform,), (), conflicts), platform)[1:]
    return [(recipe, make(recipe, workshop(store))) for recipe in recipes]


def content(store: Store, realised: Realised, path: str) -> list[bytes]:
    found = [files(store, layer).get(path) for _, layer in realised]
    return [member.content or b"" for member in found if member]


@pytest.mark.parametrize("apart", [False, True], ids=["one layer", "two layers"])
@pytest.mark.parametrize("names", [("six", "five"), ("five", "six")])
def test_an_allowed_conflict_is_won_by_the_last(
    store: Store, names: tuple[str, ...], apart: bool
) -> None:
    """``five`` and ``six`` share a bucket; a heavy wheel has a layer of its own."""
    wheels = [
        keep(store, make_wheel(name, files={SHARED: name.encode()})) for name in ("five", "six")
    ]
    if apart:
        wheels[1] = replace(wheels[1], size=SHAPE.heavy)
    realised = of_lock(store, wheels, names)

    assert len(realised) == 1 + apart
    assert check_image(store, AMD64, realised) == ()
    assert content(store, realised, PATH) == [names[-1].encode()]


@pytest.mark.parametrize("heavy", [False, True], ids=["one layer", "two layers"])
def test_a_third_package_that_isnt_named_still_conflicts(store: Store, heavy: bool) -> None:
    wheels = [
        keep(store, make_wheel(name, files={SHARED: name.encode()}))
        for name in ("five", "six", "ten")
    ]
    if heavy:
        wheels = [replace(wheel, size=SHAPE.heavy) for wheel in wheels]

    with pytest.raises(PathConflictError) as caught:
        check_image(store, AMD64, of_lock(store, wheels, ("five", "six")))
    assert set(caught.value.packages) == {"six", "ten"}


# --- libraries


def library(*needed: str, soname: str = "") -> Dynamic:
    return Dynamic(soname, needed)


def missing(*listings: Listing) -> list[tuple[str, str]]:
    return list(missing_libraries(listings))


def test_what_nobody_brings_is_told_with_who_needs_it() -> None:
    upper = Listing(
        files={"a.so": (1, 1), "b.so": (1, 1)},
        dynamic={"b.so": library("libx.so.1", "libc.so.6"), "a.so": library("libx.so.1")},
    )
    lower = Listing(files={"usr/lib/x86_64-linux-gnu/libc.so.6": (1, 1)})

    assert missing(lower, upper) == [("a.so", "libx.so.1"), ("b.so", "libx.so.1")]


@pytest.mark.parametrize(
    "other",
    [
        Listing(files={"usr/lib/libx.so.1": (1, 1)}),
        Listing(links={"usr/lib/libx.so.1": "libx.so.1.2"}),
        Listing(
            files={"opt/x/_x.so": (1, 1)}, dynamic={"opt/x/_x.so": library(soname="libx.so.1")}
        ),
    ],
)
def test_files_links_and_sonames_count_in_any_layer(other: Listing) -> None:
    upper = Listing(dynamic={"a.so": library("libx.so.1")})

    assert missing(other, upper) == missing(upper, other) == []


def test_check_image_reads_the_real_files(store: Store) -> None:
    lower = system(
        store,
        folder("usr"),
        file("usr/libc.so.6", elf(soname="libc.so.6")),
        file("usr/libm-2.36.so", elf(soname="libm.so.6", needed=["libc.so.6"])),
    )
    native = elf(needed=["libc.so.6", "libm.so.6", "libgomp.so.1"])
    made = make_wheel("demo", files={"demo/_native.so": native, "demo/data.so": b"\x7fELF"})

    assert check_image(store, AMD64, [*lower, *apart(store, made)]) == (
        f"linux/amd64: /{SITE}/demo/_native.so needs libgomp.so.1, which the image lacks",
    )


def test_a_listing_is_read_back(store: Store) -> None:
    listing = Listing(
        files={f"f{number}": (number, number * 7) for number in range(100_000)} | {"é": (2**40, 0)},
        links={"a": "b"},
        dynamic={"x.so": Dynamic("libx.so.1", ("liby.so", "libz.so"))},
    )

    assert Listing.from_bytes(listing.to_bytes()) == listing
