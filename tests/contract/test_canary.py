"""No secret is ever told: wherever credentials stand, they reach the index and nothing else.

Every file of the project and the store, and every word that a command prints, is searched; the
places where the user wrote the secret are left out. Of uv's own cache what an index itself wrote
into its pages is left out: the URLs of files that it signs.
"""

import base64
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import pytest
from clicases import WHEELS, command_line_on, make_locked_project
from commandline import CommandLine, Done, contents
from locked_project import keep_debs
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.store import Store

USER, SECRET = "me", "c4n4ry/Vögel@nest"
QUERY = "c4n4ry-in-a-query"
FORMS = (
    SECRET.encode(),
    quote(SECRET, safe="").encode(),
    quote(SECRET).encode(),
    base64.b64encode(f"{USER}:{SECRET}".encode()),
    base64.b64encode(SECRET.encode()),
    b"c4n4ry",
)
PRIVATE = make_wheel("private", "1", requires=["redis"])
EXPORTS = ("pylock", "requirements")
CHILD = """extends = "cpu"
requirements = ["private"]
[indexes.team-a]
url = "{url}"
packages = ["private"]
"""


@dataclass
class Team:
    """A project, and a default and a named index on one host that let nobody in for nothing."""

    root: Path
    default: LoopbackIndex
    named: LoopbackIndex
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The user's folder."""
        return self.root.parent / f"{self.root.name}-home"

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.home / "store"

    def url(self, index: LoopbackIndex, path: str = "/simple") -> str:
        """A URL with the credentials in it."""
        return f"http://{USER}:{quote(SECRET, safe='')}@{index.address}{path}"

    def write(self, file: str, text: str) -> None:
        """Write a file of the user's."""
        path = self.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    @property
    def run(self) -> CommandLine:
        """The command line, which is told of no index but by the test."""
        made = command_line_on(self.root)
        rest = {k: v for k, v in made.environ.items() if k != "BASESTORE_MIRROR_DEFAULT"}
        netrc = {"NETRC": str(self.home / ".netrc")}
        return CommandLine(self.root, {**rest, **netrc, **self.environ})


def in_mirrors_of_the_environment(team: Team) -> None:
    team.environ["BASESTORE_MIRROR_DEFAULT"] = team.url(team.default)
    team.environ["BASESTORE_MIRROR_TEAM_A"] = team.url(team.named)


def in_the_configuration(team: Team) -> None:
    mirrors = f'default = "{team.url(team.default)}"\nteam-a = "{team.url(team.named)}"\n'
    team.write("config/basestore/config.toml", f"[mirrors]\n{mirrors}")


def in_netrc(team: Team) -> None:
    team.environ["UV_DEFAULT_INDEX"] = team.default.url
    team.write(".netrc", f'machine 127.0.0.1 login {USER} password "{SECRET}"\n')


def in_uvs_variables(team: Team) -> None:
    team.environ["UV_DEFAULT_INDEX"] = team.url(team.default)
    team.environ["UV_INDEX_TEAM_A_USERNAME"] = USER
    team.environ["UV_INDEX_TEAM_A_PASSWORD"] = SECRET


def in_uvs_further_indexes(team: Team) -> None:
    team.environ["UV_INDEX_URL"] = team.default.url
    team.environ["UV_INDEX"] = f"any-name={team.url(team.named)}"
    team.environ["UV_EXTRA_INDEX_URL"] = team.url(team.default, "/another")


def in_uvs_settings(team: Team) -> None:
    further = f'[[index]]\nname = "x"\nurl = "{team.url(team.named)}"\n'
    team.write("config/uv/uv.toml", f'index-url = "{team.url(team.default)}"\n{further}')


def in_uvs_credential_store(team: Team) -> None:
    team.environ["UV_DEFAULT_INDEX"] = team.default.url
    stored = [
        f'[[credential]]\nservice = "http://{index.address}/"\nusername = "{USER}"\n'
        f'scheme = "basic"\npassword = "{SECRET}"\n'
        for index in (team.default, team.named)
    ]
    team.write(".local/share/uv/credentials/credentials.toml", "".join(stored))


