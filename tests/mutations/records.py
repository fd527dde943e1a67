"""Changes of the images file and the services file."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from mutations.forging import edit_images, record_services
from mutations.model import Copy, Mutation

from basestore.digest import Digest
from basestore.lock import images, services
from basestore.lock.images import ImageRecord
from basestore.lock.services import Made, ServiceRecord
from basestore.target import Platform

OTHER = Digest.of(b"nothing that there is")
AMD64, ARM64 = Platform("amd64"), Platform("arm64")

ImageEdit = Callable[[ImageRecord], ImageRecord | None]


def _of(name: str, edit: ImageEdit) -> Callable[[Copy], None]:
    return lambda copy: edit_images(copy, lambda row: edit(row) if row.profile == name else row)


def _rows(copy: Copy) -> dict[str, ImageRecord]:
    rows = images.parse(copy.path("locks/images.toml").read_bytes(), "")
    return {row.profile: row for row in rows}


def _takes_others(name: str, other: str) -> Callable[[Copy], None]:
    """A profile's row has the image of another's."""

    def change(copy: Copy) -> None:
        found = _rows(copy)[other]
        _of(name, lambda row: replace(row, image=found.image, platforms=found.platforms))(copy)

    return change


def _platforms_swapped(row: ImageRecord) -> ImageRecord:
    one, two = row.platforms[AMD64], row.platforms[ARM64]
    return replace(row, platforms={AMD64: two, ARM64: one})


def _manifest_for_index(row: ImageRecord) -> ImageRecord:
    return replace(row, image=row.platforms[AMD64])


def _added(copy: Copy) -> None:
    """A row of a lock that there isn't."""
    rows = [*_rows(copy).values(), ImageRecord("base", OTHER, OTHER, {AMD64: OTHER})]
    copy.path("locks/images.toml").write_bytes(images.write(rows))


def _stranger(copy: Copy) -> None:
    """A row of a profile that there isn't, for a lock that there is."""
    base = _rows(copy)["base"]
    rows = [*_rows(copy).values(), replace(base, profile="basic", image=OTHER)]
    copy.path("locks/images.toml").write_bytes(images.write(rows))


def _twice(copy: Copy) -> None:
    """Two images of one lock."""
    base = _rows(copy)["base"]
    rows = [*_rows(copy).values(), replace(base, image=OTHER)]
    copy.path("locks/images.toml").write_bytes(images.write(rows))


IMAGES: tuple[tuple[str, str, Callable[[Copy], None]], ...] = (
    ("image", "a profile's image is nothing's", _of("base", lambda r: replace(r, image=OTHER))),
    ("image-of-child", "the child's image is nothing's", _of("ml", lambda r: replace(
        r, image=OTHER, platforms={AMD64: OTHER}))),
    ("platform", "a platform's manifest is nothing's", _of("base", lambda r: replace(
        r, platforms={**r.platforms, ARM64: OTHER}))),
    ("platforms-swapped", "two platforms' manifests are swapped", _of("base", _platforms_swapped)),
    ("platform-less", "a platform less", _of("base", lambda r: replace(
        r, platforms={AMD64: r.platforms[AMD64]}))),
    ("platform-more", "a platform more", _of("ml", lambda r: replace(
        r, platforms={**r.platforms, ARM64: OTHER}))),
    ("manifest-for-index", "a platform's manifest stands for the index",
     _of("base", _manifest_for_index)),
    ("another-profiles", "another profile's image", _takes_others("ml", "deep")),
    ("parents", "the parent's image", _takes_others("deep", "ml")),
    ("lock", "the lock", _of("base", lambda r: replace(r, lock=OTHER))),
    ("dropped", "a row less", _of("ml", lambda _: None)),
    ("stranger", "a row of a profile that there isn't", _stranger),
    ("twice", "two images of one lock", _twice),
    ("added", "a row of a lock that there isn't", _added),
    ("removed", "there is none", lambda copy: copy.path("locks/images.toml").unlink()),
    ("emptied", "it has no rows", lambda copy: copy.write("locks/images.toml", "images = []\n")),
    ("no-toml", "it is no TOML", lambda copy: copy.write("locks/images.toml", "images = [\n")),
    ("unknown-key", "an unknown key", lambda copy: copy.edit(
        "locks/images.toml", "{ profile", '{ by = "me", profile')),
)  # fmt: skip


