"""Inputs: what layers are made of is hashed before this user's first use of it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from basestore.digest import Digest
from basestore.progress import Progress
from basestore.store import Store

_AT_ONCE = 2
"""Threads: a hash waits for nobody, and layers of a cold build wait for all of them."""


def verify_inputs(store: Store, digests: Iterable[Digest], progress: Progress) -> None:
    """Hash those blobs that this user hasn't; what was fetched here has been on its way.

    Processes that are forked afterwards find them hashed. Raises MissingBlobError and
    DamagedBlobError.
    """
    unknown = [digest for digest in digests if not store.blobs.is_verified(digest)]
    if not unknown:
        return
    sizes = {digest: store.blobs.size(digest) for digest in unknown}
    largest_first = sorted(unknown, key=lambda digest: (-sizes[digest], digest))
    with (
        progress.task("check", _counted(len(unknown)), sum(sizes.values())) as advance,
        ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hash") as pool,
    ):
        try:
            for _ in pool.map(lambda digest: store.blobs.verify(digest, advance), largest_first):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _counted(number: int) -> str:
    return "1 input" if number == 1 else f"{number} inputs"
