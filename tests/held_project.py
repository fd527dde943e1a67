"""A project in which everything is asked for that a lock can be held to, with locks that hold.

A family, extras, markers, hashes, a wheel by URL, what is replaced, teams' locks, a service, a
policy. What is changed here is changed as a pull request would: whatever else says the same of it
says it anew.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from locked_project import debs_of

from basestore.digest import Digest
from basestore.lock import codec, origin
from basestore.lock.config import image_config, path_conflicts, record_exceptions
from basestore.lock.files import read_lock, read_origin
from basestore.lock.foundation import foundation_digest
from basestore.lock.freshness import check, source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Deb, Lock, PlatformLock, Replaced, Wheel
from basestore.lock.origin import DebOrigin, Head, Origin, PackageOrigin
from basestore.lock.texts import texts_of
from basestore.profile.model import Location, Profile
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
RESOLVED = datetime(2026, 11, 20, tzinfo=UTC)

Versions = Mapping[str, str]
"""A version, or a wheel's file, by name."""


def digest_of(file: str) -> Digest:
    """That of a wheel that nobody has."""
    return Digest.of(file.encode())


HASHED = digest_of("numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl")
HASHED_ARM = digest_of("numpy-2.1.0-cp311-cp311-manylinux_2_17_aarch64.whl")

BASE = """python = "3.11"
platforms = ["linux/amd64", "linux/arm64"]
requirements = [
  "fastapi>=0.100",
  "uvicorn[standard]>=0.30,<1",
  "orjson>=3; platform_machine == 'x86_64'",
  "redis==5.0.0",
  "tool",
]
requirements-files = ["pinned.txt"]
constraints-files = ["bounds.txt"]
[foundation]
debian = "bookworm"
packages = ["awk", "ca-certificates", "python3.11"]
[image]
env = { MODE = "safe" }
user = "app"
labels = { team = "data" }
[indexes.special]
url = "https://special.example/simple"
packages = ["tool"]
[policy]
forbid = ["evil*"]
[path-conflicts]
"lib/python3.11/site-packages/shared.py" = ["redis", "fastapi"]
[record-exceptions]
redis = "its RECORD forgets a file"
"""
PINNED = f"numpy==2.1.0 --hash=sha256:{HASHED.hex} --hash=sha256:{HASHED_ARM.hex}\n"
URL = "https://files.example/shiny-1.0-py3-none-any.whl"
ML = f"""extends = "base"
platforms = ["linux/amd64"]
replaces = ["anyio"]
requirements = ["anyio>=4.5,<5", "torch==2.13.0", "shiny @ {URL}"]
"""
TEAM = """extends = "base"
platforms = ["linux/amd64"]
[from-lock]
file = "../team/pylock.toml"
extras = ["fast"]
"""
CREW = """extends = "base"
platforms = ["linux/amd64"]
[from-lock]
file = "../crew/uv.lock"
groups = ["web"]
"""
SERVICES = """[services.api]
base = "base"
requirements = ["itsdangerous>=2", "redis>=5", "click"]
entrypoint = ["python", "main.py"]
port = 8000
"""


def pylock() -> str:
    """A team's ``pylock.toml``: ``flask`` always, ``blinker`` and ``pytest`` by extras."""
    rows = [
        ("flask", "3.0", ""),
        ("blinker", "1.8", "marker = \"'fast' in extras\""),
        ("colorama", "0.4", "marker = \"sys_platform == 'win32'\""),
        ("pytest", "8.0", "marker = \"'slow' in extras\""),
    ]
    packages = "".join(
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{marker}\n'
        f'wheels = [{{ name = "{file_of(name, version)}", url = "https://files.example/'
        f'{file_of(name, version)}", hashes = {{ sha256 = '
        f'"{digest_of(file_of(name, version)).hex}" }} }}]\n'
        for name, version, marker in rows
    )
    head = 'lock-version = "1.0"\ncreated-by = "hand"\nextras = ["fast", "slow"]\n'
    return head + packages


