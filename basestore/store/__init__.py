"""The store: content-addressed local storage shared by concurrent processes.

*blob*: bytes named by their SHA-256, written once, never changed. *realisation*: the record that a
recipe (known here by its digest only) gave a layer, and of which segments of which blobs the
layer's bytes are made. *segment*: a slice of a blob. *partial*: a download under way, which
another run may resume. *scratch*: a folder for one piece of work, removed with it. *root*: a
project that the store is kept for. *lease*: what a running command relies on. *seed*: another store
that is read where one's own lacks something.

The store knows digests only: no names, versions, locks or platforms.
"""

from basestore.store.blobs import (
    BlobWriter,
    DamagedBlobError,
    MissingBlobError,
    WrongDigestError,
)
from basestore.store.realisations import Realisation, Segment
from basestore.store.store import Store, StoreUnusableError

__all__ = [
    "BlobWriter",
    "DamagedBlobError",
    "MissingBlobError",
    "Realisation",
    "Segment",
    "Store",
    "StoreUnusableError",
    "WrongDigestError",
]
