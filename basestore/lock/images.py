"""The images file: which image digests each lock digest gave."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from basestore.canonical import toml_string, toml_table
from basestore.digest import Digest
from basestore.profile.document import Table, read_document
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """The image of a lock: digest of its index (or its manifest), and of each platform's manifest.

    ``lock``: the lock digest.
    """

    profile: str
    lock: Digest
    image: Digest
    platforms: Mapping[Platform, Digest]


def write(records: Iterable[ImageRecord]) -> bytes:
    """The images file, one sorted line an image, so that git merges it well."""
    rows = sorted(records, key=lambda record: (record.profile, record.lock))
    return "".join(["images = [\n", *map(_row, rows), "]\n"]).encode()


def parse(data: bytes, file: str) -> tuple[ImageRecord, ...]:
    """The records of an images file, sorted; ``file`` is its name in errors.

    What git merged out of order is taken. Raises DocumentError, also for two images of one lock.
    """
    table = read_document(file, data)
    table.only("images")
    records: dict[tuple[str, Digest], ImageRecord] = {}
    for row in table.tables("images"):
        record = _record(row)
        if records.setdefault((record.profile, record.lock), record) != record:
            raise row.error(
                "another image of a lock that has one already",
                f"find out with `basestore build {record.profile} --rebuild` which one it gives, "
                "and take the other line out",
            )
    return tuple(records[key] for key in sorted(records))


def find(records: Iterable[ImageRecord], profile: str, lock: Digest) -> ImageRecord | None:
    """The record of a profile's lock, if there is one."""
    return next((r for r in records if (r.profile, r.lock) == (profile, lock)), None)


def record_image(
    records: Iterable[ImageRecord], new: ImageRecord, locks: Collection[Digest]
) -> tuple[ImageRecord, ...]:
    """The records with a new one for its lock, and none of locks that are not among ``locks``."""
    kept = (
        r for r in records if r.lock in locks and (r.profile, r.lock) != (new.profile, new.lock)
    )
    return (*kept, new)


def _row(record: ImageRecord) -> str:
    platforms = [(str(p), toml_string(str(record.platforms[p]))) for p in sorted(record.platforms)]
    table = toml_table(
        [
            ("profile", toml_string(record.profile)),
            ("lock", toml_string(record.lock.hex)),
            ("image", toml_string(str(record.image))),
            ("platforms", toml_table(platforms)),
        ]
    )
    return f"  {table},\n"


def _record(row: Table) -> ImageRecord:
    row.only("profile", "lock", "image", "platforms")
    platforms = row.required("platforms", row.string_map("platforms"), "")
    try:
        return ImageRecord(
            profile=row.required("profile", row.string("profile"), ""),
            lock=Digest(row.required("lock", row.string("lock"), "")),
            image=Digest.parse(row.required("image", row.string("image"), "")),
            platforms={Platform.parse(p): Digest.parse(d) for p, d in platforms.items()},
        )
    except ValueError as error:
        hint = "take the file back from version control, or remove the line and build again"
        raise row.error(str(error), hint) from None
