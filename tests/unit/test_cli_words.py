"""Pieces of output: tables, paths on narrow terminals, Markdown."""

from basestore.cli.markdown import escaped, folded, markdown_table
from basestore.cli.terminal import columns
from basestore.cli.why import broken

PATH = ("langchain-community", "aiohttp", "multidict", "typing-extensions")


def test_columns() -> None:
    rows = [("name", "size"), ("a", "10 B"), ("longer", "1.5 MB")]

    assert list(columns(rows, right=(1,))) == ["name      size", "a         10 B", "longer  1.5 MB"]
    assert list(columns([("a", "b"), ("aa", "")])) == ["a   b", "aa"]
    assert list(columns([])) == []


def test_a_path_in_a_pipe_is_one_line() -> None:
    assert broken(PATH, 0) == ["langchain-community -> aiohttp -> multidict -> typing-extensions"]


def test_a_path_on_a_terminal_is_broken_at_its_packages() -> None:
    assert broken(PATH, 50) == [
        "langchain-community -> aiohttp -> multidict",
        "  -> typing-extensions",
    ]
    assert broken(PATH, 5) == [PATH[0], *(f"  -> {name}" for name in PATH[1:])]


def test_cells_of_markdown_stand_for_themselves() -> None:
    assert escaped("a|b") == r"a\|b"
    assert escaped("<b>*x*</b>") == r"\<b>\*x\*\</b>"
    assert escaped("two\nlines_") == r"two lines\_"
    assert list(markdown_table(("name", "size:"), [("a|b", "~1 B")])) == [
        "| name | size |",
        "| --- | ---: |",
        r"| a\|b | \~1 B |",
        "",
    ]


def test_what_is_folded_has_empty_lines_around_it() -> None:
    """Without them the forges don't read Markdown inside of HTML."""
    lines = list(folded("1 < 2", iter(["| a |", ""])))

    assert lines == ["<details><summary>1 &lt; 2</summary>", "", "| a |", "", "</details>", ""]
