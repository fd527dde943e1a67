"""Resolving: from a profile to a lock.

*demand*: something that has to be in the closure, and who says so: a requirement of a profile, or
a version that the parent is locked to. *closure*: all packages that the demands need on one
platform. *pin*: a version that is preferred because the previous lock has it. *candidate*: one of
the wheels of a version that run on the platform. *path*: from a direct requirement through who
requires whom to a package.
"""
