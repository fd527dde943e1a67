"""Wheels by URL: what is written of one is held against its file, and errors name the line."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from loopback_index import LoopbackIndex, loopback_index
from requiring import Site
from resolving import World
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.errors import BasestoreError, ExitCode
from basestore.resolve.direct import (
    ChangedUrlError,
    UnnamedUrlError,
    UnreachableWheelError,
    WrongHashError,
)
from basestore.sources.fetch import ArtifactsUnreachableError, WrongArtifactsError

BUILT = make_wheel("web", "1.0", {"web.py": b"# built apart\n"}, build="1", requires=["core>=1"])
OTHER = make_wheel("web", "1.0", {"web.py": b"# other bytes\n"}, build="1", requires=["core>=1"])
FILES = 'requirements-files = ["../app/reqs.txt"]'
WRONG, TOKEN = "0" * 64, "s3cr3t"


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(make_wheel("core", "1.0")) as served:
        yield served


@pytest.fixture
def place() -> Iterator[LoopbackIndex]:
    """A server that nobody names as an index."""
    with loopback_index(BUILT) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path, index: LoopbackIndex) -> Site:
    return Site(tmp_path / "project", World(tmp_path / "machine", index))


def url(server: LoopbackIndex, wheel: MadeWheel = BUILT, userinfo: str = "") -> str:
    return f"http://{userinfo}{server.address}/files/{wheel.file}"


def fails(site: Site, error: type[BasestoreError], match: str, **wish: object) -> BasestoreError:
    """Locking fails, not a byte of the project changes, and no secret is told."""
    before = site.written
    with pytest.raises(error, match=match) as caught:
        site.run(**wish)
    assert site.written == before
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


def serve_other(place: LoopbackIndex) -> None:
    """Other bytes under the same URL."""
    place.change(BUILT.file, data=OTHER.data, sha256=OTHER.sha256)


def locked(site: Site) -> str:
    """The SHA-256 that the lock has of the wheel."""
    (wheel,) = (one for one in site.lock().platforms[0].wheels if one.name == "web")
    return wheel.sha256.hex


@pytest.mark.parametrize(
    "form",
    [
        f"{{}}#sha256={WRONG}",
        f"web @ {{}}#sha256={WRONG}",
        f"{{}} --hash=sha256:{WRONG}",
        f"web @ {{}} ; sys_platform == 'linux' --hash=sha256:{WRONG}",
    ],
)
def test_a_wrong_hash_is_found_when_locking(site: Site, place: LoopbackIndex, form: str) -> None:
    place.credentials = ("team", TOKEN)
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    site.ask(FILES, reqs="core\n" + form.format(url(place, userinfo="team:${WHEELS_TOKEN}@")))

    error = fails(site, WrongHashError, rf"app/reqs\.txt:2 asks for {BUILT.file} with sha256 0000")

    assert error.exit_code is ExitCode.INTEGRITY
    assert f"{url(place)} gives it with sha256 {BUILT.sha256}" in error.message
    assert "write the hash" in error.hint


def test_none_of_several_hashes(site: Site, place: LoopbackIndex) -> None:
    hashes = f"--hash=sha256:{WRONG} --hash=sha256:{'1' * 64}"
    site.ask(FILES, reqs=f"{url(place)} {hashes}")

    error = fails(site, WrongHashError, r"app/reqs\.txt:1 asks for .* with one of 2 hashes")

    assert BUILT.sha256 in error.message


@pytest.mark.parametrize("locked_before", [False, True])
@pytest.mark.parametrize("other", ["", f"#sha256={BUILT.sha256}"])
def test_a_wrong_hash_beside_another_line_for_the_same_wheel(
    site: Site, place: LoopbackIndex, other: str, locked_before: bool
) -> None:
    if locked_before:
        site.ask(FILES, reqs=url(place))
        site.run()
    site.ask(FILES, reqs=f"{url(place)}{other}\nweb @ {url(place)} --hash=sha256:{WRONG}")

    fails(site, WrongHashError, rf"app/reqs\.txt:2 asks for .* gives it with sha256 {BUILT.sha256}")


def test_content_that_the_store_has_proves_nothing_of_a_url(
    site: Site, place: LoopbackIndex
) -> None:
    site.machine.store.blobs.add(OTHER.data)
    site.ask(FILES, reqs=f"{url(place)}#sha256={OTHER.sha256}")

    fails(site, WrongHashError, BUILT.sha256)


def test_the_file_that_was_hashed_is_the_one_that_is_built_from(
    site: Site, place: LoopbackIndex
) -> None:
    site.ask(FILES, reqs=f"{url(place)}#sha256={BUILT.sha256}")

    site.run()

    assert locked(site) == BUILT.sha256
    assert site.machine.store.blobs.has(Digest(BUILT.sha256))
    assert site.origin().packages["web"].told


@pytest.mark.parametrize("wish", [{}, {"upgrade": frozenset({"*"})}])
def test_what_is_locked_is_not_fetched_again(
    site: Site, place: LoopbackIndex, wish: dict[str, object]
) -> None:
    site.ask(FILES, reqs=f"{url(place)}#sha256={BUILT.sha256}")
    first = site.run()
    serve_other(place)  # which would be seen
    site.write("app/reqs.txt", f"{url(place)}#sha256={BUILT.sha256}\ncore\n")

    assert site.run(**wish) == first


def test_an_upgrade_by_name_looks_again(site: Site, place: LoopbackIndex) -> None:
    site.ask(FILES, reqs=f"{url(place)}#sha256={BUILT.sha256}")
    site.run()
    serve_other(place)

    fails(site, WrongHashError, OTHER.sha256, upgrade=frozenset({"web"}))


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """A server of files that lets clients keep them; its URL."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_uv_remembers_of_a_url_is_not_what_is_locked(site: Site, tmp_path: Path) -> None:
    """Else a build would find other bytes there."""
    file = BUILT.write(tmp_path / "served")
    long_ago = 1_700_000_000  # so that clients take it for something that seldom changes
    os.utime(file, (long_ago, long_ago))
    with plain_server(file.parent) as address:
        site.ask(FILES, reqs=f"{address}/{BUILT.file}\n")
        site.run()
        shutil.rmtree(site.root / "locks")
        file.write_bytes(OTHER.data)
        os.utime(file, (long_ago, long_ago))

        site.run()

    assert locked(site) == OTHER.sha256