PLACES: Mapping[str, Callable[[Team], None]] = {
    place.__name__: place
    for place in (
        in_mirrors_of_the_environment,
        in_the_configuration,
        in_netrc,
        in_uvs_variables,
        in_uvs_further_indexes,
        in_uvs_settings,
        in_uvs_credential_store,
    )
}

QUICK = ("in_mirrors_of_the_environment", "in_netrc", "in_uvs_settings")
EACH = [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in PLACES]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("canary") / "project"
    make_locked_project(folder)
    return folder


@pytest.fixture
def team(tmp_path: Path, made_once: Path) -> Iterator[Team]:
    root = tmp_path / "project"
    shutil.copytree(made_once, root)
    with ExitStack() as stack:
        default = stack.enter_context(loopback_index(*WHEELS))
        named = stack.enter_context(loopback_index(PRIVATE))
        for index in (default, named):
            index.credentials = (USER, SECRET)
            index.files = [
                # Some indexes sign the URLs of files; some tell no SHA-256.
                replace(file, query=f"?token={QUERY}")
                for file in index.files
            ]
        named.change(PRIVATE.file, sha256="", md5="0" * 32)
        (root / "profiles/own.toml").write_text(CHILD.format(url=named.url))
        team = Team(root, default, named)
        keep_debs(Store.open(team.store))
        yield team


def all_of(team: Team) -> list[tuple[str, bytes]]:
    """Every file of the project and the store, by name, and the names themselves."""
    found = {**contents(team.root), **contents(team.store)}
    return [*found.items(), *((name, name.encode()) for name in found)]


def kept_by_uv(team: Team) -> list[tuple[str, bytes]]:
    """Every file of uv's cache, without what the index signs the URLs of its files with."""
    found = contents(team.home / "uv-cache")
    assert found
    signed = QUERY.encode()
    return [(f"uv's cache: {name}", data.replace(signed, b"")) for name, data in found.items()]


def assert_untold(team: Team, commands: list[Done]) -> None:
    said = [(f"basestore {' '.join(d.words)}", f"{d.out}{d.err}".encode()) for d in commands]
    for where, data in (*said, *all_of(team), *kept_by_uv(team)):
        told = [form for form in FORMS if form in data]
        assert not told, f"{where} tells {told}: {data!r}"


@pytest.mark.parametrize("place", EACH)
def test_no_secret_is_told(team: Team, place: str) -> None:
    PLACES[place](team)
    run = team.run

    done = [run("lock").expect(0)]
    assert "private" in (team.root / "locks/own.lock").read_text()
    # The foundation of this project has no interpreter; its wheels are fetched all the same.
    done += [run("build", "own"), run("verify")]
    done += [run("export", "own", "--to", f"{kind}:exported.{kind}") for kind in EXPORTS]

    store = Store.open(team.store)
    assert all(store.blobs.has(Digest(made.sha256)) for made in (*WHEELS, PRIVATE))
    assert_untold(team, done)


def test_no_command_tells(team: Team) -> None:
    in_mirrors_of_the_environment(team)
    run = team.run

    done = [run("lock").expect(0), run("lock", "--upgrade", "--json").expect(0)]
    done += [run("lock", "--check", "--json").expect(0), run("build", "own", "--rebuild")]
    done += [run("status"), run("status", "--json"), run("why", "own", "private")]
    done += [run("diff"), run("plan"), run("plan", "--json")]

    assert_untold(team, done)


@pytest.mark.parametrize("place", EACH)
def test_no_secret_is_told_when_something_fails(team: Team, place: str) -> None:
    PLACES[place](team)
    run = team.run
    done = [run("lock").expect(0)]
    shutil.rmtree(team.store)
    keep_debs(Store.open(team.store))

    for index in (team.default, team.named):
        index.credentials = (USER, "another")
    done += [run("lock", "--upgrade").expect(ExitCode.UNREACHABLE)]
    for index in (team.default, team.named):
        index.status = 500
    done += [run("build").expect(ExitCode.UNREACHABLE)]
    for index in (team.default, team.named):
        index.status, index.credentials = 200, (USER, SECRET)
        index.files = [replace(file, data=file.data + b"!") for file in index.files]
    done += [run("build").expect(ExitCode.INTEGRITY)]

    assert_untold(team, done)


