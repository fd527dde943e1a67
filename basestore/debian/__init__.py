"""Debian's formats: what an archive and its packages say, without asking anyone.

*suite*: a release of Debian by codename (``bookworm``), with its updates and its security suite.
*component*: a part of a suite by licence; only ``main`` here. *Release*: the signed description of
a suite, with the digest of every index. *Packages*: the index of a suite's binary packages, one
*stanza* of *fields* each. *relation*: one package name in a dependency, with the versions and the
architecture it accepts. *clause*: relations of which one must hold (``a | b``). *virtual package*:
a name that only other packages' Provides bring. *candidate*: the highest version of a name over all
archives of a suite, the only one that is ever chosen.

Numbers such as 5.6.12 are sections of the Debian Policy Manual 4.7.
"""
