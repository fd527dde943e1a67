"""Base images as a pure function of a lock.

The words used everywhere (profile, foundation, lock, origin, recipe, realisation, store, image,
pin) are defined in ``docs/architecture.md``; each package's docstring defines its own first.
"""

__version__ = "0.1.0"