def uv_lock() -> str:
    """A team's ``uv.lock``: ``rich`` with an extra, ``httpx`` of a group, ``pytest`` of another."""
    rows = [
        ("rich", "13.0", '[package.optional-dependencies]\njupyter = [{ name = "ipython" }]\n'),
        ("ipython", "8.0", 'dependencies = [{ name = "six" }]\n'),
        ("six", "1.16", ""),
        ("httpx", "0.27", ""),
        ("pytest", "8.0", ""),
        ("colorama", "0.4", ""),
    ]
    packages = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        'source = { registry = "https://files.example/simple" }\n'
        f'wheels = [{{ url = "https://files.example/{file_of(name, version)}", hash = "sha256:'
        f'{digest_of(file_of(name, version)).hex}", size = 9 }}]\n{more}'
        for name, version, more in rows
    )
    project = (
        '[[package]]\nname = "crew"\nversion = "0"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "rich", extra = ["jupyter"] }, '
        '{ name = "colorama", marker = "sys_platform == \'win32\'" }]\n'
        '[package.dev-dependencies]\nweb = [{ name = "httpx" }]\ntest = [{ name = "pytest" }]\n'
    )
    return 'version = 1\nrequires-python = ">=3.11"\n' + project + packages


def file_of(name: str, version: str, tag: str = "py3-none-any") -> str:
    """A wheel's file name."""
    return f"{name.replace('-', '_')}-{version}-{tag}.whl"


def wheel(name: str, version: str, generation: str = "base", file: str = "") -> Wheel:
    """A wheel that nobody has."""
    file = file or file_of(name, version)
    return Wheel(name, version, file, 9, digest_of(file), generation)


@dataclass
class Draft:
    """A lock and its origin while they are changed."""

    lock: Lock
    origin: Origin

    def parts(self, change: Callable[[PlatformLock], PlatformLock]) -> None:
        """Change every platform's part."""
        self.lock = replace(self.lock, platforms=tuple(map(change, self.lock.platforms)))

    def wheels(self, change: Callable[[tuple[Wheel, ...]], Iterable[Wheel]]) -> None:
        """Change the wheels of every platform."""
        order = self.lock.lineage.index
        self.parts(
            lambda part: replace(
                part,
                wheels=tuple(
                    sorted(change(part.wheels), key=lambda one: (order(one.generation), one.name))
                ),
            )
        )

    def debs(self, change: Callable[[tuple[Deb, ...]], Iterable[Deb]]) -> None:
        """Change the .debs of every platform."""
        self.parts(
            lambda part: replace(
                part, debs=tuple(sorted(change(part.debs), key=lambda one: one.name))
            )
        )

    def drop(self, name: str) -> None:
        """Drop a wheel, and what the origin says of it."""
        self.wheels(lambda wheels: (one for one in wheels if one.name != name))
        kept = {
            other: replace(how, requires=tuple(one for one in how.requires if one != name))
            for other, how in self.origin.packages.items()
            if other != name
        }
        self.origin = replace(self.origin, packages=kept)

    def put(self, one: Wheel, **how: object) -> None:
        """Bring another wheel, with what the origin says of it, in the place of one of its name."""
        self.wheels(lambda wheels: (*(it for it in wheels if it.name != one.name), one))
        if one.name not in self.origin.packages or how:
            self.say(one.name, **{"index": "default", **how})

    def say(self, name: str, **how: object) -> None:
        """Say something else of a package in the origin."""
        before = self.origin.packages.get(name, PackageOrigin("default"))
        packages = {**self.origin.packages, name: replace(before, **how)}
        self.origin = replace(self.origin, packages=packages)

    def say_of_deb(self, name: str, **how: object) -> None:
        """Say something else of a .deb in the origin."""
        before = self.origin.debs.get(name, DebOrigin("bookworm"))
        self.origin = replace(self.origin, debs={**self.origin.debs, name: replace(before, **how)})

    def drop_deb(self, name: str) -> None:
        """Drop a .deb, and what the origin says of it."""
        self.debs(lambda debs: (one for one in debs if one.name != name))
        kept = {
            other: replace(how, requires=tuple(one for one in how.requires if one != name))
            for other, how in self.origin.debs.items()
            if other != name
        }
        self.origin = replace(self.origin, debs=kept)


