"""Documents: manifests and configs of images by their digests, out of a store or a registry.

Whatever gives them, their bytes are held to the digest that was asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.registry.client import LARGEST_MANIFEST, RegistryClient
from basestore.store import DamagedBlobError, MissingBlobError, Store

_LARGEST_CONFIG = 4 * 1024 * 1024


class NoManifestError(UnreachableError):
    """Nobody has the manifest of an image that is recorded."""

    def __init__(self, name: str, manifest: Digest, where: str) -> None:
        super().__init__(
            f"the manifest {manifest} of {name} is not in {where}",
            "push the images of that revision, or name the registry that has them (--registry)",
        )
        self.name = name
        self.manifest = manifest


Clients = Callable[[str], RegistryClient | None]
"""Opens the repository of a profile's or service's image; None where no registry is named."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Where documents are looked for: in a store first, if there is one, then in a registry."""

    store: Store | None
    clients: Clients

    def manifest(self, name: str, digest: Digest) -> bytes:
        """A manifest of the image of a profile or service.

        Raises NoManifestError, and the errors of the client.
        """
        kept = self._kept(digest)
        if kept is not None:
            return kept
        client = self.clients(name)
        if client is None:
            raise NoManifestError(name, digest, "the store, and no registry is named")
        found = client.manifest(str(digest))
        if found is None:
            raise NoManifestError(name, digest, str(client.repository))
        return found.data

    def config(self, name: str, digest: Digest) -> bytes:
        """A config that such a manifest names; raises NoManifestError, the client's errors."""
        kept = self._kept(digest)
        if kept is not None:
            return kept
        client = self.clients(name)
        if client is None:
            raise NoManifestError(name, digest, "the store, and no registry is named")
        return client.blob(digest, _LARGEST_CONFIG)

    def _kept(self, digest: Digest) -> bytes | None:
        """What the store has, if it has these very bytes and no more than a document's."""
        if self.store is None:
            return None
        try:
            if self.store.blobs.size(digest) > max(LARGEST_MANIFEST, _LARGEST_CONFIG):
                return None
            return self.store.blobs.read(digest)
        except (MissingBlobError, DamagedBlobError):
            return None
