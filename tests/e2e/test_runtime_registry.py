"""The built base and a real registry: pushed, seen by other tools, pushed again, verified."""

import json
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from built_project import with_retries
from commandline import CommandLine, closed_address, contents
from runtime_base import Base, command_line
from services import need_program

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.registry]

LABEL = "dev.basestore.lock"


@dataclass(frozen=True)
class Skopeo:
    """skopeo against a registry without TLS."""

    program: str

    def inspect(self, image: str, *options: str) -> Any:
        """What `skopeo inspect` says of an image."""
        words = ["inspect", "--tls-verify=false", *options, f"docker://{image}"]
        return json.loads(self._run(*words))

    def copy(self, source: str, target: str, *options: str) -> None:
        """Copy an image."""
        insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        self._run("copy", *insecure, *options, source, target)

    def _run(self, *words: str) -> str:
        command = [self.program, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def skopeo() -> Skopeo:
    return Skopeo(need_program("skopeo"))


@pytest.fixture(scope="session")
def team(registry_address: str) -> str:
    """``HOST:PORT/PATH`` of a place in the registry that no run used before."""
    return f"{registry_address}/team-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def pushed(base: Base, team: str) -> Any:
    """What the first push printed, into an empty registry."""
    return base.run("push", "--json", "--to", team, "runtime").expect(0).json["pushed"][0]


@pytest.fixture
def image(pushed: Any, base: Base, team: str) -> str:
    """The pushed image by its tag."""
    return f"{team}/base-runtime:{base.built['tag']}"


def test_the_first_push_sends_every_blob(pushed: Any, base: Base, image: str) -> None:
    layers = {layer["digest"]: layer for one in base.built["platforms"] for layer in one["layers"]}
    assert pushed["reference"] == f"{image}@{base.built['digest']}"
    assert pushed["changed"] is True
    assert pushed["uploaded"]["blobs"] == len(layers) + 2
    assert pushed["uploaded"]["bytes"] > sum(layer["size"] for layer in layers.values())


def test_skopeo_sees_digest_and_label(skopeo: Skopeo, base: Base, image: str) -> None:
    for one in base.built["platforms"]:
        system, architecture = one["platform"].split("/")
        override = ("--override-os", system, "--override-arch", architecture)
        seen = skopeo.inspect(image, *override)
        assert seen["Digest"] == base.built["digest"]
        assert seen["Labels"][LABEL] == base.built["tag"]
        assert seen["Layers"] == [layer["digest"] for layer in one["layers"]]
        assert seen["Architecture"] == architecture


def test_skopeo_copies_it_elsewhere(
    skopeo: Skopeo, base: Base, image: str, team: str, tmp_path: Path
) -> None:
    """It reads every layer, and holds each to its digest and diffID."""
    elsewhere = f"{team}/copied:latest"
    skopeo.copy(f"docker://{image}", f"docker://{elsewhere}", "--all")
    skopeo.copy(f"docker://{image}", f"oci:{tmp_path / 'layout'}:copied", "--all")

    assert skopeo.inspect(elsewhere)["Digest"] == base.built["digest"]
    assert (tmp_path / "layout/blobs/sha256" / base.built["digest"].split(":")[1]).exists()


def test_a_second_push_does_nothing(base: Base, image: str, team: str) -> None:
    again = base.run("push", "--json", "--to", team).expect(0).json["pushed"][0]

    assert again["changed"] is False
    assert again["reference"] == f"{image}@{base.built['digest']}"
    assert "nothing to do" in base.run("push", "--to", team).expect(0).out


def test_a_push_from_where_there_are_no_layers_makes_them_first(
    base: Base, team: str, tmp_path: Path
) -> None:
    """Whether the registry has the image that this lock gives can't be told without them."""
    there = base.run("push", "--to", team, "--json").expect(0).json["pushed"][0]["digest"]
    done = command_line(base.project, tmp_path / "store")("push", "--to", team, "--json").expect(0)

    assert [*(tmp_path / "store/layers").rglob("*.json")]
    (pushed,) = done.json["pushed"]
    assert (pushed["digest"], pushed["changed"]) == (there, False)


def test_a_tag_is_never_overwritten(
    skopeo: Skopeo, base: Base, image: str, registry_address: str
) -> None:
    """Under the tag lies one platform's manifest, where the index of both belongs."""
    other = f"{registry_address}/other-{uuid.uuid4().hex[:12]}"
    tag = f"{other}/base-runtime:{base.built['tag']}"
    skopeo.copy(f"docker://{image}", f"docker://{tag}")
    there = skopeo.inspect(tag)["Digest"]

    refused = base.run("push", "--to", other).expect(3)

    assert there in refused.err
    assert base.built["digest"] in refused.err
    assert skopeo.inspect(tag)["Digest"] == there
    differs = base.run("verify", "--registry", other).expect(3)
    assert there in differs.out


def test_verify_asks_the_registry_without_a_store(
    base: Base, image: str, team: str, tmp_path: Path
) -> None:
    basestore = command_line(base.project, tmp_path / "nothing")

    done = basestore("verify", "--registry", team).expect(0)
    missing = basestore("verify", "--registry", f"{team}/elsewhere").expect(3)

    assert f"{image} is {base.built['digest']}" in done.out
    assert f"linux/arm64: {LABEL} is {base.built['tag']}" in done.out
    assert "is not there" in missing.out
    assert contents(tmp_path) == {}


def test_a_registry_that_does_not_answer(base: Base) -> None:
    address = closed_address()

    for words in (["push", "--to", address], ["verify", "--registry", address]):
        done = base.run(*words, "runtime").expect(6)
        assert address in done.err


def test_a_child_sends_its_own_layer_and_mounts_its_parents(
    base: Base, pushed: Any, team: str, tmp_path: Path
) -> None:
    basestore = family(base, tmp_path / "project")
    lock = with_retries(basestore, "lock", "--json", "tools").expect(0).json["locks"][0]
    assert lock["changed"] is True
    child = with_retries(basestore, "build", "--json", "tools").expect(0).json["images"][0]
    assert layers_of(base.built) <= layers_of(child)
    new = layers_of(child) - layers_of(base.built)
    assert len(new) == 1

    sent = basestore("push", "--json", "--to", team, "tools").expect(0).json["pushed"][0]

    assert sent["uploaded"]["blobs"] == len(new) + 2
    assert sent["uploaded"]["bytes"] < 100_000
    assert sent["mounted"]["blobs"] == len(layers_of(base.built))
    assert "tools: agrees" in basestore("verify", "--registry", team, "tools").expect(0).out


def family(base: Base, place: Path) -> CommandLine:
    """The project with a second profile that adds one small package to the first."""
    basestore = base.copy(place)
    (place / "profiles/tools.toml").write_text(
        'extends = "runtime"\nrequirements = ["iniconfig"]\n'
    )
    return basestore


def layers_of(image: Any) -> set[str]:
    """The digests of an image's layers, over its platforms."""
    return {layer["digest"] for one in image["platforms"] for layer in one["layers"]}
