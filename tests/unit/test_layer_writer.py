"""The layer writer: what it writes, what it keeps, and what it refuses."""

import random
import tarfile
import threading
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from layers import Contents, Unwatched, held_to_digests, layer_bytes, members, new_store
from zipbytes import deflated

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.layer import gzip
from basestore.layer.chain import WrittenLayer
from basestore.layer.entry import (
    Copied,
    Encoded,
    Entry,
    Kind,
    Payload,
    Stored,
    file,
    folder,
    symlink,
)
from basestore.layer.hashing import ALONE
from basestore.layer.inflate import CONTENT, BrokenStreamError
from basestore.layer.writer import LayerWriter
from basestore.store import MissingBlobError, Realisation, Store

NOISE = random.Random(3).randbytes(400_000)
TEXT = b"".join(b"%d\n" % number for number in range(200_000))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def write(store: Store, entries: Sequence[Entry]) -> Realisation:
    """Write a layer, as a realisation without a listing."""
    return as_realisation(LayerWriter(store, Unwatched()).write(entries))


def as_realisation(written: WrittenLayer) -> Realisation:
    blobs, segments = written.blobs, written.segments
    return Realisation(written.layer, written.diff_id, written.size, blobs, segments, segments)


def copied(store: Store, content: bytes, lead: bytes = b"lead") -> Copied:
    """A payload out of a blob that holds the content's stream behind ``lead``."""
    from isal import isal_zlib

    stream = deflated(content)
    blob = store.blobs.add(lead + stream + b"tail")
    return Copied(blob, len(lead), len(stream), len(content), isal_zlib.crc32(content))


def stored(store: Store, content: bytes) -> Stored:
    """A payload out of a blob that holds the content as it is, behind seven bytes."""
    from isal import isal_zlib

    return Stored(store.blobs.add(b"7 bytes" + content), 7, len(content), isal_zlib.crc32(content))


def holding(path: str, *payload: Payload) -> Entry:
    return Entry(path, Kind.FILE, 0o644, payload)


def test_every_kind_of_payload_and_entry_arrives(store: Store) -> None:
    pieces = [TEXT[:70_000], TEXT[70_000:70_001], TEXT[70_001:]]
    entries = [
        folder("a"),
        holding("a/copied", copied(store, TEXT)),
        holding("a/encoded", Encoded(len(TEXT), lambda: iter(pieces))),
        holding("a/mixed", copied(store, b"one"), stored(store, b"two"), *file("", b"3").payload),
        holding("a/stored", stored(store, NOISE)),
        file("empty", b""),
        Entry("hard", Kind.HARDLINK, 0o644, (), "a/copied"),
        symlink("soft", "a"),
    ]
    realisation = write(store, entries)

    found = members(held_to_digests(store, realisation))
    assert [member.path for member in found] == [entry.path for entry in entries]
    contents = {member.path: member.content for member in found if member.content is not None}
    assert contents == {
        "a/copied": TEXT,
        "a/encoded": TEXT,
        "a/mixed": b"onetwo3",
        "a/stored": NOISE,
        "empty": b"",
    }
    links = {member.path: (member.type, member.target) for member in found if member.target}
    assert links == {"hard": (tarfile.LNKTYPE, "a/copied"), "soft": (tarfile.SYMTYPE, "a")}


def test_a_layer_of_nothing_is_an_empty_archive(store: Store) -> None:
    assert held_to_digests(store, write(store, [])) == bytes(1024)


def test_copied_streams_are_in_the_layer_as_they_are_and_kept_once(store: Store) -> None:
    part = copied(store, NOISE + TEXT)
    stream = store.blobs.read(part.blob)[part.offset : part.offset + part.length]
    realisation = write(store, [holding("big", part)])

    assert stream in layer_bytes(store, realisation)
    assert realisation.blobs[1:] == (part.blob,)
    assert store.blobs.size(realisation.blobs[0]) < 1000 < len(stream)


