"""Requirements as teams write them, locked: constraints, hashes, wheels by URL, their own locks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv
from loopback_index import LoopbackIndex, loopback_index
from requiring import Site
from resolving import World, native
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.errors import BasestoreError, ExitCode
from basestore.lock.freshness import check
from basestore.lock.policy import PolicyHitError
from basestore.pipeline.export import export_pylock
from basestore.profile.reader import read_profile
from basestore.progress import Progress
from basestore.resolve.explain import ContradictionError, NoWheelError, ResolutionError
from basestore.resolve.hashes import UnlistedWheelError
from basestore.resolve.taken import OtherIndexError, TeamContradictionError
from basestore.resolve.wheels import ChangedWheelError
from basestore.sources.direct import MissingVariableError, direct_places, team_places
from basestore.sources.team_lock import TeamLockError, TeamPythonError, UntakenPackageError

WEB = make_wheel("web", "1.0", requires=["core>=1"])
BUILT = make_wheel("web", "1.0", {"web.py": b"# built apart\n"}, build="1", requires=["core>=1"])
FILES = 'requirements-files = ["../app/reqs.txt"]'
TOKEN = "s3cr3t"


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(
        WEB,
        make_wheel("core", "1.0"),
        make_wheel("core", "2.0"),
        native("speed", "1.0", "x86_64"),
        make_wheel("jobs", "1.0", requires=["core<2"]),
    ) as served:
        yield served


@pytest.fixture
def place() -> Iterator[LoopbackIndex]:
    """A server that nobody names as an index."""
    with loopback_index(BUILT, make_wheel("private", "3.0", requires=["core"])) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path, index: LoopbackIndex) -> Site:
    return Site(tmp_path / "project", World(tmp_path / "machine", index))


def url(server: LoopbackIndex, wheel: MadeWheel | str, userinfo: str = "") -> str:
    file = wheel if isinstance(wheel, str) else wheel.file
    return f"http://{userinfo}{server.address}/files/{file}"


def fails(site: Site, error: type[BasestoreError], match: str) -> BasestoreError:
    """Locking fails, and not a byte of the project changes."""
    before = site.written
    with pytest.raises(error, match=match) as caught:
        site.run()
    assert site.written == before
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


def test_a_constraint_bounds_what_is_needed_anyway(site: Site) -> None:
    site.ask(FILES, reqs="-c bounds.txt\nweb\n", bounds="core<2\nnobody-needs-it==7\n")

    site.run()

    assert site.versions() == {"core": "1.0", "web": "1.0"}
    assert set(site.origin().direct) == {"web"}
    assert "app/bounds.txt" in site.origin().head.files
    assert site.fresh


def test_constraints_by_a_key_of_the_profile(site: Site) -> None:
    site.ask('requirements = ["web"]\nconstraints-files = ["../app/bounds.txt"]', bounds="core<2")
    first = site.run()

    site.write("app/bounds.txt", "# why\n\ncore   <2 ; python_version > '3'\n")
    assert not site.fresh
    assert site.run() == first
    site.write("app/bounds.txt", "core>1\n")
    assert [str(reason) for reason in check(site.project, "runtime").reasons] == [
        "changed: constraints-files"
    ]
    site.run()

    assert site.versions() == {"core": "2.0", "web": "1.0"}


def test_a_constraint_that_contradicts(site: Site) -> None:
    site.ask(FILES, reqs="-c bounds.txt\njobs\n", bounds="# ours\ncore>=2\n")

    fails(site, ResolutionError, r"app/reqs\.txt:2 asks for jobs; app/bounds\.txt:2 allows core>=2")


def test_a_parents_constraint_holds_for_its_children(site: Site) -> None:
    site.ask('requirements = ["speed"]\nconstraints-files = ["../app/b.txt"]', b="core<2")
    site.run()
    site.write("profiles/child.toml", 'extends = "runtime"\nrequirements = ["web"]\n')

    site.run("child")

    assert site.versions("child") == {"core": "1.0", "speed": "1.0", "web": "1.0"}


def test_hashes_decide_which_wheel_is_taken(site: Site, index: LoopbackIndex) -> None:
    index.add(BUILT)
    site.ask('requirements = ["web"]')
    site.run()
    assert site.files()["web"] == BUILT.file

    site.ask(FILES, reqs=f"web==1.0 \\\n  --hash=sha256:{'0' * 64} \\\n --hash=sha256:{WEB.sha256}")
    assert not site.fresh
    site.run()

    assert site.files()["web"] == WEB.file
    assert site.fresh


def test_no_wheel_has_one_of_the_hashes(site: Site) -> None:
    site.ask(FILES, reqs=f"core\nweb==1.0 --hash=sha256:{'0' * 64}\n")

    error = fails(site, UnlistedWheelError, r"app/reqs\.txt:2 allows web with one hash only")

    assert error.exit_code is ExitCode.INTEGRITY


def test_hashes_of_a_requirement_that_is_not_in_force(site: Site) -> None:
    site.ask(FILES, reqs=f"web\nweb==1.0 ; sys_platform == 'win32' --hash=sha256:{'0' * 64}\n")

    site.run()

    assert site.versions()["web"] == "1.0"


def test_the_parents_wheel_has_to_be_among_a_childs_hashes(site: Site) -> None:
    site.ask('requirements = ["web"]')
    site.run()
    site.write("app/reqs.txt", f"web --hash=sha256:{'0' * 64}")
    site.write("profiles/child.toml", f'extends = "runtime"\n{FILES}\n')

    with pytest.raises(UnlistedWheelError, match=r"app/reqs\.txt:1"):
        site.run("child")
    site.write("app/reqs.txt", f"web --hash=sha256:{WEB.sha256}")
    site.run("child")

    assert site.versions("child") == site.versions()


@pytest.mark.parametrize(
    "form", ["web @ {}", "{}", "web@{} ; sys_platform == 'linux'", "{}#egg=web"]
)
def test_a_wheel_by_url(site: Site, place: LoopbackIndex, form: str) -> None:
    site.ask(FILES, reqs=form.format(url(place, BUILT)))

    site.run()

    (wheel,) = (one for one in site.lock().platforms[0].wheels if one.name == "web")
    assert (wheel.file, wheel.size) == (BUILT.file, len(BUILT.data))
    assert wheel.sha256 == Digest(BUILT.sha256)
    assert site.versions() == {"core": "2.0", "web": "1.0"}
    assert site.origin().packages["web"].index == "direct"
    assert site.origin().packages["web"].requires == ("core",)
    assert place.address not in "".join(map(str, site.written["locks/runtime.lock"]))
    assert site.fresh


def test_the_url_of_a_wheel_is_a_place(site: Site, place: LoopbackIndex) -> None:
    """With a hash it may move: the lock stays fresh, as with another mirror."""
    site.ask(FILES, reqs=f"{url(place, BUILT)}#sha256={BUILT.sha256}")
    digest = site.run()
    with loopback_index(BUILT) as elsewhere:
        site.write("app/reqs.txt", f"web @ {url(elsewhere, BUILT)}#sha256={BUILT.sha256}\n")

        assert site.fresh
        assert site.run() == digest
        profile = read_profile(site.project, "runtime")
        wheels = site.lock().platforms[0].wheels
        assert direct_places(profile, wheels, {}) == {
            Digest(BUILT.sha256): (url(elsewhere, BUILT),)
        }


def test_a_wheel_behind_credentials(site: Site, place: LoopbackIndex, index: LoopbackIndex) -> None:
    place.credentials = ("team", TOKEN)
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    file = "private-3.0-py3-none-any.whl"
    site.ask(FILES, reqs=f"{url(place, file, 'team:${WHEELS_TOKEN}@')}\nweb\n")

    site.run()

    assert site.versions() == {"core": "2.0", "private": "3.0", "web": "1.0"}
    assert not any(TOKEN.encode() in data for data in site.written.values())
    profile = read_profile(site.project, "runtime")
    places = direct_places(profile, site.lock().platforms[0].wheels, site.machine.environ)
    assert list(places.values()) == [(url(place, file, f"team:{TOKEN}@"),)]


def test_a_build_finds_a_wheel_by_its_url(site: Site, place: LoopbackIndex) -> None:
    """The credentials are the environment's at that time, not those it was locked with."""
    place.credentials = ("team", TOKEN)
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    site.ask(FILES, reqs=url(place, BUILT, "team:${WHEELS_TOKEN}@"))
    site.run()
    place.credentials = ("team", "another")
    site.machine.environ = {"WHEELS_TOKEN": "another"}

    has = site.fetch()

    assert has(BUILT)
    assert not has(WEB)
    site.machine.environ = {}
    with pytest.raises(MissingVariableError):
        direct_places(read_profile(site.project, "runtime"), site.lock().platforms[0].wheels, {})


