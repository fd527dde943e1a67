"""Fetching from servers that lie: never a wrong byte is kept, every try has an end."""

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from clocks import Clock
from commandline import contents
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.digest import Digest
from basestore.progress import Progress
from basestore.sources.fetch import (
    Artifact,
    ArtifactsUnreachableError,
    WrongArtifactsError,
    fetch,
)
from basestore.store import Store
from basestore.transport import Timeouts, Transport
from basestore.transport.backoff import LONGEST_DELAY

FILES = {
    "demo-1-py3-none-any.whl": bytes(range(256)) * 800,
    "libdemo1_1.0_amd64.deb": b"!<arch>\n" + bytes(reversed(range(256))) * 700,
}
PAGE = b"<!DOCTYPE html><html><body>Sign in to the guests' network</body></html>"
CANARY = "c4n4ry"
TRIES = 6


@dataclass
class World:
    """A store, and a server on which a wheel and a .deb lie; the URLs have credentials."""

    store: Store
    server: FaultyServer
    clock: Clock

    def lie(self, *faults: Fault, always: Fault | None = None) -> None:
        """Answer each file's requests so, one after another; then always so, or rightly."""
        for name, data in FILES.items():
            self.server.serve(f"/{name}", data, *faults)
            if always:
                self.server.always[f"/{name}"] = always

    def locate(self, artifacts: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
        """Where they lie."""
        return {
            one.digest: [f"http://me:{CANARY}@{self.server.address}/{one.name}?X-Token={CANARY}"]
            for one in artifacts
        }

    def fetch(self, read: float = 5) -> None:
        """Fetch both files."""
        artifacts = [Artifact(name, Digest.of(data), len(data)) for name, data in FILES.items()]
        timeouts = Timeouts(connect=5, read=read)
        with Transport(sleep=self.clock.sleep, clock=self.clock, timeouts=timeouts) as transport:
            fetch(self.store, transport, artifacts, self.locate, Progress())

    def refused(self, kind: type[ArtifactsUnreachableError | WrongArtifactsError]) -> str:
        """Fetch in vain: both files are named, no secret is, and nothing was kept."""
        with pytest.raises(kind) as raised:
            self.fetch()
        error = raised.value
        assert all(name in error.message for name in FILES)
        assert self.server.address in error.message
        assert CANARY not in f"{error!r} {error.message} {error.hint} {error.failures}"
        assert self.kept() == []
        return error.message

    def kept(self) -> list[bytes]:
        """The blobs in the store's folder; each is what its name says."""
        blobs = self.store.root / "blobs" / "sha256"
        found = [path.read_bytes() for path in blobs.glob("*/*")]
        names = [path.name for path in blobs.glob("*/*")]
        assert [hashlib.sha256(data).hexdigest() for data in found] == names
        assert CANARY.encode() not in b"".join(
            [*contents(self.store.root).values(), *map(str.encode, contents(self.store.root))]
        )
        return found

    def asked(self, name: str) -> int:
        """How often a file was asked for."""
        return len(self.server.ranges(f"/{name}"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with faulty_server() as server:
        yield World(Store.open(tmp_path / "store"), server, Clock())


def elsewhere(world: World) -> Fault:
    """A redirect of everything to itself."""
    return Fault(status=302, headers=(("Location", "?again"),))


# What passes


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut=70_000),
        Fault(cut=70_000, reset=True),
        Fault(untold=True, cut=70_000),
        Fault(status=500),
        Fault(status=503),
        Fault(status=429, headers=(("Retry-After", "7"),)),
    ],
    ids=["truncated", "reset", "no-length", "500", "503", "429"],
)
def test_what_passes_is_waited_for(world: World, fault: Fault) -> None:
    world.lie(fault, fault)
    world.fetch()
    assert sorted(world.kept()) == sorted(FILES.values())


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_what_broke_off_is_resumed(world: World, reset: bool) -> None:
    world.lie(Fault(cut=70_000, reset=reset))
    world.fetch()
    for name in FILES:
        first, again = world.server.ranges(f"/{name}")
        # An RST may overtake bytes that were sent before it.
        assert first == ""
        assert again == "bytes=70000-" or (reset and again in ("", *_ranges_below(70_000, again)))


def _ranges_below(limit: int, found: str) -> list[str]:
    start = found.removeprefix("bytes=").removesuffix("-")
    return [found] if start.isdigit() and int(start) < limit else []


@pytest.mark.parametrize(
    "told",
    [
        "bytes 3-{last}/{size}",
        "bytes 70000-70000/*",
        "bytes 70000-{last}/5",
        "items 70000-{last}/{size}",
        "",
    ],
)
def test_a_wrong_range_wrongs_nothing(world: World, told: str) -> None:
    for name, data in FILES.items():
        range_ = told.format(last=len(data) - 1, size=len(data)) or "bytes"
        world.server.serve(f"/{name}", data, Fault(cut=70_000), Fault(range=range_))
    try:
        world.fetch()
    except WrongArtifactsError:
        assert world.kept() == []
    else:
        assert sorted(world.kept()) == sorted(FILES.values())


def test_the_wrong_part_of_a_file_is_noticed(world: World) -> None:
    """Servers share a name, but not a file: what was put together is fetched afresh."""
    for name, data in FILES.items():
        other = Fault(cut=70_000, data=b"x" * len(data))
        world.server.serve(f"/{name}", data, other, Fault(data=data), etag="")
    world.fetch()
    assert sorted(world.kept()) == sorted(FILES.values())


