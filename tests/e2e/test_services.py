"""The worked example as a team lives with it: locks, images, edits, bumps, pins, the engine.

Whatever it pushes goes to a place in a real registry that no other run uses.
"""

import os
import subprocess
import sys
import tomllib
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from built_project import TRIES, read_lock, records_of
from family_base import Family, torch_mirror
from services import need_program
from services_running import Running, running
from services_team import (
    AMD64,
    BASE_OF,
    BASES,
    EXAMPLE,
    SERVICES,
    Checkout,
    Team,
    installed,
    layers,
    make_team,
    sample,
)
from sharing import made_once

pytestmark = [pytest.mark.long, pytest.mark.network]

INDEXER = "apps/svc-indexer/main.py"
OWN = {
    "svc-api": {"ulid-py"},
    "svc-documents": {"pillow", "pypdfium2"},
    "svc-indexer": {"faiss-cpu", "tiktoken"},
}


@pytest.fixture(scope="session")
def team(family: Family, run_folder: Path) -> Team:
    """The example, built."""
    folder = run_folder / "team"
    with made_once(folder) as missing:
        return make_team(family.store, folder) if missing else Team(folder, family.store)


@pytest.fixture
def copied(team: Team, tmp_path: Path) -> Checkout:
    """A copy of the example."""
    return team.copy(tmp_path / "project")


@pytest.fixture
def checkout(team: Team, registry_address: str, tmp_path: Path) -> Checkout:
    """A copy of the example with a place in the registry of its own."""
    return team.copy(tmp_path / "project", f"{registry_address}/team-{uuid.uuid4().hex[:12]}")


def test_the_committed_records_are_what_the_committed_files_give(team: Team) -> None:
    records = records_of(team.project, EXAMPLE, (*BASES, *SERVICES))

    images = (records / "images.toml").read_text()
    assert [name for name in BASES if team.built[name]["digest"] not in images] == []
    for record in ("images.toml", "services.toml"):
        assert (records / record).read_text() == (team.project / "locks" / record).read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_a_lock_holds_only_what_the_base_lacks(team: Team, name: str) -> None:
    own = team.lock(name).platform(AMD64)
    base = team.lock(BASE_OF[name]).platform(AMD64)
    names = {wheel.name for wheel in own.wheels}

    assert own.debs == ()
    assert names & {wheel.name for wheel in base.wheels} == set()
    assert names >= OWN[name]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_begins_with_its_bases_layers(team: Team, name: str) -> None:
    base, service = layers(team.built[BASE_OF[name]]), layers(team.built[name])
    assert service[: len(base)] == base
    assert 1 < len(service) - len(base) <= 20


def test_another_build_of_the_same_files_is_the_same_image(team: Team, copied: Checkout) -> None:
    """Another folder, other times and modes that mean nothing."""
    (copied.folder / "apps/svc-api/main.py").touch()
    (copied.folder / "apps/svc-api/requirements.txt").write_text("# a comment\nULID_py\n")
    (copied.folder / "apps/svc-api/__pycache__").mkdir()
    (copied.folder / "apps/svc-api/__pycache__/main.pyc").write_bytes(b"left behind")

    copied.lock("svc-api").expect(0)
    built = copied.build("svc-api")

    assert (built["tag"], built["digest"]) == identity(team.built["svc-api"])
    copied.run("build", "--rebuild", "svc-api")


@pytest.mark.registry
def test_nothing_changed_nothing_is_pushed(team: Team, checkout: Checkout) -> None:
    first = checkout.push("svc-api")
    records = checkout.folder / "locks/services.toml"
    recorded = records.read_bytes()

    built = checkout.build("svc-api")
    again = checkout.push("svc-api")

    assert first["changed"]
    assert (built["tag"], built["digest"]) == identity(team.built["svc-api"])
    assert built["reused"]
    assert not again["changed"]
    assert again["reference"] == first["reference"]
    assert again["uploaded"] == {"blobs": 0, "bytes": 0}
    assert records.read_bytes() == recorded


@pytest.mark.registry
def test_a_code_edit_moves_the_application_only(team: Team, checkout: Checkout) -> None:
    before = team.built["svc-indexer"]
    checkout.push("svc-indexer")

    checkout.replace(INDEXER, "DIMENSIONS = 256", "DIMENSIONS = 128")
    built = checkout.build("svc-indexer")
    pushed = checkout.push("svc-indexer")

    *common, application = layers(built)
    assert common == layers(before)[:-1]
    assert application != layers(before)[-1]
    assert built["tag"] != before["tag"]
    assert built["lock"] == before["lock"]
    assert f":{built['tag']}@{built['digest']}" in pushed["reference"]
    assert pushed["uploaded"]["blobs"] == 2  # the application and the config
    size = built["platforms"][0]["layers"][-1]["size"]
    assert pushed["uploaded"]["bytes"] - size < 1_000_000


@pytest.mark.registry
def test_the_record_says_what_each_service_is(team: Team) -> None:
    document = tomllib.loads((team.project / "locks/services.toml").read_text())
    recorded = {row["service"]: row for row in document["services"]}

    assert sorted(recorded) == list(SERVICES)
    for name, row in recorded.items():
        built = team.built[name]
        assert (row["tag"], row["image"]) == (built["tag"], built["digest"])
        assert row["base"] == team.built[BASE_OF[name]]["digest"]
        assert row["application"] == layers(built)[-1]


