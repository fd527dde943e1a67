"""`build` from an index that lies: what it says, which code it ends with, and what it keeps."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, make_locked_project, store_of
from commandline import CommandLine, contents
from faults.scenes import keep_foundations, wrong_blobs
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.errors import ExitCode

CANARY = "c4n4ry"
TORCH = next(made for made in WHEELS if made.file.startswith("torch"))
FILE = f"/files/{TORCH.file}"


@dataclass
class Market:
    """A locked project, and an index whose URL has credentials in it."""

    run: CommandLine
    server: FaultyServer

    @property
    def store(self) -> Path:
        """The store's folder."""
        return Path(self.run.environ["BASESTORE_STORE"])

    def fail(self, code: ExitCode) -> str:
        """Build in vain: one sentence that names the wheel and its host, and no secret."""
        done = self.run("build").expect(code)
        (said,) = [line for line in done.err.splitlines() if line.startswith("error:")]
        assert TORCH.file in said
        assert self.server.address in said
        told = [done.out.encode(), done.err.encode(), *contents(self.store).values()]
        assert not [text for text in told if CANARY.encode() in text]
        assert wrong_blobs(self.store) == []
        assert not (self.store / "blobs/sha256" / TORCH.sha256[:2] / TORCH.sha256).exists()
        return said


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lies") / "project"
    make_locked_project(folder)
    store = store_of(command_line_on(folder))
    keep_foundations(folder, store)
    store.lease.release()
    return folder.parent


@pytest.fixture
def market(locked: Path, tmp_path: Path) -> Iterator[Market]:
    shutil.copytree(locked, tmp_path / "copy")
    with faulty_server() as server:
        for made in WHEELS:
            name = made.file.split("-")[0].replace("_", "-")
            link = f'<a href="/files/{made.file}?sig={CANARY}#sha256={made.sha256}">{made.file}</a>'
            page = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
            server.serve(f"/simple/{name}/", page)
            server.always[f"/simple/{name}/"] = Fault(headers=(("Content-Type", "text/html"),))
            server.serve(f"/files/{made.file}", made.data)
        run = command_line_on(tmp_path / "copy" / "project")
        mirror = f"http://me:{CANARY}@{server.address}/simple"
        yield Market(
            CommandLine(run.folder, {**run.environ, "BASESTORE_MIRROR_DEFAULT": mirror}), server
        )


def test_an_honest_index(market: Market) -> None:
    market.run("build").expect(0)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(data=TORCH.data[:-1] + bytes([TORCH.data[-1] ^ 1])),
        Fault(
            data=b"<!DOCTYPE html><html>Sign in</html>", headers=(("Content-Type", "text/html"),)
        ),
        Fault(untold=True, endless=True),
        Fault(told=10**12),
    ],
    ids=["changed", "page", "endless", "told-more"],
)
def test_other_bytes(market: Market, fault: Fault) -> None:
    market.server.always[FILE] = fault
    market.fail(ExitCode.INTEGRITY)
    market.server.serve(FILE, TORCH.data)
    market.server.always.pop(FILE)
    market.run("build").expect(0)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=302, headers=(("Location", f"?again&sig={CANARY}"),)), "more than 5 times"),
        (Fault(status=403), "403 Forbidden"),
        (Fault(status=404), "404 Not Found"),
    ],
    ids=["redirects", "403", "404"],
)
def test_refusals(market: Market, fault: Fault, said: str) -> None:
    market.server.always[FILE] = fault
    assert said in market.fail(ExitCode.UNREACHABLE)


def test_credentials_stay_with_the_index(market: Market) -> None:
    """Its files lie elsewhere, as they often do."""
    with faulty_server() as other:
        target = other.serve("/cdn", TORCH.data).replace("127.0.0.1", "localhost")
        market.server.always[FILE] = Fault(status=302, headers=(("Location", target),))
        market.run("build").expect(0)
        assert other.asked
        assert CANARY not in str([(one.path, one.headers) for one in other.asked])
        assert not [one for one in other.asked if "authorization" in one.headers]
    sent = [one.headers.get("authorization") for one in market.server.asked if FILE in one.path]
    assert any(sent)
