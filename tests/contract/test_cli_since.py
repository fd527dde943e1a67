"""``verify --since`` as CI runs it: an empty store, the registry that has the revision's images."""

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from changing import NAMES, Changing, changing_project, copied
from clicases import command_line_on
from commandline import CommandLine
from committing import commit
from locked_project import edit
from loopback_index import LoopbackIndex, loopback_index
from loopback_registry import LoopbackRegistry, loopback_registry


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Changing:
    return changing_project(tmp_path_factory.mktemp("changing"))


@pytest.fixture
def changing(template: Changing, tmp_path: Path) -> Changing:
    return copied(template, tmp_path / "dev")


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as served:
        yield served


@pytest.fixture
def index(changing: Changing) -> Iterator[LoopbackIndex]:
    """What the developer's wheels are fetched from; later ones are to be added."""
    with loopback_index(*changing.index.values()) as served:
        yield served


@pytest.fixture
def basestore(changing: Changing, index: LoopbackIndex, registry: LoopbackRegistry) -> CommandLine:
    """Who checks: nothing of the developer's is in their home; every image is in the registry."""
    to = f"{registry.address}/team"
    (changing.root / "basestore.toml").write_text(
        f'registry = "{to}"\n' + (changing.root / "basestore.toml").read_text()
    )
    commit(changing.root)
    command = command_line_on(changing.root, index)
    home = changing.root.parent
    developer = {"BASESTORE_STORE": str(home / "store"), "XDG_STATE_HOME": str(home / "state")}
    command("push", **developer).expect(0)
    registry.asked.clear()
    return command


def bump(changing: Changing) -> None:
    changing.relock("runtime", changing.wheel("beta", "2.0"))
    changing.build("runtime")


def findings(done: dict, name: str) -> dict[str, bool | None]:
    (found,) = (one for one in done["profiles"] if one["profile"] == name)
    return {one["check"]: one["holds"] for one in found["findings"]}


def test_what_stands_needs_no_server(
    basestore: CommandLine, registry: LoopbackRegistry, index: LoopbackIndex
) -> None:
    done = basestore("verify", "--since", "HEAD", "--json").expect(0).json

    assert {findings(done, name)["image"] for name in NAMES} == {True}
    assert done["since"]["name"] == "HEAD"
    assert not registry.asked
    assert not index.requests


def test_a_bump_is_proven_from_manifests_alone(
    basestore: CommandLine, changing: Changing, registry: LoopbackRegistry
) -> None:
    bump(changing)
    with loopback_index(*changing.index.values()) as index:
        mirror = {"BASESTORE_MIRROR_DEFAULT": index.url}
        done = basestore("verify", "runtime", "--since", "HEAD", **mirror).expect(0)

    assert "1 of them made" in done.out
    asked = [one.path for one in registry.asked]
    assert len(asked) == 2
    assert re.search(r"team/base-runtime/manifests/sha256:", asked[0])
    assert re.search(r"team/base-runtime/blobs/sha256:", asked[1])


def test_a_planted_image_is_named(
    basestore: CommandLine, changing: Changing, registry: LoopbackRegistry
) -> None:
    child = (changing.root / "locks" / "images.toml").read_text()
    digests = re.findall(r'image = "([^"]+)"', child)
    edit(
        changing.root / "locks" / "images.toml",
        f'image = "{digests[1]}"',
        f'image = "{digests[0]}"',
    )

    done = basestore("verify", "--since", "HEAD").expect(3)

    assert "runtime: DISAGREES" in done.out
    assert "take its line from there" in done.out


def test_a_missing_revision(basestore: CommandLine) -> None:
    assert "no-such" in basestore("verify", "--since", "no-such").expect(2).err


def test_a_missing_manifest(
    basestore: CommandLine, changing: Changing, registry: LoopbackRegistry
) -> None:
    bump(changing)
    registry.manifests.clear()

    assert "runtime" in basestore("verify", "runtime", "--since", "HEAD").expect(6).err


