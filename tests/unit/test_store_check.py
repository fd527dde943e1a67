"""Checking and repairing: what is damaged is found, set aside, and brought back."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from layers import digest_of, new_store
from stored_project import StoredProject, stored_project

from basestore.digest import Digest
from basestore.image.stored import read_image
from basestore.layer.listing import Listing
from basestore.pipeline.recorded import Records
from basestore.pipeline.store_repair import Outcome, Repair, Repaired, lost
from basestore.pipeline.store_roots import ProjectMarker
from basestore.pipeline.store_verify import check_bytes, check_listing
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.sources.git import Git
from basestore.store import Realisation, Store
from basestore.store.check import Checked, Checker, CheckLayer
from basestore.store.collect import Collector
from basestore.store.quarantine import drop_records
from basestore.store.realisations import SegmentTable, place
from basestore.store.survey import Spare

FLIPS = 200


@pytest.fixture
def built(tmp_path: Path) -> StoredProject:
    return stored_project(tmp_path, new_store(tmp_path))


def checked(store: Store, check_layer: CheckLayer = check_listing) -> Checked:
    return Checker(Store.look(store.root), check_layer, 2, Progress()).run()


def marker(store: Store) -> ProjectMarker:
    return ProjectMarker(Store.look(store.root), lambda folder: Git(folder, {}))


def repaired(built: StoredProject) -> tuple[Repaired, ...]:
    here = Store.look(built.store.root)
    damage = checked(here).damage
    return Repair(here, marker(here), built.open, Progress()).run(damage)


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    overwrite(path, bytes(data))


def layers(store: Store) -> list[Realisation]:
    """All that are recorded."""
    files = sorted((store.root / "layers").rglob("*.json"))
    found = (store.realisations.recorded(Digest(file.stem)) for file in files)
    return [one for one in found if one]


def wheels_layer(built: StoredProject) -> Realisation:
    return next(one for one in layers(built.store) if len(one.blobs) > 1)


def image(built: StoredProject) -> Digest:
    return Records.read(read_project(built.root)).required("runtime").image


# --- found


@pytest.mark.parametrize("check_layer", [check_listing, check_bytes])
def test_a_store_as_it_was_written_is_whole(built: StoredProject, check_layer: CheckLayer) -> None:
    found = checked(built.store, check_layer)

    assert found.damage == ()
    assert found.incomplete == ()
    blobs = [path for path in (built.store.root / "blobs").rglob("*") if path.is_file()]
    assert (found.blobs, found.layers, found.roots) == (len(blobs), len(layers(built.store)), 1)
    assert found.recipes == len(list((built.store.root / "recipes").rglob("*.json")))
    assert found.bytes == sum(path.stat().st_size for path in blobs)


@pytest.mark.parametrize("data", [b"", b"other bytes"])
def test_a_blob_of_other_bytes_is_named(built: StoredProject, data: bytes) -> None:
    wheel = next(iter(built.index))
    overwrite(built.store.blobs.path(wheel), data)

    (damage,) = checked(built.store).damage
    assert (damage.what, damage.digest) == ("blob", wheel)
    assert wheel.hex in str(damage)


def test_a_file_that_no_digest_names_is_named(built: StoredProject) -> None:
    (built.store.root / "blobs" / "sha256" / "00").mkdir(exist_ok=True)
    (built.store.root / "blobs" / "sha256" / "00" / "stray").write_bytes(b"")

    (damage,) = checked(built.store).damage
    assert "stray" in str(damage)


@pytest.mark.parametrize("folder", ["layers", "recipes"])
@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff"])
def test_a_record_that_cant_be_read_is_named(
    built: StoredProject, folder: str, data: bytes
) -> None:
    path = next(iter(sorted((built.store.root / folder).rglob("*.json"))))
    path.write_bytes(data)

    (damage,) = checked(built.store).damage
    assert damage.path == path


def test_a_record_that_no_digest_names_is_named(built: StoredProject) -> None:
    whole = place(built.store.root / "layers", wheels_layer(built).layer)
    stray = whole.with_name("stray.json")
    stray.write_bytes(whole.read_bytes())

    (damage,) = checked(built.store).damage
    assert damage.path == stray


def test_a_blob_that_is_gone_is_no_damage(built: StoredProject) -> None:
    made = wheels_layer(built)
    built.store.blobs.path(made.blobs[0]).unlink()

    found = checked(built.store)
    assert found.damage == ()
    assert found.incomplete == (made.layer,)


def test_a_root_that_cant_be_read_is_named(built: StoredProject) -> None:
    (file,) = built.store.roots.files()
    file.write_bytes(b"{")

    (damage,) = checked(built.store).damage
    assert (damage.what, damage.path) == ("root", file)


def other_table(*rows: tuple[int, int, int]) -> Callable[[Store, Realisation], Digest]:
    def write(store: Store, _: Realisation) -> Digest:
        table = SegmentTable()
        for row in rows:
            table.add(*row)
        return store.blobs.add(table.finish())

    return write


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (other_table((0, 0, 10)), "10 bytes"),
        (other_table((0, 1 << 40, 5)), "beyond a blob's end"),
        (other_table((900, 0, 5)), "beyond a blob's end"),
        (other_table((2, 0, 5)), "beyond a blob's end"),
        (other_table((0, 0, 1 << 40)), "beyond a blob's end"),
        (lambda store, _: store.blobs.add(b"no row"), "within a row"),
    ],
)
def test_segments_that_dont_give_the_layer_are_named(
    built: StoredProject, table: Callable[[Store, Realisation], Digest], reason: str
) -> None:
    made = wheels_layer(built)
    path = place(built.store.root / "layers", made.layer)
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "segments": str(table(built.store, made))}))

    (damage,) = checked(built.store).damage
    assert damage.digest == made.layer
    assert reason in damage.reason


@pytest.mark.parametrize("key", ["diff_id", "listing"])
def test_what_no_hash_of_a_blob_carries_is_found_when_looked_at_deeply(
    built: StoredProject, key: str
) -> None:
    made = wheels_layer(built)
    other = {"diff_id": digest_of(b"other tar"), "listing": built.store.blobs.add(b"no listing")}
    path = place(built.store.root / "layers", made.layer)
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, key: str(other[key])}))

    (damage,) = checked(built.store, check_bytes).damage
    assert damage.digest == made.layer


def test_swapped_segments_are_found_when_looked_at_deeply(built: StoredProject) -> None:
    made = wheels_layer(built)
    table = built.store.blobs.read(made.segments)
    swapped = built.store.blobs.add(table[20:40] + table[:20] + table[40:])
    path = place(built.store.root / "layers", made.layer)
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "segments": str(swapped)}))

    assert checked(built.store).damage == ()
    (damage,) = checked(built.store, check_bytes).damage
    assert damage.digest == made.layer


# --- repaired


def test_every_flipped_bit_is_found_and_repaired(tmp_path: Path) -> None:
    built = stored_project(tmp_path, new_store(tmp_path), wheels=FLIPS)
    store = built.store
    # The foundation of a test is made of nothing that could be fetched.
    foundation = store.realisations.of_recipe(built.foundation().digest)
    assert foundation
    spared = {store.blobs.path(digest) for digest in foundation.needs}
    blobs = [p for p in (store.root / "blobs").rglob("*") if p.is_file() and p not in spared]
    before = {path: path.read_bytes() for path in sorted(blobs) if path.stat().st_size}
    chance = random.Random(6)
    flipped = chance.sample(sorted(before), FLIPS)
    for path in flipped:
        flip(path, chance.randrange(8 * len(before[path])))

    found = {damage.path for damage in checked(store).damage}
    outcomes = [one.outcome for one in repaired(built)]

    assert found == set(flipped)
    assert outcomes == [Outcome.AGAIN] * FLIPS
    assert {path: path.read_bytes() for path in before} == before
    assert checked(store, check_bytes).damage == ()
    assert len(list((store.root / "quarantine").iterdir())) == FLIPS


@pytest.mark.parametrize("part", ["segments", "listing"])
def test_a_layer_is_made_again(built: StoredProject, part: str) -> None:
    made = wheels_layer(built)
    damaged: Digest = getattr(made, part)
    overwrite(built.store.blobs.path(damaged), b"damaged")

    (one,) = repaired(built)

    assert one.outcome is Outcome.AGAIN
    assert built.store.realisations.of_layer(made.layer) == made
    assert (built.store.root / "quarantine" / damaged.hex).read_bytes() == b"damaged"


@pytest.mark.parametrize("folder", ["layers", "recipes"])
def test_a_record_is_made_again(built: StoredProject, folder: str) -> None:
    made = wheels_layer(built)
    files = sorted((built.store.root / folder).rglob("*.json"))
    path = next(file for file in files if made.layer.hex in file.name + file.read_text())
    before = path.read_bytes()
    path.write_bytes(b"{")

    (one,) = repaired(built)

    assert one.outcome is Outcome.AGAIN
    assert path.read_bytes() == before


def test_documents_are_assembled_again(built: StoredProject) -> None:
    found = read_image(built.store, image(built))
    digests = [found.digest, found.platforms[0].config.digest]
    before = [built.store.blobs.read(digest) for digest in digests]
    for digest in digests:
        overwrite(built.store.blobs.path(digest), b"{")

    assert [one.outcome for one in repaired(built)] == [Outcome.AGAIN] * 2
    assert [built.store.blobs.read(digest) for digest in digests] == before
    assert read_image(built.store, image(built)) == found


def test_what_cant_be_had_is_told_and_never_used(built: StoredProject) -> None:
    made = wheels_layer(built)
    wheel = made.blobs[1]
    overwrite(built.store.blobs.path(wheel), b"damaged")
    nowhere = StoredProject(built.root, built.store, {})

    (one,) = found = repaired(nowhere)

    assert one.outcome is Outcome.LOST
    assert lost(found) == [one]
    assert any("no index has" in reason for reason in one.reasons)
    assert not built.store.blobs.has(wheel)
    assert built.store.realisations.recorded(made.layer) is None
    assert checked(built.store).damage == ()
    assert built.build().image.digest == image(built)


def test_damage_that_is_gone_by_now_is_none(built: StoredProject) -> None:
    spare = built.store.blobs.add(b"spare")
    overwrite(built.store.blobs.path(spare), b"spore")
    found = checked(built.store).damage
    built.store.blobs.path(spare).unlink()

    assert [one.outcome for one in repair_of(built).run(found)] == [Outcome.UNNEEDED]
    assert not list((built.store.root / "quarantine").iterdir())


def test_what_nobody_needs_is_only_set_aside(built: StoredProject) -> None:
    spare = built.store.blobs.add(b"spare")
    overwrite(built.store.blobs.path(spare), b"spore")

    (one,) = repaired(built)

    assert one.outcome is Outcome.UNNEEDED
    assert not built.store.blobs.has(spare)
    assert not lost([one])


def repair_of(built: StoredProject) -> Repair:
    here = Store.look(built.store.root)
    return Repair(here, marker(here), built.open, Progress())


def test_what_a_running_command_mended_meanwhile_is_not_set_aside(built: StoredProject) -> None:
    made = cut_of_one(built.store)
    spare, recipe = made.blobs[0], digest_of(b"recipe")
    damaged = [
        built.store.blobs.path(spare),
        place(built.store.root / "layers", made.layer),
        place(built.store.root / "recipes", recipe),
    ]
    for path in damaged:
        overwrite(path, b"{")
    found = checked(built.store).damage
    assert {one.path for one in found} == set(damaged)
    assert cut_of_one(built.store) == made
    before = {path: path.stat().st_ino for path in damaged}

    done = repair_of(built).run(found)

    assert [one.outcome for one in done] == [Outcome.AGAIN] * 3
    assert {path: path.stat().st_ino for path in damaged} == before
    assert built.store.realisations.of_recipe(recipe) == made
    assert not list((built.store.root / "quarantine").iterdir())


def test_records_of_what_came_back_stay(built: StoredProject) -> None:
    made = cut_of_one(built.store)
    recipe = digest_of(b"recipe")
    for one in (made.blobs[0], made.layer):
        drop_records(Store.look(built.store.root), [one])
        assert built.store.realisations.of_recipe(recipe) == made
    built.store.blobs.path(made.blobs[0]).unlink()
    drop_records(Store.look(built.store.root), [made.blobs[0]])
    assert built.store.realisations.recorded(made.layer) is None
    assert built.store.realisations.layer_of(recipe) is None


def cut_of_one(store: Store) -> Realisation:
    """A layer of one blob that no project needs."""
    table = SegmentTable()
    table.add(0, 0, 5)
    spare, empty = store.blobs.add(b"spare"), store.blobs.add(Listing().to_bytes())
    tables = store.blobs.add(table.finish())
    made = Realisation(digest_of(b"layer"), digest_of(b"tar"), 5, (spare,), tables, empty)
    store.realisations.record(digest_of(b"recipe"), made)
    return made


def test_a_project_that_cant_be_read_keeps_nothing_from_being_set_aside(
    built: StoredProject,
) -> None:
    wheel = next(iter(built.index))
    overwrite(built.store.blobs.path(wheel), b"damaged")
    (built.root / "locks" / "runtime.lock").write_bytes(b"broken")

    (one,) = repaired(built)

    assert one.outcome is Outcome.UNNEEDED
    assert not built.store.blobs.has(wheel)


def test_a_damaged_root_is_set_aside(built: StoredProject) -> None:
    (file,) = built.store.roots.files()
    file.write_bytes(b"{")

    repaired(built)

    assert not list(built.store.roots.files())
    assert checked(built.store).damage == ()


def test_the_quarantine_is_cleared_by_the_next_collection(built: StoredProject) -> None:
    wheel = next(iter(built.index))
    overwrite(built.store.blobs.path(wheel), b"damaged")
    repaired(built)
    here = Store.look(built.store.root)

    Collector(here, marker(here), Spare(), Progress()).run()

    assert not list((built.store.root / "quarantine").iterdir())
    assert built.store.blobs.has(wheel)


def test_a_store_of_a_project_that_is_gone_can_be_checked(built: StoredProject) -> None:
    shutil.rmtree(built.root)
    wheel = next(iter(built.index))
    overwrite(built.store.blobs.path(wheel), b"damaged")

    (one,) = repaired(built)

    assert one.outcome is Outcome.UNNEEDED
