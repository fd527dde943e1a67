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
from faulty_server import Fault, faulty_server
from loopback_registry import LoopbackRegistry, loopback_registry
from real_registry import real_registry

from basestore.digest import Digest
from basestore.errors import BasestoreError, ExitCode
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
from basestore.registry.client import There, Upload
from basestore.registry.push import KeptError, PushReport, Tally, whole
from basestore.transport import ServerFaultError, Transport

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


@pytest.mark.parametrize("how", ["empty", "short", "changed"])
def test_a_damaged_manifest_is_never_taken_for_right(place: Place, how: str) -> None:
    """Whoever reads it is told; who only asks sees what is of another size.

    A docker-registry is out of order for whoever asks for one that it can't read.
    """
    manifest = IMAGE.manifests[1]
    place.damage(manifest.data, how)

    with pytest.raises(BasestoreError) as raised:
        published_parts(place.client, TAG)
    assert raised.value.exit_code in (ExitCode.INTEGRITY, ExitCode.UNREACHABLE)
    assert not is_whole(place.client)
    if not place.keeps:
        assert place.push().manifests == 1
        assert place.client.manifest(str(manifest.digest)) == manifest
        return
    with pytest.raises(BasestoreError) as raised:
        place.push()
    assert raised.value.exit_code in (ExitCode.INTEGRITY, ExitCode.UNREACHABLE)


def is_whole(client: RegistryClient) -> bool:
    """Whether the image is taken for whole."""
    try:
        return whole(client, IMAGE.top.digest) is not None
    except ServerFaultError:
        return False


# Ways to ask, and what is told where none gives an answer


@pytest.mark.parametrize("head", [403, 405, 501])
@pytest.mark.parametrize("ranges", [True, False])
def test_where_head_is_not_answered_get_is_begun(
    registry: LoopbackRegistry, client: RegistryClient, head: int, ranges: bool
) -> None:
    place = in_process(registry, client)
    registry.head, registry.ranges = head, ranges

    assert place.push().uploaded == Tally(len(BLOBS), SIZE)
    assert not place.push().changed
    place.damage(LAYERS[4], "short")
    assert place.stands(LAYERS[4]) is Standing.WRONG
    place.damage(LAYERS[4], "gone")
    assert place.stands(LAYERS[4]) is Standing.GONE


@pytest.mark.parametrize("lengths", [("GET",), ()])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_size_that_head_does_not_tell(
    registry: LoopbackRegistry, client: RegistryClient, lengths: tuple[str, ...], ranges: bool
) -> None:
    place = in_process(registry, client)
    place.push()
    registry.lengths, registry.ranges = lengths, ranges
    told = ranges or "GET" in lengths

    report = place.push()

    assert not report.changed
    assert report.present.count == len(BLOBS)
    assert report.untold == (0 if told else len(BLOBS))
    parts = published_parts(client, TAG)
    assert parts is not None
    expected = Standing.RIGHT if told else Standing.UNTOLD
    assert {one.standing for one in ask_all(client, parts.blobs)} == {expected}
    place.damage(LAYERS[1], "short")
    assert place.stands(LAYERS[1], read=True) is Standing.WRONG


def test_no_blob_is_read_to_ask_for_it(registry: LoopbackRegistry, client: RegistryClient) -> None:
    place = in_process(registry, client)
    place.push()
    registry.asked.clear()

    place.push()

    assert registry.count("HEAD", "/blobs/") == len(BLOBS)
    assert registry.count("GET", "/blobs/") == 0
    assert registry.count("PUT", "") == registry.count("POST", "") == 0


def test_an_empty_blob_has_a_size(registry: LoopbackRegistry, client: RegistryClient) -> None:
    registry.head, registry.ranges = 405, True
    client.upload(Upload(Digest.of(b""), 0, lambda: iter(())))

    assert client.find_blob(Digest.of(b"")) == There(0)


