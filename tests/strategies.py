"""Hypothesis strategies for values that several tests need."""

import string
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from basestore.digest import Digest
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Replaced, Wheel
from basestore.profile.model import Healthcheck
from basestore.target import Platform

PLATFORMS = (Platform("amd64"), Platform("arm64"))

digests = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex()))
sizes = st.integers(1, 2**40)
package_names = st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,3}){0,2}", fullmatch=True)
plain_names = st.from_regex(r"[a-z0-9]{1,4}([._-][a-z0-9]{1,3}){0,2}", fullmatch=True)
debian_names = st.from_regex(r"[a-z0-9][a-z0-9+.-]{1,8}", fullmatch=True)
debian_versions = st.from_regex(r"([1-9]:)?[0-9][0-9A-Za-z.+~-]{0,8}", fullmatch=True)
texts = st.text(max_size=12)
words = st.text(string.ascii_letters + string.digits + "/-", min_size=1, max_size=8)


@st.composite
def versions(draw: st.DrawFn) -> str:
    """Canonical versions (PEP 440), some of them pre, post or local ones."""
    release = ".".join(map(str, draw(st.lists(st.integers(0, 2026), min_size=1, max_size=3))))
    return release + draw(st.sampled_from(["", "rc1", ".post2", ".dev3", "+cpu", "+cu121.1"]))


@st.composite
def debs(draw: st.DrawFn, platform: Platform) -> Deb:
    """Binary packages of one platform."""
    return Deb(
        name=draw(debian_names),
        version=draw(debian_versions),
        architecture=draw(st.sampled_from([platform.architecture, "all"])),
        size=draw(sizes),
        sha256=draw(digests),
    )


@st.composite
def wheels(draw: st.DrawFn, lineage: tuple[str, ...]) -> Wheel:
    """Wheels of any generation of a family."""
    name, version = draw(package_names), draw(versions())
    build = draw(st.sampled_from(["", "1-"]))
    return Wheel(
        name=name,
        version=version,
        file=f"{name.replace('-', '_')}-{version}-{build}py3-none-any.whl",
        size=draw(sizes),
        sha256=draw(digests),
        generation=draw(st.sampled_from(lineage)),
    )


@st.composite
def replaced(draw: st.DrawFn, held: list[Wheel], lineage: tuple[str, ...]) -> tuple[Replaced, ...]:
    """What some of these wheels replaced, in any older generations."""
    older = [(w.name, g) for w in held for g in lineage[: lineage.index(w.generation)]]
    if not older:
        return ()
    chosen = draw(st.lists(st.sampled_from(older), max_size=3, unique=True))
    rows = [Replaced(name, draw(sizes), generation) for name, generation in chosen]
    return tuple(sorted(rows, key=lambda r: (lineage.index(r.generation), r.name)))


@st.composite
def platform_locks(draw: st.DrawFn, platform: Platform, lineage: tuple[str, ...]) -> PlatformLock:
    """One platform's part of a lock, in canonical order."""
    own_debs = draw(st.lists(debs(platform), max_size=4, unique_by=lambda deb: deb.name))
    own_wheels = draw(st.lists(wheels(lineage), max_size=6, unique_by=lambda wheel: wheel.name))
    return PlatformLock(
        platform=platform,
        python=draw(st.sampled_from(["3.11.2", "3.12.13", "3.14.0rc2"])),
        glibc=draw(st.sampled_from(["2.36", "2.41"])),
        debs=tuple(sorted(own_debs, key=lambda deb: deb.name)),
        wheels=tuple(sorted(own_wheels, key=lambda w: (lineage.index(w.generation), w.name))),
        replaced=draw(replaced(own_wheels, lineage)),
    )


def _environment(variables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}={variables[name]}" for name in sorted(variables))


image_configs = st.builds(
    ImageConfig,
    env=st.dictionaries(st.from_regex(r"[A-Z_]{1,3}[0-9]?", fullmatch=True), texts, max_size=3).map(
        _environment
    ),
    entrypoint=st.lists(texts, max_size=2).map(tuple),
    cmd=st.lists(texts, max_size=2).map(tuple),
    user=st.sampled_from(["", "1000:1000", "app"]),
    workdir=st.sampled_from(["", "/srv/app"]),
    labels=st.dictionaries(texts, texts, max_size=3),
)

reasons = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), min_size=1, max_size=12
).filter(str.strip)

path_conflicts = st.dictionaries(
    texts, st.lists(package_names, min_size=2, max_size=3, unique=True).map(tuple), max_size=2
)


healthchecks = st.builds(
    Healthcheck,
    command=st.lists(texts, max_size=2).map(tuple),
    interval=st.integers(0, 90),
    timeout=st.integers(0, 9),
    start_period=st.integers(0, 9),
    retries=st.integers(0, 9),
)


@st.composite
def record_exceptions(draw: st.DrawFn, platforms: tuple[PlatformLock, ...]) -> dict[str, str]:
    """Reasons for some of the packages that are locked."""
    held = sorted({wheel.name for one in platforms for wheel in one.wheels})
    names = draw(st.sets(st.sampled_from(held), max_size=2)) if held else ()
    return {name: draw(reasons) for name in sorted(names)}


@st.composite
def service_locks(draw: st.DrawFn) -> Lock:
    """Whole locks of services in canonical order, of one or two platforms."""
    name, base = draw(st.lists(plain_names, min_size=2, max_size=2, unique=True))
    chosen = draw(st.sampled_from([PLATFORMS[:1], PLATFORMS[1:], PLATFORMS]))
    ports = draw(st.sets(st.integers(1, 65535), max_size=2))
    platforms = tuple(
        replace(draw(platform_locks(one, (name,))), debs=(), replaced=()) for one in chosen
    )
    return Lock(
        profile=name,
        image=replace(
            draw(image_configs),
            ports=tuple(sorted(ports)),
            healthcheck=draw(st.none() | healthchecks),
        ),
        platforms=platforms,
        lineage=(name,),
        base=base,
        record_exceptions=draw(record_exceptions(platforms)),
    )


def locks() -> st.SearchStrategy[Lock]:
    """Whole locks in canonical order, of profiles and of services."""
    return profile_locks() | service_locks()


@st.composite
def profile_locks(draw: st.DrawFn) -> Lock:
    """Of profiles, of one to three generations and one or two platforms."""
    lineage = tuple(draw(st.lists(plain_names, min_size=1, max_size=3, unique=True)))
    chosen = draw(st.sampled_from([PLATFORMS[:1], PLATFORMS[1:], PLATFORMS]))
    platforms = tuple(draw(platform_locks(platform, lineage)) for platform in chosen)
    return Lock(
        profile=lineage[-1],
        image=draw(image_configs),
        platforms=platforms,
        lineage=lineage,
        path_conflicts=draw(path_conflicts),
        record_exceptions=draw(record_exceptions(platforms)),
    )