def test_a_requirement_that_the_base_contradicts(copied: Checkout) -> None:
    (numpy,) = (
        wheel for wheel in read_lock(EXAMPLE, "ml").platform(AMD64).wheels if wheel.name == "numpy"
    )
    requirements = copied.folder / "apps/svc-indexer/requirements.txt"
    requirements.write_text(f"{requirements.read_text()}numpy<{numpy.version}\n")

    refused = copied.lock("svc-indexer").expect(7)

    assert "apps/svc-indexer/requirements.txt:3" in refused.err
    assert f"numpy {numpy.version}" in refused.err
    assert "ml" in refused.err


def test_a_duplicate_of_the_base_is_told_and_fixed(copied: Checkout) -> None:
    requirements = copied.folder / "apps/svc-indexer/requirements.txt"
    tidy = requirements.read_text()
    requirements.write_text(f"{tidy}torch\n")
    lock = copied.folder / "locks/svc-indexer.lock"
    locked = lock.read_bytes()

    told = copied.lock("svc-indexer").expect(0)
    copied.lock("svc-indexer", "--fix").expect(0)

    assert "torch" in told.err + told.out
    assert lock.read_bytes() == locked
    assert requirements.read_text() == tidy


@pytest.mark.registry
@pytest.mark.engine
def test_the_team_answers_is_edited_bumped_pinned_and_verified(
    team: Team, checkout: Checkout, docker: list[str]
) -> None:
    pushed = {name: checkout.push(name)["reference"] for name in (*BASES, *SERVICES)}
    with running(docker, {name: pushed[name] for name in SERVICES}) as up:
        for name in SERVICES:
            assert up.ask(name, "/healthz")["status"] == "ok"
        finds_documents(up)
        for name in SERVICES:
            assert up.installed(name) == installed(team.project, name)
            assert up.state(name, "{{.Config.User}}") == "10001"
            assert "healthz" in up.state(name, "{{.Config.Healthcheck.Test}}")
        own = ("run", "--network", "none", "svc-indexer", "--", "ls")
        ran = checkout.basestore(*own, DOCKER_HOST=docker[2]).expect(0)
        assert ran.out.split() == ["main.py", "vocabulary.tiktoken"]

    checkout.replace("apps/svc-api/main.py", '"status": "ok"', '"status": "edited"')
    drifted = checkout.basestore("verify", "svc-api").expect(3)
    assert "basestore build svc-api" in drifted.out
    checkout.build("svc-api")
    checkout.run("verify", "svc-api")
    with running(docker, {"svc-api": checkout.push("svc-api")["reference"]}) as up:
        assert up.ask("svc-api", "/healthz") == {"service": "api", "status": "edited"}

    checkout.run("pin")
    checkout.run("pin", "--check")
    bump(checkout, "nltk")
    stale = checkout.basestore("pin", "--check").expect(3)
    assert "jobs/nightly/Dockerfile:2" in stale.out + stale.err
    checkout.run("push")
    checkout.run("pin")
    checkout.run("pin", "--check")
    checkout.run("verify", "--registry")
    with running(docker, {"svc-documents": checkout.push("svc-documents")["reference"]}) as up:
        (page,) = up.ask("svc-documents", "/pages", sample("invoice"))
        assert "crate" in page["keywords"]
        assert up.installed("svc-documents") == installed(checkout.folder, "svc-documents")


@pytest.mark.registry
def test_the_demo_runs_without_an_engine(team: Team, tmp_path: Path) -> None:
    need_program("docker-registry")
    with torch_mirror() as mirror:
        environ = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{tmp_path}/no-engine",
            "BASESTORE_STORE": str(team.store),
            **mirror,
        }
        demo = partial(subprocess.run, ["sh", str(EXAMPLE / "demo.sh")], cwd=tmp_path, env=environ)
        for _ in range(TRIES):
            done = demo(capture_output=True, text=True, check=False)
            if done.returncode == 0:
                break

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no Docker Engine here" in done.stdout
    assert "svc-indexer: sent 2 blobs" in done.stdout
    assert done.stdout.count("all as locked") == 2
    agree = [line for line in done.stdout.splitlines() if line.endswith(": agrees")]
    assert agree == [f"{name}: agrees" for name in (*BASES, *SERVICES)]


def finds_documents(up: Running) -> None:
    """Give the API two documents; it finds the right one for a query."""
    added = {name: up.ask("svc-api", "/documents", sample(name)) for name in ("invoice", "minutes")}
    assert "turbin" in added["minutes"]["keywords"]
    for query, name in (("turbine", "minutes"), ("pears+and+apples", "invoice")):
        first, second = up.ask("svc-api", f"/search?q={query}")
        assert first["id"] == added[name]["id"]
        assert first["score"] > second["score"]


def bump(checkout: Checkout, name: str) -> None:
    """Lock another version of a small package of ml, and make again what stands on it."""
    wheels = read_lock(checkout.folder, "ml").platform(AMD64).wheels
    (locked,) = (wheel for wheel in wheels if wheel.name == name)
    checkout.replace("profiles/ml.toml", f'"{name}"', f'"{name}!={locked.version}"')
    checkout.lock("ml").expect(0)
    checkout.lock("svc-documents", "svc-indexer").expect(0)
    for image in ("ml", "svc-documents", "svc-indexer"):
        checkout.build(image)


def identity(image: dict[str, Any]) -> tuple[str, str]:
    """Tag and digest of a built image."""
    return image["tag"], image["digest"]
