"""Where artifacts lie, and how they come into the store.

*source*: a package index or an archive that says which artifacts there are and where. *location*: a
URL where an artifact lies today; never part of a lock. *mirror*: a base URL that stands for a
source on this machine. *locate*: from digests to locations. *fetch*: from locations into the store,
checked against the digests. *archive*: a tree of Debian packages, ``dists`` and ``pool`` below one
base URL.
"""
