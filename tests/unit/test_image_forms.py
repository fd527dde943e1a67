"""The forms an image is kept and exported in: store, OCI layout, archive, root file system."""

import contextlib
import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commandline import contents
from images import LOCK, kept_image
from layers import AMD64, ARM64, SITE, digest_of, gunzip, layer_bytes, members, new_store

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.image.archive import archive_stream, export_archive, send_archive
from basestore.image.blobs import image_blobs, layer_realisation
from basestore.image.layout import NotALayoutError, export_layout
from basestore.image.model import Descriptor, Image, Layer, PlatformImage
from basestore.image.rootfs import NotEmptyError, UnfitLayerError, export_rootfs
from basestore.image.stored import read_image, whole_image
from basestore.layer.listing import Listing
from basestore.progress import Advance, Progress
from basestore.store import MissingBlobError, Realisation, Store, WrongDigestError
from basestore.store.realisations import ROW
from basestore.target import Platform

QUIET = Progress()


class Counting(Progress):
    """Adds up what is told, and can break an export off."""

    def __init__(self, limit: int = 2**60) -> None:
        self.told = 0
        self.total = 0
        self._limit = limit

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        self.total += total or 0
        yield self._advance

    def _advance(self, amount: int) -> None:
        self.told += amount
        if self.told > self._limit:
            raise BrokenOffError


