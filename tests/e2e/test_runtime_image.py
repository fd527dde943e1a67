"""The project's own base, from its committed lock to an image: identity, repetition, contents."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from built_project import records_of
from commandline import contents, no_network
from runtime_base import PROJECT, Base, command_line

pytestmark = pytest.mark.network


def test_the_tag_is_what_sha256sum_says_of_the_lock(base: Base) -> None:
    assert base.built["tag"] == hashlib.sha256(base.lock_bytes).hexdigest()
    assert base.built["lock"] == f"sha256:{base.built['tag']}"
    assert base.built["reference"] == f"base-runtime:{base.built['tag']}@{base.built['digest']}"


def test_what_a_build_prints_for_machines(base: Base) -> None:
    built = base.built

    keys = {"profile", "lock", "tag", "reference", "digest", "reused", "platforms"}
    assert keys <= built.keys()
    assert built["profile"] == "runtime"
    assert built["reused"] is False
    assert [one["platform"] for one in built["platforms"]] == ["linux/amd64", "linux/arm64"]
    locked = {str(one.platform): one for one in base.lock.platforms}
    for one in built["platforms"]:
        assert one.keys() == {"platform", "digest", "layers"}
        for layer in one["layers"]:
            assert layer.keys() == {"digest", "diff_id", "size", "packages", "reused"}
        wheels = [name for layer in one["layers"][1:] for name in layer["packages"]]
        names = [f"{wheel.name} {wheel.version}" for wheel in locked[one["platform"]].wheels]
        assert sorted(wheels) == sorted(names)


def test_the_images_file_records_what_was_built(base: Base) -> None:
    recorded = (base.project / "locks/images.toml").read_text()

    assert base.built["tag"] in recorded
    assert base.built["digest"] in recorded


def test_the_committed_images_file_has_the_image_that_the_committed_lock_gives(base: Base) -> None:
    records = records_of(base.project, PROJECT, ["runtime"])

    assert base.built["digest"] in (records / "images.toml").read_text()


def test_layers_are_no_larger_than_the_wheels(base: Base) -> None:
    for one, locked in zip(base.built["platforms"], base.lock.platforms, strict=True):
        layers = sum(layer["size"] for layer in one["layers"][1:])
        wheels = sum(wheel.size for wheel in locked.wheels)
        assert layers <= 1.005 * wheels


def test_a_second_build_does_nothing_and_needs_no_network(base: Base) -> None:
    before = base.run("build", "--json", "runtime", **no_network()).expect(0).json["images"][0]
    assert before["reused"] is True
    assert all(layer["reused"] for one in before["platforms"] for layer in one["layers"])
    assert before["digest"] == base.built["digest"]

    assert "nothing to do" in base.run("build", "runtime", **no_network()).expect(0).out


def test_checking_the_lock_needs_no_network(base: Base) -> None:
    assert base.run("lock", "--check", **no_network()).expect(0).out == "runtime: fresh\n"


def test_another_machine_gives_the_same_image_from_the_lock_alone(
    base: Base, tmp_path: Path
) -> None:
    """Another folder and store, time zone, umask, locale and hash seed; the artifacts offline."""
    elsewhere = tmp_path / "ein anderes Örtchen"
    (elsewhere / "locks").mkdir(parents=True)
    shutil.copytree(base.project / "profiles", elsewhere / "profiles")
    shutil.copy(base.project / "locks/runtime.lock", elsewhere / "locks")
    store = tmp_path / "store"
    link_artifacts(base, store)
    strange = {"TZ": "Pacific/Apia", "LC_ALL": "C", "LANG": "tr_TR", "PYTHONHASHSEED": "4711"}
    basestore = command_line(elsewhere, store, {**strange, **no_network()}, umask=0o077)

    built = basestore("build", "--json").expect(0).json["images"][0]

    assert built["digest"] == base.built["digest"]
    assert [one["digest"] for one in built["platforms"]] == [
        one["digest"] for one in base.built["platforms"]
    ]


@pytest.mark.long
def test_a_rebuild_gives_the_same_layers(base: Base) -> None:
    done = base.run("verify", "--rebuild", "runtime", **no_network()).expect(0)

    assert f"every layer again: {base.built['digest']}" in done.out


@pytest.mark.long
def test_a_rebuild_finds_damage(base: Base, tmp_path: Path) -> None:
    """A byte of what a layer keeps beside its wheels' slices is flipped on the disk."""
    store = tmp_path / "store"
    # Other tests may be building in the store.
    busy = shutil.ignore_patterns("scratch")
    shutil.copytree(base.store, store, ignore=busy, copy_function=os.link)
    artifacts = {artifact.hex for artifact in artifacts_of(base)}
    layer = base.built["platforms"][0]["layers"][-1]["digest"].removeprefix("sha256:")
    record = json.loads((store / "layers" / layer[:2] / f"{layer}.json").read_bytes())
    (inline,) = {blob.removeprefix("sha256:") for blob in record["blobs"]} - artifacts
    flip_a_byte(store / "blobs/sha256" / inline[:2] / inline)

    basestore = command_line(base.project, store, no_network())

    done = basestore("verify", "--rebuild", "runtime").expect(5)
    assert inline in done.err
    assert "Traceback" not in done.err