def test_a_wheel_by_url_on_one_of_two_platforms(site: Site, place: LoopbackIndex) -> None:
    site.ask(
        FILES,
        reqs=f"web @ {url(place, BUILT)} ; platform_machine == 'x86_64'\n"
        "web ; platform_machine == 'aarch64'\n",
    )
    site.write(
        "profiles/runtime.toml",
        (site.root / "profiles/runtime.toml")
        .read_text()
        .replace('"linux/amd64"', '"linux/amd64", "linux/arm64"'),
    )

    site.run()

    amd64, arm64 = ({one.name: one.file for one in p.wheels} for p in site.lock().platforms)
    assert (amd64["web"], arm64["web"]) == (BUILT.file, WEB.file)


def test_a_variable_that_is_not_set(site: Site, place: LoopbackIndex) -> None:
    site.ask(FILES, reqs=f"web\n{url(place, BUILT, '${WHEELS_TOKEN}@')}\n")

    error = fails(
        site, MissingVariableError, r"app/reqs\.txt:2: the URL of .* needs \$\{WHEELS_TOKEN\}"
    )

    assert error.exit_code is ExitCode.BAD_INPUT


def test_wrong_credentials_are_not_shown(site: Site, place: LoopbackIndex) -> None:
    place.credentials = ("team", "other")
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    site.ask(FILES, reqs=url(place, BUILT, "team:${WHEELS_TOKEN}@"))

    error = fails(site, BasestoreError, "401")

    assert error.exit_code is ExitCode.UNREACHABLE


