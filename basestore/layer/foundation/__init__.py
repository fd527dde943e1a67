"""The foundation: OS files and Python out of .debs, and what lies around them.

*tree*: the unpacked files in a scratch folder, with an index that holds what a file system without
root can't: owners, modes, links that don't leave it. *installed*: a package that was unpacked, with
its control files. *settle*: make what the maintainer scripts would have made, without running one:
accounts, certificates, the linker's cache, alternatives, dpkg's database. *interpreter*: the
foundation's own Python, run in place; it compiles the *bytecode*. *runner*: the foundation whose
interpreter does so where the recipe's own platform can't be run here.

Nothing of the host decides a byte: no clock, no locale, no umask, no order of a folder.
"""

from basestore.layer.foundation.realise import foundation_entries

__all__ = ["foundation_entries"]
