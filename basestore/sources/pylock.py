"""Reading what uv resolved, and writing what it should prefer: ``pylock.toml`` (PEP 751)."""

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from basestore.canonical import toml_string
from basestore.digest import Digest
from basestore.errors import InputError, UnreachableError
from basestore.profile.names import ENDLESS_NUMBER

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageWheel, Pylock


@dataclass(frozen=True, slots=True)
class IndexedWheel:
    """A wheel as an index shows it; ``size`` in bytes where the index tells it.

    ``told``: whether the digest is the index's word, and not just what the file turned out to be.
    """

    file: str
    url: str
    sha256: Digest
    size: int | None
    uploaded: datetime | None
    told: bool = True


@dataclass(frozen=True, slots=True)
class UnhashedWheel:
    """A wheel for which an index tells no SHA-256."""

    file: str
    url: str
    size: int | None
    uploaded: datetime | None

    def hashed(self, sha256: Digest) -> IndexedWheel:
        """The wheel with the digest that its file turned out to have."""
        return IndexedWheel(self.file, self.url, sha256, self.size, self.uploaded, told=False)


@dataclass(frozen=True, slots=True)
class IndexedPackage:
    """A version of a package and those of its wheels that uv takes for compatible.

    ``name`` is normalised (PEP 503). ``unhashed``: the wheels whose digest nobody has told.
    """

    name: str
    version: str
    wheels: tuple[IndexedWheel, ...]
    unhashed: tuple[UnhashedWheel, ...] = ()


class PylockError(UnreachableError):
    """The resolver's answer is not what the standard promises."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"uv answered with a pylock.toml that can't be used: {reason}",
            "another version of uv may help; please report this one",
        )
        self.reason = reason


class MissingHashError(UnreachableError):
    """An index tells no SHA-256 for a wheel."""

    def __init__(self, file: str, url: str) -> None:
        super().__init__(
            f"{_host(url)} tells no SHA-256 for {file}, so it can't be locked",
            "use an index or a mirror that publishes SHA-256 hashes",
        )
        self.file = file


class DirectUrlError(InputError):
    """A requirement names a folder, repository or source archive instead of a wheel."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is asked for by a reference that is no wheel's; only wheels can be locked",
            "build a wheel of it, and put that into an index or at a URL",
        )
        self.name = name


def parse_pylock(data: bytes) -> "Pylock":
    """A ``pylock.toml``, checked as by ``packaging.pylock``; raises ValueError with the reason."""
    from packaging.pylock import Pylock, PylockValidationError

    text = data.decode()
    if ENDLESS_NUMBER.search(text):
        raise ValueError("it has a number of a thousand digits")
    try:
        return Pylock.from_dict(tomllib.loads(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except PylockValidationError as error:
        raise ValueError(str(error)) from error


def read_pylock(data: bytes) -> tuple[IndexedPackage, ...]:
    """The packages of a ``pylock.toml`` that uv wrote for one platform, sorted by name.

    Besides what ``packaging.pylock`` checks, names are unique, hashes are SHA-256 and sizes are
    sane. Raises PylockError, MissingHashError and DirectUrlError.
    """
    try:
        pylock = parse_pylock(data)
    except ValueError as error:
        raise PylockError(str(error)) from error
    packages = sorted(
        (indexed_package(package) for package in pylock.packages), key=lambda p: p.name
    )
    for one, next_one in itertools.pairwise(packages):
        if one.name == next_one.name:
            raise PylockError(f"{one.name} stands in it twice")
    return tuple(packages)


def write_preferences(pins: Mapping[str, str]) -> bytes:
    """A ``pylock.toml`` with names and versions only, which uv prefers when it resolves."""
    lines = ['lock-version = "1.0"', 'created-by = "basestore"']
    for name, version in sorted(pins.items()):
        lines += [
            "[[packages]]",
            f"name = {toml_string(name)}",
            f"version = {toml_string(version)}",
        ]
    return ("\n".join(lines) + "\n").encode()


def indexed_package(package: "Package") -> IndexedPackage:
    """A package of a ``pylock.toml``; a wheel that is asked for by URL is its only one.

    Raises PylockError, MissingHashError and DirectUrlError.
    """
    if package.archive is not None and package.archive.url and package.version is not None:
        return IndexedPackage(package.name, str(package.version), (_archive(package),))
    if package.is_direct or package.version is None:
        raise DirectUrlError(package.name)
    shown = [_wheel(wheel) for wheel in package.wheels or ()]
    wheels = tuple(wheel for wheel in shown if isinstance(wheel, IndexedWheel))
    unhashed = tuple(wheel for wheel in shown if isinstance(wheel, UnhashedWheel))
    return IndexedPackage(package.name, str(package.version), wheels, unhashed)


def _archive(package: "Package") -> IndexedWheel:
    from urllib.parse import unquote, urlsplit

    archive = package.archive
    url = archive.url if archive else None
    try:
        file = unquote(urlsplit(url or "").path.rpartition("/")[2])
    except ValueError:
        raise PylockError(f"the URL of {package.name} is none") from None
    if archive is None or url is None or not file.endswith(".whl"):
        raise DirectUrlError(package.name)
    _check_wheel(file, package)
    size = _size(file, archive.size)
    sha256 = _sha256(archive.hashes, file, url)
    return IndexedWheel(file, url, sha256, size, _moment(archive.upload_time))


def _check_wheel(file: str, package: "Package") -> None:
    """An archive's name, which the standard doesn't hold to the package's."""
    from packaging.utils import parse_wheel_filename

    try:
        name, version, *_ = parse_wheel_filename(file)
    except ValueError:  # InvalidWheelFilename is one, and so are thousands of digits
        raise PylockError(f"{file} is no wheel's name") from None
    if (name, version) != (package.name, package.version):
        raise PylockError(f"{file} is no wheel of {package.name} {package.version}")


def _size(file: str, told: int | None) -> int | None:
    """The size told; no wheel has none, so that 0 tells nothing."""
    if told is not None and told < 0:
        raise PylockError(f"{file} has the size {told}")
    return told or None


def _wheel(wheel: "PackageWheel") -> IndexedWheel | UnhashedWheel:
    if wheel.url is None:
        raise PylockError(f"{wheel.filename} has no URL")
    size = _size(wheel.filename, wheel.size)
    uploaded = _moment(wheel.upload_time)
    if "sha256" not in wheel.hashes:
        return UnhashedWheel(wheel.filename, wheel.url, size, uploaded)
    sha256 = _sha256(wheel.hashes, wheel.filename, wheel.url)
    return IndexedWheel(wheel.filename, wheel.url, sha256, size, uploaded)


def _moment(told: datetime | None) -> datetime | None:
    """The standard has upload times in UTC, but lets a file leave the offset out."""
    return told.replace(tzinfo=UTC) if told and told.tzinfo is None else told


def _sha256(hashes: Mapping[str, str], file: str, url: str) -> Digest:
    if "sha256" not in hashes:
        raise MissingHashError(file, url)
    try:
        return Digest(hashes["sha256"])
    except ValueError as error:
        raise PylockError(f"{file}: {error}") from error


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or "the index"
