"""`lock` mends a lock that isn't its profile's, with real uv over an index on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from held_project import Draft, HeldProject, digest_of, wheel
from loopback_index import LoopbackIndex, loopback_index
from requiring import FOUNDATION, Site
from resolving import World
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock.freshness import check
from basestore.lock.model import Deb

WEB = make_wheel("web", "1.0", requires=["core>=1", "fast>=1; extra == 'quick'"])
ASKED = 'requirements = ["web[quick]", "plain>=2"]'


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(
        WEB,
        make_wheel("core", "1.0"),
        make_wheel("fast", "1.0"),
        make_wheel("plain", "1.0"),
        make_wheel("plain", "2.0"),
        make_wheel("miner", "1.0"),
    ) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path, index: LoopbackIndex) -> Site:
    site = Site(tmp_path / "project", World(tmp_path / "machine", index))
    site.ask(ASKED)
    site.run()
    return site


def forge(site: Site, change: Callable[[Draft], object], name: str = "runtime") -> None:
    """Change lock and origin as a pull request would."""
    project = HeldProject(site.root)
    draft = project.draft(name)
    change(draft)
    project.save(name, draft)
    assert not check(site.project, name).fresh


def newer(index: LoopbackIndex) -> None:
    """Newer versions of what is locked, which nothing asks for."""
    index.add(make_wheel("core", "2.0"), make_wheel("fast", "2.0"))


def _bring_miner(draft: Draft) -> None:
    draft.put(wheel("miner", "1.0", "runtime"))


def _lower(draft: Draft) -> None:
    draft.put(wheel("plain", "1.0", "runtime"))


def _drop(draft: Draft) -> None:
    draft.drop("plain")


def _drop_deeper(draft: Draft) -> None:
    draft.wheels(lambda wheels: (one for one in wheels if one.name != "core"))


def _other_settings(draft: Draft) -> None:
    draft.lock = replace(draft.lock, image=replace(draft.lock.image, user="root", cmd=("sh",)))


def _for_nobody(draft: Draft) -> None:
    draft.put(wheel("core", "1.0", "runtime", "core-1.0-cp312-cp312-win_amd64.whl"))


def _no_deb(draft: Draft) -> None:
    draft.drop_deb("libc6")


def _other_deb(draft: Draft) -> None:
    draft.debs(lambda debs: (*debs, Deb("netcat", "1", "all", 1, digest_of("netcat"))))
    draft.say_of_deb("netcat")


def _other_python(draft: Draft) -> None:
    draft.parts(lambda part: replace(part, python="3.11.9"))


@pytest.mark.parametrize(
    "change",
    [
        _bring_miner,
        _lower,
        _drop,
        _drop_deeper,
        _other_settings,
        _for_nobody,
        _no_deb,
        _other_deb,
        _other_python,
    ],
)
def test_what_isnt_the_profiles_is_made_anew_and_the_rest_stays(
    site: Site, index: LoopbackIndex, change: Callable[[Draft], object]
) -> None:
    before = site.lock()
    newer(index)
    forge(site, change)

    site.run()

    assert site.fresh
    assert {one.name: one.version for one in site.lock().platforms[0].wheels} | {"core": "1.0"} == {
        one.name: one.version for one in before.platforms[0].wheels
    }
    assert site.lock().platforms[0].debs == FOUNDATION.debs
    assert site.lock().image == before.image


def test_the_versions_that_hold_stay_beside_one_that_doesnt(
    site: Site, index: LoopbackIndex
) -> None:
    newer(index)
    forge(site, _lower)

    site.run()

    assert site.versions() == {"core": "1.0", "fast": "1.0", "plain": "2.0", "web": "1.0"}


def test_the_digest_of_a_wheel_that_has_to_have_another_is_not_kept(
    site: Site, index: LoopbackIndex
) -> None:
    right = Digest(next(one for one in index.files if one.name.startswith("web")).sha256)
    site.ask(f'requirements = ["plain"]\n{FILES}', reqs=f"web --hash=sha256:{right.hex}\n")
    site.run()
    wrong = digest_of("other bytes")
    forge(
        site,
        lambda draft: draft.wheels(
            lambda wheels: (
                replace(one, sha256=wrong) if one.name == "web" else one for one in wheels
            )
        ),
    )

    site.run()

    (web,) = (one for one in site.lock().platforms[0].wheels if one.name == "web")
    assert (web.sha256, site.fresh) == (right, True)


FILES = 'requirements-files = ["../app/reqs.txt"]'


def test_an_origin_that_alone_says_something_else_is_rewritten_without_asking_anybody(
    site: Site, index: LoopbackIndex
) -> None:
    before = site.written
    index.requests.clear()
    forge(
        site,
        lambda draft: setattr(draft, "origin", replace(draft.origin, stated={}, direct={})),
    )

    site.run()

    assert site.written == before
    assert index.requests == []


def test_an_origin_of_before_learns_the_extras_and_the_lock_stays(
    site: Site, index: LoopbackIndex
) -> None:
    before = site.written
    newer(index)
    forge(site, lambda draft: draft.say("web", extras=()))

    site.run()

    assert site.written == before
    assert site.origin().packages["web"].extras == ("quick",)
