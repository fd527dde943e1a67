"""A diff as Markdown, for the comment of a pull request."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from basestore.cli.diff_text import (
    amount,
    grown,
    headline,
    jump_of,
    made_by_engine,
    only_on,
    pulled,
    told,
)
from basestore.cli.markdown import escaped, folded, markdown_table
from basestore.cli.terminal import count
from basestore.lock.changelog import Line, changelog

if TYPE_CHECKING:
    from basestore.pipeline.diff import LayersDiff, ProfileDiff

_OPEN = 25  # a longer table is folded away


def lines_of(diff: "ProfileDiff", old: str) -> Iterator[str]:
    """A profile's diff from what ``old`` names."""
    yield f"### {escaped(diff.profile)}: {escaped(headline(diff, old))}"
    yield ""
    if diff.old == diff.new and not diff.base_changed:
        return
    if diff.dockerfile:
        yield f"- layers: {escaped(made_by_engine(diff))}"
    for layers in diff.layers:
        new = f"{count(len(layers.made), 'new layer')}, {layers.kept} kept"
        if layers.below:
            new += f", {len(layers.below)} new of its base {escaped(diff.base)}"
        yield f"- {layers.platform}: {new}; {pulled(layers, diff)}"
    yield ""
    log = changelog(diff.lock)
    yield from _packages("package", log.wheels, diff)
    yield from _packages(".deb", log.debs, diff)
    if diff.lock.settings and diff.old and diff.new:
        rows = [(one.name, one.old or "", one.new or "") for one in diff.lock.settings]
        yield from markdown_table(("setting", "before", "after"), rows)
    for layers in diff.layers:
        yield from _layers(layers)


def _packages(title: str, lines: Sequence[Line], diff: "ProfileDiff") -> Iterator[str]:
    if not lines:
        return
    rows = [_cells(line, only_on(line, diff.lock.platforms)) for line in lines]
    shown = markdown_table((title, "before", "after", "jump", "size:"), rows)
    if len(lines) <= _OPEN:
        yield from shown
    else:
        yield from folded(count(len(lines), f"changed {title}"), shown)


def _cells(line: Line, only: str) -> tuple[str, ...]:
    name = f"{line.name} ({only})" if only else line.name
    return (name, line.old or "", line.new or "", jump_of(line), grown(line))


def _layers(layers: "LayersDiff") -> Iterator[str]:
    if layers.made:
        rows = [(one.layer.label, told(one.causes), amount(one.layer.bytes)) for one in layers.made]
        shown = markdown_table(("layer", "why", "size:"), rows)
        yield from folded(f"{count(len(rows), 'new layer')} on {layers.platform}", shown)
