"""Changes of several files that agree with each other, and of what the registry has besides."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from debmaker import make_deb
from mutations import images as forged_images
from mutations.archives import signed_index
from mutations.forging import (
    PROFILES,
    OriginEdit,
    brings,
    build,
    drops,
    edit_images,
    edit_locks,
    forge,
    forge_built,
    lock_of,
    platforms,
    takes,
    tell,
    wheel_of,
    wheel_rows,
)
from mutations.model import Copy, Mutation
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock import images, services
from basestore.lock.model import Deb, Lock, PlatformLock
from basestore.lock.origin import DebOrigin, Origin, PackageOrigin
from basestore.lock.services import ServiceRecord
from basestore.target import Platform

AMD64 = Platform("amd64")
BASE, ML, PROJECT = "profiles/base.toml", "profiles/ml.toml", "basestore.toml"
DEPTH = '\n[image]\nenv = { DEPTH = "1" }\n'
CONFLICT = '"lib/python3.11/site-packages/shared/words.txt" = ["conf-a", "conf-b"]\n'


def _nothing(lock: Lock) -> Lock:
    return lock


def _asks_more(copy: Copy, text: str) -> None:
    copy.edit(BASE, '  "conf-a",\n', f'  "conf-a",\n  "{text}",\n')


def _row(package: str, /, **changes: object) -> OriginEdit:
    """The origin says something else of a package, where it is locked."""

    def apply(how: Origin) -> Origin:
        if package not in how.packages:
            return how
        row = replace(how.packages[package], **changes)
        return replace(how, packages={**how.packages, package: row})

    return apply


def _services(copy: Copy) -> dict[str, ServiceRecord]:
    return dict(services.parse(copy.path("locks/services.toml").read_bytes(), ""))


def _keep_services(copy: Copy, rows: dict[str, ServiceRecord]) -> None:
    copy.path("locks/services.toml").write_bytes(services.write(rows.values()))


# --- the profile as well


def new_package_with_licence(copy: Copy) -> None:
    _asks_more(copy, "evil-gpl")
    wheel = wheel_of(copy, "evil_gpl-1.0-py3-none-any.whl")
    forge_built(copy, brings(wheel), how=_row("evil-gpl", licences=()))


def new_package_yanked(copy: Copy) -> None:
    copy.edit(BASE, '"alpha<2"', '"alpha==1.2"')
    forge_built(copy, takes(wheel_of(copy, "alpha-1.2-py3-none-any.whl")))


def new_package_uploaded(copy: Copy) -> None:
    _asks_more(copy, "evil")
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    wheel = wheel_of(copy, "evil-1.0-py3-none-any.whl")
    forge_built(copy, brings(wheel), how=_row("evil", uploaded=moment))


def new_package_index(copy: Copy) -> None:
    _asks_more(copy, "evil")
    wheel = wheel_of(copy, "evil-1.0-py3-none-any.whl")
    forge_built(copy, brings(wheel), how=_row("evil", index="team"))


def new_package_without_what_it_needs(copy: Copy) -> None:
    _asks_more(copy, "tool")
    wheel = wheel_of(copy, "tool-1.1-py3-none-any.whl")
    forge_built(copy, lambda lock: _once(brings(wheel)(lock), "tool"), how=_row(
        "tool", requires=()))  # fmt: skip


def _once(lock: Lock, name: str) -> Lock:
    """Only the first of two rows of a package."""

    def apply(one: PlatformLock) -> PlatformLock:
        rows = [row for row in one.wheels if row.name == name]
        return replace(one, wheels=tuple(r for r in one.wheels if r.name != name or r == rows[-1]))

    return platforms(apply)(lock)


def helper_without_what_it_needs(copy: Copy) -> None:
    copy.edit(PROJECT, '["helper"]', '["helper>=1.1"]')
    forge_built(copy, drops("helped"), "api", how=_row("helper", requires=()))


def needs_of_a_package_are_denied(copy: Copy) -> None:
    """A package is dropped, and the origin says that nobody needs it."""
    edit = _row("web", requires=("core", "speedup"))
    forge_built(copy, drops("limited"), how=edit)


def needs_of_a_package_are_invented(copy: Copy) -> None:
    """A package is added, and the origin says that another needs it."""
    edit = _row("web", requires=("core", "evil", "limited", "speedup"))
    wheel = wheel_of(copy, "evil-1.0-py3-none-any.whl")
    forge_built(copy, brings(wheel), *PROFILES, how=edit)


def pinned_to_forged_bytes(copy: Copy) -> None:
    made = make_wheel("hashed", "1.0", {"hashed/__init__.py": b"import os\n"})
    copy.blobs[made.sha256] = made.data
    old = copy.world.wheel("hashed-1.0-py3-none-any.whl").sha256
    copy.edit("reqs/base.txt", old, made.sha256)
    changes = {"sha256": Digest(made.sha256), "size": len(made.data)}
    forge_built(copy, wheel_rows("hashed", lambda row: replace(row, **changes)))


def requirement_dropped_but_not_its_package(copy: Copy) -> None:
    copy.edit("reqs/base.txt", "infile\n", "")
    forge(copy, _nothing)


def extra_dropped_but_not_its_package(copy: Copy) -> None:
    copy.edit(BASE, "web[fast]", "web")
    forge(copy, _nothing)


def bound_that_the_lock_misses(copy: Copy) -> None:
    copy.edit(BASE, '"alpha<2"', '"alpha>=1.2"')
    forge(copy, _nothing)


def constraint_that_the_lock_misses(copy: Copy) -> None:
    copy.edit("reqs/constraints.txt", "limited<2", "limited<1.1")
    forge(copy, _nothing)


def child_bound_that_the_lock_misses(copy: Copy) -> None:
    copy.edit(ML, '"tool"', '"tool<1.1"')
    forge(copy, _nothing)


def index_that_the_package_is_not_from(copy: Copy) -> None:
    copy.edit(BASE, 'packages = ["priv"]', 'packages = ["alpha", "priv"]')
    forge(copy, _nothing)


def foundation_that_the_lock_lacks(copy: Copy) -> None:
    copy.edit(BASE, '["python3.11"]', '["python3.11", "dash"]')
    forge(copy, _nothing)


def platform_that_the_lock_lacks(copy: Copy) -> None:
    copy.edit(ML, 'platforms = ["linux/amd64"]', 'platforms = ["linux/amd64", "linux/arm64"]')
    forge(copy, _nothing)


def env_without_its_image(copy: Copy) -> None:
    """An honest change of the profile and lock; the image is the old one."""
    copy.edit(BASE, '"info"', '"debug"')

    def edit(lock: Lock) -> Lock:
        env = tuple("LEVEL=debug" if one == "LEVEL=info" else one for one in lock.image.env)
        return replace(lock, image=replace(lock.image, env=env))

    forge(copy, edit)


def package_without_its_image(copy: Copy) -> None:
    copy.edit("reqs/base.txt", "infile\n", "infile<1.1\n")
    forge(copy, takes(wheel_of(copy, "infile-1.0-py3-none-any.whl")))


def conflict_not_accepted(copy: Copy) -> None:
    """Profile and lock accept a conflict no more, and the image has it."""
    copy.edit(BASE, CONFLICT, "")
    forge(copy, lambda lock: replace(lock, path_conflicts={}))


def winner_without_its_image(copy: Copy) -> None:
    copy.edit(BASE, '["conf-a", "conf-b"]', '["conf-b", "conf-a"]')
    forge(copy, lambda lock: replace(lock, path_conflicts={
        path: names[::-1] for path, names in lock.path_conflicts.items()}))  # fmt: skip


def exception_withdrawn(copy: Copy) -> None:
    """Profile and lock except a RECORD no more, and the image has its wheel."""
    copy.edit(BASE, 'badrec = "its builder lists a file too many"\n', "")
    forge(copy, lambda lock: replace(lock, record_exceptions={}))


def new_profile_with_a_package_more(copy: Copy) -> None:
    """A profile that this change brings, whose lock has more than it asks for."""
    copy.write("profiles/new.toml", 'extends = "base"\nplatforms = ["linux/amd64"]\n')
    for kind in ("lock", "origin.toml"):
        text = copy.text(f"locks/ml.{kind}")
        copy.write(f"locks/new.{kind}", text.replace('"ml"', '"new"'))
    tell(copy, "new")
    build(copy)


# --- services


def _new_application(copy: Copy) -> dict[str, ServiceRecord]:
    """An honest change of a service's files; its rows before."""
    before = _services(copy)
    copy.edit("apps/api/main.py", '"api"', '"API"')
    build(copy)
    return before


