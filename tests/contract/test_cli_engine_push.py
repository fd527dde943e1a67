"""`push`, `verify` and `load` of services that an engine built, with both servers on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clicases import command_line_on
from commandline import CommandLine
from locked_project import lock, make_project
from loopback_engine import LoopbackEngine, loopback_engine
from loopback_registry import LoopbackRegistry, digest_of, loopback_registry

from basestore.digest import Digest
from basestore.lock.files import read_services, write_images, write_services
from basestore.lock.images import ImageRecord
from basestore.lock.services import ServiceRecord
from basestore.profile.project import read_project
from basestore.target import Platform

AMD64 = Platform("amd64")
BASE = Digest.of(b"the base's image")
CONFIG = b'{"architecture":"amd64","os":"linux","config":{}}'
IMAGE = Digest.of(CONFIG)
TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def manifest_of(config: bytes) -> bytes:
    kind = "application/vnd.docker.container.image.v1+json"
    described = {"mediaType": kind, "size": len(config), "digest": digest_of(config)}
    said = {"schemaVersion": 2, "mediaType": TYPE, "config": described, "layers": []}
    return json.dumps(said).encode()


@dataclass
class Place:
    """A project whose service `job` an engine built, and the two servers."""

    basestore: CommandLine
    engine: LoopbackEngine
    registry: LoopbackRegistry

    def publish(self, config: bytes = CONFIG) -> Digest:
        """Let the registry have an image under the service's tag; its manifest's digest."""
        data = manifest_of(config)
        digest = digest_of(data)
        manifests = self.registry.manifests.setdefault("team/job", {})
        manifests[IMAGE.hex] = manifests[digest] = (TYPE, data)
        self.registry.blobs.setdefault("team/job", {})[digest_of(config)] = config
        return Digest.parse(digest)

    @property
    def record(self) -> ServiceRecord:
        """What is recorded of it."""
        return read_services(read_project(self.basestore.folder))["job"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    root = tmp_path / "project"
    root.mkdir()
    make_project(root)
    with loopback_engine() as engine, loopback_registry() as registry:
        (root / "basestore.toml").write_text(
            f'registry = "{registry.address}/team"\n'
            '[services.job]\nbase = "runtime"\nbuilder = "docker"\n'
        )
        base = ImageRecord("runtime", lock(root, "runtime"), BASE, {AMD64: BASE})
        lock(root, "job")
        write_images(read_project(root), [base])
        write_services(read_project(root), [ServiceRecord("job", IMAGE, BASE)])
        engine.configs[str(IMAGE)] = {"config": {"Labels": {}}, "rootfs": {"diff_ids": []}}
        environ = {**command_line_on(root).environ, "DOCKER_HOST": engine.host}
        yield Place(CommandLine(root, environ), engine, registry)


def test_what_the_registry_has_is_recorded(place: Place) -> None:
    manifest = place.publish()

    done = place.basestore("push", "job").expect(0)

    repository = f"{place.registry.address}/team/job"
    assert done.out == f"job: nothing to do\n  {repository}:{IMAGE.hex}@{manifest}\n"
    assert place.record == ServiceRecord("job", IMAGE, BASE, None, {AMD64: manifest})
    assert not any("/push" in path for _, path, _ in place.engine.asked)


def test_a_tag_is_never_overwritten(place: Place) -> None:
    place.publish(b'{"architecture":"amd64","os":"linux","config":{"User":"x"}}')

    done = place.basestore("push", "job").expect(3)

    assert f"but {IMAGE} here" in done.err
    assert place.record.platforms == {}


def test_a_push_that_the_engine_refuses(place: Place) -> None:
    said = b'{"error":"denied: requested access to the resource is denied"}'
    place.engine.refuse(
        "POST", f"/images/{place.registry.address}/team/job/push", status=200, body=said
    )

    done = place.basestore("push", "job").expect(6)

    assert "requested access to the resource is denied" in done.err
    assert place.record.platforms == {}


def test_a_push_that_went_elsewhere(place: Place) -> None:
    said = json.dumps({"aux": {"Tag": IMAGE.hex, "Digest": str(BASE), "Size": 1}}).encode()
    place.engine.refuse("POST", "/push", status=200, body=said)

    done = place.basestore("push", "job").expect(6)

    assert "but the registry doesn't have it" in done.err


def test_a_push_without_a_digest(place: Place) -> None:
    place.engine.refuse("POST", "/push", status=200, body=b'{"status":"pushed"}')

    done = place.basestore("push", "job").expect(6)

    assert "it tells no digest of what it pushed" in done.err


def test_an_image_that_is_in_another_engine(place: Place) -> None:
    place.engine.configs.clear()

    done = place.basestore("push", "job").expect(3)

    assert f"has no image {IMAGE}, which job is recorded as" in done.err


def test_it_is_verified_everywhere(place: Place) -> None:
    place.publish()
    place.basestore("push", "job").expect(0)

    done = place.basestore("verify", "job", "--registry", "--engine", "--rebuild").expect(0)

    checks = [line.split()[1] for line in done.out.splitlines()[1:]]
    assert checks == ["lock", "fresh", "image", "registry", "manifest", "engine", "rebuild"]
    assert "not reproducible" in done.out


def test_verify_finds_what_is_gone(place: Place) -> None:
    assert "is not there" in place.basestore("verify", "job", "--registry").expect(3).out
    place.engine.configs.clear()
    assert "run `basestore build job`" in place.basestore("verify", "--engine", "job").expect(3).out
    (place.basestore.folder / "locks/services.toml").unlink()
    assert "FAIL  image" in place.basestore("verify", "job").expect(3).out


def test_verify_finds_another_manifest(place: Place) -> None:
    found = place.publish()
    other = ServiceRecord("job", IMAGE, BASE, None, {AMD64: BASE})
    write_services(read_project(place.basestore.folder), [other])

    done = place.basestore("verify", "job", "--registry").expect(3)

    assert f"FAIL  manifest   linux/amd64: {found}, not {BASE}" in done.out


def test_verify_finds_a_newer_base(place: Place) -> None:
    root = place.basestore.folder
    digest = Digest.of((root / "locks/runtime.lock").read_bytes())
    write_images(read_project(root), [ImageRecord("runtime", digest, IMAGE, {AMD64: IMAGE})])

    done = place.basestore("verify", "job").expect(3)

    assert f"it stands on {BASE}, and its base is {IMAGE} now" in done.out


def test_there_is_nothing_to_load(place: Place) -> None:
    done = place.basestore("load", "job").expect(0)

    assert done.out == "job: nothing to load, an engine builds it\n"