@dataclass(frozen=True)
class HeldProject:
    """The project in a folder."""

    root: Path

    def write(self, file: str, text: str) -> None:
        """Write a file."""
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that a file holds."""
        text = (self.root / file).read_text()
        assert old in text, (file, old)
        (self.root / file).write_text(text.replace(old, new))

    def profile(self, name: str) -> Profile:
        """A profile or service."""
        return read_profile(read_project(self.root), name)

    def draft(self, name: str) -> Draft:
        """Lock and origin as they lie there."""
        project = read_project(self.root)
        how = read_origin(project, name)
        assert how is not None
        return Draft(read_lock(project, name)[0], how)

    def save(self, name: str, draft: Draft) -> None:
        """Write lock and origin, so that the origin describes the lock."""
        data = codec.write(draft.lock)
        head = replace(draft.origin.head, lock=Digest.of(data))
        how = replace(draft.origin, head=head)
        if how.foundation and not draft.lock.base:
            how = replace(how, foundation=foundation_digest(draft.lock))
        (self.root / f"locks/{name}.lock").write_bytes(data)
        (self.root / f"locks/{name}.origin.toml").write_bytes(origin.write(how))

    def restate(self, name: str) -> None:
        """Let the origin say of the profile what that is now, as a pull request would."""
        draft, profile = self.draft(name), self.profile(name)
        draft.origin = stated(draft.origin, profile, self.parent_digest(profile))
        self.save(name, draft)

    def parent_digest(self, profile: Profile) -> Digest | None:
        """The digest of the parent's lock."""
        if profile.parent is None:
            return None
        return Digest.of_file(self.root / f"locks/{profile.parent.name}.lock")

    def reasons(self, name: str) -> list[str]:
        """Why a lock is stale."""
        return [str(reason) for reason in check(read_project(self.root), name).reasons]

    def parent_of(self, name: str) -> Lock:
        """The lock of a profile's parent."""
        profile = self.profile(name)
        assert profile.parent
        return self.draft(profile.parent.name).lock

    def lock(
        self,
        name: str,
        wheels: Mapping[Platform, Iterable[Wheel]],
        packages: Mapping[str, PackageOrigin],
    ) -> None:
        """Lock a profile to wheels of its own, beside what its parent has."""
        profile = self.profile(name)
        above = self.parent_of(name) if profile.parent else None
        parts = tuple(
            _part(profile, above, platform, tuple(wheels[platform]))
            for platform in profile.platforms
        )
        made = Lock(
            profile=name,
            image=image_config(profile),
            platforms=parts,
            lineage=(name,) if profile.service else tuple(one.name for one in profile.lineage),
            path_conflicts={} if profile.service else path_conflicts(profile, parts),
            base=profile.service.base if profile.service else "",
            record_exceptions=record_exceptions(profile, parts),
        )
        nothing = Digest.of(b"")
        how = Origin(
            Head(nothing, nothing, {}),
            "uv 1",
            RESOLVED,
            packages=packages,
            debs={} if profile.service else DEB_ORIGINS,
            foundation=None if profile.service else foundation_digest(made),
        )
        (self.root / "locks").mkdir(exist_ok=True)
        draft = Draft(made, stated(how, profile, self.parent_digest(profile)))
        self.save(name, draft)


def stated(how: Origin, profile: Profile, parent: Digest | None) -> Origin:
    """An origin that says of a profile what it is."""
    now = inputs(profile, parent)
    direct: dict[str, set[Location]] = {}
    for one in profile.requirements:
        direct.setdefault(one.name, set()).add(one.location)
    if profile.team_lock:
        direct = {
            name: {profile.team_lock.place}
            for name in ("flask", "httpx", "rich")
            if name in how.packages
        }
    return replace(
        how,
        head=Head(how.head.lock, now.digest, source_files(profile, parent), how.head.waived),
        parts=now.parts,
        direct={name: tuple(sorted(at)) for name, at in direct.items()},
        stated=texts_of(profile.requirements),
        bounds=texts_of(profile.constraints),
    )


DEBS = debs_of("ca-certificates", "libc6", "mawk", "openssl", "python3.11")
DEB_ORIGINS = {
    "ca-certificates": DebOrigin("bookworm", ("openssl",)),
    "libc6": DebOrigin("bookworm"),
    "mawk": DebOrigin("bookworm", ("libc6",), ("awk",)),
    "openssl": DebOrigin("bookworm", ("libc6",)),
    "python3.11": DebOrigin("bookworm", ("libc6",)),
}


def _part(
    profile: Profile, above: Lock | None, platform: Platform, own: tuple[Wheel, ...]
) -> PlatformLock:
    if profile.service or above is None:
        debs = () if profile.service else debs_on(platform)
        return PlatformLock(platform, "3.11.2", "2.36", debs, own)
    parent, names = above.platform(platform), {one.name for one in own}
    kept = tuple(one for one in parent.wheels if one.name not in names)
    gone = tuple(
        Replaced(one.name, one.size, one.generation) for one in parent.wheels if one.name in names
    )
    debs = parent.debs
    return PlatformLock(platform, "3.11.2", "2.36", debs, (*kept, *own), (*parent.replaced, *gone))


