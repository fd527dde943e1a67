"""Changes held to a revision: what stands has its image, what changed is proven anew."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from changing import NAMES, Changing, changing_project, copied, make_foundation
from committing import commit
from layers import new_store
from locked_project import edit
from wheelmaker import record_without

from basestore.digest import Digest
from basestore.errors import BasestoreError, InputError
from basestore.layer.application import read_application
from basestore.layer.realise import PathConflictError
from basestore.lock.files import lock_file
from basestore.pipeline.documents import NoManifestError
from basestore.pipeline.then import UnreadableThenError
from basestore.store import Store

OTHER = Digest.of(b"another image")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Changing:
    return changing_project(tmp_path_factory.mktemp("changing"))


@pytest.fixture
def changing(template: Changing, tmp_path: Path) -> Changing:
    return copied(template, tmp_path / "dev")


@pytest.fixture
def own(tmp_path: Path) -> Store:
    """The store of who checks: nothing is in it."""
    (tmp_path / "own").mkdir()
    return new_store(tmp_path / "own")


def recorded(changing: Changing, name: str) -> str:
    """The digest of an image as its record has it."""
    file = "services" if name == "api" else "images"
    rows = (changing.root / "locks" / f"{file}.toml").read_text().splitlines()
    (row,) = (row for row in rows if f'= "{name}"' in row)
    return row.partition('image = "')[2].partition('"')[0]


def bump(changing: Changing) -> None:
    """A change as a developer makes it: one package of the base, and the base is built."""
    changing.relock("runtime", changing.wheel("beta", "2.0"))
    changing.build("runtime")


def test_nothing_is_made_or_brought_where_nothing_changed(changing: Changing, own: Store) -> None:
    with changing.since(own) as checks:
        found = [finding for name in NAMES for finding in checks.findings(name)]

        assert [(one.check, one.holds) for one in found] == [("image", True)] * 3
        assert not checks.giver.aside.made
    assert not changing.brought


def test_a_bump_makes_its_own_layer_and_no_other(changing: Changing, own: Store) -> None:
    bump(changing)

    with changing.since(own) as checks:
        found = {one.check: one for one in checks.findings("runtime")}

        assert all(one.holds for one in found.values())
        assert found.keys() == {"bytes", "versions", "image"}
        assert len(checks.giver.aside.made) == 1
    assert recorded(changing, "runtime") in found["image"].detail
    assert "1 of them made" in found["image"].detail
    assert not list((own.root / "scratch").iterdir())
    assert not list((own.root / "recipes").glob("**/*.json"))


def test_a_new_profile_shares_layers_of_its_parent(changing: Changing, own: Store) -> None:
    changing.write("profiles/young.toml", 'extends = "child"\nrequirements = ["zeta"]\n')
    changing.lock("young", *changing.locked("child"), changing.wheel("zeta", generation="young"))
    changing.build("young")

    found = changing.found(own, "young")

    assert found["image"].holds
    assert "1 of them made" in found["image"].detail


def test_a_new_file_of_a_service_is_its_new_layer(changing: Changing, own: Store) -> None:
    changing.write("apps/api/main.py", "print('other')\n")
    changing.build("api")

    found = changing.found(own, "api")

    assert found["image"].holds
    assert "1 of them made" in found["image"].detail


def plant(changing: Changing, name: str) -> None:
    """Record another image for a lock, in its place."""
    file = changing.root / "locks" / ("services.toml" if name == "api" else "images.toml")
    edit(file, f'image = "{recorded(changing, name)}"', f'image = "{OTHER}"')


def plant_platform(changing: Changing, name: str) -> None:
    """Record another manifest for a platform of an image."""
    file = changing.root / "locks" / ("services.toml" if name == "api" else "images.toml")
    image = recorded(changing, name)
    edit(file, f'"linux/amd64" = "{image}"', f'"linux/amd64" = "{OTHER}"')


def drop(changing: Changing, name: str) -> None:
    """Take the line of an image out."""
    file = changing.root / "locks" / ("services.toml" if name == "api" else "images.toml")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if f'= "{name}"' not in line))


@pytest.mark.parametrize("mutate", [plant, plant_platform, drop])
@pytest.mark.parametrize("name", NAMES)
def test_the_record_of_what_stands_is_the_revisions(
    changing: Changing, own: Store, mutate: Callable[[Changing, str], None], name: str
) -> None:
    mutate(changing, name)

    found = changing.found(own, name)

    assert found["image"].holds is False
    assert "take its line from there" in found["image"].detail
    assert not changing.brought


@pytest.mark.parametrize("mutate", [plant, plant_platform])
@pytest.mark.parametrize("name", ["runtime", "api"])
def test_the_record_of_what_changed_is_what_its_lock_gives(
    changing: Changing, own: Store, mutate: Callable[[Changing, str], None], name: str
) -> None:
    if name == "runtime":
        bump(changing)
    else:
        changing.write("apps/api/main.py", "print('other')\n")
        changing.build("api")
    mutate(changing, name)

    found = changing.found(own, name)

    assert found["image"].holds is False
    assert str(OTHER) in found["image"].detail


def test_an_application_that_was_not_built_again(changing: Changing, own: Store) -> None:
    changing.write("apps/api/main.py", "print('other')\n")

    found = changing.found(own, "api")

    assert found["files"].holds is False
    assert found["image"].holds is False


def test_attributes_may_change_files_that_git_calls_unchanged(
    changing: Changing, own: Store
) -> None:
    changing.write(".gitattributes", "*.py text eol=crlf\n")
    changing.write("apps/api/main.py", "print('api')\r\n")

    assert changing.found(own, "api")["files"].holds is False


def test_a_service_on_a_base_that_moved(changing: Changing, own: Store) -> None:
    bump(changing)
    changing.relock("child", changing.wheel("beta", "2.0"))
    changing.relock("api")
    changing.build("child", "api")

    with changing.since(own) as checks:
        found = [one for name in NAMES for one in checks.findings(name)]

        assert all(one.holds for one in found)
        assert len(checks.giver.aside.made) == 2  # beta, and the application


def test_layers_that_another_recorded_are_not_believed(changing: Changing, own: Store) -> None:
    bump(changing)
    with changing.since(own) as checks:
        proven = checks.giver.proofs.layers("runtime")
        (made,) = checks.giver.profile("runtime").layers.keys() - proven.keys()
        other = next(iter(proven.values()))
    realisation = changing.store.realisations.of_layer(other.layer)
    assert realisation
    for digest in realisation.needs:
        own.blobs.add(changing.store.blobs.read(digest))
    Store.open(own.root).realisations.record(made, realisation)  # which this one knows nothing of

    found = changing.found(own, "runtime")

    assert found["image"].holds
    assert "1 of them made" in found["image"].detail


def test_what_this_user_has_made_is_not_made_again(changing: Changing) -> None:
    bump(changing)

    assert "0 of them made" in changing.found(changing.store, "runtime")["image"].detail


def test_other_bytes_under_a_wheels_digest_are_refused(changing: Changing, own: Store) -> None:
    bump(changing)
    (beta,) = (wheel for wheel in changing.locked("runtime") if wheel.name == "beta")
    path = own.blobs.path(beta.sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(changing.wheel("beta", "2.0", files={"beta.py": b"evil\n"}).file.encode())

    with pytest.raises(BasestoreError, match="damaged"):
        changing.found(own, "runtime")


def test_a_conflict_with_a_layer_that_stands(changing: Changing, own: Store) -> None:
    both = changing.wheel("beta", "2.0", files={"beta.py": b"", "alpha/__init__.py": b"evil\n"})
    changing.relock("runtime", both)

    changing.write("locks/images.toml", _row_of(changing, "runtime"))
    with pytest.raises(PathConflictError):
        changing.found(own, "runtime")


def _row_of(changing: Changing, name: str) -> str:
    """An images file with a line for a lock that can't be built."""
    lock = Digest.of((changing.root / lock_file(name)).read_bytes()).hex
    platforms = f'{{ "linux/amd64" = "{OTHER}" }}'
    return (
        f'images = [\n  {{ profile = "{name}", lock = "{lock}", image = "{OTHER}", '
        f"platforms = {platforms} }},\n]\n"
    )


