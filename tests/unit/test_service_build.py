"""Services on a pretended base: what their images hold, and what they are a function of."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from layers import keep, new_store
from locked_project import edit, lock, make_project
from pretended import pretend_build, pretend_layer
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.image.stored import read_image
from basestore.layer.realise import NotReproducibleError, realise, remake
from basestore.lock.files import read_services
from basestore.lock.freshness import StaleLockError
from basestore.lock.model import Wheel
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.locked import read_locked
from basestore.pipeline.record import build_and_record
from basestore.pipeline.recorded import NotBuiltError, OtherImageError, Records
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.plan import plan
from basestore.store import Store
from basestore.target import Platform

AMD64 = Platform("amd64")
SERVICE = """
[services.svc]
base = "cpu"
context = "app"
requirements = ["demo"]
entrypoint = ["python", "main.py"]
port = 8000
healthcheck = { http = "/healthz", interval = "30s" }
env = { MODE = "production" }
"""


@dataclass(frozen=True)
class Team:
    """A project with one service on a base that was built."""

    root: Path
    store: Store
    demo: Wheel

    def lock(self) -> Digest:
        return lock(self.root, "svc", wheels=(self.demo,))

    def build(self, make=realise) -> Built:
        builder = Builder(self.store, lambda *_: None, Progress(), 1, AMD64)
        return build_and_record(read_project(self.root), builder, "svc", (), make)

    def base_layers(self) -> list[Digest]:
        recorded = Records.read(read_project(self.root)).required("cpu")
        image = read_image(self.store, recorded.image)
        return [layer.descriptor.digest for layer in image.platforms[0].layers]


@pytest.fixture
def team(tmp_path: Path) -> Team:
    root = tmp_path / "team"
    root.mkdir()
    make_project(root)
    (root / "basestore.toml").write_text(SERVICE)
    for name in ("runtime", "cpu"):
        lock(root, name)
    (root / "app").mkdir()
    (root / "app" / "main.py").write_text("print('hello')\n")
    store = new_store(tmp_path)
    pretend_build(root, "cpu", store)
    kept = keep(store, make_wheel("demo", files={"demo/__init__.py": b"x = 1\n"}))
    demo = Wheel(kept.name, kept.version, kept.file, kept.size, kept.sha256, "svc")
    team = Team(root, store, demo)
    team.lock()
    return team


def layers_of(built: Built) -> list[Digest]:
    return [layer.descriptor.digest for layer in built.image.platforms[0].layers]


def test_a_service_is_its_base_then_what_that_lacks_then_its_application(team: Team) -> None:
    built = team.build()

    below = team.base_layers()
    assert layers_of(built)[: len(below)] == below
    above = built.image.platforms[0].layers[len(below) :]
    assert [layer.packages for layer in above] == [("demo 1.0",), ("application",)]
    made = built.recorded.made
    assert made is not None
    assert above[-1].descriptor.digest == made.application
    assert made.base == Records.read(read_project(team.root)).required("cpu").image


def test_the_config_says_how_it_is_run(team: Team) -> None:
    built = team.build()

    config = json.loads(team.store.blobs.read(built.image.platforms[0].config.digest))["config"]

    assert config["Entrypoint"] == ["python", "main.py"]
    assert "Cmd" not in config
    assert config["WorkingDir"] == "/app"
    assert "MODE=production" in config["Env"]
    assert config["ExposedPorts"] == {"8000/tcp": {}}
    assert config["Healthcheck"]["Interval"] == 30_000_000_000
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    made = built.recorded.made
    assert made is not None
    assert config["Labels"] == {
        "dev.basestore.lock": made.lock.hex,
        "dev.basestore.application": made.application.hex,
    }


def test_the_tag_is_the_digest_of_what_formats_say(team: Team) -> None:
    built = team.build()

    made = built.recorded.made
    assert made is not None
    text = (
        f'{{"application":"{made.application}","base":"{made.base}","format":0,'
        f'"lock":"{made.lock}"}}'
    )
    assert built.recorded.tag == Digest.of(text.encode()).hex


def test_nothing_is_done_where_nothing_has_changed(team: Team) -> None:
    first = team.build()
    written = (team.root / "locks" / "services.toml").read_bytes()

    second = team.build()

    assert second.reused
    assert second.recorded == first.recorded
    assert (team.root / "locks" / "services.toml").read_bytes() == written


def test_an_edit_of_the_code_makes_one_layer(team: Team) -> None:
    first = team.build()
    (team.root / "app" / "main.py").write_text("print('goodbye')\n")

    second = team.build()

    assert second.recorded.tag != first.recorded.tag
    assert layers_of(second)[:-1] == layers_of(first)[:-1]
    assert layers_of(second)[-1] != layers_of(first)[-1]
    assert second.kept_layers == frozenset(layers_of(second)[:-1])


def test_times_modes_and_the_umask_are_nothing(team: Team) -> None:
    first = team.build()
    main = team.root / "app" / "main.py"
    main.chmod(0o600)
    main.touch()

    assert team.build().recorded == first.recorded


def test_a_setting_gives_another_lock_and_another_tag(team: Team) -> None:
    first = team.build()
    edit(team.root / "basestore.toml", "production", "test")
    assert team.lock() != first.recorded.lock

    second = team.build()

    assert second.recorded.tag != first.recorded.tag
    assert layers_of(second) == layers_of(first)


def test_a_new_image_of_the_base_makes_the_record_stale(team: Team) -> None:
    first = team.build()
    edit(team.root / "profiles" / "cpu.toml", '"torch"', '"torch", "numpy"')
    lock(team.root, "cpu")
    pretend_build(team.root, "cpu", team.store)
    with pytest.raises(StaleLockError) as caught:
        team.build()
    assert caught.value.hint == "run `basestore lock svc`"
    team.lock()
    assert Records.read(read_project(team.root)).find("svc") is None

    second = team.build()

    assert second.recorded.lock == first.recorded.lock
    assert second.recorded.tag != first.recorded.tag
    assert layers_of(second)[:-2] == team.base_layers()
    assert layers_of(second)[-2:] == layers_of(first)[-2:]


def test_made_again_it_is_the_same(team: Team) -> None:
    first = team.build()

    assert team.build(remake).recorded == first.recorded


def test_made_again_from_a_damaged_record_it_is_told(team: Team) -> None:
    built = team.build()
    recipe = plan(read_locked(read_project(team.root), "svc").parse(), _platform(team))[0]
    pretend_layer(team.store, recipe)
    assert built.recorded.made

    with pytest.raises(NotReproducibleError):
        team.build(remake)


def _platform(team: Team):
    return read_locked(read_project(team.root), "svc").parse().platforms[0]


def test_another_base_than_the_recorded_one_is_refused(team: Team) -> None:
    lock_of_base = read_locked(read_project(team.root), "cpu").parse()
    recipe = plan(lock_of_base, lock_of_base.platforms[0])[0]
    found = team.store.realisations.of_recipe(recipe.digest)
    assert found
    other = Digest.of(b"another layer")
    from dataclasses import replace

    team.store.realisations.record(recipe.digest, replace(found, layer=other, diff_id=other))

    with pytest.raises(OtherImageError, match="profile cpu"):
        team.build()


def test_what_was_not_built_is_told_with_the_way_out(team: Team) -> None:
    with pytest.raises(NotBuiltError) as caught:
        Records.read(read_project(team.root)).required("svc")
    assert caught.value.hint == "run `basestore build svc`"


def test_another_image_of_the_same_is_not_taken(team: Team) -> None:
    """Neither that of another version of the format, nor that of an edit by hand."""
    built = team.build()
    file = team.root / "locks" / "services.toml"
    edit(file, f'image = "{built.image.digest}"', f'image = "sha256:{"0" * 64}"')
    written = file.read_bytes()

    for make in (realise, remake):
        with pytest.raises(OtherImageError, match=r"locks/services\.toml records sha256:0000"):
            team.build(make)
    assert file.read_bytes() == written


def test_services_that_are_gone_leave_the_file(team: Team) -> None:
    team.build()
    text = SERVICE.replace("services.svc]", "services.other]").replace('["demo"]', "[]")
    (team.root / "basestore.toml").write_text(SERVICE + text)
    lock(team.root, "other")
    project = read_project(team.root)
    builder = Builder(team.store, lambda *_: None, Progress(), 1, AMD64)
    build_and_record(project, builder, "other", (), realise)
    assert sorted(read_services(project)) == ["other", "svc"]

    (team.root / "basestore.toml").write_text(text)
    build_and_record(read_project(team.root), builder, "other", (), remake)

    assert sorted(read_services(project)) == ["other"]


def test_a_new_image_of_old_layers_is_no_reuse(team: Team) -> None:
    team.build()
    edit(team.root / "basestore.toml", "production", "test")
    team.lock()

    again = team.build()

    assert (again.renewed, again.reused) == (True, False)
    assert again.kept_layers == frozenset(layers_of(again))