def test_a_new_hash_for_new_bytes_is_consent(site: Site, place: LoopbackIndex) -> None:
    site.ask(FILES, reqs=f"{url(place)}#sha256={BUILT.sha256}")
    site.run()
    serve_other(place)
    site.write("app/reqs.txt", f"{url(place)}#sha256={OTHER.sha256}\n")

    site.run()

    assert locked(site) == OTHER.sha256


def test_other_bytes_under_the_same_url(site: Site, place: LoopbackIndex) -> None:
    """Nobody wrote a hash: what was locked and what is there now are told, by the line."""
    site.ask(FILES, reqs=f"core\n{url(place)}\n")
    site.run()
    serve_other(place)
    site.machine.folder = site.machine.folder / "another"
    site.write("app/reqs.txt", f"core\n{url(place)}\ncore>=1\n")

    error = fails(site, ChangedUrlError, rf"is locked with sha256 {BUILT.sha256}")

    assert f"{url(place)} (app/reqs.txt:2) gives it with sha256 {OTHER.sha256}" in error.message
    assert "index" not in error.message
    assert "basestore lock runtime --upgrade-package web" in error.hint
    site.run(upgrade=frozenset({"web"}))
    assert locked(site) == OTHER.sha256


def test_the_way_out_of_a_parents_changed_wheel_is_the_parents(
    site: Site, place: LoopbackIndex
) -> None:
    site.ask(FILES, reqs=url(place))
    site.run()
    site.write("profiles/child.toml", 'extends = "runtime"\nrequirements = ["core"]\n')
    serve_other(place)
    site.machine.folder = site.machine.folder / "another"

    with pytest.raises(ChangedUrlError) as caught:
        site.run("child")

    assert "`basestore lock runtime --upgrade-package web`" in caught.value.hint


