"""What a registry may answer to those who look at an image: shapes, sizes and depths."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from loopback_registry import LoopbackRegistry, loopback_registry

from basestore.digest import Digest
from basestore.errors import BasestoreError, ExitCode
from basestore.image.layout import NotALayoutError, _others
from basestore.registry import DockerConfig, RegistryClient, Repository, inspect_image
from basestore.registry.client import LARGEST_MANIFEST
from basestore.registry.inspect import NoImageError, PublishedImage
from basestore.transport import TooLargeError, Transport

TAG = "3f" * 32
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
RIGHT = {"os": "linux", "architecture": "amd64"}


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as served:
        yield served


def look(registry: LoopbackRegistry) -> PublishedImage | None:
    with Transport(sleep=lambda seconds: None) as transport:
        repository = Repository(registry.address, "team/base")
        return inspect_image(RegistryClient.reader(transport, repository, DockerConfig(None)), TAG)


def serve(registry: LoopbackRegistry, manifest: bytes, *blobs: bytes) -> None:
    registry.manifests["team/base"] = {TAG: (MANIFEST, manifest)}
    registry.blobs["team/base"] = {str(Digest.of(blob)): blob for blob in blobs}


def serve_config(registry: LoopbackRegistry, config: bytes, layers: object = ()) -> None:
    digest = str(Digest.of(config))
    serve(registry, json.dumps({"config": {"digest": digest}, "layers": layers}).encode(), config)


ZERO = f"sha256:{'0' * 64}"
DOCUMENTS: Mapping[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number beyond all": b'{"schemaVersion": 1e999, "config": 1e999}',
    "no UTF-8": b'{"config": "\xff"}',
    "nested objects": b'{"x":' * 200_000,
    "nested arrays": b'{"manifests":' + b"[" * 200_000,
    "a surrogate": b'{"config": {"digest": "\\ud800"}}',
    "layers that are null": b'{"config": {"digest": "%s"}, "layers": null}' % ZERO.encode(),
    "layers that are numbers": b'{"config": {"digest": "%s"}, "layers": [1]}' % ZERO.encode(),
    "a config of another algorithm": b'{"config": {"digest": "sha512:%s"}}' % (b"0" * 128),
    "a config that climbs": b'{"config": {"digest": "sha256:../../../etc/passwd"}}',
    "a manifest that climbs": b'{"manifests": [{"digest": "../blobs"}]}',
    "an index of ten thousand": json.dumps({"manifests": [{"digest": ZERO}] * 10_000}).encode(),
    "a platform of numbers": b'{"manifests": [{"digest": "%s", "platform": {"os": 1}}]}'
    % ZERO.encode(),
}
CONFIGS: Mapping[str, bytes] = {
    "null": b"null",
    "an array": b"[]",
    "no platform": b"{}",
    "nested": b'{"os": "linux", "architecture": "amd64", "x":' + b'{"y":' * 200_000,
    "labels that are a list": json.dumps({**RIGHT, "config": {"Labels": ["a"]}}).encode(),
    "labels that are numbers": json.dumps({**RIGHT, "config": {"Labels": {"a": 1}}}).encode(),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_manifests_of_other_shapes(registry: LoopbackRegistry, case: str) -> None:
    serve(registry, DOCUMENTS[case])
    with pytest.raises(NoImageError) as caught:
        look(registry)
    assert TAG in caught.value.message
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("case", CONFIGS)
def test_configs_of_other_shapes(registry: LoopbackRegistry, case: str) -> None:
    serve_config(registry, CONFIGS[case])
    with pytest.raises(NoImageError):
        look(registry)


def test_a_manifest_beyond_the_cap(registry: LoopbackRegistry) -> None:
    serve(registry, b" " * (LARGEST_MANIFEST + 1))
    with pytest.raises(TooLargeError):
        look(registry)


def test_a_config_beyond_the_cap(registry: LoopbackRegistry) -> None:
    serve_config(registry, json.dumps(RIGHT).encode().ljust(5 << 20))
    with pytest.raises(TooLargeError):
        look(registry)


def test_a_config_of_another_digest(registry: LoopbackRegistry) -> None:
    serve_config(registry, b"{}")
    registry.blobs["team/base"] = {
        digest: json.dumps(RIGHT).encode() for digest in registry.blobs["team/base"]
    }
    with pytest.raises(BasestoreError) as caught:
        look(registry)
    assert caught.value.exit_code is ExitCode.INTEGRITY


def test_no_text_of_a_registry_steers_the_terminal(registry: LoopbackRegistry) -> None:
    config = {"os": "linux\x1b[2J", "architecture": "amd64", "config": {"Labels": {"a": "\x1b[1m"}}}
    serve_config(registry, json.dumps(config).encode())
    seen = look(registry)
    assert seen is not None
    (manifest,) = seen.manifests
    assert manifest.platform.isprintable()
    assert manifest.labels["a"].isprintable()


def test_an_error_nested_without_end_is_still_an_error(registry: LoopbackRegistry) -> None:
    registry.refuse("GET", "/manifests/", status=403, body=b'{"errors":' + b"[" * 60_000)
    with pytest.raises(BasestoreError) as caught:
        look(registry)
    assert caught.value.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    "index", [b"[" * 200_000, b"null", b'{"manifests": [1]}', b'{"manifests": {"a": 1}}', b"\xff"]
)
def test_a_layout_of_another_shape_is_left_alone(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "index.json").write_bytes(index)
    with pytest.raises(NotALayoutError):
        _others(tmp_path, "tag")
