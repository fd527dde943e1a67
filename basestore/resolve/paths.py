"""Who requires whom: the way from what people ask for to a package."""

from collections.abc import Mapping, Sequence


def shortest_path(
    package: str, roots: Sequence[str], requires: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The shortest path from one of the roots to a package, the first by name of equal ones.

    A package that no root leads to is its own path.
    """
    return shortest_paths(roots, requires).get(package, (package,))


def shortest_paths(
    roots: Sequence[str], requires: Mapping[str, Sequence[str]]
) -> Mapping[str, tuple[str, ...]]:
    """The shortest path from one of the roots to each package that they lead to."""
    paths: dict[str, tuple[str, ...]] = {root: (root,) for root in sorted(set(roots))}
    edge = list(paths)
    while edge:
        reached: list[str] = []
        for name in edge:
            for needed in sorted(requires.get(name, ())):
                if needed not in paths:
                    paths[needed] = (*paths[name], needed)
                    reached.append(needed)
        edge = reached
    return paths
