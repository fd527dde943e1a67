"""One suite for every registry: the one in this process, and a real one where there is one.

``BASESTORE_TEST_REGISTRY=host:port`` names the real one; with ``BASESTORE_REQUIRE_SERVICES=1`` its
absence is a failure.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from loopback_registry import LoopbackRegistry, loopback_registry

from basestore.digest import Digest
from basestore.progress import Advance, Progress
from basestore.registry import (
    DockerConfig,
    Manifest,
    PushBlob,
    PushImage,
    RegistryClient,
    Repository,
    inspect_image,
    is_pushed,
    push,
)
from basestore.registry.client import There, Upload
from basestore.registry.errors import RegistryRefusedError, UnsafeUploadError, WrongContentError
from basestore.registry.inspect import NoImageError
from basestore.registry.push import TagTakenError, Tally
from basestore.transport import (
    BodySizeError,
    BrokenOffError,
    NoConnectionError,
    ServerFaultError,
    TooLargeError,
    Transport,
)

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NO_CONFIG = DockerConfig(None)
TAG = "3f" * 32


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(sleep=lambda seconds: None) as made:
        yield made


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as served:
        yield served


@pytest.fixture(params=["loopback", pytest.param("real", marks=pytest.mark.registry)])
def host(request: pytest.FixtureRequest) -> str:
    """The address of a registry."""
    if request.param == "loopback":
        served: LoopbackRegistry = request.getfixturevalue("registry")
        return served.address
    return str(request.getfixturevalue("registry_address"))


@pytest.fixture
def repository(host: str) -> Repository:
    """A repository that nobody used before."""
    return Repository(host, f"test/{uuid.uuid4()}")


@pytest.fixture
def client(transport: Transport, repository: Repository) -> RegistryClient:
    return RegistryClient.writer(transport, repository, NO_CONFIG)


@pytest.fixture
def local(transport: Transport, registry: LoopbackRegistry) -> RegistryClient:
    """A client of the registry in this process, which can be told to fail."""
    return RegistryClient.writer(transport, Repository(registry.address, "team/base"), NO_CONFIG)


def upload_of(data: bytes) -> Upload:
    return Upload(Digest.of(data), len(data), lambda: iter((data[:3], data[3:])))


def blob_of(data: bytes) -> PushBlob:
    upload = upload_of(data)
    return PushBlob("a blob", upload.digest, upload.size, upload.open)


def _descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data)}


def manifest_of(config: bytes, *layers: bytes) -> Manifest:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(d, "application/vnd.oci.image.layer.v1.tar+gzip") for d in layers],
    }
    return Manifest(json.dumps(document).encode(), MANIFEST)


def index_of(**manifests: Manifest) -> Manifest:
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                **_descriptor(manifest.data, MANIFEST),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture, manifest in manifests.items()
        ],
    }
    return Manifest(json.dumps(document).encode(), INDEX)


def config_of(architecture: str, lock: str = "the lock") -> bytes:
    labels = {"dev.basestore.lock": lock}
    document = {"os": "linux", "architecture": architecture, "config": {"Labels": labels}}
    return json.dumps({**document, "rootfs": {"type": "layers", "diff_ids": []}}).encode()


LAYERS = tuple(f"layer {number}".encode() * 1000 for number in range(20))
SHARED, ONLY_ARM = LAYERS[:19], LAYERS[19]
CONFIGS = {name: config_of(name) for name in ("amd64", "arm64")}


@pytest.fixture
def image() -> PushImage:
    """Two platforms over shared layers."""
    amd64 = manifest_of(CONFIGS["amd64"], *SHARED)
    arm64 = manifest_of(CONFIGS["arm64"], *SHARED, ONLY_ARM)
    blobs = [*CONFIGS.values(), *SHARED, *SHARED, ONLY_ARM]
    return PushImage(index_of(amd64=amd64, arm64=arm64), (amd64, arm64), tuple(map(blob_of, blobs)))


BLOBS = Tally(22, sum(map(len, LAYERS)) + sum(map(len, CONFIGS.values())))


# Blobs and manifests


def test_uploads_and_finds_a_blob(client: RegistryClient) -> None:
    upload = upload_of(b"some bytes")
    assert client.find_blob(upload.digest) is None
    client.upload(upload)
    assert client.find_blob(upload.digest) == There(upload.size)
    assert client.blob(upload.digest, 10) == b"some bytes"
    with pytest.raises(TooLargeError):
        client.blob(upload.digest, 9)


def test_an_empty_blob(client: RegistryClient) -> None:
    upload = Upload(Digest.of(b""), 0, lambda: iter(()))
    client.upload(upload)
    assert client.find_blob(upload.digest) == There(upload.size)


def test_a_blob_is_streamed(client: RegistryClient) -> None:
    piece = bytes(64 * 1024)
    upload = Upload(Digest.of(piece * 64), 64 * len(piece), lambda: iter([piece] * 64))
    client.upload(upload)
    assert client.find_blob(upload.digest) == There(upload.size)


def test_a_blob_with_other_bytes_is_refused(client: RegistryClient) -> None:
    upload = replace(upload_of(b"some bytes"), digest=Digest.of(b"others"))
    with pytest.raises(RegistryRefusedError) as raised:
        client.upload(upload)
    assert raised.value.codes == ("DIGEST_INVALID",)
    assert raised.value.exit_code == 6
    assert client.find_blob(upload.digest) is None


def test_an_upload_torn_midway_starts_again(client: RegistryClient) -> None:
    data = bytes(range(256)) * 4096
    opened = []

    def chunks() -> Iterator[bytes]:
        opened.append(1)
        yield data[:500_000]
        if len(opened) == 1:
            raise ConnectionResetError
        yield data[500_000:]

    client.upload(Upload(Digest.of(data), len(data), chunks))
    assert len(opened) == 2
    assert client.blob(Digest.of(data), len(data)) == data


def test_mounts_from_a_sibling(transport: Transport, client: RegistryClient) -> None:
    upload = upload_of(b"shared bytes")
    client.upload(upload)
    path = client.repository.path
    sibling = Repository(client.repository.host, f"{path}-child")
    child = RegistryClient.writer(transport, sibling, NO_CONFIG, [path])
    assert child.sibling_has_blob(path, upload.digest, upload.size)
    assert not child.sibling_has_blob(path, upload.digest, upload.size + 1)
    assert child.find_blob(upload.digest) is None
    assert child.mount(replace(upload, open=_never), path)
    assert child.find_blob(upload.digest) == There(upload.size)


def test_a_missed_mount_becomes_an_upload(client: RegistryClient) -> None:
    upload = upload_of(b"nowhere yet")
    assert not client.mount(upload, "test/absent")
    assert client.find_blob(upload.digest) == There(upload.size)


def _never() -> Iterator[bytes]:
    pytest.fail("sent, though it could be mounted")
    yield b""


def test_manifests_by_tag_and_digest(client: RegistryClient) -> None:
    config = config_of("amd64")
    client.upload(upload_of(config))
    manifest = manifest_of(config)
    assert client.manifest_digest("one") is None
    assert client.manifest("one") is None
    client.put_manifest(str(manifest.digest), manifest)
    assert client.manifest_digest("one") is None
    client.put_manifest("one", manifest)
    assert client.manifest_digest("one") == manifest.digest
    assert client.manifest("one") == manifest
    assert client.manifest(str(manifest.digest)) == manifest


def test_a_manifest_without_its_blobs_is_refused(client: RegistryClient) -> None:
    with pytest.raises(RegistryRefusedError) as raised:
        client.put_manifest("one", manifest_of(b"a config nobody sent"))
    assert "MANIFEST_BLOB_UNKNOWN" in raised.value.codes


# Pushing and looking


@dataclass
class Watcher(Progress):
    """Adds up what it is told."""

    told: dict[str, int] = field(default_factory=dict)
    totals: int = 0

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        self.totals += total or 0

        def advance(amount: int) -> None:
            self.told[verb] = self.told.get(verb, 0) + amount

        yield advance


def test_pushes_an_image(client: RegistryClient, image: PushImage) -> None:
    watcher = Watcher()
    assert not is_pushed(client, TAG, image.top.digest)
    report = push(client, TAG, image, (), watcher)
    assert (report.tagged, report.digest, report.uploaded) == (True, image.top.digest, BLOBS)
    assert watcher.told == {"push": BLOBS.size}
    assert watcher.totals == BLOBS.size
    assert is_pushed(client, TAG, image.top.digest)
    assert client.manifest(str(image.manifests[1].digest)) == image.manifests[1]


def test_pushed_again_nothing_is_done(client: RegistryClient, image: PushImage) -> None:
    push(client, TAG, image, (), Progress())
    unreadable = replace(image, blobs=tuple(replace(blob, open=_never) for blob in image.blobs))
    report = push(client, TAG, unreadable, (), Progress())
    assert not report.changed
    assert (report.uploaded, report.mounted, report.present) == (Tally(), Tally(), BLOBS)


def test_a_tag_is_never_overwritten(client: RegistryClient, image: PushImage) -> None:
    push(client, TAG, image, (), Progress())
    other = PushImage(None, (image.manifests[0],), image.blobs)
    with pytest.raises(TagTakenError) as raised:
        push(client, TAG, other, (), Progress())
    assert raised.value.exit_code == 3
    assert str(image.top.digest) in raised.value.message
    assert str(other.top.digest) in raised.value.message
    assert client.manifest_digest(TAG) == image.top.digest


def test_only_what_lacks_is_sent(
    transport: Transport, client: RegistryClient, image: PushImage
) -> None:
    parent = PushImage(None, (image.manifests[0],), image.blobs[:21])
    push(client, "parent", parent, (), Progress())
    report = push(client, TAG, image, (), Progress())
    assert (report.present.count, report.uploaded) == (21, Tally(1, len(ONLY_ARM)))
    path = client.repository.path
    sibling = Repository(client.repository.host, f"{path}-child")
    child = RegistryClient.writer(transport, sibling, NO_CONFIG, ["test/absent", path])
    report = push(child, TAG, image, ["test/absent", path], Progress())
    assert (report.mounted, report.uploaded) == (BLOBS, Tally())


def test_an_image_without_an_index(client: RegistryClient, image: PushImage) -> None:
    alone = PushImage(None, (image.manifests[0],), image.blobs)
    report = push(client, TAG, alone, (), Progress())
    assert report.digest == image.manifests[0].digest
    seen = inspect_image(client, TAG)
    assert seen is not None
    assert [manifest.platform for manifest in seen.manifests] == ["linux/amd64"]
    assert seen.digest == seen.manifests[0].digest


def test_looks_at_an_image_without_pulling_it(
    transport: Transport, client: RegistryClient, image: PushImage
) -> None:
    reader = RegistryClient.reader(transport, client.repository, NO_CONFIG)
    assert inspect_image(reader, TAG) is None
    push(client, TAG, image, (), Progress())
    seen = inspect_image(reader, TAG)
    assert seen is not None
    assert seen.digest == image.top.digest
    assert [manifest.platform for manifest in seen.manifests] == ["linux/amd64", "linux/arm64"]
    assert [manifest.digest for manifest in seen.manifests] == [m.digest for m in image.manifests]
    assert seen.manifests[0].labels == {"dev.basestore.lock": "the lock"}
    assert seen.manifests[0].config == Digest.of(CONFIGS["amd64"])
    assert seen.manifests[0].layers == tuple(map(Digest.of, SHARED))


# What goes wrong; only the registry in this process can be told to


def test_no_layer_is_read_for_looking(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    push(local, TAG, image, (), Progress())
    registry.asked.clear()
    inspect_image(local, TAG)
    assert registry.count("GET", "/manifests/") == 3
    assert registry.count("GET", "/blobs/") == 2


def test_manifests_come_after_blobs_and_the_tag_last(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    push(local, TAG, image, (), Progress())
    puts = [asked.path.split("?")[0] for asked in registry.asked if asked.method == "PUT"]
    assert all("/uploads/" in path for path in puts[:22])
    assert [path.rpartition("/")[2] for path in puts[22:]] == [
        *(str(manifest.digest) for manifest in image.manifests),
        str(image.top.digest),
        TAG,
    ]


@pytest.mark.parametrize("torn", [0, 10])
def test_a_torn_upload_starts_again(
    local: RegistryClient, registry: LoopbackRegistry, torn: int
) -> None:
    registry.refuse("PUT", "/uploads/", torn=torn)
    upload = upload_of(b"bytes" * 1000)
    local.upload(upload)
    assert local.find_blob(upload.digest) == There(upload.size)
    assert registry.count("POST", "/uploads/") == 2


@pytest.mark.parametrize(("method", "status"), [("POST", 500), ("PUT", 503), ("PUT", 404)])
def test_an_upload_out_of_order_starts_again(
    local: RegistryClient, registry: LoopbackRegistry, method: str, status: int
) -> None:
    registry.refuse(method, "/uploads/", status=status)
    upload = upload_of(b"bytes" * 1000)
    local.upload(upload)
    assert local.find_blob(upload.digest) == There(upload.size)
    assert registry.count("POST", "/uploads/") == 2


def test_a_retried_blob_is_counted_once(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    registry.refuse("PUT", "/uploads/", status=500)
    registry.refuse("PUT", "/uploads/", torn=100)
    watcher = Watcher()
    push(local, TAG, image, (), watcher)
    assert watcher.told == {"push": BLOBS.size}


def test_one_blob_refused_ends_the_push_before_the_tag(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    body = b'{"errors":[{"code":"DENIED","message":"quota\\u0007 exceeded","detail":"SECRET"}]}'
    registry.refuse("PUT", "/uploads/", status=413, body=body)
    with pytest.raises(RegistryRefusedError, match="DENIED: quota exceeded") as raised:
        push(local, TAG, image, (), Progress())
    assert raised.value.exit_code == 6
    assert "SECRET" not in raised.value.message
    assert registry.count("PUT", "/manifests/") == 0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"errors":3}', b'{"errors":["x"]}', b""])
def test_a_refusal_without_words(
    local: RegistryClient, registry: LoopbackRegistry, body: bytes
) -> None:
    registry.refuse("PUT", "/manifests/", status=400, body=body)
    with pytest.raises(RegistryRefusedError, match="400 Bad Request"):
        local.put_manifest("one", Manifest(b"{}", MANIFEST))


def test_a_registry_out_of_order_is_given_up(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    for _ in range(6):
        registry.refuse("HEAD", "/manifests/")
    with pytest.raises(ServerFaultError):
        push(local, TAG, image, (), Progress())


def test_a_registry_that_is_gone(transport: Transport) -> None:
    with loopback_registry() as gone:
        repository = Repository(gone.address, "team/base")
    with pytest.raises(NoConnectionError) as raised:
        is_pushed(RegistryClient.reader(transport, repository, NO_CONFIG), TAG, Digest.of(b""))
    assert raised.value.host == repository.host


def test_a_registry_that_never_mounts(
    transport: Transport, local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    push(local, TAG, image, (), Progress())
    registry.mounts = False
    child = RegistryClient.writer(
        transport, Repository(registry.address, "team/child"), NO_CONFIG, ["team/base"]
    )
    report = push(child, TAG, image, ["team/base"], Progress())
    assert (report.mounted, report.uploaded) == (Tally(), BLOBS)


def test_a_registry_that_tells_no_digests(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    registry.tells_digests = False
    assert not is_pushed(local, TAG, image.top.digest)
    push(local, TAG, image, (), Progress())
    assert is_pushed(local, TAG, image.top.digest)


def test_other_bytes_than_promised(
    local: RegistryClient, registry: LoopbackRegistry, image: PushImage
) -> None:
    push(local, TAG, image, (), Progress())
    stored = registry.manifests["team/base"]
    stored[str(image.manifests[0].digest)] = (MANIFEST, b"{}")
    with pytest.raises(WrongContentError) as raised:
        inspect_image(local, TAG)
    assert raised.value.exit_code == 5
    digest = str(Digest.of(CONFIGS["amd64"]))
    registry.blobs["team/base"][digest] = b"{}"
    with pytest.raises(WrongContentError):
        local.blob(Digest.parse(digest), 100)


@pytest.mark.parametrize(
    "document",
    [
        b"not JSON",
        b"[]",
        b'{"manifests": 3}',
        b"{}",
        b'{"config": {"digest": "md5:1"}}',
        b'{"manifests": [{"digest": "sha256:1"}]}',
        json.dumps({"manifests": [{"digest": f"sha256:{'0' * 64}"}]}).encode(),
    ],
)
def test_what_is_no_image(
    local: RegistryClient, registry: LoopbackRegistry, document: bytes
) -> None:
    registry.manifests["team/base"] = {TAG: (MANIFEST, document)}
    with pytest.raises(NoImageError) as raised:
        inspect_image(local, TAG)
    assert raised.value.exit_code == 6


def test_attestations_are_no_images(local: RegistryClient, registry: LoopbackRegistry) -> None:
    entry = {
        "digest": f"sha256:{'0' * 64}",
        "platform": {"os": "unknown", "architecture": "unknown"},
    }
    registry.manifests["team/base"] = {TAG: (INDEX, json.dumps({"manifests": [entry]}).encode())}
    seen = inspect_image(local, TAG)
    assert seen is not None
    assert seen.manifests == ()


def test_uploads_go_where_the_registry_says(
    local: RegistryClient, registry: LoopbackRegistry
) -> None:
    with loopback_registry() as storage:
        storage.sessions = registry.sessions
        registry.upload_base = f"http://{storage.address}"
        upload = upload_of(b"bytes")
        local.upload(upload)
        assert storage.blobs == {"team/base": {str(upload.digest): b"bytes"}}


def test_no_upload_over_plain_http_to_elsewhere(
    local: RegistryClient, registry: LoopbackRegistry
) -> None:
    registry.upload_base = "http://storage.invalid"
    with pytest.raises(UnsafeUploadError) as raised:
        local.upload(upload_of(b"bytes"))
    assert raised.value.exit_code == 6


def test_an_upload_that_stays_torn(local: RegistryClient, registry: LoopbackRegistry) -> None:
    for _ in range(6):
        registry.refuse("PUT", "/uploads/", torn=1)
    with pytest.raises(BrokenOffError):
        local.upload(upload_of(b"bytes" * 1000))


def test_an_image_without_an_index_has_one_manifest(image: PushImage) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        PushImage(None, image.manifests, ())


def test_what_reading_a_blob_raises_is_told_as_it_is(local: RegistryClient) -> None:
    class BrokenBlobError(Exception):
        pass

    def broken() -> Iterator[bytes]:
        yield b"by"
        raise BrokenBlobError

    with pytest.raises(BrokenBlobError):
        local.upload(Upload(Digest.of(b"bytes"), 5, broken))


@pytest.mark.parametrize("size", [2, 9])
def test_a_blob_of_another_size_is_not_waited_for(local: RegistryClient, size: int) -> None:
    with pytest.raises(BodySizeError) as raised:
        local.upload(replace(upload_of(b"bytes"), size=size))
    assert raised.value.exit_code == 5
