"""What a layer of wheels holds, told by their directories, is what making it records."""

from pathlib import Path

import pytest
from layers import keep, new_store, recipe_of, workshop
from wheelmaker import MadeWheel, make_wheel

from basestore.layer.listing import Listing
from basestore.layer.realise import make, wheels_listing

CASES = {
    "modules": [make_wheel("demo"), make_wheel("other", files={"other/a.py": b"", "b.py": b"b"})],
    "stored": [make_wheel("demo", files={"demo.bin": bytes(range(256)) * 9}, stored=["*"])],
    "generated scripts": [
        make_wheel("demo", entry_points={"console_scripts": {"run": "demo:run"}})
    ],
    "moved files": [
        make_wheel(
            "demo",
            data={
                "scripts/run": b"#!python\nprint()\n",
                "scripts/plain": b"#!/bin/sh\n",
                "data/share/words": b"words",
                "headers/demo.h": b"int x;",
                "platlib/demo.so": b"\x7fELF",
            },
        )
    ],
    "shared files": [
        make_wheel("demo", files={"space/__init__.py": b"x", "space/a.py": b"a"}),
        make_wheel("other", files={"space/__init__.py": b"x", "space/b.py": b"b"}),
    ],
}


@pytest.mark.parametrize("wheels", CASES.values(), ids=CASES)
def test_listings_agree(tmp_path: Path, wheels: list[MadeWheel]) -> None:
    store = new_store(tmp_path)
    recipe = recipe_of([keep(store, wheel) for wheel in wheels])
    recorded = Listing.from_bytes(store.blobs.read(make(recipe, workshop(store)).listing))

    found = wheels_listing(recipe, store)

    assert (found.files, found.links) == (recorded.files, recorded.links)


def test_what_a_wheel_leaves_to_another_is_not_listed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    wheel = keep(store, make_wheel("demo", files={"a.py": b"a", "b.py": b"b"}))
    path = "opt/venv/lib/python3.11/site-packages/a.py"

    found = wheels_listing(recipe_of([wheel], [(path,)]), store)

    assert path not in found.files
    assert path.replace("a.py", "b.py") in found.files
