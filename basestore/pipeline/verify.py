"""Verify: profile, lock and images file agree, or each that doesn't is named."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from basestore.digest import Digest
from basestore.errors import IntegrityError
from basestore.layer.deb.content import check_contents as check_deb
from basestore.layer.wheel.content import Compared, check_contents, compare_contents
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, lock_file
from basestore.lock.freshness import check
from basestore.lock.model import Deb, Wheel
from basestore.lock.stale import to_lock
from basestore.pipeline.application import application_layer
from basestore.pipeline.assembled import Assembler
from basestore.pipeline.build import Bring
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.recorded import OtherImageError, Recorded, Records
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.state import State
from basestore.store import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: what, whether it holds, and what was found.

    ``holds``: None for what couldn't be checked; ``detail`` says why. ``package`` and ``reason``:
    of an exception that the lock makes, else empty.
    """

    check: str
    holds: bool | None
    detail: str
    package: str = ""
    reason: str = ""

    @property
    def fails(self) -> bool:
        """Whether it was checked and doesn't hold."""
        return self.holds is False


def verify_project(
    project: Project,
    name: str,
    now: datetime | None = None,
    store: Store | None = None,
    state: State | None = None,
    records: Records | None = None,
) -> tuple[Finding, ...]:
    """Offline: the lock is canonical and fresh, and gives the image that is recorded for it.

    ``now``, ``state``: as in `check`. ``store``: where the layers are that the image is assembled
    from. ``records``: those of the project, where they are read already. Raises PolicyHitError, and
    InputError kinds for unreadable files.
    """
    freshness = check(project, name, now, state)
    if freshness.lock is None:
        return (Finding("lock", False, "there is none"),)
    locked = read_locked(project, name)
    locked.parse()
    wanted = () if freshness.fresh else to_lock(project, [name], now)
    reasons = "; ".join([*map(str, freshness.reasons), f"run `basestore lock {' '.join(wanted)}`"])
    recorded = (records or Records.read(project)).find(name)
    return (
        Finding("lock", True, f"{lock_file(name)} is canonical"),
        Finding(
            "fresh", freshness.fresh, "the lock is its profile's" if freshness.fresh else reasons
        ),
        _image(project, name, recorded, store),
    )


def verify_files(project: Project, recorded: Recorded, store: Store | None) -> tuple[Finding, ...]:
    """The files that a service copies give the application's layer of its image.

    Nothing for a profile. Raises InputError kinds for files that can't be taken.
    """
    if recorded.made is None:
        return ()
    found, kept = application_layer(project, store, recorded.name), recorded.made.application
    if found == kept:
        return (Finding("files", True, f"what is copied gives the application {kept}"),)
    way_out = f"run `basestore build {recorded.name}`"
    detail = f"what is copied gives the application {found}, recorded is {kept}; {way_out}"
    return (Finding("files", False, detail),)


def verify_content(
    locked: LockedProfile, store: Store, bring: Bring, progress: Progress
) -> tuple[Finding, ...]:
    """Every file of every wheel and .deb has the hash that its own archive lists for it.

    Of a wheel that the lock excepts, it is told what its RECORD says wrongly. Fetches archives that
    the store lacks. Raises BadZipError and MalformedDebError with the first that differs, and
    DamagedBlobError where the store has other bytes than were locked.
    """
    lock = locked.parse()
    wheels = {wheel.sha256: wheel for one in lock.platforms for wheel in one.wheels}
    debs = {deb.sha256: deb for one in lock.platforms for deb in one.debs}
    bring(locked, lock, frozenset((*wheels, *debs)))
    files, excepted = 0, []
    for wheel in wheels.values():
        with (
            progress.task("check", wheel.file, wheel.size) as advance,
            _opened(store, wheel.sha256) as file,
        ):
            if wheel.name in lock.record_exceptions:
                compared = compare_contents(file, wheel.file, advance)
                excepted.append(_excepted(wheel, lock.record_exceptions[wheel.name], compared))
            else:
                files += check_contents(file, wheel.file, advance)
    detail = f"{files} files of {len(wheels) - len(excepted)} wheels have RECORD's hashes"
    details = (detail, *_deb_contents(debs.values(), store))
    return (Finding("content", True, "; ".join(details)), *excepted)


@contextmanager
def _opened(store: Store, digest: Digest) -> Iterator[BinaryIO]:
    """An archive to check; where it is refused but isn't what was locked, DamagedBlobError."""
    with store.blobs.verified(digest) as file:
        try:
            yield file
        except IntegrityError:
            store.blobs.check(digest)
            raise


def _excepted(wheel: Wheel, reason: str, compared: Compared) -> Finding:
    detail = f"{wheel.file}: {compared}; the lock excepts it: {reason}"
    return Finding("exception", True, detail, wheel.name, reason)


def _deb_contents(debs: Collection[Deb], store: Store) -> Iterator[str]:
    """What was found of .debs, and which of their programs run with another's rights."""
    if not debs:
        return
    files, privileged = 0, set[str]()
    for deb in debs:
        with _opened(store, deb.sha256) as file:
            checked = check_deb(file, f"{deb.name} {deb.version}")
        files += checked.files
        privileged |= set(checked.privileged)
    yield f"{files} files of {len(debs)} .debs have their md5sums"
    yield f"setuid or setgid: {', '.join(sorted(privileged)) or 'none'}"


def _image(project: Project, name: str, recorded: Recorded | None, store: Store | None) -> Finding:
    """Whether the lock gives what is recorded for it; unproven without layers of this user's."""
    said = _recorded(project, name, recorded)
    if recorded is None:
        return Finding("image", False, said)
    try:
        proven = Assembler.of(project, store).proven(recorded) if store else None
    except OtherImageError as error:
        return Finding("image", False, f"{error.message}; {error.hint}")
    if proven is None:
        way_out = f"run `basestore build {name}`, or verify it with --rebuild"
        return Finding("image", None, f"{said}; this user hasn't made all its layers: {way_out}")
    return Finding("image", True, said)


def _recorded(project: Project, name: str, recorded: Recorded | None) -> str:
    if name in project.services:
        if recorded is None:
            said = f"{SERVICES_FILE} has no image of its lock and base"
            return f"{said}; run `basestore build {name}`"
        return f"{SERVICES_FILE} records {recorded.image}"
    if recorded is None:
        return f"{IMAGES_FILE} doesn't know the lock; run `basestore build`"
    return f"{IMAGES_FILE} records {recorded.image}"
