"""Texts: how requirements and constraints read, and where; an origin notes them."""

from collections.abc import Iterable, Mapping

from basestore.profile.model import Location, Requirement

Texts = Mapping[Location, tuple[str, ...]]
"""What stands at a place, as packaging writes it."""


def texts_of(requirements: Iterable[Requirement]) -> Texts:
    """How requirements or constraints read, by their places."""
    found: dict[Location, set[str]] = {}
    for one in requirements:
        found.setdefault(one.location, set()).add(one.text)
    return {place: tuple(sorted(found[place])) for place in sorted(found)}