def test_stored_content_is_cut_from_the_wheel_too(store: Store) -> None:
    part = stored(store, NOISE)
    realisation = write(store, [holding("noise", part)])

    blocks = -(-len(NOISE) // gzip.STORED_BLOCK)
    cut = [s for s in store.realisations.segments(realisation) if s.blob == part.blob]
    assert sum(segment.length for segment in cut) == len(NOISE)
    assert len(cut) == blocks
    assert store.blobs.size(realisation.blobs[0]) < 1000


def test_encoded_content_comes_in_members_of_four_mebibytes(store: Store) -> None:
    content = (TEXT * 10)[: gzip.MEMBER + 1000]
    whole = write(store, [holding("x", Encoded(len(content), lambda: iter((content,))))])
    step = 12_345
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    cut = write(store, [holding("x", Encoded(len(content), lambda: iter(pieces)))])

    assert whole == cut
    data = layer_bytes(store, whole)
    assert gzip.member(content[: gzip.MEMBER]) + gzip.member(content[gzip.MEMBER :]) in data


def test_many_headers_share_members(store: Store) -> None:
    """About 10,000 folders: more than one member of headers, at most 4 MiB each."""
    entries = [folder(f"d{number:05}") for number in range(9000)]
    tar = held_to_digests(store, write(store, entries))

    assert len(tar) == 9000 * 512 + 1024 > gzip.MEMBER
    assert [member.path for member in members(tar)] == [entry.path for entry in entries]


def test_the_same_entries_give_the_same_layer_in_any_store(tmp_path: Path) -> None:
    layers = set()
    for name in ("one", "two"):
        store = new_store(tmp_path / name)
        layers.add(write(store, [holding("a", copied(store, TEXT)), file("b", NOISE)]))

    assert len(layers) == 1


def test_where_the_stream_lies_doesnt_matter_to_the_layer(store: Store) -> None:
    one = write(store, [holding("a", copied(store, TEXT, b"short"))])
    other = write(store, [holding("a", copied(store, TEXT, bytes(1000)))])

    assert (one.layer, one.diff_id, one.blobs[0]) == (other.layer, other.diff_id, other.blobs[0])


def test_an_observer_sees_all_content(store: Store) -> None:
    seen = Contents()
    parts = (copied(store, TEXT), stored(store, NOISE))
    LayerWriter(store, seen).write([holding("a", *parts), holding("b", copied(store, b"small"))])

    assert seen.files == {"a": TEXT + NOISE, "b": b"small"}


# More content than is hashed without a thread of its own, in a stream of a few kilobytes.
LONG = ALONE + 5 * CONTENT


def hashing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "hash"]


