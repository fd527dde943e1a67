"""``.dockerignore`` over random rules and trees.

Docker's SDK is the other implementation at hand. It differs from moby, and so from this, in letter
case, escapes and ``[!a]``; of a path's folders it tries only the one as deep as the pattern, so
that ``**/a`` leaves out nothing below ``b/c/a``; it takes ``**a`` for ``**/a``; a rule that had
nothing to change for a folder counts below it all the same; and it keeps ``.dockerignore``. The
rules compared here have nothing of that: those with ``!`` are the last, and as long or longer.
"""

import tempfile
from pathlib import Path

from applying import paths, project, read
from docker.utils.build import PatternMatcher
from hypothesis import assume, given
from hypothesis import strategies as st

from basestore.errors import InputError
from basestore.layer.application.errors import EmptySourceError, PatternError
from basestore.layer.application.ignore import Ignore, read_ignore
from basestore.layer.application.pattern import clean

NAMES = ("a", "b", "ab", ".c", "b.py")
component = st.sampled_from([*NAMES, "*", "a*", "*b", "?", "[ab]", "[^a]*", "*.py", ".*"])
plain = st.lists(component, min_size=1, max_size=2).map("/".join)
taken_back = st.lists(component, min_size=2, max_size=3).map(lambda parts: "!" + "/".join(parts))
lead, trail = st.sampled_from(["", "/", "./"]), st.sampled_from(["", "/"])
simple_rules = st.builds(
    list.__add__,
    st.lists(st.builds("{}{}{}".format, lead, plain, trail), max_size=3),
    st.lists(taken_back, max_size=2),
)
any_rule = st.lists(
    st.one_of(component, st.sampled_from(["**", "**a", "a**", "\\*", ".."])), min_size=1, max_size=4
).map("/".join)
any_rules = st.lists(st.builds("{}{}".format, st.sampled_from(["", "!"]), any_rule), max_size=5)
path = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


@st.composite
def trees(draw: st.DrawFn) -> list[str]:
    """Paths of files, none of which is another one's folder."""
    found: list[str] = []
    for one in draw(st.lists(path, min_size=1, max_size=12, unique=True)):
        if not any(one.startswith(f"{o}/") or o.startswith(f"{one}/") for o in found):
            found.append(one)
    return found


def kept(ignore: Ignore, file: str) -> bool:
    """Whether a file stays, its folders judged first; nothing is skipped on the way."""
    verdict, parts = ignore.root(), file.split("/")
    for length in range(1, len(parts) + 1):
        verdict = ignore.judge("/".join(parts[:length]), verdict)
    return not verdict.ignored


@given(simple_rules, st.lists(path, min_size=1, max_size=12))
def test_simple_rules_mean_what_they_mean_to_dockers_sdk(
    lines: list[str], files: list[str]
) -> None:
    ignore = read_ignore("\n".join(lines).encode(), ".dockerignore")
    other = PatternMatcher([line.replace("[^", "[!") for line in lines])

    assert [kept(ignore, file) for file in files] == [not other.matches(file) for file in files]


@given(any_rules, trees())
def test_no_file_is_lost_with_a_folder_that_is_not_looked_into(
    lines: list[str], files: list[str]
) -> None:
    text = "\n".join(lines)
    ignore = read_ignore(text.encode(), ".dockerignore")
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder), {".dockerignore": text, **dict.fromkeys(files, "")})
        try:
            found = paths(read(root, "."))
        except EmptySourceError:
            found = []

    taken_back = {".dockerignore"} if kept(ignore, ".dockerignore") else set()
    expected = {file for file in files if kept(ignore, file)} | taken_back
    assert set(found) == {f"app/{file}" for file in expected}


@given(any_rule, trees())
def test_a_pattern_of_files_finds_what_the_rule_would_leave_out(
    pattern: str, files: list[str]
) -> None:
    assume(clean(pattern) != ".")  # all of the context, but no rule for it
    ignore = read_ignore(pattern.encode(), ".dockerignore")
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder), dict.fromkeys(files, ""))
        expected = {f"app/{file}" for file in files if not kept(ignore, file)}
        try:
            found = set(paths(read(root, pattern)))
        except InputError:
            found = set()
    assert found == expected


@given(st.text(alphabet="ab*?[]^-!\\/.# \r\n", max_size=20), path)
def test_any_text_is_rules_or_refused_with_its_line(text: str, file: str) -> None:
    line = 0
    try:
        ignore = read_ignore(text.encode(), ".dockerignore")
    except PatternError as error:
        line = error.place.line
        ignore = read_ignore("\n".join(text.split("\n")[: line - 1]).encode(), ".dockerignore")

    assert line <= text.count("\n") + 1
    assert kept(ignore, file) in (True, False)
