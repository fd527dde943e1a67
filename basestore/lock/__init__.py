"""Locks: what a profile came to.

*lock*: ``locks/<name>.lock``, canonical and material only; its SHA-256 is the *lock digest* and the
image's tag. *inputs*: all that a lock is resolved from, without order, layout and places.
*origin*: ``locks/<name>.origin.toml``, how the lock came about; never hashed. Its *head* says which
lock it describes, and from which inputs. *images file*: ``locks/images.toml``, the image digests
each lock digest gave. *fresh*: the lock is the one its origin describes, and the origin's inputs
are the profile's.
"""
