"""Clear-signed messages (RFC 9580 7), checked by gpgv or sqv, whichever the machine has."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import IntegrityError, UnreachableError

_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"

# Hash algorithms that a signature may be made over, by number: SHA-2 of 256 bits and more
# (RFC 9580 9.5).
_STRONG = {"8", "9", "10"}


class VerifierMissingError(UnreachableError):
    """No program that checks signatures is there."""

    def __init__(self) -> None:
        super().__init__(
            "neither gpgv nor sqv (1.3 or later) is there to check the signature of Debian's index",
            "install one of them: apt-get install gpgv",
        )


class SignatureError(IntegrityError):
    """A message isn't what its signer signed."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"{what} can't be trusted: {reason}",
            "use another mirror; don't trust this one before you know why",
        )
        self.what = what


class UnsignedError(SignatureError):
    """A message has no signature."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "it is not signed")


class TamperedError(SignatureError):
    """A message was changed after it was signed."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "its signature doesn't match its content")


class UnknownSignerError(SignatureError):
    """A message is signed, but by none of the keys that count."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "none of the keys that may sign it has signed it")


@dataclass(frozen=True, slots=True)
class Keyring:
    """Public keys (binary OpenPGP certificates) and the primary fingerprints that count."""

    certificates: bytes
    fingerprints: frozenset[str]


def verified_text(message: bytes, keyring: Keyring, folder: Path, what: str) -> bytes:
    """The text that one of the keys signed, and nothing around it.

    ``folder`` is an empty one for the programs' files; ``what`` names the message in errors. Raises
    SignatureError and VerifierMissingError.
    """
    if not message.startswith(_BEGIN):
        raise UnsignedError(what)
    files = _Files(folder / "message", folder / "keyring.gpg", folder / "text")
    files.message.write_bytes(message)
    files.keyring.write_bytes(keyring.certificates)
    signers = _signers(files, what)
    if not keyring.fingerprints & signers:
        raise UnknownSignerError(what)
    return files.text.read_bytes()


def claimed_text(message: bytes, what: str) -> bytes:
    """The text that somebody says they signed: for where a digest, not a signature, decides.

    RFC 9580 7.1: after the headers and an empty line, dash-escaped. Raises UnsignedError.
    """
    if not message.startswith(_BEGIN):
        raise UnsignedError(what)
    text = message.partition(b"\n\n")[2].partition(b"\n-----BEGIN PGP SIGNATURE-----")[0]
    return text.replace(b"\n- ", b"\n") + b"\n"


@dataclass(frozen=True, slots=True)
class _Files:
    """What a checking program reads, and the signed text that it writes."""

    message: Path
    keyring: Path
    text: Path

    @property
    def options(self) -> list[str]:
        return ["--keyring", str(self.keyring), "--output", str(self.text), str(self.message)]


def _signers(files: _Files, what: str) -> frozenset[str]:
    for check in (_gpgv, _sqv):
        try:
            return frozenset(check(files, what))
        except FileNotFoundError:
            continue
    raise VerifierMissingError


def _gpgv(files: _Files, what: str) -> list[str]:
    """The primary fingerprints of good signatures; raises SignatureError and FileNotFoundError.

    gpgv also reads text outside the signed part; only what it writes to ``--output`` is signed. Its
    exit code is no help: one signature by a key that isn't ours is enough to fail.
    """
    home = str(files.message.parent)
    status = _run(["gpgv", "--status-fd", "1", "--homedir", home, *files.options]).stdout
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    if any(line[0] == "BADSIG" for line in lines):
        raise TamperedError(what)
    signers = list(_good_signers(lines))
    if not signers and not any(line[0] == "NO_PUBKEY" for line in lines):
        raise SignatureError(what, "it has no good signature")
    return signers


def _good_signers(lines: list[list[str]]) -> Iterator[str]:
    """The primary keys of the signatures that gpgv's status lines (gnupg, doc/DETAILS) call good.

    An expired or revoked key gives VALIDSIG too, but another line than GOODSIG before it. VALIDSIG
    has the hash algorithm in its field 8 and the primary key's fingerprint in field 10.
    """
    good = False
    for keyword, *fields in lines:
        if keyword in ("NEWSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"):
            good = False
        elif keyword == "GOODSIG":
            good = True
        elif keyword == "VALIDSIG" and good and fields[7] in _STRONG:
            yield fields[9]


def _sqv(files: _Files, what: str) -> list[str]:
    """The primary fingerprints of good signatures; raises SignatureError and FileNotFoundError."""
    done = _run(["sqv", "--cleartext", *files.options])
    if done.returncode == 0:
        return done.stdout.split()
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if any("--cleartext" in line for line in said):
        raise VerifierMissingError
    if any("manipulated" in line for line in said):
        raise TamperedError(what)
    if all(line.startswith("Missing key") for line in said):
        raise UnknownSignerError(what)
    raise SignatureError(what, f"sqv says {said[0]}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
