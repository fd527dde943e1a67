"""The ``[path-conflicts]`` of a profile: which package wins a path that several bring."""

import posixpath
from collections.abc import Mapping

from basestore.profile.document import Table
from basestore.profile.names import is_normalised, normalised


def read_path_conflicts(
    table: Table, inherited: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """The allowed conflicts, on top of a parent's; raises DocumentError."""
    conflicts = dict(inherited)
    for path, names in (table.strings_map("path-conflicts") or {}).items():
        conflicts[path] = _conflict(table, path, names, inherited.get(path, ()))
    return conflicts


def _conflict(
    table: Table, path: str, names: tuple[str, ...], inherited: tuple[str, ...]
) -> tuple[str, ...]:
    packages = tuple(normalised(name) for name in names)
    if path.startswith(("/", "../")) or path in {".", ".."} or posixpath.normpath(path) != path:
        reason, hint = "no plain path below the virtual environment", "write it like lib/x.py"
    elif not all(map(is_normalised, packages)) or len(set(packages)) < max(2, len(packages)):
        reason, hint = "not two or more names of packages", "name each once, the one that wins last"
    elif packages[len(packages) - len(inherited) :] != inherited:
        reason, hint = "not in the parent's order", f"end it with {', '.join(inherited)}"
    else:
        return packages
    raise table.error(reason, hint, "path-conflicts", path)
