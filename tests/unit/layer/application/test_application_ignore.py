"""What ``.dockerignore`` means: facts about moby's matcher, each checked against moby itself.

They were put to moby/patternmatcher (March 2026, ``MatchesUsingParentResults``, as BuildKit and the
classic builder walk), together with 40,000 random files: it gave the same answers, but for patterns
that are refused here and mean something by accident there.
"""

import pytest

from basestore.layer.application.errors import PatternError
from basestore.layer.application.ignore import DEFAULTS, Ignore, read_ignore


def rules(text: str) -> Ignore:
    """The rules of an ignore file, without the defaults."""
    return Ignore(read_ignore(text.encode(), ".dockerignore").rules[len(DEFAULTS) :])


def is_ignored(text: str, path: str) -> bool:
    """Whether a path is left out, its folders judged before it."""
    ignore, parts = rules(text), path.split("/")
    verdict = ignore.root()
    for length in range(1, len(parts) + 1):
        verdict = ignore.judge("/".join(parts[:length]), verdict)
    return verdict.ignored


FACTS = r"""
a                   | a a/b a/b/c                   | b b/a ab A
/a                  | a a/b                         | b/a
a/                  | a a/b                         | ab
./a//b/../c         | a/c a/c/d                     | a/b
*                   | a .a a/b                      |
*.py                | a.py .py                      | a/b.py a.pyc
*/b                 | a/b a/b/c                     | b a/c/b
a*                  | a ab ab/c                     | ba
?                   | a é                           | ab
a?c                 | abc                           | ac
[ab]                | a b a/c                       | c
[^ab]               | c                             | a
[a-c]x              | bx                            | dx
[!a]                | ! a                           | b
a[^x]c              | abc a/c                       | axc
\*                 | *                             | a
\[a]               | [a]                           | a
[\]a]              | ] a                           | b
a.c                 | a.c                           | abc
a+(b){c}$           | a+(b){c}$                     | aab
x]                  | x]                            | x
a^                  | a^                            | a
^*.py               | a.py                          | ^/a.py
**                  | a a/b .a                      |
**/                 | a a/b                         |
**/a                | a b/a c/b/a b/a/d             | ab ba b/ab
**/*.py             | a.py b/a.py c/b/a.py          | a.pyc
**a                 | a ba c/ba                     | ab
**a*                | a ab c/ab                     | ba c/ba
a/**                | a/b a/b/c                     | a ab
a**                 | a ab ab/c                     | ba
a/**/c              | a/c a/b/c a/b/b/c             | ac b/a/c
a**/c               | ac a/c ab/b/c                | c a/b
**/a/**             | a/b c/a/b                     | a c/a
../a                |                               | a
.                   |                               | a
/                   |                               | a
/ /a                |                               | a
#a                  |                               | a #a
\#a                | #a                            | a
a#                  | a#                            | a
"""

IN_ORDER = """
*;!a                | b c/d                         | a a/b
a;!a/b              | a a/c                         | a/b a/b/c
!a/b;a              | a a/b                         |
*;!a;a/b            | c a/b a/b/c                   | a a/c
a;!a/k;a            | a a/b                         | a/k a/k/c
a/b;!a              | a/b a/b/c                     | a a/c
*.py;!k*.py;kx.py   | a.py kx.py                    | k.py
**/*.py;!**/k.py    | a.py b/a.py                   | k.py b/k.py
a/*;!a/k            | a/b a/b/c                     | a a/k a/k/c
a;! b               | a                             | b
a;  !a/b  ;         | a                             | a/b
*;!a/*.md           | a a/b b                       | a/x.md a/x.md/y
!!a;b               | b                             | !a
!a                  |                               | a
a;/!a               |                               | a
"""


def facts(text: str) -> list[tuple[str, str, bool]]:
    """Rows of rules, paths that are left out, and paths that aren't."""
    found = []
    for line in text.strip().splitlines():
        shown, ignored, kept = line.split("|")
        lines = shown.rstrip().replace(";", "\n")
        found += [(lines, path, True) for path in ignored.split()]
        found += [(lines, path, False) for path in kept.split()]
    return found


@pytest.mark.parametrize(("text", "path", "ignored"), [*facts(FACTS), *facts(IN_ORDER)])
def test_facts(text: str, path: str, ignored: bool) -> None:
    assert is_ignored(text, path) is ignored


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb\r\n",
        "\ufeffa\nb",
        "\n\n# a\na\n \t\n  b  \n",
        "a\n#!b\nb\n!c",
        "a\nb\n\u00a0c\u2003",
    ],
)
def test_lines(text: str) -> None:
    assert is_ignored(text, "a")
    assert is_ignored(text, "b")
    assert is_ignored(text, "c") is ("\u00a0" in text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("!", "names nothing"),
        ("! /", "names nothing"),
        ("[", "has a ["),
        ("a[]b", "has a ["),
        ("[]a]", "has a ["),
        ("[^]", "with nothing in it"),
        ("[a-]", "stands for no range"),
        ("[-a]", "stands for no range"),
        ("[b-a]", "runs backwards"),
        ("a\\", "backslash"),
        ("\\d", "escapes 'd'"),
        ("[\\w]", "escapes 'w'"),
        ("[*]", "has a * in brackets"),
        ("[a?]", "has a ? in brackets"),
        ("[[:alpha:]]", "has a [ in brackets"),
    ],
)
def test_patterns_that_are_none(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        rules(f"a\n{pattern}\n")
    assert caught.value.message.startswith(f".dockerignore:2: the pattern {pattern!r} ")
    assert reason in caught.value.message


def test_many_folders_of_any_name_cost_no_more_than_one() -> None:
    assert not is_ignored("**/" * 30 + "*x", "a/" * 100 + "b")


@pytest.mark.parametrize(
    ("text", "folder", "looked_into"),
    [
        ("a", "a", False),
        ("a\n!b", "a", False),
        ("a\n!a/b", "a", True),
        ("a\n!a/b", "a/b", False),
        ("a\n!a/b", "a/c", False),
        ("a\n!a/b/c", "a/b", True),
        ("a\n!a/*/c", "a/b", True),
        ("a\n!a/*/c", "a/b/d", False),
        ("a\n!*/c", "a", True),
        ("a\n!*/c", "a/c", False),
        ("a\n!**/c", "a/b/d", True),
        ("a\n!b/**/c", "a", False),
    ],
)
def test_folders_that_are_looked_into(text: str, folder: str, looked_into: bool) -> None:
    assert rules(text).may_take_back_below(folder) is looked_into
