"""Tiny archives of Debian packages: .debs, Packages and a Release signed by a key of the test's.

An archive is a mapping from path (with a slash at its begin) to bytes: serve it, or write it to a
folder and use its ``file://`` URL. All bytes but the signature are a function of the arguments.
"""

import hashlib
import lzma
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from debbytes import control, deb
from services import need_program

from basestore.digest import Digest
from basestore.lock.model import Deb
from basestore.sources.signature import Keyring

ARCHITECTURES = ("amd64", "arm64")
DATED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class MadeDeb:
    """A .deb in memory, and the relations its control data and its stanza have."""

    name: str
    version: str
    architecture: str
    data: bytes
    fields: str = ""

    @property
    def deb(self) -> Deb:
        """As a lock names it."""
        size, digest = len(self.data), Digest.of(self.data)
        return Deb(self.name, self.version, self.architecture, size, digest)

    @property
    def file(self) -> str:
        """Its path below an archive's base URL, without the version's epoch."""
        version = self.version.rpartition(":")[2]
        return f"pool/main/{self.name[0]}/{self.name}/{self.name}_{version}_{self.architecture}.deb"

    @property
    def stanza(self) -> bytes:
        """Its part of a Packages file."""
        return (
            f"Package: {self.name}\nVersion: {self.version}\nArchitecture: {self.architecture}\n"
            f"Maintainer: Nobody <nobody@example.com>\n{self.fields}"
            f"Filename: {self.file}\nSize: {len(self.data)}\n"
            f"SHA256: {hashlib.sha256(self.data).hexdigest()}\nDescription: {self.name}\n"
        ).encode()


def make_deb(
    name: str,
    version: str = "1.0-1",
    architecture: str = "amd64",
    items: Sequence[bytes] = (),
    **fields: str,
) -> MadeDeb:
    """A package. ``items``: tar entries (see debbytes); ``fields``: ``pre_depends="libc6"`` ..."""
    more = "".join(f"{key.replace('_', '-').title()}: {text}\n" for key, text in fields.items())
    made = control(name, version=version, architecture=architecture, more=more)
    return MadeDeb(name, version, architecture, deb(made, items), more)


def packages_file(debs: Sequence[MadeDeb]) -> bytes:
    """A Packages file."""
    return b"\n".join(made.stanza for made in debs)


@dataclass(frozen=True)
class ReleaseText:
    """What a Release says besides its files."""

    suite: str
    origin: str = "Debian"
    codename: str = ""
    valid_until: datetime | None = None
    by_hash: str = "yes"

    def over(self, files: Mapping[str, bytes]) -> bytes:
        """The Release of these files."""
        lines = [
            f"Origin: {self.origin}",
            f"Suite: {self.codename or self.suite}",
            f"Codename: {self.codename or self.suite}",
            f"Date: {_date(DATED)}",
            *([f"Valid-Until: {_date(self.valid_until)}"] if self.valid_until else []),
            f"Acquire-By-Hash: {self.by_hash}",
            "SHA256:",
            *(
                f" {hashlib.sha256(data).hexdigest()} {len(data)} {path}"
                for path, data in files.items()
            ),
        ]
        return "\n".join(lines).encode() + b"\n"


@dataclass(frozen=True)
class SigningKey:
    """A key pair in a temporary gpg home."""

    home: Path
    fingerprint: str

    @property
    def keyring(self) -> Keyring:
        """The key as the one that counts."""
        return Keyring(self._gpg("--export", self.fingerprint), frozenset({self.fingerprint}))

    def sign(self, text: bytes, *, along_with: "SigningKey | None" = None) -> bytes:
        """Clear-sign a text, with another key too where one is given."""
        signing = ["--clearsign", "--digest-algo", "SHA256", "--local-user", self.fingerprint]
        if along_with is None:
            return self._gpg(*signing, data=text)
        secret = along_with._gpg("--export-secret-keys", along_with.fingerprint)
        self._gpg("--import", data=secret)
        return self._gpg(*signing, "--local-user", along_with.fingerprint, data=text)

    def _gpg(self, *arguments: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout


@contextmanager
def signing_key() -> Iterator[SigningKey]:
    """A new key; for a test that needs gpg."""
    need_program("gpg")
    # Not pytest's folder: gpg's agent has a socket there, whose path must be short.
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        home = ["--homedir", folder]
        making = ["--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "Archive of a test"]
        _run(["gpg", *home, *making, "ed25519", "sign", "never"])
        listed = _run(["gpg", *home, "--batch", "--with-colons", "--list-keys"])
        fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr"))
        try:
            yield SigningKey(Path(folder), fingerprint.split(":")[9])
        finally:
            _run(["gpgconf", *home, "--kill", "all"])


@dataclass(frozen=True)
class Archive:
    """One suite of one archive; ``files`` are its bytes by path."""

    release: ReleaseText
    debs: Sequence[MadeDeb] = ()
    indexes: Mapping[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        indexes = {}
        for architecture in ARCHITECTURES:
            fitting = [made for made in self.debs if made.architecture in ("all", architecture)]
            path = f"main/binary-{architecture}/Packages"
            indexes[path] = packages_file(fitting)
            indexes[f"{path}.xz"] = lzma.compress(indexes[path])
        object.__setattr__(self, "indexes", indexes)

    @property
    def folder(self) -> str:
        """The suite's folder."""
        return f"/dists/{self.release.suite}"

    @property
    def text(self) -> bytes:
        """The Release, not signed."""
        return self.release.over(self.indexes)

    def by_hash(self, architecture: str) -> str:
        """The path of the index of an architecture, by its hash."""
        data = self.indexes[f"main/binary-{architecture}/Packages.xz"]
        name = f"by-hash/SHA256/{hashlib.sha256(data).hexdigest()}"
        return f"{self.folder}/main/binary-{architecture}/{name}"

    def files(self, key: SigningKey) -> dict[str, bytes]:
        """Everything, signed."""
        return {
            f"{self.folder}/InRelease": key.sign(self.text),
            **{
                self.by_hash(a): self.indexes[f"main/binary-{a}/Packages.xz"] for a in ARCHITECTURES
            },
            **{f"/{made.file}": made.data for made in self.debs},
        }


def suite_files(
    key: SigningKey,
    suite: str,
    debs: Sequence[MadeDeb],
    *,
    updates: Sequence[MadeDeb] = (),
    security: Sequence[MadeDeb] = (),
) -> dict[str, bytes]:
    """A whole suite below ``/debian`` and ``/debian-security``."""
    parts = (
        ("/debian", suite, debs),
        ("/debian", f"{suite}-updates", updates),
        ("/debian-security", f"{suite}-security", security),
    )
    return {
        f"{base}{path}": data
        for base, name, made in parts
        for path, data in Archive(ReleaseText(name), made).files(key).items()
    }


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder, for ``file://`` URLs."""
    for path, data in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S UTC")


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