def test_other_bytes_at_the_url(site: Site, place: LoopbackIndex, index: LoopbackIndex) -> None:
    site.ask(FILES, reqs=f"{url(place, BUILT)}\n")
    site.run()
    other = make_wheel("web", "1.0", {"web.py": b"# other\n"}, build="1", requires=["core>=1"])
    place.remove(BUILT.file)
    place.add(other)
    site.machine.folder = site.machine.folder / "another"
    site.write("app/reqs.txt", f"{url(place, BUILT)}\nspeed\n")

    fails(site, ChangedWheelError, "web-1.0-1-py3-none-any.whl is locked with sha256")
    site.run(upgrade=frozenset({"web"}))

    assert {one.sha256.hex for one in site.lock().platforms[0].wheels} >= {other.sha256}


def test_a_wheel_by_url_for_another_platform(site: Site, place: LoopbackIndex) -> None:
    odd = native("odd", "1.0", "aarch64")
    place.add(odd)
    site.ask(FILES, reqs=f"# one\n{url(place, odd)}\n")

    fails(site, NoWheelError, r"app/reqs\.txt:2 asks for odd")


def test_a_child_of_a_wheel_by_url(site: Site, place: LoopbackIndex) -> None:
    """No index has the wheel, so that the child finds it where its parent does."""
    site.ask(FILES, reqs=url(place, "private-3.0-py3-none-any.whl"))
    site.run()
    site.write("profiles/child.toml", 'extends = "runtime"\nrequirements = ["web"]\n')

    site.run("child")

    assert site.versions("child") == {"core": "2.0", "private": "3.0", "web": "1.0"}


def test_a_package_that_has_source_archives_only(site: Site, index: LoopbackIndex) -> None:
    from dataclasses import replace

    index.files += [replace(index.files[0], name="old", file="old-1.0.tar.gz", metadata=None)]
    site.ask(FILES, reqs="web\nold\n")

    error = fails(site, NoWheelError, r"app/reqs\.txt:2 asks for old")

    assert "build a wheel" in error.hint