def test_a_long_layer_is_hashed_beside(store: Store) -> None:
    """The observer sees the thread at work; the layer is the one that its digests name."""

    class Watching(Unwatched):
        most = 0

        def content(self, data: bytes) -> None:
            self.most = max(self.most, len(hashing_threads()))

    watching = Watching()
    entries = [
        holding("long", copied(store, bytes(LONG))),
        holding("short", copied(store, TEXT)),
    ]
    written = as_realisation(LayerWriter(store, watching).write(entries))

    assert watching.most == 1
    assert not hashing_threads()
    tar = held_to_digests(store, written)
    assert len(tar) == 512 + LONG + 512 + -(-len(TEXT) // 512) * 512 + 1024


def test_a_long_layer_takes_little_memory(store: Store) -> None:
    entries = [holding("long", copied(store, bytes(3 * LONG)))]
    tracemalloc.start()
    write(store, entries)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


def test_an_interrupt_ends_the_threads(store: Store) -> None:
    class Interrupting(Unwatched):
        seen = 0

        def content(self, data: bytes) -> None:
            self.seen += len(data)
            if self.seen > ALONE + CONTENT:
                assert hashing_threads()
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LayerWriter(store, Interrupting()).write([holding("long", copied(store, bytes(LONG)))])
    assert not hashing_threads()


# What follows is refused: one case a line, small (one read) and large (many) alike.
SIZES = pytest.mark.parametrize("content", [b"content " * 20, NOISE + TEXT], ids=["small", "large"])


def refuse(store: Store, part: Payload) -> BrokenStreamError:
    before = sorted(path for path in store.root.rglob("*") if path.is_file())
    with pytest.raises(BrokenStreamError) as caught:
        write(store, [holding("opt/broken", part)])
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == before
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert caught.value.message.startswith("opt/broken: ")
    return caught.value


@SIZES
@pytest.mark.parametrize("more", [-1, 1, CONTENT, 2**40])
def test_another_size_than_announced_is_refused(store: Store, content: bytes, more: int) -> None:
    part = copied(store, content)
    refuse(store, Copied(part.blob, part.offset, part.length, part.size + more, part.crc32))


@SIZES
def test_another_crc_than_announced_is_refused(store: Store, content: bytes) -> None:
    part = copied(store, content)
    refuse(store, Copied(part.blob, part.offset, part.length, part.size, part.crc32 ^ 1))


@SIZES
@pytest.mark.parametrize("more", [-5, -1, 1, 4])
def test_a_stream_that_ends_elsewhere_is_refused(store: Store, content: bytes, more: int) -> None:
    part = copied(store, content)
    refuse(store, Copied(part.blob, part.offset, part.length + more, part.size, part.crc32))


@SIZES
@pytest.mark.parametrize("trailing", [1, 2, 7, 8, 9, 64 * 1024 + 1])
def test_bytes_behind_the_end_of_a_stream_are_refused(
    store: Store, content: bytes, trailing: int
) -> None:
    stream = deflated(content) + bytes(trailing)
    part = copied(store, content)
    refuse(store, Copied(store.blobs.add(stream), 0, len(stream), part.size, part.crc32))


@SIZES
def test_what_is_no_deflate_stream_is_refused(store: Store, content: bytes) -> None:
    part = copied(store, content)
    blob = store.blobs.add(b"\xff" * part.length)
    refuse(store, Copied(blob, 0, part.length, part.size, part.crc32))


def test_a_bomb_is_refused_at_its_announced_size(store: Store) -> None:
    """64 MB of zeros in 64 KB, announced as a little."""
    stream = deflated(bytes(64_000_000))
    blob = store.blobs.add(stream)
    assert "more content" in refuse(store, Copied(blob, 0, len(stream), 300_000, 0)).message


def test_a_stream_that_breaks_far_inside_is_refused(store: Store) -> None:
    """By then a thread hashes what came before; it ends, too."""
    part = copied(store, bytes(LONG) + NOISE)
    stream = store.blobs.read(part.blob)[part.offset : part.offset + part.length]
    broken = stream[:-300_000] + b"\xff" * 300_000
    refuse(store, Copied(store.blobs.add(broken), 0, len(broken), part.size, part.crc32))
    assert not hashing_threads()


def test_a_wrong_crc_of_stored_content_is_refused(store: Store) -> None:
    part = stored(store, NOISE)
    refuse(store, Stored(part.blob, part.offset, part.size, part.crc32 ^ 1))


def test_stored_content_beyond_the_blob_is_refused(store: Store) -> None:
    part = stored(store, NOISE)
    refuse(store, Stored(part.blob, part.offset, part.size + 1, part.crc32))


@pytest.mark.parametrize("content", [b"abc", NOISE], ids=["small", "large"])
@pytest.mark.parametrize("more", [-1, 1])
def test_encoded_content_of_another_size_is_refused(
    store: Store, content: bytes, more: int
) -> None:
    refuse(store, Encoded(len(content) + more, lambda: iter((content,))))
    assert not [one for one in threading.enumerate() if one.name.startswith("encode")]


def test_encoded_and_copied_content_keep_their_order(store: Store) -> None:
    """Large contents are encoded ahead, and what is copied behind them waits for them."""
    payloads = (*file("", NOISE).payload, copied(store, TEXT), stored(store, NOISE))
    entries = [holding(f"{number:02}", part) for number, part in enumerate(payloads * 10)]
    found = members(held_to_digests(store, write(store, entries)))
    assert [member.content for member in found] == [NOISE, TEXT, NOISE] * 10


def test_a_blob_that_isnt_there_is_named(store: Store) -> None:
    absent = Digest.of(b"absent")
    with pytest.raises(MissingBlobError, match=str(absent)):
        write(store, [holding("a", Copied(absent, 0, 5, 5, 0))])
