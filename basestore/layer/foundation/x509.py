"""As much of X.509 as finding a certificate in a folder by its subject takes.

DER: ITU-T X.690. Certificate: RFC 5280, 4.1. PEM: RFC 7468.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

_PEM = re.compile(
    rb"-----BEGIN ((?:X509 )?CERTIFICATE)-----(.*?)-----END \1-----",
    re.DOTALL,
)
_UTF8_STRING = 0x0C
# The string types that OpenSSL folds, with the encodings of their content.
_STRINGS = {
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_VERSION, _SEQUENCE = 0xA0, 0x30
_INDEFINITE = 0x80
_SPACE = " \t\n\v\f\r"


class MalformedCertificateError(ValueError):
    """The bytes are not a certificate."""


def certificates(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file, in DER."""
    try:
        return [base64.b64decode(body, validate=False) for _, body in _PEM.findall(pem)]
    except binascii.Error as error:
        raise MalformedCertificateError(str(error)) from error


def subject_hash(certificate: bytes) -> str:
    """The eight digits by which OpenSSL's ``X509_NAME_hash`` finds a certificate's subject.

    The first four bytes, little-endian, of the SHA-1 of the name in a canonical form: its
    attributes' strings in UTF-8, ASCII letters in lower case, white space trimmed and collapsed.
    """
    name = b"".join(_canonical_set(content) for _, content in _values(_subject(certificate)))
    return hashlib.sha1(name, usedforsecurity=False).digest()[3::-1].hex()


def _subject(certificate: bytes) -> bytes:
    """TBSCertificate: [version], serial, signature, issuer, validity, subject."""
    try:
        tbs = next(_values(next(_values(certificate))[1]))[1]
        fields = [value for value in _values(tbs) if value[0] != _VERSION]
        tag, subject = fields[4]
    except (StopIteration, IndexError) as error:
        raise MalformedCertificateError("it is no certificate") from error
    if tag != _SEQUENCE:
        raise MalformedCertificateError("its subject is no name")
    return subject


def _canonical_set(content: bytes) -> bytes:
    """One relative distinguished name; OpenSSL leaves the order of its attributes to DER."""
    attributes = sorted(_canonical_attribute(attribute) for _, attribute in _values(content))
    return _value(0x31, b"".join(attributes))


def _canonical_attribute(content: bytes) -> bytes:
    parts = list(_values(content))
    if len(parts) < 2:
        raise MalformedCertificateError("an attribute of its subject has no value")
    (kind, oid), (tag, data) = parts[:2]
    if tag in _STRINGS:
        text = data.decode(_STRINGS[tag], "replace")
        tag, data = _UTF8_STRING, _folded(text).encode()
    return _value(_SEQUENCE, _value(kind, oid) + _value(tag, data))


def _folded(text: str) -> str:
    words = re.split(f"[{_SPACE}]+", text.strip(_SPACE))
    return "".join(c.lower() if c.isascii() else c for c in " ".join(words))


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag-length-value triples that follow each other in ``data``: tag and content."""
    at = 0
    while at < len(data):
        tag, length, start = data[at], *_length(data, at + 1)
        if start + length > len(data):
            raise MalformedCertificateError("it ends early")
        yield tag, data[start : start + length]
        at = start + length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A definite length and where the content begins (X.690, 8.1.3)."""
    if at >= len(data):
        raise MalformedCertificateError("it ends early")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    if first == _INDEFINITE or end > len(data):
        raise MalformedCertificateError("a length in it is not of DER")
    return int.from_bytes(data[at + 1 : end], "big"), end


def _value(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
