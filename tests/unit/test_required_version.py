"""``required-version`` of basestore.toml: judged before all else, and only where it is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from basestore import __version__
from basestore.profile.document import DocumentError
from basestore.profile.model import Project
from basestore.profile.project import parse_project, read_project
from basestore.profile.required_version import OtherVersionError


def project(root: Path, text: str) -> Project:
    (root / "basestore.toml").write_text(text)
    return read_project(root)


@pytest.mark.parametrize(
    "wanted", [f"=={__version__}", f">={__version__}", ">=0.0.1,<1000", "!=0.0.0", "~=0.1", " >=0 "]
)
def test_this_version_is_one_of_those(tmp_path: Path, wanted: str) -> None:
    assert project(tmp_path, f'required-version = "{wanted}"\n') == Project(tmp_path)


@pytest.mark.parametrize("wanted", ["<0.0.1", f"!={__version__}", ">=1000,<1001", "==1000.*"])
def test_another_version_is_told_which_is_wanted(tmp_path: Path, wanted: str) -> None:
    """Before a key that it doesn't know, a value of another type, and a service that is wrong."""
    text = f'unheard-of = 1\nregistry = 3\n# which\nrequired-version = "{wanted}"\n[services.x]\n'
    with pytest.raises(OtherVersionError) as raised:
        project(tmp_path, text)

    assert raised.value.exit_code == 4
    assert (raised.value.line, raised.value.key) == (4, "required-version")
    assert wanted in raised.value.message
    assert __version__ in raised.value.message
    assert raised.value.message.startswith("basestore.toml:4: required-version: ")


@pytest.mark.parametrize(
    "value", ['"0.1.0"', '""', '" "', '"newest"', '">="', '"^0.1"', '">=0.1 <0.2"', "0.1", "[]"]
)
def test_what_is_no_range(tmp_path: Path, value: str) -> None:
    with pytest.raises(DocumentError) as raised:
        project(tmp_path, f"\nrequired-version = {value}\nunheard-of = 1\n")

    assert not isinstance(raised.value, OtherVersionError)
    assert raised.value.exit_code == 4
    assert (raised.value.line, raised.value.key) == (2, "required-version")


def test_a_single_version_is_shown_as_a_range(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as raised:
        project(tmp_path, 'required-version = "1.2.3"\n')
    assert 'required-version = "==1.2.3"' in raised.value.hint


def test_an_earlier_revision_may_have_wanted_another(tmp_path: Path) -> None:
    assert parse_project(tmp_path, b'required-version = "<0.0.1"\n') == Project(tmp_path)


def test_packaging_is_imported_for_it_alone(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from basestore.profile.project import read_project;"
        "read_project(Path(sys.argv[1])); print('packaging.specifiers' in sys.modules)"
    )
    found = []
    for text in ('registry = "localhost/team"\n', 'required-version = ">=0"\n'):
        (tmp_path / "basestore.toml").write_text(text)
        words = [sys.executable, "-c", code, str(tmp_path)]
        found.append(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert found == ["False\n", "True\n"]
