"""A small image of real layers, for what is done with whole images."""

from layers import AMD64, foundation_of, keep, recipe_of, recorded, workshop
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.image.assemble import Assembled, Realised, assemble
from basestore.image.stored import keep_image
from basestore.layer.entry import Entry, Kind, file, folder, symlink
from basestore.layer.realise import make
from basestore.lock.model import Deb, ImageConfig
from basestore.store import Store
from basestore.target import Platform

LOCK = Digest.of(b"a lock")
CONFIG = ImageConfig(
    env=("LANG=C.UTF-8", "PATH=/opt/venv/bin:/usr/bin"),
    entrypoint=("/init",),
    cmd=("python",),
    user="1000:1000",
    workdir="/srv",
    labels={"team": "platform"},
)
SYSTEM = (
    folder("bin"),
    file("bin/sh", b"#!shell\n", 0o755),
    folder("etc"),
    file("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"),
    Entry("etc/passwd-", Kind.HARDLINK, 0o644, (), "etc/passwd"),
    symlink("lib", "usr/lib"),
    folder("tmp", 0o1777),
    folder("usr"),
    folder("usr/lib"),
    Entry("usr/su", Kind.FILE, 0o4755, file("", b"su" * 40_000).payload),
)


def layers_of(store: Store, platform: Platform = AMD64) -> Realised:
    """A foundation and a wheel's layer above it."""
    deb = Deb("base", f"1.0-{platform.architecture}", "all", 5, Digest.of(b"deb"))
    foundation = foundation_of(deb, platform=platform)
    marked = [*SYSTEM[:2], folder("boot"), file("boot/arch", str(platform).encode()), *SYSTEM[2:]]
    wheels = [
        make_wheel("demo", files={"demo/__init__.py": b"x = 1\n" * 200, "demo/empty.py": b""}),
        make_wheel("other", entry_points={"console_scripts": {"other": "other:main"}}),
    ]
    recipe = recipe_of([keep(store, wheel) for wheel in wheels])
    return [
        (foundation, recorded(store, foundation, marked)),
        (recipe, make(recipe, workshop(store))),
    ]


def kept_image(store: Store, *platforms: Platform) -> Assembled:
    """The image of these platforms, kept in the store."""
    realised = {platform: layers_of(store, platform) for platform in platforms or (AMD64,)}
    assembled = assemble(CONFIG, LOCK, realised)
    keep_image(store, assembled)
    return assembled
