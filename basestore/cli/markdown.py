"""Markdown as the forges' comments take it: tables, and what is folded away (GitHub's flavour)."""

import html
from collections.abc import Iterator, Sequence


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table, with an empty line behind it; a head that ends in ":" is of a column of numbers."""
    yield _row([title.removesuffix(":") for title in head])
    yield _row(["---:" if title.endswith(":") else "---" for title in head])
    for row in rows:
        yield _row([escaped(cell) for cell in row])
    yield ""


def folded(summary: str, lines: Iterator[str]) -> Iterator[str]:
    """Lines behind a summary, which a click unfolds."""
    yield f"<details><summary>{html.escape(summary, quote=False)}</summary>"  # no Markdown here
    yield ""
    yield from lines
    yield "</details>"
    yield ""


def escaped(text: str) -> str:
    """Text that stands for itself, also in a cell of a table."""
    for mark in "\\`*_[]<|~":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.splitlines())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