class BrokenOffError(Exception):
    """What a test raises in the middle of an export."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def cut(store: Store, image: Image, part: float = 1.0) -> None:
    """Change a byte that a layer is made of, so that it comes out other than its digest."""
    layer = layer_realisation(store, image.layers[0])
    path = store.blobs.path(layer.blobs[0])
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[int((len(data) - 1) * part)] ^= 1
    path.write_bytes(data)


# --- in the store


@pytest.mark.parametrize("platforms", [(AMD64,), (AMD64, ARM64)])
def test_a_kept_image_is_read_back(store: Store, platforms: tuple[Platform, ...]) -> None:
    image = kept_image(store, *platforms).image

    assert read_image(store, image.digest) == image
    assert whole_image(store, image.digest) == image


def test_an_image_is_whole_only_with_all_its_documents_and_layers(store: Store) -> None:
    assembled = kept_image(store, AMD64, ARM64)
    realisation = layer_realisation(store, assembled.image.layers[0])
    for digest in (*assembled.documents, *realisation.needs):
        path = store.blobs.path(digest)
        path.rename(path.with_suffix(".away"))
        assert whole_image(store, assembled.image.digest) is None
        path.with_suffix(".away").rename(path)
    assert whole_image(store, assembled.image.digest) == assembled.image
    assert whole_image(store, Digest.of(b"no image")) is None


def test_the_blobs_of_an_image_are_all_it_refers_to_each_once(store: Store) -> None:
    image = kept_image(store, AMD64, ARM64).image
    blobs = list(image_blobs(store, image))

    digests = [blob.descriptor.digest for blob in blobs]
    assert len(set(digests)) == len(digests) == 3 + 2 + 2 + 1  # the wheels' layer is shared
    assert digests[-1] == image.digest
    for blob in blobs:
        for _ in range(2):  # as often as wanted
            data = b"".join(blob.checked())
            assert (digest_of(data), len(data)) == (blob.descriptor.digest, blob.descriptor.size)


def test_a_layer_that_cant_be_made_is_named(store: Store) -> None:
    image = kept_image(store).image
    realisation = layer_realisation(store, image.layers[1])
    store.blobs.path(realisation.blobs[1]).unlink()

    with pytest.raises(MissingBlobError, match=str(realisation.layer)):
        list(image_blobs(store, image))


# --- OCI layout


def check_layout(folder: Path, tag: str, image: Image) -> None:
    """Everything that the index leads to is there, and is what its name says."""
    assert (folder / "oci-layout").read_bytes() == b'{"imageLayoutVersion":"1.0.0"}'
    index = json.loads((folder / "index.json").read_bytes())
    tops = [
        m
        for m in index["manifests"]
        if m["annotations"]["org.opencontainers.image.ref.name"] == tag
    ]
    assert [(m["digest"], m["mediaType"], m["size"]) for m in tops] == [
        (str(image.digest), image.top.media_type, image.top.size)
    ]
    for path in (folder / "blobs" / "sha256").iterdir():
        assert digest_of(path.read_bytes()).hex == path.name
    seen: set[str] = set()
    todo = [tops[0]["digest"]]
    while todo:
        digest = todo.pop()
        seen.add(digest)
        data = (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
        if data.startswith(b"{"):
            body = json.loads(data)
            children = [*body.get("manifests", ()), *body.get("layers", ())]
            children += [body["config"]] if "layers" in body else []
            todo += [child["digest"] for child in children]
    assert len(seen) == len(list(image_documents(image))) + len(image.layers)


def image_documents(image: Image) -> set[Digest]:
    found = {platform.config.digest for platform in image.platforms}
    return found | {platform.manifest.digest for platform in image.platforms} | {image.digest}


@pytest.mark.parametrize("platforms", [(AMD64,), (AMD64, ARM64)])
def test_a_layout_holds_the_image(
    store: Store, tmp_path: Path, platforms: tuple[Platform, ...]
) -> None:
    image = kept_image(store, *platforms).image
    progress = Counting()
    export_layout(store, image, "v1", tmp_path / "new" / "layout", progress)

    check_layout(tmp_path / "new" / "layout", "v1", image)
    assert progress.told == progress.total > 0


def test_the_files_of_a_layout_can_be_read_by_everybody(store: Store, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        export_layout(store, kept_image(store).image, "v1", tmp_path / "layout", QUIET)
    finally:
        os.umask(old)

    files = [path for path in (tmp_path / "layout").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}


def test_a_layout_takes_a_second_image_and_a_tag_that_moves(store: Store, tmp_path: Path) -> None:
    one, two = kept_image(store).image, kept_image(store, AMD64, ARM64).image
    folder = tmp_path / "layout"
    export_layout(store, one, "v1", folder, QUIET)
    export_layout(store, two, "v2", folder, QUIET)
    check_layout(folder, "v1", one)
    check_layout(folder, "v2", two)

    export_layout(store, two, "v1", folder, QUIET)
    check_layout(folder, "v1", two)
    assert len(json.loads((folder / "index.json").read_bytes())["manifests"]) == 2


def test_exporting_again_writes_no_blob(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    export_layout(store, image, "v1", tmp_path / "layout", QUIET)
    progress = Counting()
    export_layout(store, image, "v1", tmp_path / "layout", progress)

    assert (progress.told, progress.total) == (0, 0)
    check_layout(tmp_path / "layout", "v1", image)


def test_a_layout_that_was_broken_off_has_no_image_and_can_be_gone_on_with(
    store: Store, tmp_path: Path
) -> None:
    image = kept_image(store).image
    folder = tmp_path / "layout"
    with contextlib.suppress(BrokenOffError):
        export_layout(store, image, "v1", folder, Counting(limit=image.layers[0].descriptor.size))
    assert not (folder / "index.json").exists()

    export_layout(store, image, "v1", folder, QUIET)
    check_layout(folder, "v1", image)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"manifests": 3}', b"\xff"])
def test_a_layout_with_a_broken_index_is_left_alone(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
    (tmp_path / "layout" / "index.json").write_bytes(content)

    with pytest.raises(NotALayoutError):
        export_layout(store, kept_image(store).image, "v1", tmp_path / "layout", QUIET)
    assert (tmp_path / "layout" / "index.json").read_bytes() == content


def test_a_folder_with_something_else_is_left_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_bytes(b"dear")

    with pytest.raises(NotALayoutError, match="home") as caught:
        export_layout(store, kept_image(store).image, "v1", tmp_path / "home", QUIET)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_a_damaged_store_exports_no_layout(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    cut(store, image)

    with pytest.raises(WrongDigestError) as caught:
        export_layout(store, image, "v1", tmp_path / "layout", QUIET)
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("found", [b"", b"changed", None])
def test_what_a_layout_holds_under_a_blobs_name_is_looked_at(
    store: Store, tmp_path: Path, found: bytes | None
) -> None:
    image = kept_image(store).image
    folder, elsewhere = tmp_path / "layout", tmp_path / "elsewhere"
    export_layout(store, image, "v1", folder, QUIET)
    path = folder / "blobs/sha256" / image.layers[0].descriptor.digest.hex
    if found is None:
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    else:
        path.write_bytes(found)

    export_layout(store, image, "v1", folder, QUIET)

    check_layout(folder, "v1", image)
    assert not path.is_symlink()


@pytest.mark.parametrize("link", ["blobs", "blobs/sha256"])
def test_a_layout_that_links_lead_out_of_is_left_alone(
    store: Store, tmp_path: Path, link: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "layout"
    (folder / link).parent.mkdir(parents=True)
    (folder / "oci-layout").write_bytes(b"{}")
    (folder / link).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotALayoutError):
        export_layout(store, kept_image(store).image, "v1", folder, QUIET)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("before", ["nothing", "empty", "another image"])
def test_a_layout_that_fails_leaves_what_was_there(
    store: Store, tmp_path: Path, before: str
) -> None:
    folder = tmp_path / "layout"
    one, two = kept_image(store).image, kept_image(store, AMD64, ARM64).image
    if before == "empty":
        folder.mkdir()
    elif before == "another image":
        export_layout(store, one, "v1", folder, QUIET)
    there = contents(tmp_path)
    store_there = contents(store.blobs.path(one.digest).parents[1])
    (last,) = set(two.layers) - set(one.layers)
    layer = layer_realisation(store, last)
    inline = store.blobs.path(layer.blobs[0])
    inline.chmod(0o644)
    inline.write_bytes(inline.read_bytes()[::-1])

    with pytest.raises(WrongDigestError):
        export_layout(store, two, "v2", folder, QUIET)

    changed = {path for path, data in contents(tmp_path).items() if there.get(path) != data}
    assert changed == {str(inline.relative_to(tmp_path))}
    assert len(contents(tmp_path)) == len(there)
    assert store_there


# --- archive


def test_an_archive_is_what_docker_loads_and_a_layout_too(store: Store, tmp_path: Path) -> None:
    platform = kept_image(store, AMD64, ARM64).image.platform(AMD64)
    progress = Counting()
    export_archive(store, platform, "team/base:v1", tmp_path / "image.tar", progress)
    with tarfile.open(tmp_path / "image.tar", "r:") as archive:
        names = archive.getnames()
        archive.extractall(tmp_path / "out", filter="data")

    assert len(names) == len(set(names))
    check_layout(tmp_path / "out", "v1", Image(platform.manifest, (platform,)))
    (manifest,) = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert manifest["RepoTags"] == ["team/base:v1"]
    assert manifest["Config"] == f"blobs/sha256/{platform.config.digest.hex}"
    config = json.loads((tmp_path / "out" / manifest["Config"]).read_bytes())
    tars = [gunzip((tmp_path / "out" / layer).read_bytes()) for layer in manifest["Layers"]]
    assert [str(digest_of(tar)) for tar in tars] == config["rootfs"]["diff_ids"]
    assert progress.told >= progress.total > 0


def test_archives_are_the_same_bytes_each_time(store: Store) -> None:
    platform = kept_image(store).image.platforms[0]

    first = b"".join(archive_stream(store, platform, "base:v1"))
    assert b"".join(archive_stream(store, platform, "base:v1")) == first


def test_a_stream_gets_the_same_archive(store: Store, tmp_path: Path) -> None:
    platform = kept_image(store).image.platforms[0]
    progress = Counting()
    with (tmp_path / "sent").open("wb") as file:
        send_archive(store, platform, "base:v1", file, progress)

    assert (tmp_path / "sent").read_bytes() == b"".join(archive_stream(store, platform, "base:v1"))
    assert progress.told >= progress.total > 0


def test_a_stream_gets_nothing_of_a_damaged_image(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    cut(store, image)

    with (tmp_path / "sent").open("wb") as file, pytest.raises(WrongDigestError):
        send_archive(store, image.platforms[0], "base:v1", file, QUIET)
    assert (tmp_path / "sent").read_bytes() == b""


def test_an_archive_that_breaks_off_leaves_what_was_there(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    (tmp_path / "image.tar").write_bytes(b"old")
    cut(store, image)

    with pytest.raises(WrongDigestError):
        export_archive(store, image.platforms[0], "base:v1", tmp_path / "image.tar", QUIET)
    assert (tmp_path / "image.tar").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "store"]


# --- root file system


def test_a_root_file_system_is_all_layers_over_each_other(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    root = tmp_path / "root"
    export_rootfs(store, image.platforms[0], root, QUIET)

    expected = {}
    for layer in image.platforms[0].layers:
        realisation = layer_realisation(store, layer)
        for member in members(gunzip(layer_bytes(store, realisation))):
            expected[member.path] = member
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
    assert found.keys() == expected.keys()
    for name, member in expected.items():
        status = found[name].lstat()
        assert status.st_mtime == 315_532_800 or member.type == tarfile.SYMTYPE
        if member.type == tarfile.SYMTYPE:
            assert str(found[name].readlink()) == member.target
            continue
        if member.type == tarfile.LNKTYPE:
            assert found[name].samefile(root / member.target)
            continue
        assert status.st_mode & 0o7777 == member.mode, name
        if member.content is not None:
            assert found[name].read_bytes() == member.content
    assert (root / SITE / "demo" / "__init__.py").read_bytes() == b"x = 1\n" * 200
    assert root.stat().st_mode & 0o777 == 0o755


def test_the_umask_doesnt_matter(store: Store, tmp_path: Path) -> None:
    platform = kept_image(store).image.platforms[0]
    modes = []
    for number, umask in enumerate((0o022, 0o077)):
        old = os.umask(umask)
        try:
            export_rootfs(store, platform, tmp_path / f"root{number}", QUIET)
        finally:
            os.umask(old)
        found = (tmp_path / f"root{number}").rglob("*")
        modes.append(sorted((path.name, path.lstat().st_mode) for path in found))

    assert modes[0] == modes[1]


def test_an_empty_folder_is_filled_and_a_full_one_left_alone(store: Store, tmp_path: Path) -> None:
    platform = kept_image(store).image.platforms[0]
    (tmp_path / "empty").mkdir()
    export_rootfs(store, platform, tmp_path / "empty", QUIET)
    assert (tmp_path / "empty" / "etc" / "passwd").exists()

    with pytest.raises(NotEmptyError, match="empty") as caught:
        export_rootfs(store, platform, tmp_path / "empty", QUIET)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_a_root_file_system_that_breaks_off_leaves_nothing(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    cut(store, image)

    with pytest.raises(WrongDigestError):
        export_rootfs(store, image.platforms[0], tmp_path / "root", QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_whatever_a_damaged_layer_becomes_is_told_as_damage(
    store: Store, tmp_path: Path, part: float
) -> None:
    image = kept_image(store).image
    cut(store, image, part)

    with pytest.raises(WrongDigestError) as caught:
        export_rootfs(store, image.platforms[0], tmp_path / "root", QUIET)
    assert "store verify --repair" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


Member = tuple[str, bytes, str]
"""An entry's name, type and target or content."""