def test_what_is_not_material_leaves_the_lock(site: Site, index: LoopbackIndex) -> None:
    site.ask(FILES, reqs=f"-c b.txt\nweb==1.0 --hash=sha256:{WEB.sha256}\nspeed\n", b="core<2\n")
    first = site.run()
    for text in (
        f"speed\n\n# a comment\nweb == 1.0 \\\n    --hash=sha256:{WEB.sha256}\n-c b.txt",
        f"--require-hashes\n-c b.txt\nSpeed\nweb==1.0 --hash=sha256:{WEB.sha256}\ncore\n",
        f"-c b.txt\n-c b.txt\nweb==1.0 --hash=sha256:{WEB.sha256}\nspeed>=0.5\nweb\n",
    ):
        site.write("app/reqs.txt", text)
        assert site.run() == first


PYPROJECT = """[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["web"]
[project.optional-dependencies]
fast = ["speed"]
all = ["app[fast]"]
[dependency-groups]
jobs = ["jobs"]
prod = [{ include-group = "jobs" }]
[tool.uv]
constraint-dependencies = ["core<2"]
"""


def test_a_pyproject_as_a_source(site: Site) -> None:
    site.ask("")
    site.write("app/pyproject.toml", PYPROJECT)
    root = site.root / "profiles/runtime.toml"
    base = root.read_text()

    def versions(wish: str) -> dict[str, str]:
        root.write_text(f'{base}[[pyproject]]\nfile = "../app/pyproject.toml"\n{wish}\n')
        site.run()
        return site.versions()

    assert versions("") == {"core": "1.0", "web": "1.0"}
    assert versions('extras = ["all"]') == {"core": "1.0", "speed": "1.0", "web": "1.0"}
    assert versions('groups = ["prod"]') == {"core": "1.0", "jobs": "1.0", "web": "1.0"}
    assert versions('only-groups = ["prod"]') == {"core": "1.0", "jobs": "1.0"}
    assert str(site.origin().direct["jobs"][0]) == "app/pyproject.toml:10"


def uv_lock(site: Site, text: str = PYPROJECT) -> None:
    """The team's own lock of its project, and a profile that takes it."""
    site.write("app/pyproject.toml", text)
    run_uv(site, "lock")


def run_uv(site: Site, *arguments: str) -> None:
    machine = site.machine.uv
    command = [uv.find_uv_bin(), *arguments, "--quiet", "--python", str(machine.python)]
    subprocess.run(command, cwd=site.root / "app", env=dict(machine.environ), check=True)


NEWER = PYPROJECT.replace("core<2", "core>1").replace('jobs = ["jobs"]', "jobs = []")
TAKEN = '[from-lock]\nfile = "../app/uv.lock"\n'


def test_a_uv_lock_is_taken_as_it_is(site: Site, index: LoopbackIndex) -> None:
    uv_lock(site)
    index.add(make_wheel("core", "1.5"), make_wheel("web", "2.0"))
    index.requests.clear()
    site.ask(f'{TAKEN}extras = ["all"]\ngroups = ["prod"]')

    site.run()

    assert site.versions() == {"core": "1.0", "jobs": "1.0", "speed": "1.0", "web": "1.0"}
    assert index.asked == set(), "no index is asked for anything"
    packages = site.origin().packages
    assert packages["web"].requires == ("core",)
    assert {str(place) for place in site.origin().direct["web"]} == {"profiles/runtime.toml:4"}
    assert set(site.origin().direct) == {"jobs", "speed", "web"}
    assert {"app/uv.lock", "app/pyproject.toml"} <= site.origin().head.files.keys()
    assert site.fresh


def test_the_same_lock_from_a_teams_lock_and_from_its_requirements(site: Site) -> None:
    uv_lock(site)
    site.ask('requirements = ["web", "core<2"]')
    resolved = site.run()

    site.ask(TAKEN)

    assert not site.fresh
    assert site.run() == resolved


def test_a_teams_new_lock(site: Site, index: LoopbackIndex) -> None:
    uv_lock(site)
    site.ask(TAKEN)
    site.run()

    uv_lock(site, NEWER)

    assert [str(reason) for reason in check(site.project, "runtime").reasons] == [
        "changed: from-lock"
    ]
    site.run()
    assert site.versions() == {"core": "2.0", "web": "1.0"}


