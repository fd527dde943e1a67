"""Config, manifest and index, to the byte."""

import json
from dataclasses import replace

import pytest
from images import CONFIG, LOCK
from layers import AMD64, ARM64, digest_of, recipe_of
from planning import wheel

from basestore.digest import Digest
from basestore.image.assemble import Realised, assemble
from basestore.lock.model import Deb, ImageConfig
from basestore.recipe.model import FoundationRecipe
from basestore.store import Realisation
from basestore.target import Platform

DEBS = (
    Deb("dash", "0.5.12-2", "amd64", 1, Digest.of(b"dash")),
    Deb("tzdata", "2026c-0+deb12u1", "all", 1, Digest.of(b"tzdata")),
)
NONE = Digest.of(b"")


def realisation(number: int) -> Realisation:
    """A layer that is told and not made."""
    layer, diff_id = Digest(f"{number:064x}"), Digest(f"{number + 256:064x}")
    return Realisation(layer, diff_id, 1000 + number, (NONE,), NONE, NONE)


def layers(platform: Platform = AMD64) -> Realised:
    wheels = recipe_of([wheel("anyio", 1), wheel("click", 1, version="8.1")])
    return [
        (FoundationRecipe(platform, "3.11.2", DEBS), realisation(1)),
        (wheels, realisation(2)),
    ]


GOLDEN_CONFIG = (
    '{"architecture":"amd64","config":{"Cmd":["python"],"Entrypoint":["/init"],'
    '"Env":["LANG=C.UTF-8","PATH=/opt/venv/bin:/usr/bin"],'
    f'"Labels":{{"dev.basestore.lock":"{LOCK.hex}","team":"platform"}},'
    '"User":"1000:1000","WorkingDir":"/srv"},"created":"1980-01-01T00:00:00Z",'
    '"history":[{"comment":"basestore foundation","created":"1980-01-01T00:00:00Z",'
    '"created_by":"dash 0.5.12-2, tzdata 2026c-0+deb12u1"},'
    '{"comment":"basestore wheels","created":"1980-01-01T00:00:00Z",'
    '"created_by":"anyio 1.0, click 8.1"}],"os":"linux","rootfs":{"diff_ids":['
    f'"sha256:{257:064x}","sha256:{258:064x}"],"type":"layers"}}}}'
).encode()
GOLDEN_MANIFEST = (
    f'{{"config":{{"digest":"{digest_of(GOLDEN_CONFIG)}",'
    f'"mediaType":"application/vnd.oci.image.config.v1+json","size":{len(GOLDEN_CONFIG)}}},'
    f'"layers":[{{"digest":"sha256:{1:064x}",'
    '"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":1001},'
    f'{{"digest":"sha256:{2:064x}",'
    '"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":1002}],'
    '"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}'
).encode()


def test_config_and_manifest_are_these_bytes() -> None:
    assembled = assemble(CONFIG, LOCK, {AMD64: layers()})

    config, manifest = assembled.image.platforms[0].config, assembled.image.platforms[0].manifest
    assert assembled.documents[config.digest] == GOLDEN_CONFIG
    assert assembled.documents[manifest.digest] == GOLDEN_MANIFEST
    assert manifest.digest == digest_of(GOLDEN_MANIFEST)
    assert manifest.size == len(GOLDEN_MANIFEST)
    assert len(assembled.documents) == 2


def test_the_image_of_one_platform_is_its_manifest() -> None:
    image = assemble(CONFIG, LOCK, {AMD64: layers()}).image

    assert image.top == image.platforms[0].manifest
    assert image.digest == digest_of(GOLDEN_MANIFEST)


def test_the_index_names_its_platforms_in_order_whatever_the_order_given() -> None:
    given = {ARM64: layers(ARM64), AMD64: layers()}
    assembled = assemble(CONFIG, LOCK, given)
    index = json.loads(assembled.documents[assembled.image.digest])

    assert assembled.image.digest == digest_of(assembled.documents[assembled.image.digest])
    assert (index["mediaType"], index["schemaVersion"]) == (
        "application/vnd.oci.image.index.v1+json",
        2,
    )
    assert [entry["platform"] for entry in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for entry, platform in zip(index["manifests"], assembled.image.platforms, strict=True):
        assert entry["digest"] == str(platform.manifest.digest)
        assert entry["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
        assert len(assembled.documents[platform.manifest.digest]) == entry["size"]
    reversed_order = dict(reversed(given.items()))
    assert assemble(CONFIG, LOCK, reversed_order).image == assembled.image


def test_an_empty_configuration_says_only_which_lock_it_is_of() -> None:
    assembled = assemble(ImageConfig(), LOCK, {AMD64: layers()})
    config = json.loads(assembled.documents[assembled.image.platforms[0].config.digest])

    assert config["config"] == {"Labels": {"dev.basestore.lock": LOCK.hex}}


@pytest.mark.parametrize(
    "other",
    [
        replace(CONFIG, env=()),
        replace(CONFIG, entrypoint=()),
        replace(CONFIG, cmd=("sh",)),
        replace(CONFIG, user=""),
        replace(CONFIG, workdir="/"),
        replace(CONFIG, labels={}),
    ],
)
def test_everything_in_the_configuration_changes_the_image(other: ImageConfig) -> None:
    given = {AMD64: layers()}

    assert assemble(other, LOCK, given).image.digest != assemble(CONFIG, LOCK, given).image.digest


def test_another_lock_is_another_image_with_the_same_layers() -> None:
    given = {AMD64: layers()}
    one = assemble(CONFIG, LOCK, given).image
    other = assemble(CONFIG, Digest.of(b"another lock"), given).image

    assert one.digest != other.digest
    assert one.layers == other.layers


def test_layers_that_platforms_share_are_listed_once() -> None:
    image = assemble(CONFIG, LOCK, {AMD64: layers(), ARM64: layers(ARM64)}).image

    assert [layer.descriptor.size for layer in image.layers] == [1001, 1002]
    assert image.platform(ARM64).platform == ARM64
    with pytest.raises(KeyError):
        assemble(CONFIG, LOCK, {AMD64: layers()}).image.platform(ARM64)
