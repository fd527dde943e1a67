"""Verify what an engine built: record, base, registry and engine agree; no rebuild could."""

from collections.abc import Iterator
from datetime import datetime

from basestore.engine.client import Engine
from basestore.lock.files import SERVICES_FILE, lock_digest, read_services
from basestore.lock.services import ServiceRecord
from basestore.pipeline.recorded import Records
from basestore.pipeline.verify import Finding, verify_project
from basestore.profile.model import Project
from basestore.registry.client import RegistryClient
from basestore.registry.inspect import inspect_image
from basestore.state import State


def verify_built(
    project: Project, name: str, now: datetime | None = None, state: State | None = None
) -> tuple[Finding, ...]:
    """Offline: as `verify_project`, but that the image is one of an engine, on its base's last.

    The files that went into it are not checked: only its Dockerfile says which those are. Raises
    what `verify_project` raises.
    """
    offline = verify_project(project, name, now, state)
    findings = tuple(one for one in offline if one.check != "image")
    if any(one.check == "lock" and one.fails for one in findings):
        return findings
    unknown = "not checked: an engine built it, and its Dockerfile says what is copied"
    return (*findings, _recorded(project, name), Finding("files", None, unknown))


def verify_built_registry(record: ServiceRecord, client: RegistryClient) -> Iterator[Finding]:
    """The tag is there, and names the recorded image and manifests; no layer is pulled."""
    where = f"{client.repository}:{record.tag}"
    published = inspect_image(client, record.tag)
    if published is None:
        yield Finding("registry", False, f"{where} is not there")
        return
    images = {published.digest, *(one.config for one in published.manifests)}
    same = record.image in images
    other = "" if same else f", not of {record.image}"
    yield Finding("registry", same, f"{where} is {published.digest}{other}")
    found = {one.platform: one.digest for one in published.manifests}
    for platform, manifest in record.platforms.items():
        there = found.get(str(platform))
        other = "" if there == manifest else f", not {manifest}"
        yield Finding("manifest", there == manifest, f"{platform}: {there or 'none'}{other}")


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
