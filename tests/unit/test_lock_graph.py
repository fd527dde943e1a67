"""Who requires whom in a lock: of a family's generations, and of the foundation."""

from datetime import UTC, datetime
from itertools import islice, pairwise

from planning import AMD64, replaced, wheel

from basestore.digest import Digest
from basestore.lock.graph import Graph, Path, deb_graph, wheel_graph
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.lock.origin import DebOrigin, Head, Origin, PackageOrigin
from basestore.profile.model import Location

BASE, ML = Location("profiles/base.toml", 3), Location("profiles/ml.toml", 4)
NOTHING = Digest.of(b"")


def origin(
    direct: dict[str, Location],
    requires: dict[str, tuple[str, ...]] | None = None,
    debs: dict[str, tuple[str, ...]] | None = None,
) -> Origin:
    return Origin(
        Head(NOTHING, NOTHING, {}),
        "uv 1",
        datetime(2026, 11, 20, tzinfo=UTC),
        direct={name: (place,) for name, place in direct.items()},
        packages={name: PackageOrigin("default", r) for name, r in (requires or {}).items()},
        debs={name: DebOrigin("bookworm", r) for name, r in (debs or {}).items()},
    )


def lock(*wheels: Wheel, without: tuple[Wheel, ...] = (), debs: tuple[Deb, ...] = ()) -> Lock:
    platform = PlatformLock(AMD64, "3.11.2", "2.36", debs, wheels, replaced(*without))
    return Lock("ml", ImageConfig(), (platform,), ("base", "ml"))


def deb(name: str) -> Deb:
    return Deb(name, "1-1", "amd64", 5, Digest.of(name.encode()))


def test_paths_begin_in_every_generation() -> None:
    held = lock(wheel("web", 1), wheel("idna", 1), wheel("model", 1, "ml"))
    graph = wheel_graph(
        held,
        {
            "base": origin({"web": BASE}),
            "ml": origin({"model": ML}, {"web": ("idna",), "idna": (), "model": ("web",)}),
        },
    )

    assert graph.shortest_paths("idna") == (
        Path(BASE, ("web", "idna")),
        Path(ML, ("model", "web", "idna")),
    )
    assert graph.only_through("web") == {"idna"}
    assert graph.only_through("model") == frozenset()


def test_who_replaces_a_package_asks_for_it_alone() -> None:
    old = wheel("torch", 9)
    held = lock(wheel("torch", 8, "ml", "2.0"), without=(old,))
    origins = {"base": origin({"torch": BASE}), "ml": origin({"torch": ML}, {"torch": ()})}

    assert wheel_graph(held, origins).asked == {"torch": (ML,)}
    assert wheel_graph(lock(old), origins).asked == {"torch": (BASE, ML)}


def test_what_is_not_locked_is_no_part() -> None:
    """A requirement with a marker of another platform, a dependency of one."""
    graph = wheel_graph(
        lock(wheel("web", 1)),
        {
            "base": origin({"web": BASE, "pywin32": BASE}),
            "ml": origin({}, {"web": ("colorama",), "pywin32": ()}),
        },
    )

    assert graph.asked == {"web": (BASE,)}
    assert graph.requires == {"web": ()}


def test_the_foundation() -> None:
    held = lock(debs=(deb("libc6"), deb("python3.11")))
    how = origin({}, debs={"python3.11": ("libc6", "media-types"), "libc6": ()})
    graph = deb_graph(held, how, {"python3.11": (BASE,), "gone": (BASE,)})

    assert graph.shortest_paths("libc6") == (Path(BASE, ("python3.11", "libc6")),)
    assert graph.asked == {"python3.11": (BASE,)}


def test_the_first_of_very_many_paths_cost_little() -> None:
    """Of 24 layers of five packages, each of which requires all of the next: 5^24 paths."""
    grid = [[f"p{depth}-{n}" for n in range(5)] for depth in range(24)]
    requires = {name: tuple(below) for row, below in pairwise(grid) for name in row}
    graph = Graph({**requires, **dict.fromkeys(grid[-1], ("c",)), "c": ()}, {"p0-0": (BASE,)})

    found = list(islice(graph.paths("c"), 200))

    assert {len(path.names) for path in found} == {25}
    assert len(set(found)) == 200
    assert graph.only_through("p0-0") == {"c", *(name for row in grid[1:] for name in row)}