def test_the_wheels_of_a_teams_lock_are_found_by_its_urls(site: Site, index: LoopbackIndex) -> None:
    uv_lock(site)
    site.ask(TAKEN)
    site.run()

    places = team_places(read_profile(site.project, "runtime"), {Digest(WEB.sha256)})

    assert places == {Digest(WEB.sha256): (url(index, WEB),)}


def test_an_export_has_the_urls_that_were_asked_for(site: Site, place: LoopbackIndex) -> None:
    place.credentials = ("team", TOKEN)
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    site.ask(FILES, reqs=url(place, BUILT, "team:${WHEELS_TOKEN}@"))
    digest = site.run()
    profile = read_profile(site.project, "runtime")

    data = export_pylock(profile, site.lock(), digest, site.machine.uv, Progress()).decode()

    assert f'url = "{url(place, BUILT)}"' in data
    assert TOKEN not in data


@pytest.mark.parametrize("key", ["wheels = [{}]", "archive = {}"])
def test_a_build_finds_the_wheels_of_a_teams_lock(
    site: Site, place: LoopbackIndex, key: str
) -> None:
    """Also those that no index of the profile has."""
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "web"\nversion = "1.0"\n'
    wheel = f'{{ url = "{url(place, BUILT)}", hashes = {{ sha256 = "{BUILT.sha256}" }} }}'
    site.write("app/pylock.toml", f"{text}{key.format(wheel)}\n")
    site.ask('[from-lock]\nfile = "../app/pylock.toml"')
    site.run()

    assert site.fetch()(BUILT)


def test_sizes_that_a_uv_lock_tells(site: Site, index: LoopbackIndex) -> None:
    """Then locking asks nobody for anything."""
    uv_lock(site)
    lock = site.root / "app/uv.lock"
    lock.write_text(lock.read_text().replace('", upload-time', '", size = 4711, upload-time'))
    site.ask(TAKEN)
    index.requests.clear()

    site.run()

    assert {one.size for one in site.lock().platforms[0].wheels} == {4711}
    assert index.requests == []


def test_a_pylock_is_taken_as_it_is(site: Site, index: LoopbackIndex) -> None:
    uv_lock(site)
    run_uv(site, "export", "--format", "pylock.toml", "--no-emit-project", "-o", "pylock.prod.toml")
    index.requests.clear()
    site.ask('[from-lock]\nfile = "../app/pylock.prod.toml"')

    site.run()

    assert site.versions() == {"core": "1.0", "web": "1.0"}
    assert index.asked == set()
    assert "app/pyproject.toml" not in site.origin().head.files


def test_a_child_takes_its_teams_lock_beside_its_parent(site: Site, index: LoopbackIndex) -> None:
    site.ask('requirements = ["core<2", "speed"]')
    site.run()
    uv_lock(site)
    site.write("profiles/child.toml", f'extends = "runtime"\n{TAKEN}')

    site.run("child")

    wheels = site.lock("child").platforms[0].wheels
    assert [(one.name, one.version, one.generation) for one in wheels] == [
        ("core", "1.0", "runtime"),
        ("speed", "1.0", "runtime"),
        ("web", "1.0", "child"),
    ]
    uv_lock(site, NEWER)
    with pytest.raises(
        TeamContradictionError, match=r"app/uv\.lock:\d+ has core 2\.0, but profile"
    ):
        site.run("child")
    site.write("profiles/child.toml", f'extends = "runtime"\nreplaces = ["core"]\n{TAKEN}')
    site.run("child")
    assert site.versions("child") == {"core": "2.0", "speed": "1.0", "web": "1.0"}


def test_a_policy_knows_what_stays_the_parents(site: Site, index: LoopbackIndex) -> None:
    """Its index and its age, which a team's lock can't tell."""
    index.add(make_wheel("own", "1.0"))
    rules = 'minimum-age = "7 days"\nrequire-index = { own = "private" }'
    site.write("basestore.toml", f"[policy]\n{rules}\n")
    indexes = f'[indexes.private]\nurl = "{index.url}"\npackages = ["own"]\n'
    site.ask(f'requirements = ["own"]\n{indexes}')
    site.run()
    uv_lock(site)
    site.write("profiles/child.toml", f'extends = "runtime"\n{TAKEN}')

    site.run("child")

    parents, own = site.origin().packages["own"], site.origin("child").packages["own"]
    assert (own.index, own.uploaded) == ("private", parents.uploaded)
    assert own.uploaded is not None


