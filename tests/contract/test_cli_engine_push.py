"""`push`, `verify` and `load` of services that an engine built, with both servers on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
NO_ENGINE = "unix:///nowhere/docker.sock"
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

    def move_base(self) -> None:
        """Let the base have another image."""
        root = self.basestore.folder
        digest = Digest.of((root / "locks/runtime.lock").read_bytes())
        write_images(read_project(root), [ImageRecord("runtime", digest, IMAGE, {AMD64: IMAGE})])

    def move_lock(self) -> None:
        """Let the service have another lock."""
        path = self.basestore.folder / "basestore.toml"
        path.write_text(path.read_text() + 'requirements = ["rich"]\n')
        lock(self.basestore.folder, "job")

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
        record = ServiceRecord("job", IMAGE, BASE, engine_lock=lock(root, "job"))
        write_images(read_project(root), [base])
        write_services(read_project(root), [record])
        engine.configs[str(IMAGE)] = {"config": {"Labels": {}}, "rootfs": {"diff_ids": []}}
        environ = {**command_line_on(root).environ, "DOCKER_HOST": engine.host}
        yield Place(CommandLine(root, environ), engine, registry)


def test_what_the_registry_has_is_recorded(place: Place) -> None:
    manifest, before = place.publish(), place.record

    done = place.basestore("push", "job", DOCKER_HOST=NO_ENGINE).expect(0)

    repository = f"{place.registry.address}/team/job"
    assert done.out == f"job: nothing to do\n  {repository}:{IMAGE.hex}@{manifest}\n"
    assert place.record == replace(before, platforms={AMD64: manifest})
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

    found = [line.split()[:2] for line in done.out.splitlines()[1:]]
    checks = ["lock", "fresh", "image", "files", "registry", "manifest"]
    checks += ["blobs", "engine", "rebuild"]
    skipped = ("files", "rebuild")
    assert found == [["skip" if one in skipped else "ok", one] for one in checks]
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
    place.move_base()

    done = place.basestore("verify", "job").expect(3)

    assert f"it stands on {BASE}, and its base is {IMAGE} now" in done.out


def test_there_is_nothing_to_load(place: Place) -> None:
    done = place.basestore("load", "job", DOCKER_HOST=NO_ENGINE).expect(0)

    assert done.out == "job: nothing to load, an engine builds it\n"


def test_what_was_not_built_is_said_before_an_engine_is_asked(place: Place) -> None:
    (place.basestore.folder / "locks/services.toml").unlink()

    for command in ("push", "run", "load"):
        done = place.basestore(command, "job", DOCKER_HOST=NO_ENGINE).expect(3)
        assert "no image of job that an engine built is recorded" in done.err


def test_an_image_on_an_old_base_is_not_pushed(place: Place) -> None:
    place.publish()
    place.move_base()

    for command in ("push", "run", "load"):
        done = place.basestore(command, "job").expect(3)
        assert "the image of job that an engine built is on an old base" in done.err
        assert "hint: run `basestore build job`" in done.err

    assert place.engine.asked == []
    assert place.registry.asked == []
    assert "on an old base" in place.basestore("status", "job").expect(0).out


def test_an_image_of_an_old_lock_is_not_used(place: Place) -> None:
    place.publish()
    place.move_lock()

    for command in ("push", "run", "load"):
        done = place.basestore(command, "job").expect(3)
        assert "the image of job that an engine built is of an old lock" in done.err

    assert place.engine.asked == []
    assert "of an old lock" in place.basestore("status", "job").expect(0).out
    done = place.basestore("verify", "job").expect(3)
    assert f"FAIL  image      it is of the lock {place.record.lock}, not sha256:" in done.out


def test_a_line_without_a_lock_holds_for_any(place: Place) -> None:
    place.publish()
    old = replace(place.record, engine_lock=None)
    write_services(read_project(place.basestore.folder), [old])
    place.move_lock()

    place.basestore("verify", "job").expect(0)
    place.basestore("push", "job").expect(0)

    assert place.record.lock is None


def test_files_that_are_not_checked_are_told_so(place: Place) -> None:
    said = place.basestore("status", "job", "--json").expect(0).json["profiles"][0]
    assert [one["text"] for one in said["reasons"]] == [
        "an engine built it: whether its files have changed since is not checked"
    ]

    said = place.basestore("verify", "job", "--rebuild", "--json").expect(0).json["profiles"][0]
    assert said["agrees"] is True
    found = {one["check"]: one["holds"] for one in said["findings"]}
    assert found == {"lock": True, "fresh": True, "image": True, "files": None, "rebuild": None}


def test_what_an_engine_has_is_not_exported(place: Place, tmp_path: Path) -> None:
    done = place.basestore("export", "job", "--to", f"oci:{tmp_path / 'job'}").expect(2)

    assert "the image of job can't be exported: an engine builds it" in done.err
    assert f"`docker save job:{IMAGE.hex}`" in done.err
    assert not (tmp_path / "job").exists()
    place.basestore("export", "job", "--to", f"requirements:{tmp_path / 'job.txt'}").expect(0)


def test_what_was_pushed_before_an_error_is_told(place: Place) -> None:
    manifest = place.publish()
    path = place.basestore.folder / "basestore.toml"
    path.write_text(path.read_text() + '[services.late]\nbase = "runtime"\n')
    lock(place.basestore.folder, "late")

    done = place.basestore("push", "job", "late").expect(3)
    assert done.out.startswith("job: nothing to do\n")
    assert "no image of late's lock is recorded" in done.err

    done = place.basestore("push", "job", "late", "--json").expect(3)
    assert [one["digest"] for one in done.json["pushed"]] == [str(manifest)]
    assert place.basestore("push", "late", "--json").expect(3).out == ""