@pytest.mark.parametrize("fragment", ["", f"#sha256={BUILT.sha256}"])
def test_a_url_that_is_dead(site: Site, place: LoopbackIndex, fragment: str) -> None:
    place.remove(BUILT.file)
    site.machine.environ = {"WHEELS_TOKEN": TOKEN}
    asked = url(place, userinfo="${WHEELS_TOKEN}@")
    site.ask(FILES, reqs=f"core\n\n{asked}{fragment}\n")

    error = fails(site, UnreachableWheelError, rf"^app/reqs\.txt:3: {BUILT.file} can't be had: ")

    assert "404" in error.message
    assert error.message.count(url(place)) == 1
    assert "package index" not in error.message


def test_a_host_that_is_not_there(site: Site) -> None:
    site.ask(FILES, reqs=f"http://127.0.0.1:1/{BUILT.file}\n")

    error = fails(site, UnreachableWheelError, rf"^app/reqs\.txt:1: {BUILT.file} can't be had: ")

    assert f"http://127.0.0.1:1/{BUILT.file}" in error.message


def test_an_index_that_is_out_of_order_is_not_the_wheels_fault(
    site: Site, place: LoopbackIndex, index: LoopbackIndex
) -> None:
    index.status = 500
    site.ask(FILES, reqs=f"{url(place)}\n")

    error = fails(site, BasestoreError, "package index")

    assert not isinstance(error, UnreachableWheelError)


def test_a_wheel_that_only_another_wheel_asks_for_by_url(site: Site, place: LoopbackIndex) -> None:
    """No build would find it."""
    outer = make_wheel("outer", requires=[f"web @ {url(place)}"])
    place.add(outer)
    site.ask(FILES, reqs=url(place, outer))

    error = fails(site, UnnamedUrlError, r"only a wheel asks for \(outer -> web\)")

    assert "requirements" in error.hint
    site.write("app/reqs.txt", f"{url(place, outer)}\n{url(place)}\n")
    site.run()
    assert set(site.versions()) == {"core", "outer", "web"}


@pytest.mark.parametrize("fragment", ["", f"#sha256={BUILT.sha256}"])
def test_a_dead_url_falls_back_to_the_indexes(
    site: Site, place: LoopbackIndex, index: LoopbackIndex, fragment: str
) -> None:
    site.ask(FILES, reqs=f"{url(place)}{fragment}")
    site.run()
    place.remove(BUILT.file)
    index.add(BUILT)

    assert site.fetch()(BUILT)


def test_other_bytes_at_the_url_fall_back_to_the_indexes(
    site: Site, place: LoopbackIndex, index: LoopbackIndex
) -> None:
    site.ask(FILES, reqs=url(place))
    site.run()
    serve_other(place)
    index.add(BUILT)

    assert site.fetch()(BUILT)


def test_a_live_url_asks_no_index(site: Site, place: LoopbackIndex, index: LoopbackIndex) -> None:
    site.ask(FILES, reqs=url(place))
    site.run()
    index.requests.clear()

    assert site.fetch()(BUILT)

    assert "web" not in index.asked


def test_the_hash_decides_on_what_an_index_has(
    site: Site, place: LoopbackIndex, index: LoopbackIndex
) -> None:
    site.ask(FILES, reqs=url(place))
    site.run()
    place.remove(BUILT.file)
    index.add(OTHER)

    with pytest.raises(ArtifactsUnreachableError, match=r"\(app/reqs\.txt:1\) can't be had: .*404"):
        site.fetch()
    index.change(OTHER.file, sha256="", md5="0" * 32)
    with pytest.raises(WrongArtifactsError, match=rf"(?s)404.*{index.address}"):
        site.fetch()


def test_a_dead_url_and_a_dead_index(
    site: Site, place: LoopbackIndex, index: LoopbackIndex
) -> None:
    """What the URL said is not hidden by what the index says."""
    lone = make_wheel("lone")
    place.add(lone)
    site.ask(FILES, reqs=url(place, lone))
    site.run()
    place.remove(lone.file)
    index.status = 500

    with pytest.raises(ArtifactsUnreachableError, match=f"{place.address} answered 404"):
        site.fetch()
