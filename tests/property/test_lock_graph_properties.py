"""Paths from requirements to packages, in graphs of any form, circles included."""

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from basestore.lock.graph import Graph, Path
from basestore.profile.model import Location

NAMES = tuple("abcdefgh")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Some of whose packages are asked for, one or two times."""
    some = st.lists(st.sampled_from(NAMES), max_size=4, unique=True)
    requires = {name: tuple(draw(some)) for name in NAMES}
    asked = {name: draw(places(name)) for name in draw(some)}
    return Graph(requires, asked)


def places(name: str) -> st.SearchStrategy[tuple[Location, ...]]:
    """Where a package is asked for."""
    line = NAMES.index(name) + 1
    one, other = Location("profiles/a.toml", line), Location("profiles/b.toml", line)
    return st.sampled_from([(one,), (one, other)])


def is_path(graph: Graph, path: Path, package: str) -> bool:
    """Whether a path begins with a requirement, follows the graph and ends in a package."""
    first, last = path.names[0], path.names[-1]
    follows = all(b in graph.requires[a] for a, b in pairwise(path.names))
    return path.place in graph.asked.get(first, ()) and follows and last == package


def brought(graph: Graph, without: str = "") -> set[str]:
    """What the requirements bring, found another way than the graph does."""
    found = {name for name in graph.asked if name != without}
    while True:
        more = {r for name in found for r in graph.requires[name] if r != without} - found
        if not more:
            return found
        found |= more


@given(graphs(), st.sampled_from(NAMES))
def test_the_shortest_path_from_each_requirement(graph: Graph, package: str) -> None:
    paths = graph.shortest_paths(package)

    assert all(is_path(graph, path, package) for path in paths)
    assert [len(path.names) for path in paths] == sorted(len(path.names) for path in paths)
    bringing = {
        (place, name)
        for name, its in graph.asked.items()
        if package in brought(Graph(graph.requires, {name: its}))
        for place in its
    }
    assert sorted((path.place, path.names[0]) for path in paths) == sorted(bringing)


@given(graphs(), st.sampled_from(NAMES))
def test_every_path(graph: Graph, package: str) -> None:
    paths = list(islice(graph.paths(package), 2000))

    assert all(is_path(graph, path, package) for path in paths)
    assert all(len(set(path.names)) == len(path.names) for path in paths)
    assert len(set(paths)) == len(paths)
    assert [len(path.names) for path in paths] == sorted(len(path.names) for path in paths)
    shortest = graph.shortest_paths(package)
    for short in shortest:
        same = [p for p in paths if (p.place, p.names[0]) == (short.place, short.names[0])]
        assert min(len(path.names) for path in same) == len(short.names)


@given(graphs(), st.sampled_from(NAMES))
def test_what_only_a_package_brings(graph: Graph, package: str) -> None:
    gone = brought(graph) - brought(graph, package) - {package}

    assert graph.only_through(package) == gone