def debs_on(platform: Platform) -> tuple[Deb, ...]:
    """The .debs of a platform."""
    return tuple(replace(one, architecture=platform.architecture) for one in DEBS)


def _numpy(platform: Platform) -> Wheel:
    return wheel(
        "numpy",
        "2.1.0",
        file=file_of("numpy", "2.1.0", f"cp311-cp311-manylinux_2_17_{platform.kernel}"),
    )


GRAPH: Mapping[str, PackageOrigin] = {
    "anyio": PackageOrigin("default"),
    "fastapi": PackageOrigin("default", ("anyio",)),
    "httptools": PackageOrigin("default"),
    "numpy": PackageOrigin("default"),
    "orjson": PackageOrigin("default"),
    "redis": PackageOrigin("default"),
    "tool": PackageOrigin("special"),
    "uvicorn": PackageOrigin("default", ("httptools",), extras=("standard",)),
}
INHERITED: Mapping[str, PackageOrigin] = {
    **GRAPH,
    "uvicorn": PackageOrigin("default"),  # a child asks for its parent's version of it alone
}


@dataclass(frozen=True)
class _Own:
    """What a profile brings itself."""

    name: str
    versions: Versions
    graph: Mapping[str, PackageOrigin] = field(default_factory=dict)

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        return tuple(wheel(name, version, self.name) for name, version in self.versions.items())


OWN = (
    _Own(
        "ml",
        {"anyio": "4.6.0", "shiny": "1.0", "sympy": "1.13", "torch": "2.13.0+cpu"},
        {
            **INHERITED,
            "shiny": PackageOrigin("direct"),
            "sympy": PackageOrigin("default"),
            "torch": PackageOrigin("default", ("sympy",)),
        },
    ),
    _Own(
        "team",
        {"blinker": "1.8", "flask": "3.0"},
        {
            **INHERITED,
            "flask": PackageOrigin("default", ("blinker",)),
            "blinker": PackageOrigin("default"),
        },
    ),
    _Own(
        "crew",
        {"httpx": "0.27", "ipython": "8.0", "rich": "13.0", "six": "1.16"},
        {
            **INHERITED,
            "rich": PackageOrigin("default", ("ipython",)),
            "ipython": PackageOrigin("default", ("six",)),
            "six": PackageOrigin("default"),
            "httpx": PackageOrigin("default"),
        },
    ),
    _Own(
        "api",
        {"click": "8.1", "colors": "1.0", "itsdangerous": "2.2"},
        {
            "click": PackageOrigin("default", ("colors",)),
            "colors": PackageOrigin("default"),
            "itsdangerous": PackageOrigin("default"),
            "redis": PackageOrigin("default"),  # its base's, and it needs it itself
        },
    ),
)
NAMES = ("base", "ml", "team", "crew", "api")


def make_held_project(root: Path) -> HeldProject:
    """Write the project and its locks."""
    project = HeldProject(root)
    files = {
        "profiles/base.toml": BASE,
        "profiles/pinned.txt": PINNED,
        "profiles/bounds.txt": "anyio<5\n",
        "profiles/ml.toml": ML,
        "profiles/team.toml": TEAM,
        "profiles/crew.toml": CREW,
        "team/pylock.toml": pylock(),
        "crew/uv.lock": uv_lock(),
        "crew/pyproject.toml": '[project]\nname = "crew"\nversion = "0"\n',
        "basestore.toml": SERVICES,
    }
    for file, text in files.items():
        project.write(file, text)
    project.lock("base", {platform: _base_wheels(platform) for platform in (AMD64, ARM64)}, GRAPH)
    for one in OWN:
        project.lock(one.name, {AMD64: one.wheels, ARM64: one.wheels}, one.graph)
    return project


def _base_wheels(platform: Platform) -> tuple[Wheel, ...]:
    found = {
        "anyio": "4.4.0",
        "fastapi": "0.110.0",
        "httptools": "0.6",
        "redis": "5.0.0",
        "tool": "1.0",
        "uvicorn": "0.30.1",
        **({"orjson": "3.10"} if platform == AMD64 else {}),
    }
    wheels = (*(wheel(name, version) for name, version in found.items()), _numpy(platform))
    return tuple(sorted(wheels, key=lambda one: one.name))
