"""Paths of the image that an application may have."""

from basestore.layer.application.errors import TargetError
from basestore.layer.names import UNFIT, is_whiteout
from basestore.profile.place import Location
from basestore.recipe.model import VENV

_MOUNTED = frozenset({"dev", "proc", "sys"})


def image_path(target: str, place: Location) -> str:
    """An absolute path of the image, relative to its root; empty for the root. Raises TargetError.

    ``place``: where it is asked for.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    if not target.startswith("/"):
        raise TargetError(place, target, "it is not absolute")
    if ".." in parts:
        raise TargetError(place, target, "it has a `..`")
    if UNFIT.search(target):
        raise TargetError(place, target, "it has a control character")
    return "/".join(parts)


def joined(folder: str, below: str) -> str:
    """A path below a folder; either may be empty."""
    return f"{folder}/{below}" if folder and below else folder or below


def check_path(path: str, place: Location) -> None:
    """Raise TargetError for a file or link where an application must not have one."""
    if path == VENV or path.startswith(f"{VENV}/") or VENV.startswith(f"{path}/") or not path:
        raise TargetError(place, f"/{path}", f"/{VENV} holds the packages, which the lock decides")
    if is_whiteout(path):
        raise TargetError(place, f"/{path}", "a name that begins so deletes files of the base")
    if path.partition("/")[0] in _MOUNTED:
        raise TargetError(place, f"/{path}", "a container's kernel lies over it")
