"""What somebody does who writes a pull request with the whole tool at hand: all is made to agree.

*told*: the origins describe the forged locks, with inputs, parts, files and foundation of today.
*recorded*: the images and services files name their images for the forged locks. *built*: those are
the images that the forged locks really give. *pushed*: and the registry has them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from mutations.model import Copy
from mutations.world import NAMES, copy_store

from basestore.digest import Digest
from basestore.lock import codec, images, origin, services
from basestore.lock.files import lock_file, origin_file, read_lock, read_origin
from basestore.lock.foundation import foundation_digest
from basestore.lock.freshness import source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Lock, PlatformLock, Wheel
from basestore.lock.origin import Head, Origin, PackageOrigin
from basestore.lock.services import Made
from basestore.lock.texts import texts_of
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.target import Platform

LockEdit = Callable[[Lock], Lock]
OriginEdit = Callable[[Origin], Origin]

PROFILES = ("base", "ml", "deep")


def lock_of(copy: Copy, name: str) -> Lock:
    """A lock of the copy."""
    return read_lock(read_project(copy.root), name)[0]


def origin_of(copy: Copy, name: str) -> Origin:
    """An origin of the copy."""
    found = read_origin(read_project(copy.root), name)
    assert found
    return found


def write_lock(copy: Copy, lock: Lock) -> None:
    """Write a lock as the tool does, whatever it says, and no origin."""
    copy.path(lock_file(lock.profile)).write_bytes(codec.write(lock))


def write_origin(copy: Copy, name: str, how: Origin) -> None:
    """Write an origin."""
    copy.path(origin_file(name)).write_bytes(origin.write(how))


def edit_locks(copy: Copy, edit: LockEdit, *names: str) -> None:
    """Edit several locks alike; those that it leaves as they are stay."""
    for name in names:
        before = lock_of(copy, name)
        after = edit(before)
        if after != before:
            write_lock(copy, after)


def tell(copy: Copy, *names: str, edit: OriginEdit | None = None) -> None:
    """Make origins describe locks and profiles as they are now; parents first.

    ``edit``: what else is changed of them.
    """
    project = read_project(copy.root)
    for name in names or NAMES:
        profile, how = read_profile(project, name), origin_of(copy, name)
        lock, digest = read_lock(project, name)
        parent = read_lock(project, profile.parent.name)[1] if profile.parent else None
        now = inputs(profile, parent)
        waived = how.head.waived
        direct: dict[str, set[object]] = {}
        for one in profile.requirements:
            direct.setdefault(one.name, set()).add(one.location)
        told = replace(
            how,
            head=Head(digest, now.digest, source_files(profile, parent), waived),
            parts=now.parts,
            direct={n: tuple(sorted(at)) for n, at in sorted(direct.items())},  # type: ignore[type-var]
            stated=texts_of(profile.requirements),
            bounds=texts_of(profile.constraints),
            foundation=foundation_digest(lock) if how.foundation else None,
            packages=_packages(how.packages, lock, _parents(copy, lock)),
            debs=_debs(how, lock),
        )
        write_origin(copy, name, edit(told) if edit else told)


def _parents(copy: Copy, lock: Lock) -> Mapping[str, PackageOrigin]:
    """What an older generation's origin says of packages."""
    found: dict[str, PackageOrigin] = {}
    for name in lock.lineage[:-1]:
        found.update(origin_of(copy, name).packages)
    return found


def _packages(
    known: Mapping[str, PackageOrigin], lock: Lock, above: Mapping[str, PackageOrigin]
) -> Mapping[str, PackageOrigin]:
    names = sorted({wheel.name for one in lock.platforms for wheel in one.wheels})
    some = next(iter(known.values()), PackageOrigin("default"))
    made = replace(some, index="default", requires=())
    return {name: known.get(name) or above.get(name) or made for name in names}


def _debs(how: Origin, lock: Lock) -> Mapping[str, origin.DebOrigin]:
    names = {deb.name for one in lock.platforms for deb in one.debs}
    new = {name: origin.DebOrigin("bookworm") for name in names - how.debs.keys()}
    return {**{name: row for name, row in how.debs.items() if name in names}, **new}