def application_with_the_old_image(copy: Copy) -> None:
    before, now = _new_application(copy), _services(copy)
    old = before["api"]
    now["api"] = replace(now["api"], image=old.image, platforms=old.platforms)
    _keep_services(copy, now)


def application_of_other_files(copy: Copy) -> None:
    """The row of changed files, for the files as they were."""
    _new_application(copy)
    copy.edit("apps/api/main.py", '"API"', '"api"')


def _moved_base(copy: Copy) -> dict[str, ServiceRecord]:
    """An honest change of all bases; the services' rows before."""
    before = _services(copy)
    copy.edit("reqs/base.txt", "infile\n", "infile<1.1\n")
    edit_locks(copy, takes(wheel_of(copy, "infile-1.0-py3-none-any.whl")), *PROFILES)
    tell(copy)
    build(copy)
    return before


def service_with_the_old_base(copy: Copy) -> None:
    """The base moves, and the service's row does not."""
    _keep_services(copy, _moved_base(copy))


def service_told_of_the_new_base(copy: Copy) -> None:
    """The base moves, the service's row names it, and the image is the old one."""
    before = _moved_base(copy)
    now = {
        name: replace(row, image=before[name].image, platforms=before[name].platforms)
        for name, row in _services(copy).items()
    }
    _keep_services(copy, now)