def test_a_child_of_a_profile_that_takes_a_lock(site: Site) -> None:
    """Its parent's packages are its parent's, from the indexes as ever."""
    uv_lock(site)
    site.ask(TAKEN)
    site.run()
    site.write("profiles/child.toml", 'extends = "runtime"\nrequirements = ["speed", "core"]\n')

    site.run("child")

    assert site.versions("child") == {"core": "1.0", "speed": "1.0", "web": "1.0"}


def test_a_teams_lock_for_another_python(site: Site) -> None:
    site.write(
        "app/pylock.toml",
        'lock-version = "1.0"\ncreated-by = "x"\nrequires-python = ">=3.12"\npackages = []\n',
    )
    site.ask('[from-lock]\nfile = "../app/pylock.toml"')

    error = fails(
        site, TeamPythonError, r"app/pylock\.toml is for Python >=3\.12, and the found.* 3\.11\.2"
    )

    assert error.exit_code is ExitCode.NO_RESOLUTION


def test_an_extra_that_the_teams_project_has_not(site: Site) -> None:
    uv_lock(site)
    site.ask(f'{TAKEN}extras = ["fats"]')

    fails(site, TeamLockError, r"profiles/runtime\.toml:4: app/uv\.lock can't be taken: .*fats")


PACKAGE = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "web"\nversion = "1.0"\n'


@pytest.mark.parametrize(
    ("package", "error", "match"),
    [
        (
            'sdist = { <url>.tar.gz", <hash> }',
            UntakenPackageError,
            r"app/pylock\.toml:4: web is a source archive",
        ),
        (
            'vcs = { type = "git", url = "https://x/y", commit-id = "0" }',
            UntakenPackageError,
            "web is a repo",
        ),
        ('directory = { path = "../lib" }', UntakenPackageError, "web is a folder"),
        ('wheels = [{ path = "web-1.0-py3-none-any.whl", <hash> }]', TeamLockError, "has no URL"),
        ('wheels = [{ <url>-cp38-cp38-win32.whl", <hash> }]', TeamLockError, "No wheel found"),
        ("wheels = 1", TeamLockError, "can't be taken"),
    ],
)
def test_what_of_a_teams_lock_cannot_be_taken(
    site: Site, package: str, error: type[BasestoreError], match: str
) -> None:
    package = package.replace("<url>", 'url = "http://x/web-1.0').replace(
        "<hash>", 'hashes = { sha256 = "00" }'
    )
    site.write("app/pylock.toml", f"{PACKAGE}{package}\n")
    site.ask('[from-lock]\nfile = "../app/pylock.toml"')

    fails(site, error, match)


def test_a_package_of_a_teams_lock_from_another_index(site: Site) -> None:
    uv_lock(site)
    site.ask(TAKEN)
    site.write(
        "profiles/runtime.toml",
        (site.root / "profiles/runtime.toml").read_text()
        + '[indexes.ours]\nurl = "https://example.com/simple"\npackages = ["core"]\n',
    )

    fails(
        site,
        OtherIndexError,
        r"app/uv\.lock:\d+ has core from another index, and the profile names the index ours",
    )


def test_a_wheel_by_url_that_contradicts_the_parent(site: Site, place: LoopbackIndex) -> None:
    site.ask('requirements = ["web"]')
    site.run()
    newer = make_wheel("web", "2.0")
    place.add(newer)
    site.write(
        "profiles/child.toml", f'extends = "runtime"\nrequirements = ["{url(place, newer)}"]\n'
    )

    with pytest.raises(ContradictionError, match=r"profiles/child\.toml:2 asks for web"):
        site.run("child")


def pylock_of(site: Site, rest: str, file: str = "web-1.0-py3-none-any.whl") -> None:
    """A team's lock in the standard form that has ``web``, and a profile that takes it."""
    site.write("app/pylock.toml", f"{PACKAGE}{rest.replace('<file>', file)}\n")
    site.ask('[from-lock]\nfile = "../app/pylock.toml"')