def test_a_store_of_blobs_elsewhere_may_know_no_head(transport: Transport) -> None:
    """A URL that is signed for GET alone: HEAD is refused there, and tells nothing."""
    with faulty_server() as server, faulty_server() as storage:
        place = storage.serve("/signed", b"bytes")
        digest = Digest.of(b"bytes")
        moved = Fault(status=307, headers=(("Location", place),))
        server.always[f"/v2/team/base/blobs/{digest}"] = moved
        storage.faults["/signed"] = [Fault(status=403)]
        repository = Repository(server.address, "team/base")
        client = RegistryClient.reader(transport, repository, DockerConfig(None))

        assert client.find_blob(digest, 5) == There(5)
        assert [one.method for one in storage.asked] == ["HEAD", "GET"]


def test_what_is_mounted_is_asked_for_and_sent_where_it_is_wrong(
    transport: Transport, registry: LoopbackRegistry, client: RegistryClient
) -> None:
    place = in_process(registry, client)
    place.push()
    place.damage(LAYERS[3], "short")
    child = RegistryClient.writer(
        transport, Repository(registry.address, "team/child"), DockerConfig(None), ["team/base"]
    )

    report = push(child, TAG, IMAGE, ["team/base"], Progress())

    assert report.uploaded == Tally(1, len(LAYERS[3]))
    assert report.mounted.count == len(BLOBS) - 1
    assert registry.blobs["team/child"][str(Digest.of(LAYERS[3]))] == LAYERS[3]


def test_a_mount_that_lies_is_followed_by_the_bytes(
    transport: Transport, registry: LoopbackRegistry, client: RegistryClient
) -> None:
    """Its size isn't told before, and is another one afterwards."""
    place = in_process(registry, client)
    place.push()
    place.damage(LAYERS[3], "short")
    registry.lengths = ("GET",)
    child = RegistryClient.writer(
        transport, Repository(registry.address, "team/child"), DockerConfig(None), ["team/base"]
    )

    report = push(child, TAG, IMAGE, ["team/base"], Progress())

    assert report.uploaded == Tally(1, len(LAYERS[3]))
    assert registry.blobs["team/child"][str(Digest.of(LAYERS[3]))] == LAYERS[3]


def test_a_manifest_without_sizes_is_not_vouched_for(
    registry: LoopbackRegistry, client: RegistryClient
) -> None:
    config = CONFIGS[0]
    client.upload(Upload(Digest.of(config), len(config), lambda: iter((config,))))
    document = json.dumps({"config": {"digest": str(Digest.of(config))}}).encode()
    registry.manifests["team/base"] = {TAG: (MANIFEST, document)}
    parts = published_parts(client, TAG)
    assert parts is not None

    (asked,), (read,) = ask_all(client, parts.blobs), hash_all(client, parts.blobs, Progress())

    assert asked.standing is read.standing is Standing.UNTOLD
    assert "tells n" in asked.said
    assert "tells no" in read.said


@pytest.mark.registry
def test_a_registry_that_remembers_sizes_is_found_out_by_its_bytes(
    transport: Transport, tmp_path: Path
) -> None:
    """docker-registry with a cache of descriptors answers HEAD from that, whatever it still has."""
    with real_registry(tmp_path / "registry", remembers=True) as real:
        repository = Repository(real.address, "test/base")
        client = RegistryClient.writer(transport, repository, DockerConfig(None))
        push(client, TAG, IMAGE, (), Progress())
        file = real.file(str(Digest.of(LAYERS[3])))
        file.write_bytes(file.read_bytes()[:-1])
        parts = published_parts(client, TAG)
        assert parts is not None

        asked = ask_all(client, parts.blobs)
        read = hash_all(client, parts.blobs, Progress())

        assert {one.standing for one in asked} == {Standing.RIGHT}
        wrong = [one.blob.digest for one in read if one.standing is not Standing.RIGHT]
        assert wrong == [Digest.of(LAYERS[3])]