def by_url(team: Team, userinfo: str = "", query: str = "") -> None:
    """Ask for the private wheel by its URL."""
    team.environ["UV_DEFAULT_INDEX"] = team.url(team.default)
    team.environ["TOKEN"] = SECRET
    url = f"http://{userinfo}{team.named.address}/files/{PRIVATE.file}{query}"
    profile = f'extends = "cpu"\nrequirements = ["private @ {url}"]\n'
    (team.root / "profiles/own.toml").write_text(profile)


def test_no_secret_of_a_wheels_url_is_told(team: Team) -> None:
    by_url(team, userinfo=f"{USER}:${{TOKEN}}@")
    run = team.run

    done = [run("lock").expect(0), run("build", "own"), run("plan"), run("status")]

    assert_untold(team, done)


def query_of_a_wheel(team: Team, _: str) -> str:
    by_url(team, query="?token=${TOKEN}")
    return "profiles/own.toml:2: requirements[0]: "


def query_of_a_mirror(team: Team, query: str) -> str:
    team.environ["BASESTORE_MIRROR_TEAM_A"] = team.named.url + query
    return "BASESTORE_MIRROR_TEAM_A: "


def query_of_a_configured_mirror(team: Team, query: str) -> str:
    team.write("config/basestore/config.toml", f'[mirrors]\nteam-a = "{team.named.url}{query}"\n')
    return "config/basestore/config.toml:2: mirrors.team-a: "


def query_in_uvs_variable(team: Team, query: str) -> str:
    team.environ["UV_DEFAULT_INDEX"] = team.default.url + query
    return "UV_DEFAULT_INDEX: "


def query_in_uvs_older_variable(team: Team, query: str) -> str:
    team.environ["UV_INDEX_URL"] = team.default.url + query
    return "UV_INDEX_URL: "


def query_in_uvs_settings(team: Team, query: str) -> str:
    team.write("config/uv/uv.toml", f'# ours\nindex-url = "{team.default.url}{query}"\n')
    return "config/uv/uv.toml:2: index-url: "


def query_in_uvs_settings_of_pip(team: Team, query: str) -> str:
    team.write("config/uv/uv.toml", f'[pip]\nindex-url = "{team.default.url}{query}"\n')
    return "config/uv/uv.toml:2: pip.index-url: "


def query_of_an_index_in_uvs_settings(team: Team, query: str) -> str:
    index = f'[[index]]\nurl = "{team.default.url}{query}"\ndefault = true\n'
    team.write("config/uv/uv.toml", index)
    return "config/uv/uv.toml:2: index[0].url: "


@pytest.mark.parametrize(
    "place",
    [
        query_of_a_wheel,
        query_of_a_mirror,
        query_of_a_configured_mirror,
        query_in_uvs_variable,
        query_in_uvs_older_variable,
        query_in_uvs_settings,
        query_in_uvs_settings_of_pip,
        query_of_an_index_in_uvs_settings,
    ],
)
def test_a_query_is_refused_where_it_stands(team: Team, place: Callable[[Team, str], str]) -> None:
    """uv keeps URLs in its cache as they are, all but their userinfo."""
    named = place(team, f"?token={quote(SECRET, safe='')}")

    done = team.run("lock").expect(ExitCode.BAD_INPUT)

    assert named in done.err
    assert "hint: " in done.err
    assert not [form for form in FORMS if form in f"{done.out}{done.err}".encode()]
    assert not (team.home / "uv-cache").exists()


def test_the_canary_is_found_where_it_is(team: Team) -> None:
    (team.home / "uv-cache").mkdir(parents=True)
    (team.home / "uv-cache/known").touch()
    for form in FORMS:
        (team.root / "told").write_bytes(b"x" + form + b"x")
        with pytest.raises(AssertionError, match="told tells"):
            assert_untold(team, [])
    (team.root / "told").unlink()
    (team.home / "uv-cache/told").write_bytes(SECRET.encode())
    with pytest.raises(AssertionError, match="uv's cache: told tells"):
        assert_untold(team, [])
