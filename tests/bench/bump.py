"""One small package of ml at another version: from the profile to the pushed image.

python tests/bench/bump.py [--json] [--rounds 5]
"""

import base64
import hashlib
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from command import Basestore, project
from figures import Bench, Bound, Figure, Measurement, Unit, at_most, seconds
from index import Index, serve
from loopback import Registry, registry
from report import run_alone
from wheels import Locked, locked

from basestore.lock.model import Wheel
from basestore.store import Store

MOST_TIME = at_most(1.0)
MOST_BEYOND = at_most(64 * 1024)
COMMANDS = ("lock", "build", "push")


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens: a built and pushed ml, and the index that its lock comes from."""

    basestore: Basestore
    index: Index
    registry: Registry


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of each command; bytes that the registry got, and those of the changed layers."""

    times: tuple[float, ...]
    sent: int
    changed: int


def measure(bench: Bench) -> list[Figure]:
    """A new version in each round, on top of the one before."""
    lock = locked("ml")
    own = [wheel for wheel in lock.platform.wheels if wheel.generation == lock.name]
    bumped = min(own, key=lambda wheel: wheel.size)
    store = lock.fresh(bench.folder / "store")
    with serve() as index, registry(bench.folder / "registry") as found:
        list_all(index, lock)
        environ = {
            "BASESTORE_MIRROR_DEFAULT": index.url,
            "BASESTORE_MIRROR_PYTORCH_CPU": index.url,
            "UV_CACHE_DIR": str(bench.folder / "uv"),
        }
        basestore = Basestore(project(bench.folder / "project"), store.root, environ)
        place = Place(basestore, index, found)
        basestore("build", lock.name)
        basestore("push", lock.name, "--to", found.address)
        new = [
            post_release(lock, bumped, number, bench.folder) for number in range(bench.rounds + 1)
        ]
        _round(place, bumped.name, new[0])  # from here on uv's cache knows the index
        return _figures([_round(place, bumped.name, path) for path in new[1:]])


def _figures(rounds: Sequence[Round]) -> list[Figure]:
    by_command = zip(*(one.times for one in rounds), strict=True)
    return [
        *(seconds(f"`{name}`", times) for name, times in zip(COMMANDS, by_command, strict=True)),
        seconds("`build` and `push`", [sum(one.times[1:]) for one in rounds], MOST_TIME),
        seconds("all three", [sum(one.times) for one in rounds]),
        _bytes("the changed layers", [one.changed for one in rounds]),
        _bytes("the registry grew by", [one.sent for one in rounds]),
        _bytes("sent beyond the changed layers", [r.sent - r.changed for r in rounds], MOST_BEYOND),
    ]


def _round(place: Place, name: str, wheel: Path) -> Round:
    """List a new wheel; lock, fetch (which isn't timed), build, push."""
    basestore, before = place.basestore, place.registry.size
    data = wheel.read_bytes()
    digest = Store.open(basestore.store).blobs.add(data)
    place.index.list_wheel(name, wheel, wheel.name, digest.hex)
    lock = basestore("lock", "ml", "--upgrade-package", name)
    build = basestore("build", "ml", "--json")
    push = basestore("push", "ml", "--to", place.registry.address)
    (image,) = build.json["images"]
    layers = image["platforms"][0]["layers"]
    changed = sum(layer["size"] for layer in layers if not layer["reused"])
    if not changed:
        raise ValueError(f"{wheel.name} changed no layer")
    return Round((lock.wall, build.wall, push.wall), place.registry.size - before, changed)


def list_all(index: Index, lock: Locked) -> None:
    """List a lock's wheels."""
    for wheel in lock.platform.wheels:
        path = lock.source.blobs.path(wheel.sha256)
        index.list_wheel(wheel.name, path, wheel.file, wheel.sha256.hex)


def post_release(lock: Locked, wheel: Wheel, number: int, folder: Path) -> Path:
    """The wheel as a post-release of itself, with a right RECORD."""
    stem, version, tags = wheel.file.split("-", 2)
    new = f"{version}.post{number}"
    old_info, info = f"{stem}-{version}.dist-info/", f"{stem}-{new}.dist-info/"
    record = []
    made = folder / f"{stem}-{new}-{tags}"
    with zipfile.ZipFile(lock.source.blobs.path(wheel.sha256)) as archive, _writer(made) as out:
        for entry in archive.infolist():
            if entry.is_dir() or entry.filename == f"{old_info}RECORD":
                continue
            content = archive.read(entry)
            if entry.filename == f"{old_info}METADATA":
                content = re.sub(rb"(?m)^Version: .*$", f"Version: {new}".encode(), content)
            entry.filename = entry.filename.replace(old_info, info)
            out.writestr(entry, content)
            record.append(f"{entry.filename},sha256={_hash(content)},{len(content)}\n")
        out.writestr(f"{info}RECORD", "".join([*record, f"{info}RECORD,,\n"]))
    return made


def _writer(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)


def _hash(content: bytes) -> str:
    """A hash as RECORD writes it (binary distribution format, "The .dist-info directory")."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _bytes(name: str, values: Sequence[int], bound: Bound | None = None) -> Figure:
    return Figure(name, tuple(values), Unit.BYTES, bound)


MEASUREMENT = Measurement(
    "One small bump",
    "The smallest wheel of ml's own generation at a new version, all else as it is: "
    "`basestore lock ml --upgrade-package NAME`, `basestore build ml`, `basestore push ml`, whole "
    "processes. The new wheel is fetched already, and the indexes are on loopback, asked by uv for "
    "every page as it asks those of the network (answered 304): what a network takes comes on top. "
    "Bytes are those by which the registry's storage grew. `python tests/bench/bump.py`",
    measure,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