def record(copy: Copy) -> None:
    """Give each lock of today the image that its profile or service had before."""
    project = read_project(copy.root)
    rows = images.parse(copy.path("locks/images.toml").read_bytes(), "")
    new = [replace(row, lock=read_lock(project, row.profile)[1]) for row in rows]
    copy.path("locks/images.toml").write_bytes(images.write(new))
    of = {row.profile: row.image for row in new}
    record_services(copy, lambda name, made: replace(
        made, lock=read_lock(project, name)[1], base=of[project.services[name].base]
    ))  # fmt: skip


def record_services(copy: Copy, edit: Callable[[str, Made], Made]) -> None:
    """Edit what the services file says that images were made of; the tags follow."""
    path = copy.path("locks/services.toml")
    rows = services.parse(path.read_bytes(), "")
    new = [
        replace(row, made=made, base=made.base)
        for row in rows.values()
        if row.made and (made := edit(row.service, row.made))
    ]
    path.write_bytes(services.write(new))


def edit_images(
    copy: Copy, edit: Callable[[images.ImageRecord], images.ImageRecord | None]
) -> None:
    """Edit the rows of the images file; None drops one."""
    path = copy.path("locks/images.toml")
    rows = [new for row in images.parse(path.read_bytes(), "") if (new := edit(row))]
    path.write_bytes(images.write(rows))


def forge(copy: Copy, edit: LockEdit, *names: str, how: OriginEdit | None = None) -> None:
    """Edit locks, and make origins, images and services file agree with them."""
    edit_locks(copy, edit, *(names or NAMES))
    tell(copy, edit=how)
    record(copy)


def build(copy: Copy, push: bool = False) -> None:
    """Build all in a store of the forger's, with no check in the way, and record what comes out."""
    store = copy.folder / "forged"
    if not store.exists():
        copy_store(copy.world.store, store)
    for digest, data in copy.blobs.items():
        path = store / "blobs/sha256" / digest[:2] / digest
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)
    environ = {
        **os.environ,
        **copy.world.environ,
        "BASESTORE_STORE": str(store),
        "XDG_STATE_HOME": str(copy.folder / "forger"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    builds = [sys.executable, "-m", "mutations.build", str(copy.root)]
    pushes = [sys.executable, "-m", "basestore", "--project", str(copy.root), "push"]
    for words in (builds, pushes) if push else (builds,):
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert not done.returncode, f"the forger's {words[2]} failed: {done.stderr[-2000:]}"
    shutil.rmtree(store)


def forge_built(copy: Copy, edit: LockEdit, *names: str, how: OriginEdit | None = None) -> None:
    """Forge, with the images that the forged locks give, which the registry has, too."""
    edit_locks(copy, edit, *(names or NAMES))
    tell(copy, edit=how)
    build(copy, push=True)


# --- edits of locks


def platforms(edit: Callable[[PlatformLock], PlatformLock], *only: str) -> LockEdit:
    """Edit all platforms of a lock, or those named."""
    wanted = {Platform.parse(one) for one in only}

    def apply(lock: Lock) -> Lock:
        return replace(
            lock,
            platforms=tuple(
                edit(one) if not wanted or one.platform in wanted else one for one in lock.platforms
            ),
        )

    return apply


def wheel_rows(name: str, edit: Callable[[Wheel], Wheel | None]) -> LockEdit:
    """Edit a package's row, wherever it is the one that the base has; None drops it."""

    def rows(one: PlatformLock) -> PlatformLock:
        new = (edit(row) if row.name == name else row for row in one.wheels)
        return replace(one, wheels=tuple(row for row in new if row))

    return platforms(rows)


def wheel_of(copy: Copy, file: str, generation: str = "base") -> Wheel:
    """The row of a wheel that the indexes have."""
    made = copy.world.wheel(file)
    name, version = file.split("-")[:2]
    digest = Digest(made.sha256)
    return Wheel(name.replace("_", "-"), version, file, len(made.data), digest, generation)


def takes(wheel: Wheel) -> LockEdit:
    """Another wheel of a package that is locked."""
    return wheel_rows(wheel.name, lambda row: replace(wheel, generation=row.generation))


def brings(wheel: Wheel) -> LockEdit:
    """A further wheel, where its generation is in the lineage."""

    def apply(lock: Lock) -> Lock:
        if wheel.generation not in lock.lineage:
            return lock
        return platforms(lambda one: replace(one, wheels=(*one.wheels, wheel)))(lock)

    return apply


def drops(name: str) -> LockEdit:
    """A package less."""
    return wheel_rows(name, lambda _: None)
