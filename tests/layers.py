"""Layers made in tests, and what other programs read in them."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelmaker import MadeWheel

from basestore.digest import Digest
from basestore.layer.entry import Entry
from basestore.layer.realise import Workshop, make
from basestore.layer.recorder import Recorder
from basestore.layer.writer import LayerWriter
from basestore.lock.model import Deb, Wheel
from basestore.recipe.model import FoundationRecipe, WheelsRecipe
from basestore.store import Realisation, Store
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
SITE = "opt/venv/lib/python3.11/site-packages"


@dataclass(frozen=True)
class Member:
    """What the standard tarfile reads of a member; ``content`` only of a file."""

    path: str
    type: bytes
    mode: int
    content: bytes | None = None
    target: str = ""


class Unwatched:
    """An observer that looks at nothing."""

    def begin(self, entry: Entry) -> None:
        pass

    def content(self, data: bytes) -> None:
        pass

    def end(self) -> None:
        pass


class Contents:
    """An observer that keeps every file's content by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._path = ""

    def begin(self, entry: Entry) -> None:
        self._path = entry.path
        self.files[entry.path] = b""

    def content(self, data: bytes) -> None:
        self.files[self._path] += data

    def end(self) -> None:
        pass


def new_store(folder: Path) -> Store:
    """A new store below a test's folder."""
    return Store.open(folder / "store")


def keep(store: Store, made: MadeWheel, generation: str = "runtime") -> Wheel:
    """Put a made wheel into a store; how a lock would name it."""
    name, version = made.file.split("-")[:2]
    digest = store.blobs.add(made.data)
    normal = name.replace("_", "-").lower()
    return Wheel(normal, version, made.file, len(made.data), digest, generation)


def recipe_of(wheels: Sequence[Wheel], omitted: Sequence[tuple[str, ...]] = ()) -> WheelsRecipe:
    """The recipe of wheels that share a layer."""
    return WheelsRecipe("3.11", tuple(wheels), tuple(omitted) or ((),) * len(wheels))


def workshop(store: Store) -> Workshop:
    """A workshop for wheels, whose foundation is never made."""
    return Workshop(store, FoundationRecipe(AMD64, "3.11.2", ()))


def realised(store: Store, *made: MadeWheel) -> Realisation:
    """The layer that wheels share."""
    return make(recipe_of([keep(store, wheel) for wheel in made]), workshop(store))


def layer_bytes(store: Store, realisation: Realisation) -> bytes:
    """A layer as it is sent."""
    return b"".join(store.layer_stream(realisation))


def held_to_digests(store: Store, realisation: Realisation) -> bytes:
    """A layer's tar, after its two digests and its size were held to the real bytes."""
    data = layer_bytes(store, realisation)
    assert len(data) == realisation.size
    assert hashlib.sha256(data).hexdigest() == realisation.layer.hex
    tar = gunzip(data)
    assert hashlib.sha256(tar).hexdigest() == realisation.diff_id.hex
    return tar


def gunzip(data: bytes) -> bytes:
    """The content of a chain of gzip members, read by gzip and by zlib alike."""
    content, rest = b"", data
    while rest:
        member = zlib.decompressobj(wbits=31)
        content += member.decompress(rest)
        assert member.eof
        rest = member.unused_data
    assert gzip.decompress(data) == content
    return content


def members(tar: bytes) -> list[Member]:
    """The members in their order; owner and time must be the fixed ones."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", encoding="utf-8") as archive:
        for info in archive:
            assert (info.uid, info.gid, info.mtime) == (0, 0, 315_532_800)
            file = archive.extractfile(info) if info.isreg() else None
            content = file.read() if file else None
            found.append(Member(info.name, info.type, info.mode, content, info.linkname))
    return found


def listed(tar: bytes) -> list[str]:
    """A layer's members, a line each, for people to compare: everything but the fixed time."""
    lines = []
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", encoding="utf-8") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            digest = hashlib.sha256(file.read()).hexdigest()[:16] if file else "-"
            kind = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard"}
            target = f" -> {info.linkname}" if info.linkname else ""
            lines.append(
                f"{kind.get(info.type, 'file')} {info.mode:04o} {info.uid}:{info.gid} "
                f"{info.size} {digest} {info.name}{target}"
            )
    return lines


def files(store: Store, realisation: Realisation) -> dict[str, Member]:
    """A layer's files by path, folders left out."""
    found = members(held_to_digests(store, realisation))
    return {member.path: member for member in found if member.type != tarfile.DIRTYPE}


def installed(store: Store, *made: MadeWheel) -> dict[str, Member]:
    """The files of wheels that share a layer, by path."""
    return files(store, realised(store, *made))


def digest_of(data: bytes) -> Digest:
    """The digest of bytes, by hashlib and not by the code under test."""
    return Digest(hashlib.sha256(data).hexdigest())


def foundation_of(*debs: Deb, platform: Platform = AMD64) -> FoundationRecipe:
    """A foundation's recipe; its layer is made of what a test says."""
    return FoundationRecipe(platform, "3.11.2", debs)


def recorded(store: Store, recipe: FoundationRecipe, entries: Sequence[Entry]) -> Realisation:
    """A foundation's layer of these entries, recorded as if it had been made of .debs."""
    recorder = Recorder(store.blobs)
    written = LayerWriter(store, recorder).write(entries)
    realisation = Realisation(
        layer=written.layer,
        diff_id=written.diff_id,
        size=written.size,
        blobs=written.blobs,
        segments=written.segments,
        listing=store.blobs.add(recorder.listing().to_bytes()),
    )
    store.realisations.record(recipe.digest, realisation)
    return realisation
