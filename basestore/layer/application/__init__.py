"""Applications: the files of a project that a service adds to its base.

*context*: the folder of the project that everything here is relative to. *pattern*: a path with
``*``, ``?``, ``[...]`` and ``**``, as moby reads it. *ignored*: left out by a pattern of
``.dockerignore``, or by one that stands before them by default. *found*: a file or link of the
context that is taken; *placed*: one that has its path in the image. Reading an application walks
and hashes; nothing of the context is written, and no byte of it is in the store before the layer
is made.
"""

from basestore.layer.application.read import Application, read_application

__all__ = ["Application", "read_application"]
