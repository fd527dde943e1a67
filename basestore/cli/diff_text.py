"""A diff in lines for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from basestore.cli.terminal import columns, count, size
from basestore.lock.changelog import Line, changelog
from basestore.pipeline.layers import total

if TYPE_CHECKING:
    from basestore.lock.diff import PlatformDiff, Setting
    from basestore.pipeline.diff import LayersDiff, ProfileDiff
    from basestore.pipeline.layers import Bytes
    from basestore.recipe.causes import Cause

_WORDS = ("added", "dropped", "bumped", "rebuilt", "moved")
_TOLD = 3  # so many causes of a layer are told in a line


def lines_of(diff: "ProfileDiff", old: str) -> Iterator[str]:
    """A profile's diff from what ``old`` names."""
    yield f"{diff.profile}: {headline(diff, old)}"
    if diff.old and diff.new:
        log = changelog(diff.lock)
        yield from _section("packages", log.wheels, diff)
        yield from _section("foundation", log.debs, diff)
        yield from _settings(diff.lock.settings)
    if diff.old != diff.new or diff.base_changed:
        if diff.dockerfile:
            yield f"  layers: {made_by_engine(diff)}"
        for layers in diff.layers:
            yield from _layers(layers, diff)


def headline(diff: "ProfileDiff", old: str) -> str:
    """What has happened to a profile's lock, in a few words."""
    if diff.old == diff.new and diff.base_changed:
        return f"nothing of its own changed since {old}, but its base {diff.base} has"
    if diff.old == diff.new:
        return f"nothing changed since {old}"
    if diff.old is None:
        packages = max(len(p.wheels) + len(p.debs) for p in diff.lock.platforms)
        return f"new since {old}, {count(packages, 'package')}"
    if diff.new is None:
        return f"its lock is gone since {old}"
    log = changelog(diff.lock)
    parts = [
        *_tally("package", log.wheels),
        *_tally(".deb", log.debs),
        *([f"{count(len(diff.lock.settings), 'setting')} changed"] if diff.lock.settings else []),
    ]
    return f"{', '.join(parts)} since {old}"


def made_by_engine(diff: "ProfileDiff") -> str:
    """Why nothing is told of a service's layers."""
    return f"an engine makes them from {diff.dockerfile}; nobody knows them before"


def _tally(noun: str, lines: Sequence[Line]) -> Iterator[str]:
    """``2 packages added, 1 dropped``."""
    found = Counter(_happened(line) for line in lines)
    for number, word in enumerate(word for word in _WORDS if found[word]):
        yield f"{count(found[word], noun) if number == 0 else found[word]} {word}"


def _happened(line: Line) -> str:
    if line.old is None or line.new is None:
        return "added" if line.old is None else "dropped"
    if line.old != line.new:
        return "bumped"
    return "moved" if line.moved else "rebuilt"


def amount(found: "Bytes") -> str:
    """Bytes, with a ~ where the sizes of wheels and .debs stand for a layer's."""
    return f"{'' if found.exact else '~'}{size(found.size)}"


def jump_of(line: Line) -> str:
    """How far a version has moved."""
    words = [
        line.jump.value if line.jump else "",
        "down" if line.back else "",
        f"now of {line.moved}" if line.moved else "",
    ]
    return ", ".join(filter(None, words))


def grown(line: Line) -> str:
    """By how many bytes a package has grown, on the first of its platforms."""
    before, after = next(iter(line.sizes.values()))
    return f"{'+' if after >= before else '-'}{size(abs(after - before))}"


def only_on(line: Line, platforms: "Iterable[PlatformDiff]") -> str:
    """The platforms of a line, where it is not for all of them."""
    known = {one.platform for one in platforms}
    return "" if set(line.sizes) == known else ", ".join(map(str, sorted(line.sizes)))


def told(causes: "Sequence[Cause]") -> str:
    """Why a layer is new, in a few words."""
    if not causes:
        return "the same packages, other files"
    rest = len(causes) - _TOLD
    shown = "; ".join(map(str, causes[:_TOLD]))
    return f"{shown}; and {rest} more" if rest > 0 else shown


def versions_of(line: Line) -> str:
    """The version before and after, or the one there is."""
    if line.old is None or line.new is None or line.old == line.new:
        return line.new or line.old or ""
    return f"{line.old} -> {line.new}"


def _section(title: str, lines: Sequence[Line], diff: "ProfileDiff") -> Iterator[str]:
    if lines:
        yield f"  {title}"
        rows = [_cells(line, only_on(line, diff.lock.platforms)) for line in lines]
        yield from (f"    {line}" for line in columns(rows, right=(4,)))


def _cells(line: Line, only: str) -> tuple[str, ...]:
    mark = "+" if line.old is None else "-" if line.new is None else "~"
    return (mark, line.name, versions_of(line), jump_of(line), grown(line), only)


def _settings(settings: "Sequence[Setting]") -> Iterator[str]:
    if settings:
        yield "  settings"
    for one in settings:
        mark = "+" if one.old is None else "-" if one.new is None else "~"
        values = " -> ".join(value for value in (one.old, one.new) if value is not None)
        yield f"    {mark}  {one.name}  {values}"


def _layers(layers: "LayersDiff", diff: "ProfileDiff") -> Iterator[str]:
    made = f"{len(layers.made)} new, {layers.kept} kept"
    yield f"  layers on {layers.platform}: {made}"
    rows = [(amount(one.layer.bytes), one.layer.label, told(one.causes)) for one in layers.made]
    if layers.below:
        new = f"{count(len(layers.below), 'new layer')} of its base {diff.base}"
        rows.append((amount(total(layers.below)), new, ""))
    yield from (f"    {line}" for line in columns(rows, right=(0,)))
    yield f"    {pulled(layers, diff)}"


def pulled(layers: "LayersDiff", diff: "ProfileDiff") -> str:
    """What nodes pull, in a sentence."""
    text = f"a node that has the old image pulls {amount(layers.pull)}"
    if layers.pull_in_order.size != layers.pull.size:
        text += f" ({amount(layers.pull_in_order)} with a graph driver of Docker)"
    return f"{text}, and the application if that has changed" if diff.base else text
