"""Realisations: what a recipe gave, as long as every byte of it is there."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from layers import digest_of, new_store

from basestore.errors import ExitCode, IntegrityError
from basestore.store import MissingBlobError, Realisation, Segment, Store
from basestore.store.realisations import SegmentTable

RECIPE, OTHER = digest_of(b"recipe"), digest_of(b"other recipe")
NOISE = random.Random(5).randbytes(1_000_000)
CUTS = [(0, 0, 10), (1, 100, 50), (0, 10, 5), (1, 0, 600_000), (2, 7, 1), (1, 600_000, 3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


@pytest.fixture
def realisation(store: Store) -> Realisation:
    """A layer of slices out of three blobs, recorded."""
    contents = (NOISE[:5000], NOISE, NOISE[500:900])
    table = SegmentTable()
    for cut in CUTS:
        table.add(*cut)
    layer = b"".join(contents[blob][at : at + length] for blob, at, length in CUTS)
    realisation = Realisation(
        layer=digest_of(layer),
        diff_id=digest_of(b"tar"),
        size=len(layer),
        blobs=tuple(map(store.blobs.add, contents)),
        segments=store.blobs.add(table.finish()),
        listing=store.blobs.add(b"listing"),
    )
    store.realisations.record(RECIPE, realisation)
    return realisation


def test_what_was_recorded_is_found_by_recipe_and_by_layer(
    store: Store, realisation: Realisation
) -> None:
    assert store.realisations.of_recipe(RECIPE) == realisation
    assert store.realisations.of_layer(realisation.layer) == realisation
    assert Store.open(store.root).realisations.claimed(RECIPE) == realisation
    assert store.realisations.of_recipe(OTHER) is None
    assert store.realisations.of_layer(OTHER) is None


def test_two_recipes_may_give_one_layer(store: Store, realisation: Realisation) -> None:
    store.realisations.record(OTHER, realisation)

    assert store.realisations.of_recipe(OTHER) == store.realisations.of_recipe(RECIPE)


def test_it_counts_only_while_all_its_blobs_are_there(
    store: Store, realisation: Realisation
) -> None:
    assert len(realisation.needs) == 5
    for blob in realisation.needs:
        path = store.blobs.path(blob)
        path.rename(path.with_suffix(".away"))
        assert store.realisations.of_recipe(RECIPE) is None
        assert store.realisations.of_layer(realisation.layer) is None
        path.with_suffix(".away").rename(path)
        assert store.realisations.of_recipe(RECIPE) == realisation


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"not json"])
@pytest.mark.parametrize("folder", ["recipes", "layers"])
def test_a_damaged_record_counts_as_none(
    store: Store, realisation: Realisation, folder: str, damage: bytes
) -> None:
    (record,) = (store.root / folder).rglob("*.json")
    record.write_bytes(damage)

    assert store.realisations.of_recipe(RECIPE) is None
    store.realisations.record(RECIPE, realisation)
    assert store.realisations.of_recipe(RECIPE) == realisation


def test_records_are_canonical_json(store: Store, realisation: Realisation) -> None:
    for folder in ("recipes", "layers"):
        (record,) = (store.root / folder).rglob("*.json")
        data = record.read_bytes()
        again = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"))
        assert data == again.encode()


def test_segments_are_read_back_in_order(store: Store, realisation: Realisation) -> None:
    expected = [Segment(realisation.blobs[blob], at, length) for blob, at, length in CUTS]

    assert list(store.realisations.segments(realisation)) == expected


def test_the_stream_is_the_layer(store: Store, realisation: Realisation) -> None:
    pieces = list(store.layer_stream(realisation))

    assert digest_of(b"".join(pieces)) == realisation.layer
    assert sum(map(len, pieces)) == realisation.size
    assert max(map(len, pieces)) <= 2 * 256 * 1024
    assert all(len(piece) >= 256 * 1024 for piece in pieces[:-1])


def test_neighbouring_slices_become_one_segment() -> None:
    table = SegmentTable()
    for cut in [(0, 0, 3), (0, 3, 4), (1, 7, 1), (1, 8, 1), (1, 10, 1), (0, 7, 0), (0, 7, 2)]:
        table.add(*cut)

    rows = [(0, 0, 7), (1, 7, 2), (1, 10, 1), (0, 7, 2)]
    expected = b"".join(
        blob.to_bytes(4, "little") + at.to_bytes(8, "little") + length.to_bytes(8, "little")
        for blob, at, length in rows
    )
    assert table.finish() == expected


def test_an_empty_table_is_no_bytes() -> None:
    assert SegmentTable().finish() == b""


def test_a_stream_without_its_blob_names_it(store: Store, realisation: Realisation) -> None:
    gone = realisation.blobs[2]
    store.blobs.path(gone).unlink()

    with pytest.raises(MissingBlobError, match=str(gone)):
        b"".join(store.layer_stream(realisation))


def test_a_stream_of_a_blob_that_was_cut_is_an_error_and_not_a_shorter_layer(
    store: Store, realisation: Realisation
) -> None:
    path = store.blobs.path(realisation.blobs[1])
    path.chmod(0o644)
    path.write_bytes(NOISE[:1000])

    with pytest.raises(IntegrityError, match=str(realisation.blobs[1])) as caught:
        b"".join(store.layer_stream(realisation))
    assert caught.value.exit_code is ExitCode.INTEGRITY


def test_a_record_is_replaced_whole(store: Store, realisation: Realisation) -> None:
    other = replace(realisation, diff_id=digest_of(b"another tar"))
    store.realisations.record(RECIPE, other)

    assert store.realisations.of_recipe(RECIPE) == other
    records = [path for name in ("layers", "recipes") for path in (store.root / name).rglob("*.*")]
    assert not [path for path in records if path.name.startswith(".")]
