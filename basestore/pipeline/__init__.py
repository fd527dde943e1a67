"""The story in one place: lock, fetch, build, export, push, verify.

Each module is one verb over a project's profiles; it coordinates stages and prints nothing.
"""