WEB_TABLE = f'{{ url = "<url>", hashes = {{ sha256 = "{WEB.sha256}" }}, size = 7 }}'


@pytest.mark.parametrize(
    ("how", "index_name"),
    [
        ("archive = <wheel>", "direct"),
        ('index = "<index>/"\nwheels = [<wheel>]', "default"),
        ('index = "https://user:pass@w.example/p4ss/simple"\nwheels = [<wheel>]', "w.example"),
        ('index = "https://ours.example/simple/"\nwheels = [<wheel>]', "ours"),
        ("wheels = [<wheel>]", "<host>"),
    ],
)
def test_where_a_teams_lock_has_its_packages_from(
    site: Site, index: LoopbackIndex, how: str, index_name: str
) -> None:
    how = how.replace("<wheel>", WEB_TABLE).replace("<url>", url(index, WEB))
    pylock_of(site, how.replace("<index>", index.url))
    ours = '[indexes.ours]\nurl = "https://ours.example/simple"\npackages = ["nothing"]\n'
    profile = site.root / "profiles/runtime.toml"
    profile.write_text(profile.read_text() + ours)
    index.requests.clear()

    site.run()

    assert site.origin().packages["web"].index == index_name.replace("<host>", index.address)
    assert index.requests == []
    assert b"p4ss" not in site.written["locks/runtime.origin.toml"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("archive = <wheel>", "comes from a URL, not from ours"),
        ('index = "<index>"\nwheels = [<wheel>]', "comes from the index default, not from ours"),
        ("wheels = [<wheel>]", "comes from the index 127.0.0.1:.*, not from ours"),
    ],
)
def test_a_policy_that_requires_an_index_of_a_teams_lock(
    site: Site, index: LoopbackIndex, how: str, said: str
) -> None:
    how = how.replace("<wheel>", WEB_TABLE).replace("<url>", url(index, WEB))
    pylock_of(site, how.replace("<index>", index.url))
    site.write("basestore.toml", '[policy]\nrequire-index = { "w*" = "ours" }\n')

    error = fails(site, PolicyHitError, said)

    assert error.exit_code is ExitCode.POLICY


def test_a_teams_wheel_by_url_of_a_package_that_is_named_for_an_index(
    site: Site, index: LoopbackIndex
) -> None:
    pylock_of(site, f"archive = {WEB_TABLE}".replace("<url>", url(index, WEB)))
    profile = site.root / "profiles/runtime.toml"
    ours = f'[indexes.ours]\nurl = "{index.url}"\npackages = ["web"]\n'
    profile.write_text(profile.read_text() + ours)

    fails(site, OtherIndexError, r"app/pylock\.toml:4 has web from a URL, and the profile names")


def test_a_teams_wheels_on_the_host_of_the_index_that_they_are_named_for(
    site: Site, index: LoopbackIndex
) -> None:
    pylock_of(site, f"wheels = [{WEB_TABLE}]".replace("<url>", url(index, WEB)))
    profile = site.root / "profiles/runtime.toml"
    ours = f'[indexes.ours]\nurl = "{index.url}"\npackages = ["web"]\n'
    profile.write_text(profile.read_text() + ours)

    site.run()

    assert site.origin().packages["web"].index == "ours"


def test_an_error_names_a_teams_lock_once(site: Site) -> None:
    pylock_of(site, 'wheels = [{ url = "http://x/<file>", hashes = { sha256 = "zz" } }]')

    error = fails(site, TeamLockError, r"^app/pylock\.toml:4: it can't be taken: web: ")

    assert error.message.count("pylock.toml") == 1


def test_a_teams_lock_without_a_sha256(site: Site, index: LoopbackIndex) -> None:
    """The file is hashed once, and the origin says that nobody but the file vouched for it."""
    pylock_of(site, f'wheels = [{{ url = "{url(index, WEB)}", hashes = {{ md5 = "00" }} }}]')

    site.run()

    assert {one.sha256.hex for one in site.lock().platforms[0].wheels} == {WEB.sha256}
    assert not site.origin().packages["web"].told
