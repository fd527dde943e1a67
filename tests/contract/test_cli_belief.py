"""Images and records that others wrote, as a person meets them on the command line."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clicases import command_line_on
from commandline import CommandLine, contents
from faults.prepare import built, index_of_everything
from locked_project import edit
from loopback_registry import LoopbackRegistry, loopback_registry

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.files import read_lock
from basestore.pipeline.recorded import Records
from basestore.profile.project import read_project
from basestore.recipe.plan import plan
from basestore.state import State


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was built, with its store beside it."""
    folder = tmp_path_factory.mktemp("belief") / "project"
    with index_of_everything() as index:
        built(command_line_on(folder), index)
    return folder


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template.with_name("project-home"), tmp_path / "project-home")
    return shutil.copytree(template, tmp_path / "project", symlinks=True)


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as registry:
        yield registry


def image(root: Path) -> Digest:
    return Records.read(read_project(root)).required("runtime").image


def another_image(root: Path) -> None:
    edit(root / "locks/images.toml", f'image = "{image(root)}"', f'image = "sha256:{"4" * 64}"')


def another_manifest(root: Path) -> None:
    mine = f'"linux/amd64" = "{image(root)}"'
    edit(root / "locks/images.toml", mine, f'"linux/amd64" = "sha256:{"4" * 64}"')


@pytest.mark.parametrize("change", [another_image, another_manifest])
def test_an_edited_images_file_is_refused_by_whatever_uses_it(
    basestore: CommandLine, root: Path, registry: LoopbackRegistry, change: Callable[[Path], None]
) -> None:
    change(root)
    for words in (
        ["build", "runtime"],
        ["push", "runtime", "--to", f"{registry.address}/team"],
        ["export", "runtime", "--to", f"oci:{root.with_name('out')}"],
    ):
        done = basestore(*words).expect(ExitCode.INTEGRITY)
        assert "locks/images.toml records sha256:" in done.err
        assert "take its line back" in done.err
    assert registry.manifests == {}
    assert not root.with_name("out").exists()

    done = basestore("verify", "runtime").expect(ExitCode.DISAGREEMENT)
    assert "  FAIL  image      profile runtime" in done.out


def test_push_never_says_nothing_to_do_for_another_image(
    basestore: CommandLine, root: Path, registry: LoopbackRegistry
) -> None:
    """The registry has, under this lock's tag, what an edited images file records."""
    to = f"{registry.address}/team"
    basestore("push", "runtime", "--to", to).expect(0)
    assert basestore("push", "runtime", "--to", to).expect(0).out.startswith("runtime: nothing")
    (repository,) = registry.manifests
    tags = registry.manifests[repository]
    another_image(root)
    tags[Digest.of((root / "locks/runtime.lock").read_bytes()).hex] = next(iter(tags.values()))

    done = basestore("push", "runtime", "--to", to).expect(ExitCode.INTEGRITY)
    assert "nothing to do" not in done.out


def test_who_has_not_made_the_layers_is_told_what_is_unproven(
    basestore: CommandLine, root: Path, registry: LoopbackRegistry
) -> None:
    another = {"XDG_STATE_HOME": str(root.with_name("another"))}
    done = basestore("verify", "runtime", **another).expect(0)
    assert done.out.startswith("runtime: agrees, but its image is unproven\n")
    assert "\n  unproven  image      " in done.out
    assert "basestore build runtime" in done.out
    findings = basestore("verify", "runtime", "--json", **another).json["profiles"][0]["findings"]
    assert {one["check"]: one["holds"] for one in findings}["image"] is None

    (line,) = (x for x in basestore("status", **another).out.splitlines() if "runtime" in x[:9])
    assert "elsewhere" in line
    assert "built" in basestore("status").out


def who_made_the_foundation(basestore: CommandLine, root: Path) -> dict[str, str]:
    """A user who has made that, whose packages nobody has here, and no layer of wheels."""
    home = root.with_name("another")
    shutil.copytree(basestore.environ["XDG_STATE_HOME"], home)
    state = State.open(home / "basestore")
    lock, _ = read_lock(read_project(root), "runtime")
    for recipe in plan(lock, lock.platforms[0])[1:]:
        assert state.recall("recipes", recipe.digest)
        state.forget("recipes", recipe.digest)
    return {"XDG_STATE_HOME": str(home)}


@pytest.mark.parametrize("verb", ["push", "export"])
def test_who_has_not_made_the_layers_makes_them_to_send_them(
    basestore: CommandLine, root: Path, registry: LoopbackRegistry, verb: str
) -> None:
    another = who_made_the_foundation(basestore, root)
    to = f"{registry.address}/team" if verb == "push" else f"oci:{root.with_name('out')}"
    before = contents(root)

    done = basestore(verb, "runtime", "--to", to, **another).expect(0)

    assert "runtime: making the layers that this user hasn't made" in done.err
    assert contents(root) == before
    assert basestore("verify", "runtime", **another).expect(0).out.startswith("runtime: agrees\n")


def test_a_planted_record_is_not_sent(
    basestore: CommandLine, root: Path, registry: LoopbackRegistry
) -> None:
    """Who hasn't made the layers is refused, too, where the lock gives another image."""
    another = who_made_the_foundation(basestore, root)
    another_image(root)

    done = basestore("push", "runtime", "--to", f"{registry.address}/team", **another)

    done.expect(ExitCode.INTEGRITY)
    assert registry.manifests == {}


def test_a_state_that_others_reach_is_not_used_and_said_so_once(
    basestore: CommandLine, root: Path
) -> None:
    state = Path(basestore.environ["XDG_STATE_HOME"]) / "basestore"
    state.chmod(0o755)
    done = basestore("verify", "runtime", "cpu").expect(0)
    assert done.err.count("warning: ") == 1
    assert str(state) in done.err
    assert "unproven" in done.out
    state.chmod(0o700)
    assert basestore("verify", "runtime", "cpu").expect(0).err == ""
