"""The layer of an application: its bytes, and that nothing but the recipe decides about them."""

import io
import os
import random
import tarfile
from pathlib import Path

import pytest
from applying import paths, project, read, workshop
from layers import Member, held_to_digests, layer_bytes, listed, members, new_store

from basestore.errors import ExitCode
from basestore.image.check import check_conflicts
from basestore.layer.apart import make_all
from basestore.layer.application.errors import ChangedFileError, UnreadableFileError
from basestore.layer.listing import Listing
from basestore.layer.realise import PathConflictError, brought, make, realise, remake
from basestore.recipe.model import FoundationRecipe
from basestore.store import Store
from basestore.target import Platform

GOLDEN_RECIPE = "d716ee88894206a19d2dd61238be3d85c75e21a5d8060bf61fe58b22642195f3"
GOLDEN_DIFF_ID = "05e40f71a1b9ec4a2767e339b53974bdf47a2b9dd4c44e4f1f8e1797f90a503b"
GOLDEN_LAYER = "b6aadd996a2781181e2d870cd687f63a3bf6211c5e026c8e38d7af87cc08c175"
GOLDEN_SIZE = 851
GOLDEN_ENTRIES = [
    "folder 0755 0:0 0 - app",
    "folder 0755 0:0 0 - app/app",
    "file 0644 0:0 0 e3b0c44298fc1c14 app/app/__init__.py",
    "file 0644 0:0 600 5b2c4fc87af81c17 app/app/main.py",
    "file 0755 0:0 29 5cd04479b085239c app/app/run",
    "link 0777 0:0 0 - app/app/start -> run",
    "file 0644 0:0 7 47a20475b2605939 app/app/été.txt",
    "folder 0700 0:0 0 - root",
    "file 0644 0:0 2 4355a46b19d348dc root/seed",
    "folder 1777 0:0 0 - tmp",
    "file 0644 0:0 2 4355a46b19d348dc tmp/seed",
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(
        tmp_path / "project",
        {
            "app/__init__.py": "",
            "app/main.py": "print('hello')\n" * 40,
            "app/run*": "#!/bin/sh\nexec python -m app\n",
            "app/été.txt": "summer\n",
            "seed": "1\n",
        },
    )
    (root / "app/start").symlink_to("run")
    return root


def tiny(root: Path) -> tuple[str | tuple[str, str], ...]:
    return "app", ("seed", "/tmp/seed"), ("seed", "/root/seed")


def test_the_layer_is_the_golden_one(root: Path, store: Store) -> None:
    found = read(root, *tiny(root))
    layer = make(found.recipe, workshop(store, found))
    tar = held_to_digests(store, layer)

    assert listed(tar) == GOLDEN_ENTRIES
    assert found.recipe.digest.hex == GOLDEN_RECIPE
    assert (layer.diff_id.hex, layer.layer.hex, layer.size) == (
        GOLDEN_DIFF_ID,
        GOLDEN_LAYER,
        GOLDEN_SIZE,
    )


def test_the_layer_holds_what_the_folder_holds(root: Path, store: Store) -> None:
    found = read(root, ("app", "/srv"))
    tar = held_to_digests(store, make(found.recipe, workshop(store, found)))
    files = [
        Member(
            f"srv/{path.name}",
            tarfile.REGTYPE,
            0o755 if path.name == "run" else 0o644,
            path.read_bytes(),
        )
        for path in (root / "app").iterdir()
        if not path.is_symlink()
    ]
    expected = [
        Member("srv", tarfile.DIRTYPE, 0o755),
        *files,
        Member("srv/start", tarfile.SYMTYPE, 0o777, None, "run"),
    ]

    assert members(tar) == sorted(expected, key=lambda member: member.path.encode())


def test_the_host_decides_no_byte(root: Path, tmp_path: Path) -> None:
    found = read(root, "app")
    before = make(found.recipe, workshop(new_store(tmp_path / "one"), found))

    for path in (root / "app").iterdir():
        os.utime(path, (1, 1), follow_symlinks=False)
        if os.geteuid() == 0:
            os.chown(path, 1234, 1234, follow_symlinks=False)
    (root / "app/main.py").chmod(0o640)
    (root / "app/run").chmod(0o4711)
    (root / "app").chmod(0o700)
    mask = os.umask(0o077)
    try:
        again = read(root, "app")
        after = make(again.recipe, workshop(new_store(tmp_path / "two"), again))
    finally:
        os.umask(mask)

    assert again.recipe == found.recipe
    assert after == before


def test_folders_of_the_base_keep_their_permissions(root: Path, store: Store) -> None:
    found = read(root, ("seed", "/var/tmp/x/seed"), ("seed", "/var/mail/seed"))
    tar = held_to_digests(store, make(found.recipe, workshop(store, found)))

    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        folders = {m.name: (oct(m.mode), m.uid, m.gid) for m in archive if m.isdir()}
    assert folders == {
        "var": ("0o755", 0, 0),
        "var/mail": ("0o2775", 0, 8),
        "var/tmp": ("0o1777", 0, 0),
        "var/tmp/x": ("0o755", 0, 0),
    }


def test_large_files_are_streamed(root: Path, store: Store) -> None:
    content = random.Random(1).randbytes(9 * 1024 * 1024 + 17)
    project(root, {"large": content})
    found = read(root, ("large", "/large"))
    layer = make(found.recipe, workshop(store, found))

    assert [member.content for member in members(held_to_digests(store, layer))] == [content]


def test_what_is_recorded_is_taken_without_the_files(root: Path, store: Store) -> None:
    found = read(root, "app")
    first = realise(found.recipe, workshop(store, found))
    data = layer_bytes(store, first)
    for path in (root / "app").iterdir():
        path.unlink()

    assert realise(found.recipe, workshop(store, found)) == first
    assert layer_bytes(store, first) == data


def test_made_again_it_is_the_same(root: Path, store: Store) -> None:
    found = read(root, "app")
    first = realise(found.recipe, workshop(store, found))
    shop = workshop(store, found)

    assert remake(found.recipe, shop) == first
    assert make_all([found.recipe], shop, remake, lambda _: store.scratch(), 1) == {
        found.recipe: first
    }


@pytest.mark.parametrize("content", ["print('hullo')\n" * 40, "", "x" * 10_000])
def test_a_file_that_changes_meanwhile_is_noticed(root: Path, store: Store, content: str) -> None:
    found = read(root, "app")
    (root / "app/main.py").write_text(content)

    with pytest.raises(ChangedFileError, match=r"app/main\.py changed while it was read") as caught:
        make(found.recipe, workshop(store, found))
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert store.realisations.of_recipe(found.recipe.digest) is None
    assert not [path for path in (store.root / "blobs").rglob("*") if path.is_file()]


def test_a_file_that_goes_meanwhile_is_noticed(root: Path, store: Store) -> None:
    found = read(root, "app")
    (root / "app/main.py").unlink()
    with pytest.raises(ChangedFileError):
        make(found.recipe, workshop(store, found))

    (root / "app/main.py").symlink_to("run")
    with pytest.raises(UnreadableFileError, match=r"app/main\.py"):
        make(found.recipe, workshop(store, found))


def test_what_the_base_has_is_not_replaced(root: Path, store: Store) -> None:
    found = read(root, ("seed", "/etc/passwd"))
    listing = Listing(files={"etc/passwd": (2, 1)})
    base = FoundationRecipe(Platform("amd64"), "3.11.2", ())

    assert brought(found.recipe, "etc/passwd", store) == ("the application", None)
    with pytest.raises(PathConflictError) as caught:
        check_conflicts(store, [base, found.recipe], [listing, listing])
    assert "the foundation and the application both bring etc/passwd" in caught.value.message
    assert "`to`" in caught.value.hint


def test_equal_contents_are_read_from_one_of_their_files(root: Path, store: Store) -> None:
    found = read(root, ("seed", "/a/seed"), ("seed", "/b/seed"))
    tar = held_to_digests(store, make(found.recipe, workshop(store, found)))

    assert len(found.sources) == 1
    assert [member.content for member in members(tar) if member.content] == [b"1\n", b"1\n"]
    assert paths(found) == ["a/seed", "b/seed"]
