"""The forms an image is kept and exported in: store, OCI layout, archive, root file system."""

import contextlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from images import LOCK, kept_image
from layers import AMD64, ARM64, SITE, digest_of, gunzip, layer_bytes, members, new_store

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.image.archive import archive_stream, export_archive
from basestore.image.blobs import image_blobs, layer_realisation
from basestore.image.layout import NotALayoutError, export_layout
from basestore.image.model import Image
from basestore.image.rootfs import NotEmptyError, export_rootfs
from basestore.image.stored import read_image, whole_image
from basestore.progress import Advance, Progress
from basestore.store import MissingBlobError, Store, WrongDigestError
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
    assert not (tmp_path / "layout" / "index.json").exists()
    blobs = tmp_path / "layout" / "blobs" / "sha256"
    assert image.layers[0].descriptor.digest.hex not in {path.name for path in blobs.iterdir()}


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


def test_the_image_names_its_lock_wherever_it_goes(store: Store, tmp_path: Path) -> None:
    image = kept_image(store).image
    stream = io.BytesIO(b"".join(archive_stream(store, image.platforms[0], "base:v1")))
    with tarfile.open(fileobj=stream) as archive:
        file = archive.extractfile(f"blobs/sha256/{image.platforms[0].config.digest.hex}")
        assert file is not None
        config = json.load(file)

    assert config["config"]["Labels"]["dev.basestore.lock"] == LOCK.hex
