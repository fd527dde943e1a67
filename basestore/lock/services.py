"""The services file: which image each service was built to last, and of what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from basestore.canonical import Json, json_bytes, toml_string, toml_table
from basestore.digest import Digest
from basestore.lock.model import FORMAT
from basestore.profile.document import Table, read_document
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Made:
    """What a service's image is a function of.

    ``lock``: the service's lock digest. ``base``: its base's image digest. ``application``: the
    digest of its application layer.
    """

    lock: Digest
    base: Digest
    application: Digest

    @property
    def tag(self) -> str:
        """The image's tag."""
        said: Json = {
            "application": str(self.application),
            "base": str(self.base),
            "format": FORMAT,
            "lock": str(self.lock),
        }
        return Digest.of(json_bytes(said)).hex


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service's image: its digest as images have them, and each platform's manifest's.

    ``made``: what gives the image again. None for an image that an engine built: nothing does, and
    its tag is its own digest. ``base``: the image digest of the base that it stands on.
    ``engine_lock``: the service's lock digest when an engine built it; None where it had no lock,
    and in lines of before that was recorded.
    """

    service: str
    image: Digest
    base: Digest
    made: Made | None = None
    platforms: Mapping[Platform, Digest] = field(default_factory=dict)
    engine_lock: Digest | None = None

    @property
    def lock(self) -> Digest | None:
        """The digest of the service's lock that the image is of, where that is known."""
        return self.made.lock if self.made else self.engine_lock

    def is_of(self, lock: Digest) -> bool:
        """Whether the image is of a lock, as far as the record tells."""
        return self.lock in (None, lock)

    @property
    def tag(self) -> str:
        """The image's tag."""
        return self.made.tag if self.made else self.image.hex


def write(records: Iterable[ServiceRecord]) -> bytes:
    """The services file, one sorted line a service, so that git merges it well."""
    rows = sorted(records, key=lambda record: record.service)
    return "".join(["services = [\n", *map(_row, rows), "]\n"]).encode()


def parse(data: bytes, file: str) -> Mapping[str, ServiceRecord]:
    """The records of a services file by service; ``file`` is its name in errors.

    What git merged out of order is taken. Raises DocumentError, also for two images of a service.
    """
    table = read_document(file, data)
    table.only("services")
    records: dict[str, ServiceRecord] = {}
    for row in table.tables("services"):
        record = _record(row)
        if records.setdefault(record.service, record) != record:
            raise row.error(
                "another image of a service that has one already",
                f"take one of the lines out, and run `basestore build {record.service}`",
            )
    return records


def record_service(
    records: Mapping[str, ServiceRecord], new: ServiceRecord, services: Iterable[str]
) -> tuple[ServiceRecord, ...]:
    """The records with a new one for its service, and none of services that are gone."""
    kept = {name: record for name, record in records.items() if name in set(services)}
    return tuple({**kept, new.service: new}.values())


def _row(record: ServiceRecord) -> str:
    platforms = [(str(p), toml_string(str(record.platforms[p]))) for p in sorted(record.platforms)]
    made = record.made
    pairs = [("service", toml_string(record.service)), ("tag", toml_string(record.tag))]
    if record.lock:
        pairs.append(("lock", toml_string(record.lock.hex)))
    pairs.append(("base", toml_string(str(record.base))))
    if made:
        pairs.append(("application", toml_string(str(made.application))))
    pairs.append(("image", toml_string(str(record.image))))
    if platforms:
        pairs.append(("platforms", toml_table(platforms)))
    if not made:
        pairs.append(("reproducible", "false"))
    return f"  {toml_table(pairs)},\n"


def _record(row: Table) -> ServiceRecord:
    row.only("service", "tag", "lock", "base", "application", "image", "platforms", "reproducible")
    by_engine = row.flag("reproducible") is False
    try:
        record = ServiceRecord(
            service=_string(row, "service"),
            image=Digest.parse(_string(row, "image")),
            base=Digest.parse(_string(row, "base")),
            made=None if by_engine else _made(row),
            platforms={
                Platform.parse(p): Digest.parse(d)
                for p, d in (row.string_map("platforms") or {}).items()
            },
            engine_lock=_engine_lock(row) if by_engine else None,
        )
    except ValueError as error:
        raise row.error(str(error), _way_out(row)) from None
    if record.tag != _string(row, "tag"):
        raise row.error("not the tag of what the line names", _way_out(row), "tag")
    return record


def _made(row: Table) -> Made:
    return Made(
        lock=Digest(_string(row, "lock")),
        base=Digest.parse(_string(row, "base")),
        application=Digest.parse(_string(row, "application")),
    )


def _engine_lock(row: Table) -> Digest | None:
    lock = row.string("lock")
    return Digest(lock) if lock is not None else None


def _string(row: Table, key: str) -> str:
    return row.required(key, row.string(key), _way_out(row))


def _way_out(row: Table) -> str:
    return f"take the line out, and run `basestore build {row.string('service') or ''}`"
