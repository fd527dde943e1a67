"""The family on real wheels: shared layers, policy, a real registry and a real engine."""

import subprocess
import uuid
from typing import Any

import pytest
from commandline import CommandLine, no_network
from family_base import GENERATIONS, Family, read_lock
from runtime_base import PROJECT

from basestore.target import Platform

pytestmark = pytest.mark.network

PROGRAM = "import torch, sentence_transformers, sklearn, spacy, fastapi; print(torch.ones(3).sum())"
TOTAL = "tensor(3.)"


def layers(image: Any) -> list[str]:
    """The digests of an image's layers on its first platform, the lowest first."""
    return [layer["digest"] for layer in image["platforms"][0]["layers"]]


def said(*words: str) -> str:
    """What a command printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_the_committed_locks_are_fresh() -> None:
    basestore = CommandLine(PROJECT)
    done = basestore("lock", "--check", **no_network()).expect(0)
    assert done.out.splitlines() == [f"{name}: fresh" for name in ("cpu", "gpu", "ml", "runtime")]


def test_every_layer_of_a_parent_is_one_of_its_childs(family: Family) -> None:
    runtime, cpu, ml = (set(layers(family.built[name])) for name in GENERATIONS)
    assert runtime < cpu < ml


def test_the_committed_images_file_has_the_images_that_the_committed_locks_give(
    family: Family,
) -> None:
    if family.lock("runtime") != read_lock(PROJECT, "runtime"):
        pytest.skip("the archive dropped a .deb of the committed locks")
    committed = (PROJECT / "locks/images.toml").read_text()

    assert [name for name in GENERATIONS if family.built[name]["digest"] not in committed] == []


def test_no_cuda_in_the_closure_of_cpu(family: Family) -> None:
    names = {wheel.name for wheel in family.lock("ml").platform(Platform("amd64")).wheels}
    assert "torch" in names
    assert not [name for name in names if name.startswith("nvidia-") or name == "triton"]


@pytest.mark.registry
@pytest.mark.engine
def test_the_engine_pulls_it_by_digest_and_runs_it(
    family: Family, docker: list[str], registry_address: str
) -> None:
    place = f"{registry_address}/family-{uuid.uuid4().hex[:12]}"
    (pushed,) = family.run("push", "--json", "--to", place, "ml").expect(0).json["pushed"]
    repository = pushed["reference"].split(":" + family.built["ml"]["tag"])[0]
    image = f"{repository}@{family.built['ml']['digest']}"

    said(*docker, "pull", "--quiet", image)

    in_it = [*docker, "run", "--rm", "--network=none", image]
    assert said(*in_it, "python", "-c", PROGRAM) == TOTAL
    said(*docker, "rmi", "--force", image)
