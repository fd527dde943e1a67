"""A project with locks that nothing was resolved for."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from debmaker import MadeDeb, make_deb

from basestore.digest import Digest
from basestore.lock import codec
from basestore.lock.config import image_config, record_exceptions
from basestore.lock.files import read_lock, write_lock
from basestore.lock.foundation import foundation_digest
from basestore.lock.freshness import source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Deb, Lock, PlatformLock, Wheel
from basestore.lock.origin import DebOrigin, Head, Origin, PackageOrigin
from basestore.lock.texts import texts_of
from basestore.profile.model import Location, Profile
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.resolve.foundation import SolvedFoundation
from basestore.store import Store
from basestore.target import Platform

RUNTIME = """python = "3.11"
platforms = ["linux/amd64"]
requirements = ["redis", "httpx"]
requirements-files = ["base.txt"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
_VERSIONS = {"python3.11": "3.11.2-6+deb12u6", "libc6": "2.36-9+deb12u10"}
CPU = 'extends = "runtime"\nrequirements = ["torch"]\n'


def make_project(root: Path) -> None:
    """A project with two locked profiles, one the other's parent."""
    (root / "profiles").mkdir()
    (root / "profiles" / "runtime.toml").write_text(RUNTIME)
    (root / "profiles" / "base.txt").write_text("orjson\n")
    (root / "profiles" / "cpu.toml").write_text(CPU)
    lock(root, "runtime")
    lock(root, "cpu")


def lock(
    root: Path, name: str, waived: date | None = None, wheels: tuple[Wheel, ...] = ()
) -> Digest:
    """Lock a profile or service as the tool would, each requirement to its version 1.

    ``wheels``: instead of those that nobody has.
    """
    project = read_project(root)
    profile = read_profile(project, name)
    parent = read_lock(project, profile.parent.name)[1] if profile.parent else None
    generations = (profile,) if profile.service else profile.lineage
    asked = ((g.name, r.name) for g in generations for r in g.requirements)
    wheels = wheels or _wheels(list(dict.fromkeys(asked)))
    debs = () if profile.service else debs_of(*profile.foundation.packages)
    platforms = (PlatformLock(Platform("amd64"), "3.11.2", "2.36", debs, wheels),)
    made = Lock(
        profile=name,
        image=image_config(profile),
        platforms=platforms,
        lineage=tuple(generation.name for generation in generations),
        base=profile.service.base if profile.service else "",
        record_exceptions=record_exceptions(profile, platforms),
    )
    now = inputs(profile, parent)
    digest = Digest.of(codec.write(made))
    how = Origin(
        head=Head(digest, now.digest, source_files(profile, parent), waived),
        resolver="uv 1",
        resolved=datetime(2026, 11, 20, tzinfo=UTC),
        parts=now.parts,
        direct=_direct(profile),
        packages={one.name: PackageOrigin("default") for one in wheels},
        debs={one.name: DebOrigin("", _needs(one)) for one in debs},
        stated=texts_of(profile.requirements),
        bounds=texts_of(profile.constraints),
        foundation=foundation_digest(made),
    )
    return write_lock(project, made, how)


def debs_of(*names: str) -> tuple[Deb, ...]:
    """The .debs of a foundation that has these, and what Python needs."""
    wanted = sorted({*names, "python3.11", "libc6"})
    return tuple(_made(name, _VERSIONS.get(name, "1")).deb for name in wanted)


def keep_debs(store: Store) -> None:
    """Bring what stands for the .debs of these projects into a store."""
    for name, version in _VERSIONS.items():
        store.blobs.add(_made(name, version).data)


def _made(name: str, version: str) -> MadeDeb:
    needs = {} if name == "libc6" else {"depends": "libc6"}
    return make_deb(name, version, "all", **needs)


def solved(*names: str) -> SolvedFoundation:
    """The foundation that these .debs and what Python needs come to."""
    debs = debs_of(*names)
    return SolvedFoundation(debs, "3.11.2", "2.36", {one.name: _needs(one) for one in debs})


def _needs(deb: Deb) -> tuple[str, ...]:
    return () if deb.name == "libc6" else ("libc6",)


def _direct(profile: Profile) -> Mapping[str, tuple[Location, ...]]:
    places: dict[str, set[Location]] = {}
    for one in profile.requirements:
        places.setdefault(one.name, set()).add(one.location)
    return {name: tuple(sorted(at)) for name, at in places.items()}


def _wheels(names: list[tuple[str, str]]) -> tuple[Wheel, ...]:
    return tuple(
        Wheel(name, "1", f"{name}-1-py3-none-any.whl", 9, Digest.of(name.encode()), generation)
        for generation, name in names
    )


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that the file holds."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
