"""The family on real wheels: shared layers, policy, a real registry and a real engine."""

import subprocess
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from built_project import records_of, with_retries
from commandline import CommandLine
from family_base import GENERATIONS, Family, torch_mirror
from runtime_base import PROJECT

from basestore.target import Platform

pytestmark = [pytest.mark.long, pytest.mark.network]

PROGRAM = "import torch, sentence_transformers, sklearn, spacy, fastapi; print(torch.ones(3).sum())"
TOTAL = "tensor(3.)"
OVERHEAD = 64 * 1024


def layers(image: Any) -> list[str]:
    """The digests of an image's layers on its first platform, the lowest first."""
    return [layer["digest"] for layer in image["platforms"][0]["layers"]]


def said(*words: str) -> str:
    """What a command printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_every_layer_of_a_parent_is_one_of_its_childs(family: Family) -> None:
    runtime, cpu, ml = (set(layers(family.built[name])) for name in GENERATIONS)
    assert runtime < cpu < ml


def test_the_committed_images_file_has_the_images_that_the_committed_locks_give(
    family: Family,
) -> None:
    records = (records_of(family.project, PROJECT, GENERATIONS) / "images.toml").read_text()

    assert [name for name in GENERATIONS if family.built[name]["digest"] not in records] == []


def test_no_cuda_in_the_closure_of_cpu(family: Family) -> None:
    names = {wheel.name for wheel in family.lock("ml").platform(Platform("amd64")).wheels}
    assert "torch" in names
    assert not [name for name in names if name.startswith("nvidia-") or name == "triton"]


def test_one_small_package_more_is_one_line_more(family: Family, tmp_path: Path) -> None:
    basestore = family.copy(tmp_path / "project")
    profile, lock = (basestore.folder / name for name in ("profiles/ml.toml", "locks/ml.lock"))
    before = lock.read_text().splitlines()
    profile.write_text(profile.read_text().replace('  "nltk",\n', '  "humanize",\n  "nltk",\n'))

    with torch_mirror() as mirror:
        with_retries(partial(basestore, **mirror), "lock", "ml").expect(0)

    after = lock.read_text().splitlines()
    (more,) = [line for line in after if line not in before]
    assert 'name = "humanize"' in more
    assert [line for line in after if line != more] == before


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


@pytest.mark.engine
def test_the_engine_is_sent_what_it_lacks_and_runs_it(
    family: Family, docker: list[str], tmp_path: Path
) -> None:
    engine = {"DOCKER_HOST": docker[docker.index("--host") + 1]}
    first = family.run("load", "--json", "ml", **engine).expect(0).json["loaded"][0]
    again = family.run("load", "--json", "ml", **engine).expect(0).json["loaded"][0]
    ran = family.run("run", "ml", "--", "python", "-c", PROGRAM, **engine).expect(0)

    assert ran.out.strip() == TOTAL
    assert again["sent"] == {"layers": 0, "bytes": 0}
    family.run("verify", "--engine", "ml", **engine).expect(0)

    bumped = bump(family, tmp_path / "project", "nltk")
    built = with_retries(bumped, "build", "--json", "ml").expect(0).json["images"][0]
    more = bumped("load", "--json", "ml", **engine).expect(0).json["loaded"][0]

    (new,) = set(layers(built)) - set(layers(family.built["ml"]))
    lacking = sizes_from(built, layers(built).index(new))
    assert more["sent"]["layers"] == len(lacking)
    assert more["sent"]["bytes"] < sum(lacking) + OVERHEAD
    for name in {first["reference"], more["reference"]}:
        said(*docker, "rmi", "--force", name)


def bump(family: Family, place: Path, name: str) -> CommandLine:
    """A copy of the project whose ml has another version of one small package."""
    basestore = family.copy(place)
    wheels = family.lock("ml").platform(Platform("amd64")).wheels
    (locked,) = (wheel for wheel in wheels if wheel.name == name)
    profile = place / "profiles/ml.toml"
    profile.write_text(profile.read_text().replace(f'"{name}"', f'"{name}!={locked.version}"'))
    with torch_mirror() as mirror:
        with_retries(partial(basestore, **mirror), "lock", "ml").expect(0)
    return basestore


def sizes_from(image: Any, number: int) -> list[int]:
    """The sizes of an image's layers from one on upwards."""
    return [layer["size"] for layer in image["platforms"][0]["layers"][number:]]
