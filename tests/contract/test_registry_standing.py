"""Every blob is asked for, with its size: what a registry lost, cut or changed is seen, and told.

One suite for the registry in this process and for a docker-registry whose storage is damaged. That
one accepts an upload and keeps what it has, which the other is told to do or not.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from loopback_registry import LoopbackRegistry, loopback_registry
from real_registry import real_registry

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.progress import Progress
from basestore.registry import (
    DockerConfig,
    Manifest,
    PushBlob,
    PushImage,
    RegistryClient,
    Repository,
    Standing,
    ask_all,
    hash_all,
    published_parts,
    push,
)
from basestore.registry.push import KeptError, PushReport, Tally, whole
from basestore.transport import Transport

TAG = "3f" * 32
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYERS = tuple(bytes([number]) * (1 + 70_000 * number) for number in range(5))
CONFIGS = tuple(
    json.dumps({"os": "linux", "architecture": one}).encode() for one in ("amd64", "arm64")
)
BLOBS = (*CONFIGS, *LAYERS)
SIZE = sum(map(len, BLOBS))
Damage = Callable[[bytes], bytes | None]


def described(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": str(Digest.of(data)), "size": len(data)}


def image() -> PushImage:
    """Two platforms over the same layers."""
    manifests = tuple(
        Manifest(
            json.dumps(
                {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": described(config, "application/vnd.oci.image.config.v1+json"),
                    "layers": [
                        described(one, "application/vnd.oci.image.layer.v1.tar+gzip")
                        for one in LAYERS
                    ],
                }
            ).encode(),
            MANIFEST,
        )
        for config in CONFIGS
    )
    entries = [described(one.data, MANIFEST) for one in manifests]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return PushImage(
        Manifest(json.dumps(index).encode(), INDEX), manifests, tuple(map(blob, BLOBS))
    )


def blob(data: bytes) -> PushBlob:
    return PushBlob("a blob", Digest.of(data), len(data), lambda: iter((data,)))


IMAGE = image()
DAMAGES: dict[str, Damage] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "short": lambda data: data[:-1],
    "long": lambda data: data + b"x",
    "changed": lambda data: bytes([data[0] ^ 1]) + data[1:],
}
BY_SIZE = {
    "gone": Standing.GONE,
    "empty": Standing.WRONG,
    "short": Standing.WRONG,
    "long": Standing.WRONG,
    "changed": Standing.RIGHT,
}


@dataclass
class Place:
    """A repository that has the image, and how something in it is damaged."""

    client: RegistryClient
    rewrite: Callable[[str, Damage], None]
    keeps: bool

    def damage(self, data: bytes, how: str) -> None:
        """Damage a blob or manifest."""
        self.rewrite(str(Digest.of(data)), DAMAGES[how])

    def mend(self, data: bytes) -> None:
        """As the operator and the next push do."""
        if self.client.find_blob(Digest.of(data)) is not None:
            self.damage(data, "gone")
        self.push()

    def push(self) -> PushReport:
        """Push the image."""
        return push(self.client, TAG, IMAGE, (), Progress())

    def stands(self, data: bytes, read: bool = False) -> Standing:
        """How one blob stands, where all others are right."""
        parts = published_parts(self.client, TAG)
        assert parts is not None
        assert len(parts.blobs) == len(BLOBS)
        blobs = parts.blobs
        seen = hash_all(self.client, blobs, Progress()) if read else ask_all(self.client, blobs)
        found = {one.blob.digest: one.standing for one in seen}
        standing = found.pop(Digest.of(data))
        assert set(found.values()) == {Standing.RIGHT}
        return standing


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(sleep=lambda seconds: None) as made:
        yield made


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as served:
        yield served


@pytest.fixture
def client(transport: Transport, registry: LoopbackRegistry) -> RegistryClient:
    repository = Repository(registry.address, "team/base")
    return RegistryClient.writer(transport, repository, DockerConfig(None))


def in_process(registry: LoopbackRegistry, client: RegistryClient) -> Place:
    def rewrite(digest: str, damage: Damage) -> None:
        kept = registry.blobs["team/base"]
        manifests = registry.manifests["team/base"]
        if digest in kept:
            damaged = damage(kept.pop(digest))
            kept.update({digest: damaged} if damaged is not None else {})
        else:
            kind, data = manifests.pop(digest)
            damaged = damage(data)
            manifests.update({digest: (kind, damaged)} if damaged is not None else {})

    return Place(client, rewrite, registry.keeps)


@pytest.fixture(params=["mends", "keeps", pytest.param("real", marks=pytest.mark.registry)])
def place(request: pytest.FixtureRequest, transport: Transport, tmp_path: Path) -> Iterator[Place]:
    """A registry that has the image."""
    if request.param != "real":
        registry: LoopbackRegistry = request.getfixturevalue("registry")
        registry.keeps = request.param == "keeps"
        found = in_process(registry, request.getfixturevalue("client"))
        found.push()
        yield found
        return
    with real_registry(tmp_path / "registry") as real:

        def rewrite(digest: str, damage: Damage) -> None:
            file = real.file(digest)
            damaged = damage(file.read_bytes())
            if damaged is None:
                file.unlink()
            else:
                file.write_bytes(damaged)

        repository = Repository(real.address, f"test/{uuid.uuid4()}")
        client = RegistryClient.writer(transport, repository, DockerConfig(None))
        found = Place(client, rewrite, keeps=True)
        found.push()
        yield found


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_blob_is_seen_by_size_or_by_bytes(place: Place, how: str) -> None:
    for data in (LAYERS[3], CONFIGS[1]):
        assert place.stands(data) is Standing.RIGHT
        assert place.stands(data, read=True) is Standing.RIGHT
        place.damage(data, how)
        assert place.stands(data) is BY_SIZE[how]
        assert place.stands(data, read=True) is (Standing.GONE if how == "gone" else Standing.WRONG)
        place.mend(data)


def test_nothing_is_to_be_done_where_all_is_there(place: Place) -> None:
    nothing = PushReport(IMAGE.top.digest, tagged=False, present=Tally(len(BLOBS), SIZE))

    assert whole(place.client, IMAGE.top.digest) == nothing
    assert place.push() == nothing


@pytest.mark.parametrize("data", [LAYERS[0], LAYERS[4], CONFIGS[0]], ids=["one", "layer", "config"])
def test_what_is_gone_is_sent_again(place: Place, data: bytes) -> None:
    place.damage(data, "gone")

    assert whole(place.client, IMAGE.top.digest) is None
    report = place.push()

    assert report.uploaded == Tally(1, len(data))
    assert report.present.count == len(BLOBS) - 1
    assert report.changed
    assert place.stands(data, read=True) is Standing.RIGHT
    assert not place.push().changed


@pytest.mark.parametrize("how", ["empty", "short", "long"])
def test_what_is_wrong_is_mended_or_told(place: Place, how: str) -> None:
    data = LAYERS[2]
    place.damage(data, how)

    assert whole(place.client, IMAGE.top.digest) is None
    if not place.keeps:
        assert place.push().uploaded == Tally(1, len(data))
        assert place.stands(data, read=True) is Standing.RIGHT
        return
    with pytest.raises(KeptError) as raised:
        place.push()
    assert raised.value.exit_code is ExitCode.INTEGRITY
    assert str(Digest.of(data)) in raised.value.message
    assert f"of its {len(data)} bytes" in raised.value.message
    assert "storage" in raised.value.hint
    place.mend(data)
    assert place.stands(data, read=True) is Standing.RIGHT


def test_no_tag_leads_to_what_is_not_kept(place: Place) -> None:
    place.damage(LAYERS[2], "short")

    if not place.keeps:
        assert push(place.client, "another", IMAGE, (), Progress()).uploaded.count == 1
        return
    with pytest.raises(KeptError):
        push(place.client, "another", IMAGE, (), Progress())
    assert place.client.manifest_digest("another") is None


@pytest.mark.parametrize("which", [0, 1], ids=["index", "manifest"])
def test_a_manifest_that_is_gone_is_sent_again(place: Place, which: int) -> None:
    assert IMAGE.index is not None
    manifest = (IMAGE.index, IMAGE.manifests[1])[which]
    place.damage(manifest.data, "gone")

    report = place.push()

    assert report.changed
    assert report.uploaded == Tally()
    assert report.manifests == 1
    assert place.client.manifest(str(manifest.digest)) == manifest
    assert not place.push().changed
