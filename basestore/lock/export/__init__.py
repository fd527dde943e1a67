"""Export of locks: the same wheels in the forms that other installers read.

A *form* is a file of a standard: ``pylock.toml`` (PyPA specifications, "pylock.toml", first PEP
751) or a requirements file with hashes (pip's user guide, "Hash-checking Mode"). A *pin* is one
version of a package with its wheels, and the platforms that have it. A *marker* tells an installer
on which of them a pin is meant (PyPA specifications, "Dependency specifiers").

What a form says follows from the lock and from what it is given besides: the indexes' names, and,
for ``pylock.toml``, the URLs. No time, no tool's version, nothing of the machine.
"""