def service_built_by_an_engine(copy: Copy) -> None:
    """A row that says that an engine built it, of an entry that doesn't."""
    rows = _services(copy)
    row = rows["api"]
    image = Digest.of(b"an image")
    lock = row.made.lock if row.made else None
    rows["api"] = ServiceRecord("api", image, row.base, None, {AMD64: image}, lock)
    _keep_services(copy, rows)


# --- .debs


@dataclass(frozen=True)
class _Lower:
    """An older .deb that the suite lists besides the locked one, by architecture."""

    name: str
    debs: dict[str, Deb]


def _lower(copy: Copy) -> _Lower:
    lock = lock_of(copy, "base")
    found: dict[str, dict[str, Deb]] = {}
    for one in lock.platforms:
        folder = copy.folder / f"index-{one.platform.architecture}"
        index = signed_index(copy.world.environ, folder, one.platform.architecture)
        for deb in one.debs:
            for listed in index.listed(deb.name):
                if str(listed.version) != deb.version and str(listed.version) < deb.version:
                    older = Deb(deb.name, str(listed.version), listed.architecture,
                                listed.size, listed.sha256)  # fmt: skip
                    found.setdefault(deb.name, {})[one.platform.architecture] = older
        shutil.rmtree(folder)
    everywhere = (name for name, debs in found.items() if len(debs) == len(lock.platforms))
    name = min(everywhere)
    return _Lower(name, found[name])


def _takes_debs(lower: _Lower) -> Callable[[Lock], Lock]:
    def apply(one: PlatformLock) -> PlatformLock:
        other = lower.debs[one.platform.architecture]
        debs = tuple(other if deb.name == lower.name else deb for deb in one.debs)
        return replace(one, debs=debs if one.debs else ())

    return platforms(apply)