def test_a_file_in_pieces_of_others_is_given_up(world: World) -> None:
    """Whatever part is asked for, it is another file's; the second try is the last."""
    for name, data in FILES.items():
        world.server.serve(f"/{name}", data, etag="")
        half = [Fault(cut=70_000, data=b"x" * len(data)), Fault(data=data)]
        world.server.faults[f"/{name}"] = half * 9
    world.refused(WrongArtifactsError)
    assert [world.asked(name) for name in FILES] == [4, 4]


# What lasts


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(cut=0), "0 of"),
        (Fault(cut=1, reset=True, whole=True), "broke off"),
        (Fault(status=500), "500 Internal Server Error"),
        (Fault(status=503), "503 Service Unavailable"),
        (Fault(status=429), "429 Too Many Requests"),
    ],
    ids=["truncated", "reset", "500", "503", "429"],
)
def test_tries_end(world: World, fault: Fault, said: str) -> None:
    world.lie(always=fault)
    assert said in world.refused(ArtifactsUnreachableError)
    for name in FILES:
        assert world.asked(name) == TRIES
    assert len(world.clock.slept) == (TRIES - 1) * len(FILES)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", 7), ("86400", LONGEST_DELAY), ("-5", 0.5), ("soon", 0.5), ("9" * 5000, LONGEST_DELAY)],
)
def test_waits_as_asked_within_bounds(world: World, asked: str, waited: float) -> None:
    world.lie(Fault(status=429, headers=(("Retry-After", asked),)))
    world.fetch()
    assert world.clock.slept == [waited] * len(FILES)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_refusal_stands(world: World, status: int) -> None:
    world.lie(always=Fault(status=status))
    assert str(status) in world.refused(ArtifactsUnreachableError)
    assert world.clock.slept == []


def test_redirects_end(world: World) -> None:
    world.lie(always=elsewhere(world))
    assert "more than 5 times" in world.refused(ArtifactsUnreachableError)
    assert world.clock.slept == []


@pytest.mark.parametrize("location", ["ftp://host/a", "http://", "http://[::1", "//:x/", "data:,x"])
def test_redirects_to_nowhere(world: World, location: str) -> None:
    world.lie(always=Fault(status=302, headers=(("Location", location),)))
    assert "redirects" in world.refused(ArtifactsUnreachableError)


# Other bytes


def _same_size(_: bytes) -> Fault:
    return Fault()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(data=PAGE, headers=(("Content-Type", "text/html"),)),
        Fault(data=PAGE, untold=True),
        Fault(data=b"x" * 300_000),
        Fault(data=b"x" * 300_000, untold=True),
        Fault(data=b""),
        Fault(told=10**15),
        Fault(told=3),
    ],
    ids=["page", "page-no-length", "longer", "longer-no-length", "empty", "told-more", "told-less"],
)
def test_other_bytes_under_the_name(world: World, fault: Fault) -> None:
    world.lie(always=fault)
    if fault.data == b"" or fault == Fault(data=PAGE, untold=True):
        # Too few bytes with no end told are as good as a connection that broke.
        kinds: type[ArtifactsUnreachableError | WrongArtifactsError] = _kind_of_short(fault)
        world.refused(kinds)
    else:
        world.refused(WrongArtifactsError)


def _kind_of_short(fault: Fault) -> type[ArtifactsUnreachableError | WrongArtifactsError]:
    return ArtifactsUnreachableError if fault.untold else WrongArtifactsError


def test_one_changed_byte(world: World) -> None:
    world.lie()
    for name, data in FILES.items():
        world.server.files[f"/{name}"] = data[:-1] + bytes([data[-1] ^ 1])
    assert "expected sha256:" in world.refused(WrongArtifactsError)
    assert all(world.asked(name) == 1 for name in FILES)


def test_compressed_though_nobody_asked(world: World) -> None:
    world.lie()
    for name, data in FILES.items():
        fault = Fault(data=gzip.compress(data), headers=(("Content-Encoding", "gzip"),))
        world.server.always[f"/{name}"] = fault
    world.refused(WrongArtifactsError)
    assert {asked.headers["accept-encoding"] for asked in world.server.asked} == {"identity"}


def test_called_compressed_though_it_is_the_file(world: World) -> None:
    """Some servers call a file encoded whose name ends so; the bytes are right."""
    world.lie(always=Fault(headers=(("Content-Encoding", "gzip"),)))
    world.fetch()
    assert sorted(world.kept()) == sorted(FILES.values())


def test_a_body_without_end(world: World) -> None:
    world.lie(always=Fault(untold=True, endless=True))
    world.refused(WrongArtifactsError)
    assert all(world.asked(name) == 1 for name in FILES)


# Slowness


def test_a_byte_at_a_time_is_given_up(world: World) -> None:
    world.clock.step = 10
    world.lie(always=Fault(pause=0.001))
    assert re.search(r"bytes arrived in \d+ s", world.refused(ArtifactsUnreachableError))
    assert all(world.asked(name) <= TRIES for name in FILES)


def test_a_slow_line_is_no_fault(world: World) -> None:
    """A quarter of a minute for each piece, but pieces worth that."""
    world.clock.step = 5
    world.lie()
    world.fetch()
    assert sorted(world.kept()) == sorted(FILES.values())