def _made(name: str, **changes: Digest) -> Callable[[Copy], None]:
    def edit(service: str, made: Made) -> Made:
        return replace(made, **changes) if service == name else made

    return lambda copy: record_services(copy, edit)


def _service(
    name: str, edit: Callable[[ServiceRecord], ServiceRecord | None]
) -> Callable[[Copy], None]:
    def change(copy: Copy) -> None:
        path = copy.path("locks/services.toml")
        rows = services.parse(path.read_bytes(), "").values()
        new = (edit(row) if row.service == name else row for row in rows)
        path.write_bytes(services.write(row for row in new if row))

    return change


def _text(old: str, new: str, copy: Copy) -> None:
    copy.edit("locks/services.toml", old, new)


def _key(key: str, copy: Copy) -> None:
    """The first row's digest under a key becomes another, as an editor does it."""
    text = copy.text("locks/services.toml")
    start = text.index(f"{key} = ") + len(f"{key} = ")
    place = text.index('"', start) + 1
    at = text.index('"', place) - 1
    digit = "0" if text[at] != "0" else "1"
    copy.write("locks/services.toml", text[:at] + digit + text[at + 1 :])


def _image_of_other(copy: Copy) -> None:
    path = copy.path("locks/services.toml")
    rows = services.parse(path.read_bytes(), "")
    job = rows["job"]
    edit = _service("api", lambda row: replace(row, image=job.image, platforms=job.platforms))
    edit(copy)


def _by_engine(row: ServiceRecord) -> ServiceRecord:
    lock = row.made.lock if row.made else None
    return ServiceRecord(row.service, row.image, row.base, None, row.platforms, lock)


def _service_more(copy: Copy) -> None:
    """A row of a service that there isn't, beside all others."""
    path = copy.path("locks/services.toml")
    rows = services.parse(path.read_bytes(), "")
    path.write_bytes(services.write([*rows.values(), replace(rows["job"], service="jobs")]))


SERVICES: tuple[tuple[str, str, Callable[[Copy], None]], ...] = (
    *((f"{key}-alone", f"the first row's {key}", partial(_key, key))
      for key in ("tag", "lock", "base", "application", "image", "platforms")),
    ("lock", "the lock; the tag is made anew", _made("api", lock=OTHER)),
    ("base", "the base's image; the tag is made anew", _made("api", base=OTHER)),
    ("application", "the application; the tag is made anew", _made("api", application=OTHER)),
    ("image", "the image is nothing's", _service("job", lambda row: replace(
        row, image=OTHER, platforms={AMD64: OTHER}))),
    ("platform", "a platform's manifest is nothing's", _service("job", lambda row: replace(
        row, platforms={AMD64: OTHER}))),
    ("platform-more", "a platform more", _service("api", lambda row: replace(
        row, platforms={**row.platforms, ARM64: OTHER}))),
    ("platform-less", "no platforms", _service("api", lambda row: replace(row, platforms={}))),
    ("another-services", "another service's image", _image_of_other),
    ("by-engine", "an engine is said to have built it", _service("api", _by_engine)),
    ("dropped", "a row less", _service("job", lambda _: None)),
    ("stranger", "a row of a service that there isn't", _service("job", lambda row: replace(
        row, service="jobs"))),
    ("added", "a further row, of a service that there isn't", _service_more),
    ("removed", "there is none", lambda copy: copy.path("locks/services.toml").unlink()),
    ("no-toml", "it is no TOML", lambda copy: copy.write("locks/services.toml", "services = [\n")),
    ("unknown-key", "an unknown key", partial(_text, "{ service", '{ by = "me", service')),
)  # fmt: skip


def mutations() -> Iterator[Mutation]:
    """Every change of both files."""
    for what, said, change in IMAGES:
        yield Mutation(f"images/{what}", f"images file: {said}", change)
    for what, said, change in SERVICES:
        yield Mutation(f"services/{what}", f"services file: {said}", change)
    yield Mutation("images/link", "the images file is a link to another", _link)


def _link(copy: Copy) -> None:
    path = copy.path("locks/images.toml")
    other = path.with_name("other.toml")
    path.rename(other)
    text = other.read_text()
    other.write_text(text.replace(_rows_of(text)["base"].image.hex, OTHER.hex, 1))
    path.symlink_to(Path("other.toml"))


def _rows_of(text: str) -> dict[str, ImageRecord]:
    return {row.profile: row for row in images.parse(text.encode(), "")}