def deb_lowered(copy: Copy) -> None:
    forge_built(copy, _takes_debs(_lower(copy)))


def deb_added(copy: Copy) -> None:
    lock = lock_of(copy, "base")
    more = {}
    for one in lock.platforms:
        architecture = one.platform.architecture
        folder = copy.folder / f"index-{architecture}"
        found = signed_index(copy.world.environ, folder, architecture).candidate("hostname")
        assert found
        more[architecture] = Deb("hostname", str(found.version), found.architecture,
                                 found.size, found.sha256)  # fmt: skip
        shutil.rmtree(folder)

    def apply(one: PlatformLock) -> PlatformLock:
        return replace(one, debs=(*one.debs, more[one.platform.architecture]) if one.debs else ())

    def how(told: Origin) -> Origin:
        if not told.debs:
            return told
        row = replace(told.debs["python3.11"], requires=(
            *told.debs["python3.11"].requires, "hostname"))  # fmt: skip
        return replace(told, debs={**told.debs, "python3.11": row, "hostname": DebOrigin(
            "bookworm", ("libc6",))})  # fmt: skip

    forge_built(copy, platforms(apply), how=how)


def deb_forged(copy: Copy) -> None:
    """A .deb that only the forger has, under a higher version."""
    made = make_deb("media-types", "11.0.0", "all")
    copy.blobs[made.deb.sha256.hex] = made.data

    def apply(one: PlatformLock) -> PlatformLock:
        debs = tuple(made.deb if deb.name == "media-types" else deb for deb in one.debs)
        return replace(one, debs=debs)

    forge_built(copy, platforms(apply))


# --- images that no lock gives


def _row_of(copy: Copy, name: str) -> images.ImageRecord:
    rows = images.parse(copy.path("locks/images.toml").read_bytes(), "")
    return next(row for row in rows if row.profile == name)


def _takes_image(copy: Copy, image: Digest) -> None:
    """The grandchild's row, on which nothing stands, has another image."""
    edit_images(copy, lambda row: replace(row, image=image, platforms={AMD64: image})
                if row.profile == "deep" else row)  # fmt: skip


def _layer_more(copy: Copy, lock: Digest, tag: str) -> Digest:
    """Push the grandchild's image with a layer more and a lock's label; its digest."""
    image = str(_row_of(copy, "deep").image)
    forged = forged_images.with_a_layer_more(copy.world.store, image, lock.hex)
    repository = "team/base-deep"
    forged_images.push(copy.world.registry.address, repository, tag, forged, repository)
    return Digest.parse(forged.digest)


def _moved_grandchild(copy: Copy) -> Digest:
    """An honest change of the grandchild alone; its lock."""
    copy.write("profiles/deep.toml", copy.text("profiles/deep.toml") + DEPTH)

    def edit(lock: Lock) -> Lock:
        return replace(lock, image=replace(lock.image, env=(*lock.image.env, "DEPTH=1")))

    edit_locks(copy, edit, "deep")
    tell(copy)
    return Digest.of_file(copy.path("locks/deep.lock"))


def layer_more_in_an_unchanged_image(copy: Copy) -> None:
    """The row of a lock that stands; the registry has that image by its digest."""
    _takes_image(copy, _layer_more(copy, _row_of(copy, "deep").lock, "evil"))


def layer_more_in_a_changed_image(copy: Copy) -> None:
    """An honest change of the lock; the image has its layers, label and one layer more."""
    lock = _moved_grandchild(copy)
    image = _layer_more(copy, lock, lock.hex)
    build(copy)
    _takes_image(copy, image)


def image_of_the_parent(copy: Copy) -> None:
    """A changed lock's row has its parent's true image."""
    _moved_grandchild(copy)
    build(copy)
    _takes_image(copy, _row_of(copy, "ml").image)


