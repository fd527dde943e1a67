"""After a loss of power: what is wrong with what is found, and with what comes next.

What is found is judged twice. As it lies there: every blob has its bytes, and whatever takes a name
at once is one of the whole things that had it. Then the machine starts: the same command succeeds,
gives the control's digests, and `basestore store verify` is clean.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from faults.disk import Disk
from faults.nodes import File, Folder, Link
from faults.scenes import Result, Scene
from faults.survival import Tree

from basestore.errors import ExitCode

_READABLE = 0o444
_WORKING = re.compile("partials/|leases/|scratch/|quarantine/")
"""Of the store: what may be found in any state."""


def lasting_of(scene: Scene) -> Callable[[str], bool]:
    """What of a scene's place is the project's, the store's or the user's; but for caches."""
    home = str(scene.store.parent.relative_to(scene.place))
    store = str(scene.store.relative_to(scene.place))

    def lasting(path: str) -> bool:
        if f"{path}/".startswith(f"{home}/"):
            return path == home or f"{path}/".startswith(f"{store}/")
        return not f"{path}/".startswith("tmp/")

    return lasting


def faults_of(tree: Tree, disk: Disk, store: str) -> Iterator[str]:
    """What is wrong with a tree as it lies there; ``store``: where in it the store is."""
    for path, found in tree.items():
        if found.content is None:
            continue
        inside = path.removeprefix(f"{store}/") if path.startswith(f"{store}/") else ""
        if inside.startswith("blobs/"):
            wrong = _sha256(found.content.data) != Path(path).name
            if wrong and (path, found.content.data) not in disk.before:
                yield f"the blob {path} has other bytes"
        elif not _WORKING.match(inside) and found.content.data not in disk.whole.get(
            path, {found.content.data}
        ):
            yield f"{path} is torn: {found.content.data[:40]!r}"


def lost(tree: Tree, disk: Disk, store: str) -> Iterator[str]:
    """What a command that has ended had made, and isn't there or is something else."""
    for path, node in disk.nodes():
        inside = path.removeprefix(f"{store}/") if path.startswith(f"{store}/") else ""
        if isinstance(node, File) and not _WORKING.match(inside):
            content = tree[path].content if path in tree else None
            if content is None:
                yield f"{path} is lost after the command's end"
            elif content.data != node.past.now.data:
                yield f"{path} is another one after the command's end"


def dangling(tree: Tree, store: str) -> int:
    """How many layers' records name a blob that isn't there: they count as absent."""
    blobs = {path.rpartition("/")[2] for path in tree if path.startswith(f"{store}/blobs/")}
    records = (
        found.content.data
        for path, found in tree.items()
        if path.startswith(f"{store}/layers/") and found.content and path.endswith(".json")
    )
    return sum(not blobs.issuperset(_named(data)) for data in records)


def closed(tree: Tree, store: str) -> int:
    """How many blobs others than their owner can't read."""
    return sum(
        found.content.mode & _READABLE != _READABLE
        for path, found in tree.items()
        if path.startswith(f"{store}/blobs/") and found.content
    )


def _named(record: bytes) -> Iterator[str]:
    try:
        said = json.loads(record)
    except ValueError:
        return
    for digest in (*said["blobs"], said["segments"], said["listing"]):
        yield digest.partition(":")[2]


@lru_cache(maxsize=4096)
def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def start(scene: Scene, tree: Tree, wanted: Result) -> list[str]:
    """Start the machine with what is found, and run the command again; what is wrong then."""
    scene.restore()
    _clear(scene.place, "", lasting_of(scene))
    _write(scene.place, tree)
    done = scene.run(*scene.words)
    # Who finds all there may refuse to do it over: `export rootfs:` wants an empty folder.
    if done.code and not (done.code == ExitCode.BAD_INPUT and scene.result() == wanted):
        return [f"the next run: exit code {done.code}: {(done.err or done.out)[-600:]}"]
    scene.settle()
    verified = scene.run("store", "verify")
    if verified.code:
        return [f"store verify: {verified.out}{verified.err}"]
    return list(differences(scene.result(), wanted))


def differences(found: Result, wanted: Result) -> Iterator[str]:
    """What a command gave that isn't the control's."""
    for path in sorted(found.files.keys() | wanted.files.keys()):
        if found.files.get(path) != wanted.files.get(path):
            yield f"{path} isn't the control's after the next run"
    if found.tags != wanted.tags:
        yield f"the registry has the tags {found.tags}, not {wanted.tags}"


def _clear(root: Path, path: str, lasting: Callable[[str], bool]) -> None:
    for one in list((root / path).iterdir()):
        place = f"{path}/{one.name}" if path else one.name
        if not lasting(place):
            continue
        if one.is_dir() and not one.is_symlink():
            _clear(root, place, lasting)
            if not any(one.iterdir()):
                one.rmdir()
        else:
            one.unlink()


def _write(root: Path, tree: Tree) -> None:
    """Put a tree on the real disk; a file of two names has them here, too."""
    names: dict[File, Path] = {}
    for place, found in tree.items():
        path, node = root / place, found.node
        if isinstance(node, Folder):
            path.mkdir(exist_ok=True)
        elif isinstance(node, Link):
            path.symlink_to(os.fsdecode(node.target))
        elif node in names:
            path.hardlink_to(names[node])
        elif found.content:
            names[node] = path
            path.write_bytes(found.content.data)
            path.chmod(found.content.mode)


def differing(scene: Scene, disk: Disk) -> list[str]:
    """Where the real disk isn't what the trace says: then the trace, or the disk here, is wrong."""
    real, told = Disk(scene.place, lasting_of(scene)).files(), disk.files()
    return sorted(path for path in real.keys() | told.keys() if real.get(path) != told.get(path))