def test_an_image_other_than_recorded_is_refused(base: Base, tmp_path: Path) -> None:
    """As on a machine whose build doesn't reproduce; the record stays."""
    basestore = base.copy(tmp_path / "project")
    images = basestore.folder / "locks/images.toml"
    other = images.read_text().replace(base.built["digest"], f"sha256:{'0' * 64}")
    images.write_text(other)

    refused = basestore("build", "runtime", **no_network()).expect(5)

    assert base.built["digest"] in refused.err
    assert images.read_text() == other


def test_a_build_of_one_platform_is_not_recorded(base: Base, tmp_path: Path) -> None:
    basestore = base.copy(tmp_path / "project")
    images = basestore.folder / "locks/images.toml"
    images.unlink()
    words = ("build", "--json", "--platform", "linux/arm64")

    (built,) = basestore(*words, **no_network()).expect(0).json["images"]

    assert [one["platform"] for one in built["platforms"]] == ["linux/arm64"]
    assert built["digest"] == built["platforms"][0]["digest"]
    assert built["digest"] == base.built["platforms"][1]["digest"]
    assert not images.exists()
    basestore("push", "--to", "127.0.0.1:1/team", **no_network()).expect(3)


def test_an_export_replaces_nothing_of_others(base: Base, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/note").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = contents(tmp_path)

    for form in ("oci", "rootfs"):
        for place in ("full", "file"):
            to = f"{form}:{tmp_path / place}"
            done = base.run("export", "runtime", "--to", to)
            assert done.code in (4, 6), done
            assert str(tmp_path / place) in done.err
            assert "Traceback" not in done.err
    base.run("export", "runtime", "--to", f"docker-archive:{tmp_path / 'full'}").expect(2)
    base.run("export", "runtime", "--to", f"docker-archive:{tmp_path / 'file'}").expect(2)

    assert contents(tmp_path) == before


def link_artifacts(base: Base, store: Path) -> None:
    """A new store that has the lock's wheels and .debs, and nothing made of them."""
    store.mkdir()
    shutil.copy(base.store / "format", store)
    for digest in artifacts_of(base):
        place = Path("blobs/sha256", digest.hex[:2], digest.hex)
        (store / place).parent.mkdir(parents=True, exist_ok=True)
        (store / place).hardlink_to(base.store / place)


def artifacts_of(base: Base) -> set:
    """The digests of the lock's wheels and .debs."""
    return {a.sha256 for one in base.lock.platforms for a in (*one.wheels, *one.debs)}


def flip_a_byte(blob: Path) -> None:
    """Another byte in the middle of a file, which is no longer a link of another one."""
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 0xFF
    blob.unlink()
    blob.write_bytes(data)