def image_of_before(copy: Copy) -> None:
    """A changed lock's row has the true image of the lock before."""
    before = _row_of(copy, "deep").image
    _moved_grandchild(copy)
    build(copy)
    _takes_image(copy, before)


def origin_of_another_resolution(copy: Copy) -> None:
    """Every package of the base is said to be unneeded by any other."""

    def how(told: Origin) -> Origin:
        bare = {name: replace(row, requires=()) for name, row in told.packages.items()}
        return replace(told, packages=bare)

    forge(copy, _nothing, how=how)


def origin_with_a_stranger(copy: Copy) -> None:
    """Origins tell of a package that no lock has."""

    def how(told: Origin) -> Origin:
        return replace(told, packages={**told.packages, "evil": PackageOrigin("default")})

    forge(copy, _nothing, how=how)


CHANGES: tuple[tuple[Callable[[Copy], None], str], ...] = (
    (new_package_with_licence, "a package is asked for, and its licence is denied"),
    (new_package_yanked, "a yanked version is asked for, and that it is yanked is denied"),
    (new_package_uploaded, "a package is asked for, and its upload is said to be old"),
    (new_package_index, "a package is asked for, and its index is another"),
    (new_package_without_what_it_needs, "a package is asked for, and what it needs is left out"),
    (helper_without_what_it_needs, "a service asks for a package, what it needs is left out"),
    (needs_of_a_package_are_denied, "a package is dropped, and said not to be needed"),
    (needs_of_a_package_are_invented, "a package is added, and said to be needed"),
    (pinned_to_forged_bytes, "a hash is pinned to bytes that no index has"),
    (requirement_dropped_but_not_its_package, "a requirement is dropped, its package stays"),
    (extra_dropped_but_not_its_package, "an extra is dropped, its package stays"),
    (bound_that_the_lock_misses, "a bound moves, the version stays"),
    (constraint_that_the_lock_misses, "a constraint moves, the version stays"),
    (child_bound_that_the_lock_misses, "the child's bound moves, the version stays"),
    (index_that_the_package_is_not_from, "a package is named for another index, and stays"),
    (foundation_that_the_lock_lacks, "a Debian package is asked for, and is not locked"),
    (platform_that_the_lock_lacks, "a platform is asked for, and is not locked"),
    (env_without_its_image, "a variable moves in profile and lock, the image is the old one"),
    (package_without_its_image, "a version moves in profile and lock, the image is the old one"),
    (conflict_not_accepted, "profile and lock accept a conflict no more that the image has"),
    (winner_without_its_image, "another package wins, the image is the old one"),
    (exception_withdrawn, "profile and lock except a RECORD no more that is untrue"),
    (new_profile_with_a_package_more, "a new profile's lock has more than it asks for"),
    (application_with_the_old_image, "a service's files move, the image is the old one"),
    (application_of_other_files, "a service's row is of other files"),
    (service_with_the_old_base, "the base moves, the service's row does not"),
    (service_told_of_the_new_base, "the base moves, the service's image is the old one"),
    (service_built_by_an_engine, "a service's row says that an engine built it"),
    (deb_lowered, "an older .deb that the signed index lists, built and pushed"),
    (deb_added, "a signed .deb that nobody asks for, said to be needed, built and pushed"),
    (deb_forged, "a .deb that no index has, built and pushed"),
    (layer_more_in_an_unchanged_image, "an unchanged lock's row has an image with a layer more"),
    (layer_more_in_a_changed_image, "a changed lock's row has an image with a layer more"),
    (image_of_the_parent, "a changed lock's row has its parent's true image"),
    (image_of_before, "a changed lock's row has the true image of the lock before"),
    (origin_of_another_resolution, "all origins say that no package needs another"),
    (origin_with_a_stranger, "all origins tell of a package that isn't locked"),
)


def mutations() -> Iterator[Mutation]:
    """Every combination."""
    for change, said in CHANGES:
        yield Mutation(f"combined/{change.__name__.replace('_', '-')}", said, change)
