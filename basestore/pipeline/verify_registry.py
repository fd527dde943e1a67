"""Verify a registry: tag, manifests, labels and every blob are those of the recorded image.

Manifests are read and held to their digests, so that an equal image digest proves which layers
there are, in which order and of which size, and by the config which diffIDs. What each digest names
is asked for, or read and hashed.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from basestore.image.model import APPLICATION_LABEL, LOCK_LABEL
from basestore.pipeline.recorded import Recorded
from basestore.pipeline.verify import Finding
from basestore.progress import Progress
from basestore.registry.client import RegistryClient
from basestore.registry.errors import RegistryRefusedError, WrongContentError
from basestore.registry.inspect import (
    NoImageError,
    PromisedBlob,
    PublishedManifest,
    PublishedParts,
    published_manifest,
    published_parts,
)
from basestore.registry.standing import Seen, Standing, ask_all, hash_all

LookAt = Callable[[RegistryClient, Sequence[PromisedBlob]], Sequence[Seen]]
"""Tells how each blob stands, by what the registry says of it or by its bytes."""


def verify_registry(
    recorded: Recorded, client: RegistryClient, hashed: Progress | None = None
) -> tuple[Finding, ...]:
    """The tag is there, with the recorded digests, the lock's label, and every blob.

    ``hashed``: where each blob is to be read and hashed, what is told of that. Raises what the
    client raises.
    """
    where = f"{client.repository}:{recorded.tag}"
    parts = parts_or_finding(client, recorded.tag)
    if isinstance(parts, Finding):
        return (parts,)
    same = parts.digest == recorded.image
    detail = f"{where} is {parts.digest}" + ("" if same else f", recorded is {recorded.image}")
    return (
        Finding("registry", same, detail),
        *(
            finding
            for one in manifests_of(client, recorded.tag, parts)
            for finding in ((one,) if isinstance(one, Finding) else _manifest(recorded, one))
        ),
        *verify_blobs(parts, client, recorded.name, hashed),
    )


def parts_or_finding(client: RegistryClient, tag: str) -> PublishedParts | Finding:
    """What a tag names, or that it is wrong; raises what the client raises."""
    try:
        parts = published_parts(client, tag)
    except (NoImageError, WrongContentError) as error:
        return Finding("registry", False, error.message)
    return parts or Finding("registry", False, f"{client.repository}:{tag} is not there")


def verify_blobs(
    parts: PublishedParts, client: RegistryClient, name: str, hashed: Progress | None = None
) -> Iterator[Finding]:
    """Each blob that the manifests name is there: one finding for all, or one for each that isn't.

    ``name``: the profile's or service's. ``hashed``: as for `verify_registry`.
    """
    look: LookAt = partial(hash_all, progress=hashed) if hashed else ask_all
    seen = look(client, parts.blobs)
    right = sum(one.standing is Standing.RIGHT for one in seen)
    if right == len(seen):
        how = "are there, and their bytes have their digests" if hashed else "are there, whole"
        yield Finding("blobs", True, f"{right} layers and configs {how}")
    for one in seen:
        if one.standing is Standing.UNTOLD:
            yield Finding("blob", None, str(one))
        elif one.standing is not Standing.RIGHT:
            yield Finding("blob", False, f"{one}; {_way_out(one, name)}")


def _way_out(seen: Seen, name: str) -> str:
    if seen.standing is Standing.GONE:
        return f"run `basestore push {name}`"
    return f"have it removed from the registry's storage, then run `basestore push {name}`"


def manifests_of(
    client: RegistryClient, tag: str, parts: PublishedParts
) -> Iterator[PublishedManifest | Finding]:
    """Each platform's image with what its config says, or why that isn't read."""
    for named in parts.manifests:
        try:
            yield published_manifest(client, tag, named)
        except (NoImageError, WrongContentError) as error:
            yield Finding("label", False, error.message)
        except RegistryRefusedError as error:
            if error.status != 404:
                raise
            yield Finding("label", None, f"not read: the config {named.config.digest} is gone")


def _manifest(recorded: Recorded, manifest: PublishedManifest) -> Iterator[Finding]:
    """What its config says of a platform's image: which platform it is for, and of which lock."""
    kept = {str(platform): digest for platform, digest in recorded.platforms.items()}
    if kept.get(manifest.platform) != manifest.digest:
        other = kept.get(manifest.platform) or "none"
        detail = f"{manifest.platform}: {manifest.digest}, recorded is {other}"
        yield Finding("manifest", False, detail)
    wanted = {LOCK_LABEL: recorded.lock.hex}
    if recorded.made:
        wanted[APPLICATION_LABEL] = recorded.made.application.hex
    for name, value in wanted.items():
        label = manifest.labels.get(name, "")
        detail = "" if label == value else f", not {value}"
        yield Finding("label", label == value, f"{manifest.platform}: {name} is {label}{detail}")
