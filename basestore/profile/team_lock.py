"""``[from-lock]``: another tool's lock that a profile takes as it is, instead of resolving."""

import posixpath
import re
from pathlib import Path
from typing import NamedTuple

from basestore.digest import Digest
from basestore.profile.document import Table, read_file
from basestore.profile.lines import key_lines
from basestore.profile.model import Location, TeamLock
from basestore.profile.pyproject import refuse_beside_only_groups
from basestore.profile.requirement_files import relative

_KEYS = ("file", "extras", "groups", "only-groups")
_INSTEAD = ("requirements", "requirements-files", "constraints-files", "pyproject")

_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
"""PyPA, "pylock.toml specification", file name."""

_UV_LOCK = "uv.lock"
_OTHERS = {
    "poetry.lock": "export it: `poetry export`, and name that under requirements-files",
    "pdm.lock": "export it: `pdm export --format pylock`, and name that here",
    "Pipfile.lock": "export it: `pipenv requirements --hash`, for requirements-files",
}


class Taken(NamedTuple):
    """A team's lock, if a profile takes one, and the raw digests of its files."""

    lock: TeamLock | None
    files: dict[str, Digest]


def read_team_lock(root: Path, table: Table) -> Taken:
    """The ``[from-lock]`` of a profile's table; raises DocumentError."""
    stated = table.table("from-lock")
    if stated is None:
        return Taken(None, {})
    stated.only(*_KEYS)
    for key in _INSTEAD:
        if table.values.get(key):
            raise table.error(
                "requirements beside [from-lock], which is taken instead of resolving",
                "ask for it in the project that has the lock, or in a profile that extends this",
                key,
            )
    name = stated.required("file", stated.string("file"), 'add file = "../app/uv.lock"')
    if stated.values.get("only-groups"):
        refuse_beside_only_groups(stated)
    file = relative(table.document.file, name, stated.refusal("file"))
    files = {path: _read(root, path, stated) for path in _files(file, stated)}
    line = key_lines(table.document.text)["from-lock", "file"]
    lock = TeamLock(
        file=file,
        data=files[file],
        project=files.get(_beside(file), b""),
        extras=_names(stated, "extras"),
        groups=_names(stated, "groups"),
        only_groups=_names(stated, "only-groups"),
        place=Location(table.document.file, line),
    )
    return Taken(lock, {path: Digest.of(data) for path, data in files.items()})


def _files(file: str, stated: Table) -> tuple[str, ...]:
    base = posixpath.basename(file)
    if base == _UV_LOCK:
        return file, _beside(file)
    if not _PYLOCK.fullmatch(base):
        hint = _OTHERS.get(base, "name a uv.lock, or a pylock.toml or pylock.NAME.toml")
        raise stated.error(f"{base} is no lock that can be taken", hint, "file")
    if "only-groups" in stated.values:
        raise stated.error(
            "groups alone are told apart in a uv.lock only",
            "take it out, or export a pylock.toml that has nothing else",
            "only-groups",
        )
    return (file,)


def _beside(file: str) -> str:
    return posixpath.join(posixpath.dirname(file), "pyproject.toml")


def _read(root: Path, file: str, stated: Table) -> bytes:
    data = read_file(root, file)
    if data is None:
        raise stated.error(f"there is no {file}", "mend the path", "file")
    return data


def _names(stated: Table, key: str) -> tuple[str, ...]:
    return tuple(sorted(set(stated.strings(key) or ())))
