"""The services file, and what it says of images that an engine built."""

import pytest

from basestore.digest import Digest
from basestore.lock.services import Made, ServiceRecord, parse, write
from basestore.target import Platform

LOCK, BASE, IMAGE = (Digest.of(word) for word in (b"lock", b"base", b"image"))
PLATFORMS = {Platform("amd64"): IMAGE}


@pytest.mark.parametrize(
    "record",
    [
        ServiceRecord("one", IMAGE, BASE, Made(LOCK, BASE, IMAGE), PLATFORMS),
        ServiceRecord("one", IMAGE, BASE, None, PLATFORMS, LOCK),
        ServiceRecord("one", IMAGE, BASE),
    ],
)
def test_what_is_written_is_read(record: ServiceRecord) -> None:
    assert parse(write([record]), "locks/services.toml") == {"one": record}


def test_the_lock_of_what_an_engine_built() -> None:
    data = write([ServiceRecord("one", IMAGE, BASE, engine_lock=LOCK)])

    assert data.decode().splitlines()[1] == (
        f'  {{ service = "one", tag = "{IMAGE.hex}", lock = "{LOCK.hex}", base = "{BASE}", '
        f'image = "{IMAGE}", reproducible = false }},'
    )


@pytest.mark.parametrize("made", [None, Made(LOCK, BASE, IMAGE)])
def test_an_image_is_of_one_lock(made: Made | None) -> None:
    record = ServiceRecord("one", IMAGE, BASE, made, engine_lock=None if made else LOCK)

    assert record.is_of(LOCK)
    assert not record.is_of(BASE)
