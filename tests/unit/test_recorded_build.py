"""What is recorded of a build counts only for the very lock it was made from."""

import json
from pathlib import Path

import pytest
from images import LOCK, kept_image
from layers import digest_of, keep, new_store, recipe_of, workshop
from locked_project import make_project
from wheelmaker import make_wheel, record_without

from basestore.digest import Digest
from basestore.image.stored import image_of
from basestore.layer.realise import make
from basestore.layer.wheel.content import check_contents
from basestore.layer.wheel.errors import BadZipError
from basestore.lock.codec import EditedLockError
from basestore.pipeline.locked import read_locked
from basestore.profile.project import read_project
from basestore.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def test_an_image_is_found_for_its_own_lock_only(store: Store) -> None:
    image = kept_image(store).image

    assert image_of(store, image.digest, LOCK) == image
    assert image_of(store, image.digest, digest_of(b"another lock")) is None


@pytest.mark.parametrize("content", [b"PK\x03\x04\xff", b"3", b"[]", b"{}", b'"text"'])
def test_a_digest_of_something_else_names_no_image(store: Store, content: bytes) -> None:
    assert image_of(store, store.blobs.add(content), LOCK) is None


def test_a_lock_under_another_profiles_name_is_not_built(tmp_path: Path) -> None:
    make_project(tmp_path)
    locks = tmp_path / "locks"
    (locks / "cpu.lock").write_bytes((locks / "runtime.lock").read_bytes())
    project = read_project(tmp_path)

    assert read_locked(project, "runtime").parse().profile == "runtime"
    with pytest.raises(EditedLockError) as caught:
        read_locked(project, "cpu").parse()
    assert "runtime" in caught.value.message
    assert "locks/cpu.lock" in caught.value.message


@pytest.mark.parametrize("record", [["layer"], "layer", 3, {"other": 1}, {"layer": 3}])
def test_a_recipes_record_of_another_form_counts_as_none(store: Store, record: object) -> None:
    recipe = recipe_of([keep(store, make_wheel("demo"))])
    make(recipe, workshop(store))
    (file,) = (store.root / "recipes").rglob("*.json")
    assert store.realisations.of_recipe(recipe.digest)
    file.write_text(json.dumps(record))

    assert store.realisations.of_recipe(recipe.digest) is None


def test_contents_are_not_right_where_record_leaves_one_out(tmp_path: Path) -> None:
    whole = make_wheel("demo", files={"demo/a.py": b"a"})
    short = make_wheel("demo", files={"demo/a.py": b"a"}, record=record_without("demo/a.py"))
    for wheel in (whole, short):
        (tmp_path / Digest.of(wheel.data).hex).write_bytes(wheel.data)

    with (tmp_path / Digest.of(whole.data).hex).open("rb") as file:
        assert check_contents(file, whole.file) > 1
    with (tmp_path / Digest.of(short.data).hex).open("rb") as file, pytest.raises(BadZipError):
        check_contents(file, short.file)
