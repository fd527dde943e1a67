"""Projects and locks of teams, of any kind: an error or a value, never anything else."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from basestore.canonical import toml_key, toml_string, toml_table
from basestore.errors import BasestoreError, ExitCode
from basestore.profile.document import DocumentError
from basestore.profile.model import Location, TeamLock
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.sources.team_lock import read_team_lock
from basestore.sources.uv import Target, Uv
from basestore.target import Platform

PROFILE = """python = "3.11"
platforms = ["linux/amd64"]
[[pyproject]]
file = "../app/pyproject.toml"
extras = ["x", "all"]
groups = ["g"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
TARGET = Target(Platform("amd64"), "3.11.2", "2.36")
NO_UV = Uv(Path("/nowhere"), Path("/nowhere"), {})
SHA = "a" * 64
URL = "https://example.com/web-1.0-py3-none-any.whl"

WORDS = st.sampled_from(
    [
        *(
            "web",
            "Web_x",
            "app",
            "app[x]",
            "app[all]; os_name == 'nt'",
            "web>=1",
            "a b",
            "",
            "../a",
        ),
        *(URL, f"{URL}#sha256={SHA}", "git+https://u:secret@h/x", "1.0", "one", ">=3.11", ">=3.12"),
        *(SHA, "00", "x", "g", "all", "os_name == 'posix'", "'x' in extras", "sha256", "md5"),
    ]
)
VALUES = st.recursive(
    WORDS | st.integers(-1, 3) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["include-group", "index", "git", "url", "x"]), inner)
    ),
    max_leaves=6,
)


def tables(*keys: str) -> st.SearchStrategy[dict[str, object]]:
    """Tables with some of these keys and any values."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, VALUES))


def some(**parts: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Tables with some of these keys, mostly of the right kind."""
    return st.fixed_dictionaries({}, optional={k.replace("_", "-"): s for k, s in parts.items()})


NAMES = st.lists(WORDS, max_size=3)
PROJECTS = some(
    project=some(
        name=WORDS,
        dependencies=NAMES | VALUES,
        dynamic=NAMES,
        requires_python=WORDS,
        optional_dependencies=some(x=NAMES, all=NAMES, X=NAMES),
    ),
    dependency_groups=some(g=st.lists(VALUES, max_size=3), x=st.lists(VALUES, max_size=2)),
    tool=some(
        uv=some(
            sources=some(web=VALUES), constraint_dependencies=NAMES, override_dependencies=NAMES
        )
    ),
)
WHEELS = some(
    url=WORDS,
    path=WORDS,
    name=WORDS,
    size=st.integers(-1, 9),
    hashes=st.dictionaries(st.sampled_from(["sha256", "md5"]), WORDS),
)
PACKAGES = some(
    version=st.just("1.0") | WORDS,
    marker=WORDS,
    requires_python=WORDS,
    wheels=st.lists(WHEELS | VALUES, max_size=3),
    sdist=WHEELS,
    archive=WHEELS,
    vcs=tables("type", "url", "commit-id"),
    directory=tables("path"),
    dependencies=st.lists(tables("name", "version"), max_size=2),
    index=WORDS,
).map(lambda package: {"name": "web", **package})
PYLOCKS = some(
    requires_python=WORDS,
    environments=NAMES,
    extras=NAMES,
    dependency_groups=NAMES,
    packages=st.lists(PACKAGES, max_size=3) | VALUES,
).map(lambda lock: {"lock-version": "1.0", "created-by": "x", "packages": [], **lock})


def toml(values: dict[str, object]) -> bytes:
    """The document, each table inline."""
    return "".join(
        f"{toml_key(key)} = {_inline(value)}\n" for key, value in values.items()
    ).encode()


def _inline(value: object) -> str:
    match value:
        case dict():
            return toml_table([(key, _inline(inner)) for key, inner in value.items()])
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case bool() | int():
            return str(value).lower()
        case _:
            return toml_string(str(value))


@given(PROJECTS)
def test_any_project(values: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "profiles").mkdir()
        (root / "app").mkdir()
        (root / "profiles/x.toml").write_text(PROFILE)
        (root / "app/pyproject.toml").write_bytes(toml(values))
        error = _error(root)
    if error:
        assert error.exit_code is ExitCode.BAD_INPUT
        assert error.line or "app/pyproject.toml" in error.message
        assert "secret" not in f"{error.message}{error.hint}"


def _error(root: Path) -> DocumentError | None:
    try:
        read_profile(read_project(root), "x")
    except DocumentError as error:
        return error
    return None


@given(PYLOCKS.map(toml) | st.binary(max_size=60), NAMES.map(tuple), NAMES.map(tuple))
def test_any_lock(data: bytes, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    place = Location("profiles/x.toml", 3)
    team = TeamLock("app/pylock.toml", data, b"", extras, groups, (), place)

    error = _refusal(team)

    if error:
        assert error.exit_code in {ExitCode.BAD_INPUT, ExitCode.NO_RESOLUTION}
        assert "app/pylock.toml" in error.message
        assert "secret" not in f"{error.message}{error.hint}"


def _refusal(team: TeamLock) -> BasestoreError | None:
    try:
        found = read_team_lock(team, TARGET, NO_UV)
    except BasestoreError as error:
        return error
    assert set(found.roots) <= set(found.packages) == set(found.requires)
    return None