def test_a_wheel_under_the_same_name(changing: Changing, own: Store) -> None:
    changing.relock("runtime", changing.wheel("beta", files={"beta.py": b"evil\n"}))
    changing.build("runtime")

    found = changing.found(own, "runtime")

    assert found["bytes"].holds is False
    assert "beta-1.0-py3-none-any.whl" in found["bytes"].detail
    assert found["image"].holds


def test_a_wheel_under_a_name_of_another_lock(changing: Changing, own: Store) -> None:
    changing.relock("api", changing.wheel("delta", generation="api", files={"d.py": b"evil\n"}))
    changing.build("api")

    assert "locks/child.lock" in changing.found(own, "api")["bytes"].detail


def test_a_downgrade_is_named(changing: Changing, own: Store) -> None:
    changing.relock("runtime", changing.wheel("beta", "0.9"))
    changing.build("runtime")

    found = changing.found(own, "runtime")

    assert found["versions"].holds is False
    assert '"beta<1.0"' in found["versions"].detail


def test_a_downgrade_that_the_profile_forces(changing: Changing, own: Store) -> None:
    edit(changing.root / "profiles" / "runtime.toml", '"beta"', '"beta<1"')
    changing.relock("runtime", changing.wheel("beta", "0.9"))
    changing.build("runtime")

    assert changing.found(own, "runtime")["versions"].holds


def test_without_the_manifests_nothing_is_told(changing: Changing, own: Store) -> None:
    bump(changing)

    with (
        changing.since(own, documents=own) as checks,
        pytest.raises(NoManifestError, match="runtime"),
    ):
        checks.findings("runtime")


