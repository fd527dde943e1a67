"""Requirements are taken out of files, and every other byte stays."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.profile.edit import without_elements, without_lines

ARRAY = ("services", "a", "requirements")


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        ('["one", "two", "three"]', [0], '["two", "three"]'),
        ('["one", "two", "three"]', [1], '["one", "three"]'),
        ('["one", "two", "three"]', [2], '["one", "two"]'),
        ('["one", "two", "three"]', [1, 2], '["one"]'),
        ('["one", "two"]', [0, 1], "[]"),
        ('[ "one", ]', [0], "[]"),
        ('[\n  "one",  # first\n  "two",\n]', [0], '[\n  "two",\n]'),
        ('[\n  "one",\n  # about two\n  "two"  # last\n]', [1], '[\n  "one",\n  # about two\n]'),
        ("[\n  'a', 'b',\n  'c',\n]", [0], "[\n  'b',\n  'c',\n]"),
        ("[\n  'a', 'b',\n  'c',\n]", [1], "[\n  'a', \n  'c',\n]"),
    ],
)
def test_elements_go_and_the_rest_stays(before: str, gone: list[int], after: str) -> None:
    text = "# head\n[services.a]\nbase = 'x' # keep\nrequirements = {}\nport = 1\n"
    paths = [(*ARRAY, number) for number in gone]
    assert without_elements(text.format(before), paths) == text.format(after)


def test_what_is_no_element_is_refused() -> None:
    with pytest.raises(KeyError):
        without_elements("[services.a]\nrequirements = ['x']\n", [(*ARRAY, 1)])


@given(st.data())
def test_what_is_left_is_what_was_not_named(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(["a", "b>=1", "c[x]", "d,e"]), max_size=6))
    breaks = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    comma = data.draw(st.booleans())
    items = [f'"{w}"{"," if comma or n < len(words) - 1 else ""}' for n, w in enumerate(words)]
    text = "".join(
        f"{item}\n  " if b else f"{item} " for item, b in zip(items, breaks, strict=True)
    )
    whole = f"[services.a]\nrequirements = [{text}]\n"
    gone = data.draw(st.sets(st.integers(0, len(words) - 1))) if words else set()

    left = without_elements(whole, [(*ARRAY, number) for number in gone])

    kept = [word for number, word in enumerate(words) if number not in gone]
    assert tomllib.loads(left)["services"]["a"]["requirements"] == kept


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("a\nb\nc\n", [2], "a\nc\n"),
        ("a\r\nb", [2], "a\r\n"),
        ("# c\f\nfastapi\nhttpx\v\n", [2], "# c\f\nhttpx\v\n"),
        ("a==1 \\\n  --hash=x \\\n  --hash=y\nb\n", [1], "b\n"),
        ("# why\na\n\nb  # b\n", [2, 4], "# why\n\n"),
    ],
)
def test_lines_go_and_those_that_they_go_on_in(before: str, lines: list[int], after: str) -> None:
    assert without_lines(before, lines) == after
