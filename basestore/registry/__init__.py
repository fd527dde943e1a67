"""Registries: the OCI distribution API, spoken through the transport.

*repository*: a registry's host and a path in it. *reference*: a repository with a tag, a digest or
both. *access*: what a token must allow. *challenge*: a server's demand for credentials. *mount*:
taking a blob over from another repository of the same registry without sending it. *sibling*: such
a repository. *promised*: what a manifest says of a blob. *standing*: how the blob that the registry
has agrees with that, by what it says or by its bytes.

Plain HTTP is spoken with this machine only. A tag is never overwritten.
"""

from basestore.registry.auth import Access, Authorisation
from basestore.registry.client import Manifest, RegistryClient
from basestore.registry.config import DockerConfig
from basestore.registry.inspect import (
    PromisedBlob,
    PublishedImage,
    PublishedManifest,
    PublishedParts,
    inspect_image,
    published_parts,
)
from basestore.registry.push import PushBlob, PushImage, PushReport, is_pushed, push
from basestore.registry.reference import (
    BadReferenceError,
    Reference,
    Repository,
    parse_reference,
    parse_repository,
)
from basestore.registry.standing import Seen, Standing, ask_all, hash_all

__all__ = [
    "Access",
    "Authorisation",
    "BadReferenceError",
    "DockerConfig",
    "Manifest",
    "PromisedBlob",
    "PublishedImage",
    "PublishedManifest",
    "PublishedParts",
    "PushBlob",
    "PushImage",
    "PushReport",
    "Reference",
    "RegistryClient",
    "Repository",
    "Seen",
    "Standing",
    "ask_all",
    "hash_all",
    "inspect_image",
    "is_pushed",
    "parse_reference",
    "parse_repository",
    "published_parts",
    "push",
]