def test_a_lock_of_history_is_proven_anew(changing: Changing, own: Store) -> None:
    before = (changing.root / "locks" / "runtime.lock").read_bytes()
    bump(changing)
    images = changing.root / "locks" / "images.toml"
    bumped = images.read_text()
    commit(changing.root)
    # The older lock, and a line for it that nobody looked at while it had no lock.
    (changing.root / "locks" / "runtime.lock").write_bytes(before)
    images.write_text(
        bumped.replace("images = [\n", _row_of(changing, "runtime").replace("\n]\n", "\n"))
    )

    assert changing.found(own, "runtime")["image"].holds is False


def test_files_that_cannot_be_taken(changing: Changing, own: Store) -> None:
    (changing.root / "apps" / "api" / "out").symlink_to("/etc")

    with pytest.raises(InputError):
        changing.found(own, "api")


def test_a_downgrade_that_a_wheel_forces(changing: Changing, own: Store) -> None:
    asking = changing.wheel("gamma", "2.0", requires=["beta<1; python_version>='3.8'"])
    changing.relock("runtime", changing.wheel("beta", "0.9"), asking)
    origin = changing.root / "locks" / "runtime.origin.toml"
    edit(origin, "[packages.gamma]\n", '[packages.gamma]\nrequires = ["beta"]\n')
    changing.build("runtime")

    assert changing.found(own, "runtime")["versions"].holds


def test_a_wheel_of_a_lock_that_is_called_something_else(changing: Changing, own: Store) -> None:
    beta = next(wheel for wheel in changing.locked("runtime") if wheel.name == "beta")
    other = replace(beta, version="3.0", file="beta-3.0-py3-none-any.whl")
    changing.relock("runtime", other)
    changing.write("locks/images.toml", _row_of(changing, "runtime"))

    with pytest.raises(BasestoreError, match="beta"):
        changing.found(own, "runtime")


def test_a_broken_wheel(changing: Changing, own: Store) -> None:
    broken = changing.wheel("beta", "2.0", record=record_without("beta/__init__.py"))
    changing.relock("runtime", broken)
    changing.write("locks/images.toml", _row_of(changing, "runtime"))

    with pytest.raises(BasestoreError, match="RECORD"):
        changing.found(own, "runtime")


@pytest.mark.parametrize("file", ["locks/images.toml", "locks/services.toml"])
def test_records_of_the_revision_that_cannot_be_read(changing: Changing, file: str) -> None:
    kept = (changing.root / file).read_text()
    changing.write(file, "nothing = 1\n")
    commit(changing.root)
    changing.write(file, kept)

    with pytest.raises(UnreadableThenError, match="HEAD"), changing.since(changing.store):
        pass


def _commented(changing: Changing) -> None:
    for file in ("profiles/runtime.toml", "basestore.toml"):
        changing.write(file, "# a comment\n" + (changing.root / file).read_text())


def _undone(changing: Changing) -> None:
    changing.write("apps/api/main.py", "print('other')\n")
    changing.build("api")
    changing.write("apps/api/main.py", "print('api')\n")
    changing.build("api")


def _reordered(changing: Changing) -> None:
    file = changing.root / "locks" / "images.toml"
    first, *rows, last = file.read_text().splitlines(keepends=True)
    file.write_text("".join([first, *reversed(rows), last]))


def _beside(changing: Changing) -> None:
    changing.write("apps/other/main.py", "print('nobody copies it')\n")
    changing.write("README.md", "words\n")


def _touched(changing: Changing) -> None:
    for file in ("apps/api/main.py", "locks/runtime.lock"):
        os.utime(changing.root / file, ns=(1, 1))


def _dropped(changing: Changing) -> None:
    for file in ("profiles/child.toml", "locks/child.lock", "locks/child.origin.toml"):
        (changing.root / file).unlink()
    drop(changing, "child")


@pytest.mark.parametrize("harmless", [_commented, _undone, _reordered, _beside, _touched, _dropped])
def test_harmless_changes_raise_no_alarm(
    changing: Changing, own: Store, harmless: Callable[[Changing], None]
) -> None:
    harmless(changing)

    with changing.since(own) as checks:
        names = [name for name in NAMES if (changing.root / lock_file(name)).exists()]
        found = [one for name in names for one in checks.findings(name)]

        assert all(one.holds for one in found)
        assert not checks.giver.aside.made
    assert not changing.brought


def test_the_file_of_a_service_may_be_new(changing: Changing, own: Store) -> None:
    changing.write("apps/api/extra.py", "print('more')\n")
    changing.build("api")
    make_foundation(own, changing.foundation())  # as if this user had made it

    assert changing.found(own, "api")["image"].holds
    assert not changing.brought


def test_a_file_of_a_service_in_the_place_of_the_foundations(
    changing: Changing, own: Store
) -> None:
    edit(
        changing.root / "basestore.toml",
        'context = "apps/api"',
        'context = "apps/api"\nfiles = [".", { from = "main.py", to = "/etc/os-release" }]',
    )
    changing.relock("api")
    make_foundation(own, changing.foundation())

    with pytest.raises(PathConflictError, match="etc/os-release"):
        changing.build("api")
    with changing.since(own) as checks:
        application = read_application(changing.root, checks.project.services["api"], "/app")
        with pytest.raises(PathConflictError, match="etc/os-release"):
            checks.giver.service("api", application, adds=True)
