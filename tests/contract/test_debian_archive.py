"""A suite's signed index and its .debs, from archives on loopback that are right and wrong."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from debmaker import (
    Archive,
    MadeDeb,
    ReleaseText,
    SigningKey,
    make_deb,
    signing_key,
    suite_files,
    write_files,
)
from faulty_server import Fault, FaultyServer, faulty_server

from basestore.errors import BasestoreError
from basestore.progress import Progress
from basestore.sources.apt import AptSource, HostApt
from basestore.sources.debian import (
    CorruptIndexError,
    Debian,
    DebsGoneError,
    NoSuchIndexError,
    deb_artifacts,
)
from basestore.sources.debian_release import (
    ExpiredReleaseError,
    ForeignReleaseError,
    Place,
    ReleaseReader,
    SuiteNotFoundError,
    WrongReleaseError,
)
from basestore.sources.fetch import WrongArtifactsError, fetch
from basestore.sources.signature import (
    Keyring,
    SignatureError,
    TamperedError,
    UnknownSignerError,
    UnsignedError,
    VerifierMissingError,
)
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import NoConnectionError, Transport

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AMD64, ARM64 = Platform("amd64"), Platform("arm64")
INRELEASE = "/debian/dists/bookworm/InRelease"
LIBC = make_deb("libc6", "2.36-9+deb12u14")
TZDATA = make_deb("tzdata", "2026f-0", "all")
FIXED = make_deb("libc6", "2.36-9+deb12u15")


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    with signing_key() as made:
        yield made


@pytest.fixture(scope="module")
def keyring(key: SigningKey) -> Keyring:
    return key.keyring


@pytest.fixture(scope="module")
def suite(key: SigningKey) -> dict[str, bytes]:
    return suite_files(key, "bookworm", [LIBC, TZDATA], security=[FIXED])


@pytest.fixture
def server(suite: dict[str, bytes]) -> Iterator[FaultyServer]:
    with faulty_server() as served:
        served.files.update(suite)
        yield served


@pytest.fixture
def debian(server: FaultyServer, keyring: Keyring, tmp_path: Path) -> Iterator[Debian]:
    """Debian through mirrors on loopback; nothing else can be reached."""
    with Transport(sleep=lambda seconds: None) as transport:
        mirrors = {
            "debian": server.url("/debian/"),
            "debian-security": server.url("/debian-security"),
            "snapshot": server.url("/snapshot"),
        }
        yield Debian(Store.open(tmp_path / "store"), transport, NOW, mirrors, keyring=keyring)


def candidate(debian: Debian, name: str, platform: Platform = AMD64) -> str:
    package = debian.index("bookworm", platform, Progress()).candidate(name)
    assert package is not None
    return str(package.version)


def refused(debian: Debian, error: type[BasestoreError], exit_code: int) -> BasestoreError:
    """The error of asking for the index, which leaves nothing to be taken for it."""
    with pytest.raises(error) as caught:
        debian.index("bookworm", AMD64, Progress())
    assert caught.value.exit_code == exit_code
    assert caught.value.hint
    return caught.value


def resign(server: FaultyServer, key: SigningKey, release: ReleaseText) -> None:
    """Serve another Release of bookworm."""
    files = Archive(release, [LIBC]).files(key)
    server.files[INRELEASE] = files[f"/dists/{release.suite}/InRelease"]


def test_the_index_of_all_three_archives(debian: Debian) -> None:
    assert candidate(debian, "libc6") == "2.36-9+deb12u15"
    assert candidate(debian, "tzdata") == "2026f-0"
    assert candidate(debian, "tzdata", ARM64) == "2026f-0"
    assert debian.index("bookworm", ARM64, Progress()).candidate("libc6") is None


def test_an_index_is_not_downloaded_twice(debian: Debian, server: FaultyServer) -> None:
    debian.index("bookworm", AMD64, Progress())
    server.asked.clear()
    debian.index("bookworm", AMD64, Progress())
    assert [asked.path.rpartition("/")[2] for asked in server.asked] == ["InRelease"] * 3


def test_a_rolling_suite_has_only_itself(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    for path, data in Archive(ReleaseText("sid"), [LIBC]).files(key).items():
        server.files[f"/debian{path}"] = data
    assert debian.index("sid", AMD64, Progress()).candidate("libc6") is not None
    assert not [asked for asked in server.asked if "-" in asked.path.split("/")[3]]


def test_an_archive_in_a_folder(suite: dict[str, bytes], keyring: Keyring, tmp_path: Path) -> None:
    write_files(tmp_path / "mirror", suite)
    base = (tmp_path / "mirror").as_uri()
    mirrors = {"debian": f"{base}/debian", "debian-security": f"{base}/debian-security"}
    with Transport() as transport:
        store = Store.open(tmp_path / "store")
        debian = Debian(store, transport, NOW, mirrors, keyring=keyring)
        assert candidate(debian, "libc6") == "2.36-9+deb12u15"


def test_an_unsigned_release(debian: Debian, server: FaultyServer) -> None:
    server.files[INRELEASE] = Archive(ReleaseText("bookworm"), [LIBC]).text
    error = refused(debian, UnsignedError, 5)
    assert INRELEASE in error.message


def test_a_tampered_release(debian: Debian, server: FaultyServer) -> None:
    signed = server.files[INRELEASE]
    server.files[INRELEASE] = signed.replace(b"Codename: bookworm", b"Codename: bookwerm")
    assert server.files[INRELEASE] != signed
    refused(debian, TamperedError, 5)


def test_a_release_that_somebody_else_signed(debian: Debian) -> None:
    with signing_key() as other:
        refused(dataclasses.replace(debian, keyring=other.keyring), UnknownSignerError, 5)


def test_a_key_that_is_there_but_does_not_count(debian: Debian, keyring: Keyring) -> None:
    unpinned = Keyring(keyring.certificates, frozenset({"0" * 40}))
    refused(dataclasses.replace(debian, keyring=unpinned), UnknownSignerError, 5)


def test_a_further_signature_by_an_unknown_key_does_no_harm(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    archive = Archive(ReleaseText("bookworm"), [LIBC, TZDATA])
    with signing_key() as other:
        server.files[INRELEASE] = key.sign(archive.text, along_with=other)
    assert candidate(debian, "tzdata") == "2026f-0"


def test_text_outside_the_signature_is_not_read(debian: Debian, server: FaultyServer) -> None:
    server.files[INRELEASE] += b"\nSHA256:\n" + b"0" * 64 + b" 1 main/binary-amd64/Packages.xz\n"
    assert candidate(debian, "tzdata") == "2026f-0"


def test_text_before_the_signature_is_refused(debian: Debian, server: FaultyServer) -> None:
    server.files[INRELEASE] = b"Origin: Debian\n\n" + server.files[INRELEASE]
    refused(debian, UnsignedError, 5)


def test_an_expired_release(debian: Debian, server: FaultyServer, key: SigningKey) -> None:
    until = NOW - timedelta(seconds=1)
    resign(server, key, ReleaseText("bookworm", valid_until=until))
    error = refused(debian, ExpiredReleaseError, 5)
    assert "2026-11-21 11:59 UTC" in error.message


def test_a_release_that_is_still_valid(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    release = ReleaseText("bookworm", valid_until=NOW + timedelta(seconds=1))
    for path, data in Archive(release, [LIBC]).files(key).items():
        server.files[f"/debian{path}"] = data
    assert candidate(debian, "libc6") == "2.36-9+deb12u15"


def test_the_release_of_another_suite(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    resign(server, key, ReleaseText("bookworm", codename="bullseye"))
    error = refused(debian, WrongReleaseError, 5)
    assert "bullseye" in error.message


def test_the_release_of_another_origin(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    resign(server, key, ReleaseText("bookworm", origin="Elsewhere"))
    refused(debian, ForeignReleaseError, 5)


def test_other_bytes_under_the_hash(debian: Debian, server: FaultyServer) -> None:
    archive = Archive(ReleaseText("bookworm"), [LIBC, TZDATA])
    path = f"/debian{archive.by_hash('amd64')}"
    server.files[path] = bytes(len(server.files[path]))
    refused(debian, WrongArtifactsError, 5)


def test_an_archive_without_by_hash(debian: Debian, server: FaultyServer, key: SigningKey) -> None:
    archive = Archive(ReleaseText("bookworm", by_hash="no"), [LIBC])
    server.files[INRELEASE] = archive.files(key)[f"{archive.folder}/InRelease"]
    path = "main/binary-amd64/Packages.xz"
    server.files[f"/debian/dists/bookworm/{path}"] = archive.indexes[path]
    assert candidate(debian, "libc6") == "2.36-9+deb12u15"
    assert not [
        a
        for a in server.asked
        if "/debian/" in a.path and "bookworm/main/binary-amd64/by-hash" in a.path
    ]


def test_an_index_that_is_no_xz(debian: Debian, server: FaultyServer, key: SigningKey) -> None:
    broken = {"main/binary-amd64/Packages.xz": b"no xz"}
    server.files[INRELEASE] = key.sign(ReleaseText("bookworm", by_hash="no").over(broken))
    server.files["/debian/dists/bookworm/main/binary-amd64/Packages.xz"] = b"no xz"
    refused(debian, CorruptIndexError, 5)


def test_a_platform_that_the_suite_has_not(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    server.files[INRELEASE] = key.sign(ReleaseText("bookworm").over({}))
    error = refused(debian, NoSuchIndexError, 7)
    assert "linux/amd64" in error.message


def test_an_unknown_suite(debian: Debian) -> None:
    with pytest.raises(SuiteNotFoundError, match="bookwrom is not in") as caught:
        debian.index("bookwrom", AMD64, Progress())
    assert caught.value.exit_code == 6


def test_an_archive_that_does_not_answer(debian: Debian) -> None:
    mirrors = {**debian.mirrors, "debian-security": "http://user:secret@127.0.0.1:9/x"}
    error = refused(dataclasses.replace(debian, mirrors=mirrors), NoConnectionError, 6)
    assert "127.0.0.1:9" in error.message
    assert "secret" not in error.message


# Where no mirror is given.


def on_host(debian: Debian, host: HostApt) -> Debian:
    snapshot = {"snapshot": debian.mirrors["snapshot"]}
    return dataclasses.replace(debian, mirrors=snapshot, apt=lambda: host)


def host_of_bookworm(server: FaultyServer, minds_expiry: bool = True) -> HostApt:
    return HostApt(
        (
            AptSource(server.url("/other"), "bookworm"),
            AptSource(server.url("/debian"), "bookworm"),
            AptSource(server.url("/debian-security"), "bookworm-security"),
        ),
        minds_expiry,
    )


def test_the_hosts_own_archives(debian: Debian, server: FaultyServer) -> None:
    assert candidate(on_host(debian, host_of_bookworm(server)), "libc6") == "2.36-9+deb12u15"


def test_a_hosts_archive_that_is_somebody_elses_is_passed_over(
    debian: Debian, server: FaultyServer
) -> None:
    with signing_key() as other:
        files = Archive(ReleaseText("bookworm"), [make_deb("libc6", "9")]).files(other)
        server.files.update({f"/other{path}": data for path, data in files.items()})
    assert candidate(on_host(debian, host_of_bookworm(server)), "libc6") == "2.36-9+deb12u15"


def test_a_suite_that_the_host_does_not_use(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    server.files.update(suite_files(key, "trixie", [make_deb("libc6", "2.41-12")]))
    index = on_host(debian, host_of_bookworm(server)).index("trixie", AMD64, Progress())
    assert index.candidate("libc6") is not None


def test_a_hosts_archive_that_was_tampered_with_is_no_reason_to_ask_another(
    debian: Debian, server: FaultyServer
) -> None:
    server.files[INRELEASE] = server.files[INRELEASE].replace(b"Debian", b"debian")
    refused(on_host(debian, host_of_bookworm(server)), TamperedError, 5)


def test_expiry_is_minded_as_the_host_does(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    release = ReleaseText("bookworm", valid_until=NOW - timedelta(days=30))
    for path, data in Archive(release, [LIBC]).files(key).items():
        server.files[f"/debian{path}"] = data
    assert candidate(on_host(debian, host_of_bookworm(server, minds_expiry=False)), "libc6")
    refused(on_host(debian, host_of_bookworm(server)), ExpiredReleaseError, 5)


def test_a_host_without_archives_uses_the_snapshot_archive_of_now(
    debian: Debian, server: FaultyServer, suite: dict[str, bytes]
) -> None:
    for path, data in suite.items():
        _, archive, rest = path.split("/", 2)
        server.files[f"/snapshot/archive/{archive}/20261121T120000Z/{rest}"] = data
    assert candidate(on_host(debian, HostApt()), "libc6") == "2.36-9+deb12u15"


def test_a_suite_that_is_nowhere(debian: Debian, server: FaultyServer) -> None:
    with pytest.raises(SuiteNotFoundError) as caught:
        on_host(debian, host_of_bookworm(server)).index("bookwrom", AMD64, Progress())
    asked = [server.url("/other"), server.url("/debian")]
    assert list(caught.value.asked[:2]) == asked
    assert "/snapshot/archive/debian/" in caught.value.message


# Finding .debs of a lock again.


def stored(debian: Debian, debs: list[MadeDeb]) -> bool:
    """Whether the .debs of a lock come into the store."""
    locked = [made.deb for made in debs]
    found = debian.locate("bookworm", locked, Progress())
    fetch(debian.store, debian.transport, deb_artifacts(locked), lambda _: found, Progress())
    return all(debian.store.blobs.read(made.deb.sha256) == made.data for made in debs)


def serve_snapshot(server: FaultyServer, made: MadeDeb, **changed: object) -> None:
    sha1 = "a" * 40
    answer: dict[str, object] = {
        "package": made.name,
        "result": [
            {"hash": "b" * 40, "architecture": "s390x"},
            {"hash": sha1, "architecture": made.architecture},
        ],
        "fileinfo": {sha1: [{"size": len(made.data), "name": "x"}], "b" * 40: [{"size": 1}]},
        **changed,
    }
    version = made.version.replace("+", "%2B").replace(":", "%3A")
    path = f"/snapshot/mr/binary/{made.name}/{version}/binfiles"
    server.files[path] = json.dumps(answer).encode()
    server.files[f"/snapshot/file/{sha1}"] = made.data


def test_debs_that_the_archives_list(debian: Debian, server: FaultyServer) -> None:
    assert stored(debian, [LIBC, TZDATA, FIXED])
    assert not [asked for asked in server.asked if "snapshot" in asked.path]


def test_an_expired_release_is_good_enough_to_find_debs(
    debian: Debian, server: FaultyServer, key: SigningKey
) -> None:
    release = ReleaseText("bookworm", valid_until=NOW - timedelta(days=30))
    for path, data in Archive(release, [LIBC]).files(key).items():
        server.files[f"/debian{path}"] = data
    assert stored(debian, [LIBC])


def test_a_deb_that_only_the_snapshot_archive_has(debian: Debian, server: FaultyServer) -> None:
    gone = make_deb("libc6", "1:2.36-9+deb12u1")
    serve_snapshot(server, gone)
    assert stored(debian, [LIBC, gone])


def test_the_same_name_and_version_with_another_digest_is_another_deb(
    debian: Debian, server: FaultyServer
) -> None:
    rebuilt = make_deb("libc6", LIBC.version, depends="x")
    with pytest.raises(DebsGoneError):
        debian.locate("bookworm", [rebuilt.deb], Progress())
    serve_snapshot(server, dataclasses.replace(rebuilt, data=bytes(len(rebuilt.data))))
    with pytest.raises(WrongArtifactsError):
        stored(debian, [rebuilt])


def test_a_deb_that_is_nowhere(debian: Debian) -> None:
    gone = make_deb("libgone", "1:1.0")
    with pytest.raises(DebsGoneError, match=r"libgone_1\.0_amd64\.deb") as caught:
        debian.locate("bookworm", [LIBC.deb, gone.deb], Progress())
    assert caught.value.exit_code == 6
    assert caught.value.debs == (gone.deb,)
    assert "--upgrade-foundation" in caught.value.hint


@pytest.mark.parametrize(
    "changed", [{"result": []}, {"fileinfo": {}}, {"fileinfo": {"a" * 40: [{"size": 1}]}}]
)
def test_a_snapshot_archive_that_has_another_file(
    debian: Debian, server: FaultyServer, changed: dict[str, object]
) -> None:
    gone = make_deb("libgone")
    serve_snapshot(server, gone, **changed)
    with pytest.raises(DebsGoneError, match="doesn't have them either"):
        debian.locate("bookworm", [gone.deb], Progress())


@pytest.mark.parametrize("answer", [b"no json", b"{}", b'{"result": 1, "fileinfo": {}}'])
def test_a_snapshot_archive_that_answers_nonsense(
    debian: Debian, server: FaultyServer, answer: bytes
) -> None:
    gone = make_deb("libgone")
    server.files["/snapshot/mr/binary/libgone/1.0-1/binfiles"] = answer
    with pytest.raises(DebsGoneError, match="can't be read"):
        debian.locate("bookworm", [gone.deb], Progress())


def test_a_snapshot_archive_out_of_order(debian: Debian, server: FaultyServer) -> None:
    server.always["/snapshot/mr/binary/libgone/1.0-1/binfiles"] = Fault(status=503)
    with pytest.raises(DebsGoneError, match="503"):
        debian.locate("bookworm", [make_deb("libgone").deb], Progress())


# Where another program checks signatures, or none.


def programs(folder: Path, **scripts: str) -> str:
    """A folder with these shell scripts, as PATH."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_machine_that_can_not_check_signatures(
    debian: Debian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin"))
    error = refused(debian, VerifierMissingError, 6)
    assert "apt-get install gpgv" in error.hint


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo Missing key 1234, which is needed >&2; exit 1", UnknownSignerError),
        ("echo '  Message has been manipulated' >&2; exit 1", TamperedError),
        ("echo 'Error: no armor' >&2; exit 1", SignatureError),
        ("echo \"error: Found argument '--cleartext'\" >&2; exit 2", VerifierMissingError),
        ("echo 1234", UnknownSignerError),
    ],
)
def test_what_sqv_refuses(
    debian: Debian,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    error: type[BasestoreError],
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", sqv=script))
    refused(debian, error, error.exit_code)


def test_what_sqv_accepts(
    debian: Debian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring: Keyring
) -> None:
    """A program with sqv's interface, which takes every message to be the signed one."""
    text = tmp_path / "text"
    text.write_bytes(Archive(ReleaseText("bookworm"), [LIBC, TZDATA]).text)
    (fingerprint,) = keyring.fingerprints
    copy = f'while IFS= read -r line; do echo "$line"; done <{text} >"$2"'
    copy = f'while [ "$1" != --output ]; do shift; done; {copy}'
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", sqv=f"{copy}; echo {fingerprint}"))
    reader = ReleaseReader(debian.store, debian.transport, keyring)
    release = reader.read(Place(debian.mirrors["debian"].rstrip("/"), NOW), "bookworm")
    assert release.codename == "bookworm"