FILE, LINK, HARD, FOLDER = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


def planted(store: Store, *entries: Member) -> PlatformImage:
    """An image with a layer of any entries, recorded as somebody may who writes into the store."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, rest in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o755
            info.linkname = rest if kind in (LINK, HARD) else ""
            info.pax_headers = {"path": name, "linkpath": info.linkname}
            data = rest.encode() if kind == FILE else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    data = gzip.compress(stream.getvalue())
    blob = store.blobs.add(data)
    diff_id, table = Digest.of(stream.getvalue()), store.blobs.add(ROW.pack(0, 0, len(data)))
    listing = store.blobs.add(Listing({}, {}, {}).to_bytes())
    layer = Realisation(blob, diff_id, len(data), (blob,), table, listing)
    store.realisations.record(Digest.of(b"recipe"), layer)
    descriptor = Descriptor("layer", blob, len(data))
    return PlatformImage(AMD64, descriptor, descriptor, (Layer(descriptor, diff_id, ()),))


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", FILE, "x")],
        [("/OUT/out", FILE, "x")],
        [("a/../../out", FILE, "x")],
        [("a", FOLDER, ""), ("a/../../out", FILE, "x")],
        [("..", FOLDER, "")],
        [("/OUT", FOLDER, "")],
        [("a/./b", FILE, "x")],
        [("a", LINK, "/OUT"), ("a/out", FILE, "x")],
        [("a", LINK, "/OUT"), ("a/out", LINK, "x")],
        [("a", LINK, "/OUT"), ("a/theirs", HARD, "a/theirs")],
        [("a", LINK, "/OUT"), ("mine", HARD, "a/theirs")],
        [("a", LINK, "/OUT"), ("a", FOLDER, "")],
        [("a", LINK, "/OUT/new"), ("a", FOLDER, "")],
        [("a", LINK, ".."), ("a/out", FILE, "x")],
        [("b", FOLDER, ""), ("b/a", LINK, "../.."), ("b/a/out", FILE, "x")],
        [("a", LINK, "b"), ("b", LINK, "/OUT"), ("a/out", FILE, "x")],
        [("b", FOLDER, ""), ("a", LINK, "b"), ("a/c", FOLDER, ""), ("a", LINK, "/OUT"),
         ("a/c/out", FILE, "x")],
        [("b", FOLDER, ""), ("b/f", FILE, ""), ("a", LINK, "b"), ("a/f", FILE, ""),
         ("a", LINK, "/OUT"), ("a/theirs", FILE, "x")],
        [("mine", HARD, "../theirs")],
        [("mine", HARD, "/OUT/theirs")],
        [("mine", HARD, "nothing")],
        [("pipe", tarfile.FIFOTYPE, "")],
        [("device", tarfile.CHRTYPE, "")],
        [("a\0b", FILE, "x")],
        [("a", LINK, "b\0c")],
    ],
)  # fmt: skip
def test_no_entry_of_a_planted_layer_is_written_elsewhere(
    store: Store, tmp_path: Path, entries: list[Member]
) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    (out / "theirs").write_text("theirs")
    (out / "c").mkdir(mode=0o700)
    there = contents(out)
    placed = [(n.replace("/OUT", str(out)), k, r.replace("/OUT", str(out))) for n, k, r in entries]

    with pytest.raises(UnfitLayerError) as caught:
        export_rootfs(store, planted(store, *placed), tmp_path / "root", QUIET)

    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert contents(out) == there
    assert {one.stat().st_mode & 0o777 for one in (out, out / "c")} == {0o700}
    assert (out / "theirs").stat().st_nlink == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "store"]


def test_links_within_the_image_are_followed(store: Store, tmp_path: Path) -> None:
    entries: list[Member] = [
        ("usr", FOLDER, ""),
        ("usr/lib", FOLDER, ""),
        ("lib", LINK, "usr/lib"),
        ("lib/a", FILE, "a"),
        ("lib", FOLDER, ""),
        ("lib/b", HARD, "usr/lib/a"),
        ("lib/c", HARD, "lib"),
        ("out", LINK, "/etc/passwd"),
        ("out", FILE, "mine"),
    ]
    export_rootfs(store, planted(store, *entries), tmp_path / "root", QUIET)

    root = tmp_path / "root"
    assert (root / "usr/lib/a").read_bytes() == (root / "usr/lib/b").read_bytes() == b"a"
    assert (root / "lib").readlink() == (root / "usr/lib/c").readlink() == Path("usr/lib")
    assert (root / "out").read_bytes() == b"mine"


def test_the_image_names_its_lock_wherever_it_goes(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    stream = io.BytesIO(b"".join(archive_stream(store, image.platforms[0], "base:v1")))
    with tarfile.open(fileobj=stream) as archive:
        file = archive.extractfile(f"blobs/sha256/{image.platforms[0].config.digest.hex}")
        assert file is not None
        config = json.load(file)

    assert config["config"]["Labels"]["dev.basestore.lock"] == LOCK.hex
