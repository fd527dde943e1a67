"""``exclude-newer``: what can be written, and which moment it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.lock.inputs import inputs
from basestore.profile.cutoff import Cutoff, moment_of, parse_cutoff
from basestore.profile.document import DocumentError
from basestore.profile.model import Profile
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

PARENT = """python = "3.11"
platforms = ["linux/amd64"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 2, tzinfo=UTC)),
        ("2026-11-01T12:30:00Z", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01t12:30:00z", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01 12:30:00+02:00", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ("7 days", NOW - timedelta(days=7)),
        ("1 week", NOW - timedelta(days=7)),
        ("1 week, 2 days", NOW - timedelta(days=9)),
        ("24 hours", NOW - timedelta(days=1)),
        ("1d 12h", NOW - timedelta(hours=36)),
        ("0 days", NOW),
        ("P7D", NOW - timedelta(days=7)),
        ("PT24H", NOW - timedelta(days=1)),
        ("P1W", NOW - timedelta(days=7)),
        ("90000 weeks", NOW - timedelta(weeks=90000)),
        ("999999 weeks", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_what_can_be_written(text: str, moment: datetime) -> None:
    assert moment_of(parse_cutoff(text), NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "7",
        "days",
        "7 days ago",
        "1 month",
        "1 year",
        "-7 days",
        "P1M",
        "P1Y",
        "P",
        "PT",
        "P7DT",
        "2026-13-01",
        "2026-02-30",
        "9999-12-31",
        "2026-11-01T25:00:00Z",
        "2026-11-01T12:00:00",
        "0001-01-01T00:00:00+23:00",
        "7 daysx",
        "999999 weeks " * 200,
        "false",
    ],
)
def test_what_cannot(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|there is no|too late"):
        parse_cutoff(text)


@given(st.text(max_size=40) | st.from_regex(r"[PT0-9WDHM .:Zdayshourweek-]{1,20}", fullmatch=True))
def test_any_text_is_a_cutoff_or_told_not_to_be(text: str) -> None:
    try:
        cutoff: Cutoff = parse_cutoff(text)
    except ValueError:
        return
    assert moment_of(cutoff, NOW).tzinfo is not None


def read(root: Path, name: str, text: str) -> Profile:
    """A profile as read from a project."""
    (root / "profiles").mkdir(exist_ok=True)
    (root / f"profiles/{name}.toml").write_text(text)
    return read_profile(read_project(root), name)


def test_a_child_has_its_parents_unless_it_has_its_own(tmp_path: Path) -> None:
    parent = read(tmp_path, "base", f'exclude-newer = "7 days"\n{PARENT}')
    child = read(tmp_path, "child", 'extends = "base"\n')
    other = read(tmp_path, "other", 'extends = "base"\nexclude-newer = "2026-11-01"\n')

    assert parent.exclude_newer == child.exclude_newer == timedelta(days=7)
    assert other.exclude_newer == datetime(2026, 11, 2, tzinfo=UTC)


def test_it_is_no_input(tmp_path: Path) -> None:
    index = '[indexes.i]\nurl = "https://i.example"\npackages = ["p"]\n'
    plain = read(tmp_path, "base", f"{PARENT}{index}")
    limited = read(
        tmp_path, "base", f'exclude-newer = "7 days"\n{PARENT}{index}exclude-newer = false\n'
    )

    assert inputs(plain, None) == inputs(limited, None)
    assert [one.dated for one in (*plain.indexes, *limited.indexes)] == [True, False]


def test_a_child_may_let_its_parents_index_off(tmp_path: Path) -> None:
    index = '[indexes.i]\nurl = "https://i.example"\npackages = ["p"]\n'
    read(tmp_path, "base", f"{PARENT}{index}")

    child = read(tmp_path, "child", 'extends = "base"\n[indexes.i]\nexclude-newer = false\n')

    assert [one.dated for one in child.indexes] == [False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'exclude-newer = "1 month"\n{PARENT}', "profiles/base.toml:1: exclude-newer"),
        (f"exclude-newer = 7\n{PARENT}", "profiles/base.toml:1: exclude-newer"),
        (
            f'{PARENT}[indexes.i]\nurl = "https://i"\npackages = ["p"]\nexclude-newer = true\n',
            "profiles/base.toml:9: indexes.i.exclude-newer",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DocumentError) as failure:
        read(tmp_path, "base", text)

    assert failure.value.message.startswith(said)
    assert failure.value.hint
