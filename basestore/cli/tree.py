"""Trees for terminals: rows that know how deep they lie, parents before children."""

from collections.abc import Sequence


def trunks(depths: Sequence[int]) -> list[str]:
    """What stands below each row to the left of its own column, three characters a generation."""
    found = []
    for number, depth in enumerate(depths):
        following = depths[number + 1 :]
        found.append("".join("│  " if _goes_on(d, following) else "   " for d in range(depth)))
    return found


def branch(trunk: str, name: str) -> str:
    """A row's name with the branch that leads to it."""
    return f"{trunk[:-3]}{'├' if trunk.endswith('│  ') else '└'}─ {name}" if trunk else name


def _goes_on(depth: int, following: Sequence[int]) -> bool:
    """Whether a row of the next generation comes before one of this or an older one."""
    nearest = next((other for other in following if other <= depth + 1), None)
    return nearest == depth + 1
