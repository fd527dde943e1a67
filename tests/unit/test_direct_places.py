"""URLs of wheels with their variables filled in."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from basestore.digest import Digest
from basestore.profile.place import Location
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.profile.requirement import parse_requirement
from basestore.sources.direct import as_asked, place_of, team_places

WHEEL = "private-3.0-py3-none-any.whl"


def filled(url: str, value: str) -> str:
    """What a URL becomes where TOKEN has that value."""
    requirement = parse_requirement(url, Location("reqs.txt", 1), ValueError)
    return place_of(requirement, {"TOKEN": value})


@pytest.mark.parametrize("token", ["a@b", "a/b", "a#b", "a?b", "a b", "a)'`b", "a\nb", "ü"])
def test_a_secret_leaves_its_part_of_the_url_as_it_is(token: str) -> None:
    parts = urlsplit(filled(f"https://us:${{TOKEN}}@w.example/x/{WHEEL}", token))

    assert (parts.hostname, parts.path) == ("w.example", f"/x/{WHEEL}")
    assert unquote(parts.password or "") == token


@pytest.mark.parametrize("token", ["plain", "us:er", "p%40ss"])
def test_what_is_escaped_already_stays(token: str) -> None:
    assert filled(f"https://${{TOKEN}}@w.example/{WHEEL}", token) == (
        f"https://{token}@w.example/{WHEEL}"
    )


def test_as_uv_is_asked() -> None:
    text = f"private @ https://${{TOKEN}}@w.example/{WHEEL} ; os_name == 'posix'"
    requirement = parse_requirement(text, Location("reqs.txt", 1), ValueError)

    assert as_asked(requirement, {"TOKEN": "a ;b"}) == (
        f'private @ https://a%20%3Bb@w.example/{WHEEL} ; os_name == "posix"'
    )


@pytest.mark.parametrize(
    "text",
    [
        "package = 3",
        "[[packages]]\nwheels = [3, { hash = 3 }, { hashes = 3 }]\narchive = 3",
        '[[packages]]\nwheels = [{ url = 3, hashes = { sha256 = "' + "0" * 64 + '" } }]',
        f"package = {'[' * 5000}",
        "<<<<<<< HEAD",
    ],
)
def test_a_teams_lock_that_was_spoilt_since_leads_nowhere(tmp_path: Path, text: str) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "pylock.toml").write_text(text)
    (tmp_path / "profiles/runtime.toml").write_text(
        'python = "3.11"\nplatforms = ["linux/amd64"]\n[from-lock]\nfile = "../pylock.toml"\n'
        '[foundation]\ndebian = "bookworm"\npackages = ["python3.11"]\n'
    )
    profile = read_profile(read_project(tmp_path), "runtime")

    assert team_places(profile, {Digest("0" * 64)}) == {}
