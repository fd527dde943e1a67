"""`push` and `verify --registry` of a built image: what a registry lost, cut or changed is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clicases import command_line_on
from commandline import CommandLine, Done
from loopback_registry import LoopbackRegistry, loopback_registry
from stored_project import stored_project

from basestore.image.model import Image
from basestore.pipeline.assembled import required_image
from basestore.pipeline.recorded import Records
from basestore.pipeline.verify_registry import verify_registry
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.registry import DockerConfig, RegistryClient, Repository
from basestore.state import State
from basestore.store import Store
from basestore.transport import Transport

REPOSITORY = "team/base-runtime"


@dataclass
class Place:
    """A pushed image."""

    basestore: CommandLine
    registry: LoopbackRegistry
    image: Image

    @property
    def team(self) -> str:
        """Where it was pushed to."""
        return f"{self.registry.address}/team"

    def push(self) -> Done:
        """Push it again."""
        return self.basestore("push", "runtime", "--to", self.team)

    def verify(self, *words: str) -> Done:
        """Ask the registry."""
        return self.basestore("verify", "runtime", "--registry", self.team, *words)

    def read(self) -> list[list[str]]:
        """As --content does: what is found where each blob is read. Its wheels aren't there."""
        recorded = Records.read(read_project(self.basestore.folder)).required("runtime")
        repository = Repository(self.registry.address, REPOSITORY)
        with Transport() as transport:
            client = RegistryClient.reader(transport, repository, DockerConfig(None))
            found = verify_registry(recorded, client, Progress())
        return [["ok" if one.holds else "FAIL", one.check] for one in found]

    def damage(self, digest: str, damage: Callable[[bytes], bytes | None]) -> None:
        """Damage a blob."""
        blobs = self.registry.blobs[REPOSITORY]
        damaged = damage(blobs.pop(digest))
        blobs.update({digest: damaged} if damaged is not None else {})

    @property
    def layer(self) -> str:
        """The digest of the uppermost layer."""
        return str(self.image.layers[-1].descriptor.digest)

    @property
    def config(self) -> str:
        """The digest of the config."""
        return str(self.image.platforms[0].config.digest)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    run = command_line_on(tmp_path / "project")
    state = State.open(Path(run.environ["XDG_STATE_HOME"], "basestore"))
    store = Store.open(Path(run.environ["BASESTORE_STORE"]), state=state)
    root = stored_project(tmp_path, store).root
    project = read_project(root)
    image = required_image(project, Records.read(project).required("runtime"), store)
    with loopback_registry() as registry:
        made = Place(run, registry, image)
        made.push().expect(0)
        yield made
    store.lease.release()


def checks(done: Done) -> list[list[str]]:
    """The first two words of each finding of the registry."""
    found = [line.split()[:2] for line in done.out.splitlines()[1:]]
    return [one for one in found if one[1] not in ("lock", "fresh", "image", "metadata", "content")]


ALL_RIGHT = [["ok", "registry"], ["ok", "label"], ["ok", "blobs"]]


def test_all_is_there(place: Place) -> None:
    assert "nothing to do" in place.push().expect(0).out
    assert checks(place.verify().expect(0)) == ALL_RIGHT
    assert place.read() == ALL_RIGHT


def test_a_layer_that_is_gone_is_told_and_sent(place: Place) -> None:
    place.damage(place.layer, lambda _: None)

    found = place.verify().expect(3)
    assert checks(found) == [["ok", "registry"], ["ok", "label"], ["FAIL", "blob"]]
    assert f"layer {place.layer} is gone; run `basestore push runtime`" in found.out
    assert place.push().expect(0).out.startswith("runtime: sent 1 blob, ")
    assert place.read() == ALL_RIGHT


def test_a_config_that_is_gone_is_told_and_sent(place: Place) -> None:
    place.damage(place.config, lambda _: None)

    found = place.verify().expect(3)
    assert checks(found) == [["ok", "registry"], ["skip", "label"], ["FAIL", "blob"]]
    place.push().expect(0)
    place.verify().expect(0)


def test_a_config_with_other_bytes_is_told(place: Place) -> None:
    place.damage(place.config, lambda data: data.replace(b"amd64", b"arm64"))

    assert ["FAIL", "label"] in checks(place.verify().expect(3))
    assert ["FAIL", "blob"] in checks(place.verify("--content").expect(3))


def test_a_short_layer_is_told_and_sent_or_told_again(place: Place) -> None:
    place.damage(place.layer, lambda data: data[:-1])
    place.registry.keeps = True

    assert f"layer {place.layer} has " in place.verify().expect(3).out
    refused = place.push().expect(5)
    assert place.layer in refused.err
    assert "hint: " in refused.err
    place.registry.keeps = False
    place.push().expect(0)
    assert place.read() == ALL_RIGHT


def test_changed_bytes_are_seen_by_who_reads_them(place: Place) -> None:
    place.damage(place.layer, lambda data: data[:-1] + bytes([data[-1] ^ 1]))

    assert "nothing to do" in place.push().expect(0).out
    place.verify().expect(0)
    found = place.verify("--content").expect(3)
    assert ["FAIL", "blob"] in checks(found)
    assert f"layer {place.layer} has other bytes, which hash to sha256:" in found.out
    assert "hash layer" in found.err


def test_a_size_that_nobody_tells_is_told(place: Place) -> None:
    place.registry.lengths = ()
    count = len(place.image.layers) + 1

    assert f"doesn't tell the size of {count} blobs" in place.push().expect(0).out
    found = place.basestore("push", "--json", "--to", place.team).expect(0).json["pushed"][0]
    assert (found["changed"], found["untold"]) == (False, count)
    asked = checks(place.verify().expect(0))
    assert asked == [["ok", "registry"], ["ok", "label"], *[["skip", "blob"]] * count]
    assert place.read() == ALL_RIGHT


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_manifest(place: Place, damage: str) -> None:
    manifests = place.registry.manifests[REPOSITORY]
    for name, (kind, data) in list(manifests.items()):
        if damage == "gone":
            del manifests[name]
        else:
            manifests[name] = (kind, data.replace(b'"size":', b'"size" :', 1))

    found = place.verify().expect(3)

    assert checks(found)[0] == ["FAIL", "registry"]


def test_plan_says_what_push_would_send(place: Place) -> None:
    planned = place.basestore("plan", "--registry", place.team, "runtime").expect(0)
    place.damage(place.layer, lambda data: data[:-1])
    lacking = place.basestore("plan", "--registry", place.team, "runtime").expect(0)

    assert planned.out != lacking.out
