"""Realising: recipes become layers, byte for byte those of the golden files.

``PYTHONPATH=tests python tests/unit/test_realise.py`` writes the golden files anew: only where the
layer format is meant to change, together with its number.
"""

import hashlib
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from layers import (
    AMD64,
    ARM64,
    SITE,
    Unwatched,
    files,
    held_to_digests,
    installed,
    keep,
    listed,
    members,
    new_store,
    recipe_of,
    workshop,
)
from wheelmaker import MadeWheel, Row, make_wheel, right_record
from zipbytes import STORED, UTF8, Item, zip_bytes

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.layer.entry import Encoded, Entry, Kind, encoded, file, folder, symlink
from basestore.layer.listing import Listing
from basestore.layer.realise import (
    NotReproducibleError,
    PathConflictError,
    brought,
    make,
    realise,
    remake,
    runner_of,
)
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.writer import LayerWriter
from basestore.lock.model import ImageConfig, Lock, PlatformLock
from basestore.recipe.model import FoundationRecipe
from basestore.store import MissingBlobError, Realisation, Store

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


# --- golden


def by_items(name: str, *items: Item) -> MadeWheel:
    """A wheel whose bytes are the same everywhere, unlike those that zlib compresses."""
    info = f"{name}-1.0.dist-info"
    rows: list[Row] = [(item.name, item.content) for item in items]
    rows.append((f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\n".encode()))
    rows.append((f"{info}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"))
    rows.append((f"{info}/RECORD", right_record(rows, f"{info}/RECORD")))
    more = [Item(path, content, flags=UTF8) for path, content in rows[len(items) :]]
    return MadeWheel(f"{name}-1.0-py3-none-any.whl", zip_bytes([*items, *more]))


def noise(count: int) -> bytes:
    """Bytes that don't shrink, the same everywhere."""
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(count // 32 + 1))
    return b"".join(blocks)[:count]


def golden_wheels() -> list[MadeWheel]:
    lines = b"".join(b"line %d\n" % number for number in range(50_000))
    plain = by_items(
        "plain",
        Item("plain/__init__.py", b""),
        Item("plain/data.txt", lines),
        Item("plain/noise.bin", noise(200_000), STORED),
        Item("plain/run", b"#!/bin/sh\n", mode=0o100755),
        Item("plain/été/ünï.txt", b"u" * 100, flags=UTF8),
        Item(f"plain/{'long' * 20}.py", b"x = 1\n"),
        Item(f"plain/{'very-long' * 20}.py", b"x = 2\n"),
        Item("space/plain.py", b"y = 2\n"),
    )
    scripted = by_items(
        "scripted",
        Item("scripted.py", b"def main(): ...\n"),
        Item("scripted-1.0.data/scripts/tool", b"#!python -E\nprint(1)\n"),
        Item("scripted-1.0.data/data/share/doc/x", b"x"),
        Item("scripted-1.0.data/headers/s.h", b"#define S\n"),
        Item(
            "scripted-1.0.dist-info/entry_points.txt", b"[console_scripts]\nrun = scripted:main\n"
        ),
        Item("space/scripted.py", b"z = 3\n"),
    )
    return [plain, scripted]


def golden_entries() -> list[Entry]:
    """What the foundation has and wheels don't: owners, links, special bits, big files."""
    big = b"".join(b"%d %d\n" % (number, number**3) for number in range(200_000)) * 2
    return [
        folder("etc"),
        file("etc/shadow", b"root:*:::::::\n", 0o640),
        folder("tmp", 0o1777),
        folder("usr"),
        Entry("usr/big", Kind.FILE, 0o644, (encoded(big),)),
        Entry("usr/empty", Kind.FILE, 0o4755, (), "", 0, 42),
        Entry("usr/hard", Kind.HARDLINK, 0o644, (), "usr/big"),
        symlink("usr/link", "../" * 50 + "etc"),
        Entry("usr/noise", Kind.FILE, 0o600, (Encoded(70_000, lambda: iter([noise(70_000)])),)),
        symlink("usr/ö", "é"),
    ]


def written(store: Store, entries: Sequence[Entry]) -> Realisation:
    made = LayerWriter(store, Unwatched()).write(entries)
    blobs, segments = made.blobs, made.segments
    return Realisation(made.layer, made.diff_id, made.size, blobs, segments, segments)


def golden_layers(store: Store) -> dict[str, Realisation]:
    wheels = [keep(store, made) for made in golden_wheels()]
    return {
        "layer-wheels.txt": make(recipe_of(wheels), workshop(store)),
        "layer-entries.txt": written(store, golden_entries()),
    }


def golden_text(store: Store, layer: Realisation) -> list[str]:
    """The members first, so that a difference is seen there before the digests tell it."""
    numbers = [f"diff_id {layer.diff_id}", f"layer {layer.layer}", f"size {layer.size}"]
    return [*listed(held_to_digests(store, layer)), *numbers]


@pytest.mark.parametrize("name", ["layer-wheels.txt", "layer-entries.txt"])
def test_layers_are_the_golden_ones(store: Store, name: str) -> None:
    expected = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    found = golden_text(store, golden_layers(store)[name])

    differing = [line for line in found if line not in expected]
    missing = [line for line in expected if line not in found]
    assert (differing, missing) == ([], [])
    assert found == expected


# --- one layer of several wheels


def test_a_layer_holds_every_folder_once_and_is_sorted_by_bytes(store: Store) -> None:
    made = [
        make_wheel("a", files={"space/a.py": b"a", "space-x/y.py": b"y", "Z.py": b"z"}),
        make_wheel("b", files={"space/b.py": b"b", "spacé.py": b"", "space/sub/c.py": b"c"}),
    ]
    realisation = make(recipe_of([keep(store, wheel) for wheel in made]), workshop(store))
    found = members(held_to_digests(store, realisation))

    paths = [member.path for member in found]
    assert paths == sorted(paths, key=str.encode)
    assert len(paths) == len(set(paths))
    folders = {member.path: member.mode for member in found if member.type == tarfile.DIRTYPE}
    parents = {path.rpartition("/")[0] for path in paths} - {""}
    assert folders.keys() == parents
    assert set(folders.values()) == {0o755}
    assert "opt" in folders


def test_an_installation_is_the_same_whatever_the_order_of_files_in_the_wheel(
    store: Store,
) -> None:
    files = {"demo/a.py": b"a", "demo/b.py": b"b"}
    one = installed(store, make_wheel("demo", files=files))
    other = installed(store, make_wheel("demo", files=dict(reversed(files.items()))))

    record = f"{SITE}/demo-1.0.dist-info/RECORD"
    assert one.keys() == other.keys()
    assert {k: v for k, v in one.items() if k != record} == {
        k: v for k, v in other.items() if k != record
    }


def test_the_same_recipe_gives_the_same_layer_in_every_store(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        store = new_store(tmp_path / name)
        found.append(golden_layers(store)["layer-wheels.txt"])

    assert found[0] == found[1]


def test_the_listing_tells_files_and_what_elf_files_need(store: Store) -> None:
    made = make_wheel("demo", files={"demo/a.py": b"abc", "demo/broken.so": b"\x7fELF\x02\x01junk"})
    realisation = make(recipe_of([keep(store, made)]), workshop(store))
    listing = Listing.from_bytes(store.blobs.read(realisation.listing))

    assert listing.files[f"{SITE}/demo/a.py"] == (3, 0x352441C2)
    assert listing.files.keys() == files(store, realisation).keys()
    assert listing.dynamic == {}


def test_a_missing_wheel_is_named(store: Store) -> None:
    wheel = keep(new_store(store.root / "other"), make_wheel("demo"))

    with pytest.raises(MissingBlobError, match=str(wheel.sha256)):
        make(recipe_of([wheel]), workshop(store))


def test_a_refused_wheel_leaves_no_record_and_no_scratch(store: Store) -> None:
    wheel = keep(store, MadeWheel("demo-1.0-py3-none-any.whl", b"no zip"))

    with pytest.raises(BadZipError):
        make(recipe_of([wheel]), workshop(store))
    assert [path.name for path in (store.root / "blobs").rglob("*") if path.is_file()] == [
        wheel.sha256.hex
    ]
    assert not list(store.root.rglob("*.json"))
    assert not list((store.root / "scratch").iterdir())


# --- one path, several packages

SHARED = "shared/__init__.py"


def pair(one: bytes, other: bytes) -> tuple[MadeWheel, MadeWheel]:
    return make_wheel("one", files={SHARED: one}), make_wheel("two", files={SHARED: other})


def test_one_path_with_the_same_content_is_there_once(store: Store) -> None:
    found = installed(store, *pair(b"same", b"same"))

    assert found[f"{SITE}/{SHARED}"].content == b"same"


def test_the_same_content_may_be_compressed_in_another_way(store: Store) -> None:
    one = make_wheel("one", files={SHARED: b"same" * 50})
    two = make_wheel("two", files={SHARED: b"same" * 50}, stored=["*"])

    assert installed(store, one, two)[f"{SITE}/{SHARED}"].content == b"same" * 50


def test_one_path_with_other_content_names_both_packages(store: Store) -> None:
    with pytest.raises(PathConflictError) as caught:
        installed(store, *pair(b"one", b"two"))

    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert caught.value.packages == ("one", "two")
    assert caught.value.path == f"{SITE}/{SHARED}"
    assert "one and two both bring" in caught.value.message
    inside = f"lib/python3.11/site-packages/{SHARED}"
    assert f'"{inside}" = ["one", "two"]' in caught.value.hint


def test_other_permissions_are_a_conflict_too(store: Store) -> None:
    one = make_wheel("one", files={SHARED: b"x"})
    two = make_wheel("two", files={SHARED: b"x"}, executable=[SHARED])

    with pytest.raises(PathConflictError):
        installed(store, one, two)


def test_two_packages_with_one_script_conflict(store: Store) -> None:
    one = make_wheel("one", entry_points={"console_scripts": {"run": "one:main"}})
    two = make_wheel("two", entry_points={"console_scripts": {"run": "two:main"}})

    with pytest.raises(PathConflictError, match="opt/venv/bin/run"):
        installed(store, one, two)
    same = make_wheel("three", entry_points={"console_scripts": {"run": "one:main"}})
    assert "opt/venv/bin/run" in installed(store, one, same)


@pytest.mark.parametrize("winner", ["one", "two"])
def test_a_path_that_is_left_to_another_comes_from_there(store: Store, winner: str) -> None:
    wheels = [keep(store, made) for made in pair(b"one", b"two")]
    path = f"{SITE}/{SHARED}"
    omitted = [() if wheel.name == winner else (path,) for wheel in wheels]
    found = files(store, make(recipe_of(wheels, omitted), workshop(store)))

    assert found[path].content == winner.encode()


@pytest.mark.parametrize("first", ["file", "folder"])
def test_a_file_where_another_package_has_a_folder_names_both(store: Store, first: str) -> None:
    made = {
        "file": make_wheel("plain", files={"thing": b"x"}),
        "folder": make_wheel("deep", files={"thing/sub/mod.py": b"y"}),
    }
    ordered = [made.pop(first), *made.values()]

    with pytest.raises(PathConflictError) as caught:
        installed(store, *ordered)
    assert caught.value.path == f"{SITE}/thing"
    assert set(caught.value.packages) == {"plain", "deep"}


def test_the_owner_of_a_path_is_its_package(store: Store) -> None:
    recipe = recipe_of([keep(store, make_wheel(name)) for name in ("one", "two")])

    package, entry = brought(recipe, f"{SITE}/two/__init__.py", store)
    foundation = FoundationRecipe(AMD64, "3.11.2", ())

    assert package == "two"
    assert entry is not None
    assert entry.path == f"{SITE}/two/__init__.py"
    assert brought(foundation, "etc/passwd", store) == ("the foundation", None)


# --- again


def test_what_is_recorded_is_taken(store: Store) -> None:
    recipe = recipe_of([keep(store, make_wheel("demo"))])
    first = realise(recipe, workshop(store))
    before = store.root.joinpath("recipes").stat().st_mtime_ns
    stamps = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.json")}

    assert realise(recipe, workshop(store)) == first
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*.json")} == stamps
    assert store.root.joinpath("recipes").stat().st_mtime_ns == before


def test_what_has_lost_a_blob_is_made_again(store: Store) -> None:
    recipe = recipe_of([keep(store, make_wheel("demo"))])
    first = realise(recipe, workshop(store))
    for blob in (first.blobs[0], first.segments, first.listing):
        store.blobs.path(blob).unlink()
        assert store.realisations.of_recipe(recipe.digest) is None
        assert realise(recipe, workshop(store)) == first
        assert held_to_digests(store, first)


def test_making_again_holds_the_layer_to_the_record(store: Store) -> None:
    recipe = recipe_of([keep(store, make_wheel("demo"))])
    first = make(recipe, workshop(store))

    assert remake(recipe, workshop(store)) == first
    store.realisations.record(recipe.digest, replace(first, layer=Digest.of(b"another")))
    with pytest.raises(NotReproducibleError) as caught:
        remake(recipe, workshop(store))
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert str(first.layer) in caught.value.message
    with pytest.raises(NotReproducibleError):  # the record is what it was
        remake(recipe, workshop(store))


def test_the_runner_is_a_foundation_that_the_host_can_run() -> None:
    platforms = tuple(PlatformLock(p, "3.11.2", "2.36", (), ()) for p in (AMD64, ARM64))
    lock = Lock("runtime", ImageConfig(), platforms)

    assert runner_of(lock, ARM64).platform == ARM64
    assert runner_of(lock, AMD64).platform == AMD64
    assert runner_of(replace(lock, platforms=platforms[1:]), AMD64).platform == ARM64
    assert runner_of(lock, None).platform == AMD64


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        opened = Store.open(Path(temporary))
        for golden, layer in golden_layers(opened).items():
            text = "".join(f"{line}\n" for line in golden_text(opened, layer))
            (GOLDEN / golden).write_text(text, encoding="utf-8")
