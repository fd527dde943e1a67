"""Verify what an engine built: record, base, registry and engine agree; no rebuild could."""

from collections.abc import Iterator
from datetime import datetime

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.lock.files import SERVICES_FILE, lock_digest, read_services
from basestore.lock.services import ServiceRecord
from basestore.pipeline.recorded import Records
from basestore.pipeline.verify import Finding, verify_project
from basestore.pipeline.verify_registry import manifests_of, parts_or_finding, verify_blobs
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.registry.client import RegistryClient
from basestore.state import State


def verify_built(
    project: Project, name: str, now: datetime | None = None, state: State | None = None
) -> tuple[Finding, ...]:
    """Offline: as `verify_project`, but that the image is one of an engine, on its base's last.

    The files that went into it are not checked: only its Dockerfile says which those are. Raises
    what `verify_project` raises.
    """
    offline = verify_project(project, name, now, state=state)
    findings = tuple(one for one in offline if one.check != "image")
    if any(one.check == "lock" and one.fails for one in findings):
        return findings
    unknown = "not checked: an engine built it, and its Dockerfile says what is copied"
    return (*findings, _recorded(project, name), Finding("files", None, unknown))


def verify_built_registry(
    record: ServiceRecord, client: RegistryClient, hashed: Progress | None = None
) -> Iterator[Finding]:
    """The tag is there, names the recorded image and manifests, and every blob is there.

    ``hashed``: as for `verify_registry`.
    """
    parts = parts_or_finding(client, record.tag)
    if isinstance(parts, Finding):
        yield parts
        return
    same = record.image in {parts.digest, *(one.config.digest for one in parts.manifests)}
    other = "" if same else f", not of {record.image}"
    yield Finding("registry", same, f"{client.repository}:{record.tag} is {parts.digest}{other}")
    found = dict[str, Digest]()
    for one in manifests_of(client, record.tag, parts):
        if isinstance(one, Finding):
            yield one
        else:
            found[one.platform] = one.digest
    for platform, manifest in record.platforms.items():
        there = found.get(str(platform))
        other = "" if there == manifest else f", not {manifest}"
        yield Finding("manifest", there == manifest, f"{platform}: {there or 'none'}{other}")
    yield from verify_blobs(parts, client, record.service, hashed)


def verify_built_engine(record: ServiceRecord, engine: Engine) -> Finding:
    """The engine has the recorded image."""
    if engine.image(str(record.image)):
        return Finding("engine", True, f"{engine.host} has {record.image}")
    detail = f"{engine.host} has no {record.image}; run `basestore build {record.service}`"
    return Finding("engine", False, detail)


def _recorded(project: Project, name: str) -> Finding:
    record = read_services(project).get(name)
    if record is None or record.made:
        detail = f"{SERVICES_FILE} has no image that an engine built; run `basestore build {name}`"
        return Finding("image", False, detail)
    lock = lock_digest(project, name)
    if not record.is_of(lock):
        detail = f"it is of the lock {record.lock}, not {lock}; run `basestore build {name}`"
        return Finding("image", False, detail)
    base = Records.read(project).find(project.services[name].base)
    if base is None or base.image != record.base:
        now = f"is {base.image} now" if base else "has no recorded image"
        detail = f"it stands on {record.base}, and its base {now}; run `basestore build {name}`"
        return Finding("image", False, detail)
    return Finding("image", True, f"{SERVICES_FILE} records {record.image}, not reproducible")