def test_a_manifest_of_other_bytes(
    basestore: CommandLine, changing: Changing, registry: LoopbackRegistry
) -> None:
    bump(changing)
    kept = registry.manifests["team/base-runtime"]
    for name, (media_type, body) in kept.items():
        kept[name] = (media_type, body.replace(b'"size":', b'"size": '))

    basestore("verify", "runtime", "--since", "HEAD").expect(5)


def test_no_registry_at_all(basestore: CommandLine, changing: Changing) -> None:
    bump(changing)
    text = (changing.root / "basestore.toml").read_text()
    (changing.root / "basestore.toml").write_text(text.partition("\n")[2])
    commit(changing.root)
    changing.relock("runtime", changing.wheel("beta", "3.0"))
    changing.build("runtime")

    assert "--registry" in basestore("verify", "runtime", "--since", "HEAD").expect(6).err


def test_the_registry_is_asked_for_the_tag_too(basestore: CommandLine, changing: Changing) -> None:
    done = basestore("verify", "runtime", "--since", "HEAD", "--registry", "--json").expect(0).json

    found = findings(done, "runtime")
    assert found["image"]
    assert found["registry"]


def test_a_real_registry(changing: Changing, registry_address: str) -> None:
    to = f"{registry_address}/since-{uuid.uuid4()}"
    home = changing.root.parent
    developer = {"BASESTORE_STORE": str(home / "store"), "XDG_STATE_HOME": str(home / "state")}
    command = command_line_on(changing.root)
    command("push", "--to", to, **developer).expect(0)
    bump(changing)
    with loopback_index(*changing.index.values()) as index:
        mirror = {"BASESTORE_MIRROR_DEFAULT": index.url}
        words = ("verify", "runtime", "--since", "HEAD")
        assert "1 of them made" in command(*words, f"--registry={to}", **mirror).expect(3).out
        done = command(*words, **mirror, **developer).expect(0)

    assert "0 of them made" in done.out


def test_a_build_takes_what_the_revision_proves(
    basestore: CommandLine, changing: Changing, registry: LoopbackRegistry, tmp_path: Path
) -> None:
    restored = shutil.copytree(changing.root.parent / "store", tmp_path / "restored")
    basestore("build", "runtime", "--since", "no-such", BASESTORE_STORE=str(restored)).expect(2)
    # Of all layers the foundation alone is made again, and its packages here hold no interpreter.
    done = basestore("build", "runtime", "--since", "HEAD", BASESTORE_STORE=str(restored)).expect(4)

    made = [line for line in done.err.splitlines() if line.startswith("layer ")]
    assert [line.split()[1] for line in made] == ["foundation"]
    assert not any("base-child" in one.path for one in registry.asked)


@pytest.mark.parametrize("row", ["lock", "profile", "service"])
def test_a_new_row_of_what_isnt_there(basestore: CommandLine, changing: Changing, row: str) -> None:
    """It would wait for a lock, or a service, that comes later."""
    file = "locks/services.toml" if row == "service" else "locks/images.toml"
    path = changing.root / file
    rows = path.read_text().splitlines(keepends=True)
    old, new = {
        "lock": (r'lock = "[0-9a-f]{64}"', f'lock = "{"0" * 64}"'),
        "profile": (r'profile = "[a-z]+"', 'profile = "nobody"'),
        "service": (r'service = "[a-z]+"', 'service = "nobody"'),
    }[row]
    path.write_text("".join([rows[0], re.sub(old, new, rows[1]), *rows[1:]]))

    done = basestore("verify", "--since", "HEAD").expect(3)

    assert done.err.splitlines()[-2].startswith(f"error: {file} records an image of ")
    assert done.err.splitlines()[-2].endswith("isn't there; HEAD has no such line")
    commit(changing.root)
    basestore("verify", "--since", "HEAD").expect(0)  # which is trusted
