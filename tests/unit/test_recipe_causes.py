"""Why a layer is new."""

from basestore.recipe.causes import Why, causes

BEFORE = [["torch 2.0"], ["a 1", "b 1", "c 1"], ["d 1"]]


def told(packages: list[str], *others: list[str]) -> list[str]:
    return [str(cause) for cause in causes(packages, BEFORE, [packages, *others])]


def test_a_bump() -> None:
    assert told(["torch 2.1"]) == ["torch 2.0 -> 2.1"]
    assert told(["a 1", "b 2", "c 1"]) == ["b 1 -> 2"]


def test_an_addition() -> None:
    assert told(["new 1"]) == ["new 1 added"]
    assert told(["a 1", "aa 3", "b 1", "c 1"]) == ["aa 3 added"]


def test_a_drop_shows_in_the_layer_that_is_left() -> None:
    assert told(["a 1", "c 1"]) == ["b dropped"]


def test_a_move_shows_in_both_layers() -> None:
    """Where a package has become heavy, or another one has taken its place among the heavy."""
    assert told(["a 1", "c 1"], ["b 1"]) == ["b went to another layer"]
    assert told(["b 1"], ["a 1", "c 1"]) == ["a went to another layer", "c went to another layer"]
    assert told(["a 1", "b 1", "c 1", "d 1"]) == ["d came from another layer"]


def test_several_at_once() -> None:
    found = causes(["a 2", "c 1", "e 1"], BEFORE, [["a 2", "c 1", "e 1"], ["d 1"]])

    assert [(one.why, one.name, one.old, one.new) for one in found] == [
        (Why.BUMPED, "a", "1", "2"),
        (Why.ADDED, "e", None, "1"),
        (Why.DROPPED, "b", "1", None),
    ]


def test_the_same_packages_have_no_cause() -> None:
    """Their files or their layout are others."""
    assert told(["a 1", "b 1", "c 1"]) == []


def test_without_an_older_image_everything_is_new() -> None:
    assert [str(one) for one in causes(["a 1"], [], [["a 1"]])] == ["a 1 added"]
