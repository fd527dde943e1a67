"""Verify: profile, lock, images file and registry agree, or each that doesn't is named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from basestore.image.model import LOCK_LABEL
from basestore.layer.wheel.content import check_contents
from basestore.lock.files import lock_file
from basestore.lock.freshness import check
from basestore.lock.images import ImageRecord
from basestore.pipeline.build import Bring, recorded_image
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.registry.client import RegistryClient
from basestore.registry.inspect import PublishedImage, inspect_image
from basestore.store import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: what, whether it holds, and what was found."""

    check: str
    holds: bool
    detail: str


def verify_project(project: Project, name: str, now: datetime | None = None) -> tuple[Finding, ...]:
    """Offline: the lock is canonical and fresh, and the images file knows it.

    ``now``: as in `check`. Raises PolicyHitError, and InputError kinds for unreadable files.
    """
    freshness = check(project, name, now)
    if freshness.lock is None:
        return (Finding("lock", False, "there is none"),)
    locked = read_locked(project, name)
    locked.parse()
    reasons = "; ".join([*map(str, freshness.reasons), f"run `basestore lock {name}`"])
    record = recorded_image(project, locked)
    return (
        Finding("lock", True, f"{lock_file(name)} is canonical"),
        Finding(
            "fresh", freshness.fresh, "the lock is its profile's" if freshness.fresh else reasons
        ),
        Finding("image", record is not None, _recorded(record)),
    )


def verify_registry(
    record: ImageRecord, locked: LockedProfile, client: RegistryClient
) -> tuple[Finding, ...]:
    """The tag is there, with the recorded digests and the lock's label; no layer is pulled."""
    published = inspect_image(client, locked.tag)
    where = f"{client.repository}:{locked.tag}"
    if published is None:
        return (Finding("registry", False, f"{where} is not there"),)
    return tuple(_published(record, locked, published, where))


def verify_content(
    locked: LockedProfile, store: Store, bring: Bring, progress: Progress
) -> Finding:
    """Every file of every wheel has the hash that the wheel's own RECORD gives it.

    Fetches wheels that the store lacks. Raises BadZipError with the first that differs.
    """
    lock = locked.parse()
    wheels = {wheel.sha256: wheel for one in lock.platforms for wheel in one.wheels}
    bring(locked, lock, frozenset(wheels))
    files = 0
    for wheel in wheels.values():
        with progress.task("check", wheel.file, wheel.size), store.blobs.open(wheel.sha256) as file:
            files += check_contents(file, wheel.file)
    return Finding("content", True, f"{files} files of {len(wheels)} wheels have RECORD's hashes")


def _published(
    record: ImageRecord, locked: LockedProfile, published: PublishedImage, where: str
) -> Iterator[Finding]:
    same = published.digest == record.image
    detail = f"{where} is {published.digest}" + ("" if same else f", recorded is {record.image}")
    yield Finding("registry", same, detail)
    for manifest in published.manifests:
        label = manifest.labels.get(LOCK_LABEL, "")
        holds = label == locked.tag
        detail = "" if holds else f", not {locked.tag}"
        yield Finding("label", holds, f"{manifest.platform}: {LOCK_LABEL} is {label}{detail}")


def _recorded(record: ImageRecord | None) -> str:
    if record is None:
        return "locks/images.toml doesn't know the lock; run `basestore build`"
    return f"locks/images.toml records {record.image}"
