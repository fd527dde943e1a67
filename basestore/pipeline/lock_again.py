"""Lock again: is what lies there what would be locked, its versions and hashes held? Nothing is
written.

A fresh lock has its profile's inputs, but what is locked of them is its own word. So the profile is
solved once more, with the locked versions as preferences only, and the answer is compared with lock
and origin. What an earlier revision has is believed: its rows may be gone from their index by now.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from basestore.debian.packages import BinaryPackage
from basestore.digest import Digest
from basestore.errors import InputError, NoResolutionError
from basestore.lock import codec, origin
from basestore.lock.deb_edges import DebSite, judge_debs
from basestore.lock.diff import Change, compare_locks
from basestore.lock.edges import Judged
from basestore.lock.files import lock_file, origin_file
from basestore.lock.inputs import Part, inputs
from basestore.lock.model import Deb, Lock, PlatformLock, Wheel
from basestore.lock.origin import Origin, PackageOrigin
from basestore.pipeline.lock import World, limited, ports, read_known
from basestore.profile.document import read_file
from basestore.profile.model import PROJECT_FILE, Profile, Project
from basestore.profile.project import parse_project
from basestore.profile.reader import read_profile
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import Ports, SolveOptions
from basestore.resolve.solve import Solution, solve
from basestore.sources.git import Revision
from basestore.sources.uv import Question, Target, Uv
from basestore.sources.uv_failure import UnsatisfiableError
from basestore.target import Platform

_PARALLEL = 8
"""uvs at a time."""

Declare = Callable[[Deb], BinaryPackage | None]
"""What the control file of a .deb declares; None where the .deb isn't at hand."""


@dataclass(frozen=True, slots=True)
class Again:
    """What came of solving again. ``differences`` and ``notes``: a sentence each.

    ``as_at``: the revision since which nothing has changed, so that nothing was solved; else empty.
    """

    profile: str
    as_at: str = ""
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether lock and origin are what came out."""
        return not self.differences


def lock_again(
    project: Project, name: str, world: World, revision: Revision | None, declare: Declare
) -> Again:
    """Solve a profile again, whose lock is fresh, unless all of it is as at a revision.

    Raises PolicyHitError, what resolving raises, and GitFailedError.
    """
    profile = read_profile(project, name)
    if revision and _is_as_at(project, profile, revision):
        return Again(name, revision.name)
    previous, _ = read_known(project, name)
    parent, parent_digest = (
        read_known(project, profile.parent.name) if profile.parent else (None, None)
    )
    if previous is None or previous.origin is None:
        raise ValueError(f"the lock of {name} is not fresh")
    since = _locked_at(revision, name) if revision else None
    options = limited(profile, SolveOptions(), world.now)
    known = Known(parent, previous, doubted=True, since=since)
    known, solution = _solved(profile, known, options, ports(profile, world))
    debs = Judged()
    if known.parents_foundation(profile, previous.lock.platforms[0].platform) is None:
        debs = _Foundation(profile, previous, since, world, declare).judge(parent_digest)
    differences = (
        *_lock_differences(previous.lock, solution.lock),
        *_origin_differences(known, profile, previous.origin, solution),
        *debs.faults,
    )
    return Again(name, "", tuple(dict.fromkeys(differences)), tuple(_notes(solution, debs)))


def _solved(
    profile: Profile, known: Known, options: SolveOptions, asks: Ports
) -> tuple[Known, Solution]:
    """The solution; where there is none like the lock, one that asks no index about what is gone.

    An index may lose a version that was locked before, and uv then takes another one.
    """
    failed: NoResolutionError | None = None
    try:
        solution = solve(profile, known, options, asks)
    except NoResolutionError as error:
        failed = error
    else:
        if known.previous is None or solution.lock == known.previous.lock:
            return known, solution
    gone = _gone(profile, known, asks.uv)
    if gone:
        known = replace(known, gone=gone)
        return known, solve(profile, known, options, asks)
    if failed:
        raise failed
    return known, solution


def _gone(profile: Profile, known: Known, uv: Uv) -> frozenset[str]:
    """The packages that are believed, and of whose locked version the index lists no wheel."""
    from concurrent.futures import ThreadPoolExecutor

    if profile.team_lock or known.previous is None:
        return frozenset()
    settled = known.settled(profile)
    asked = [
        (wheel, Target(one.platform, one.python, one.glibc))
        for one in known.previous.lock.platforms
        for wheel in {**known.parents(one.platform), **known.own(profile, one.platform)}.values()
        if wheel.name in settled or wheel == known.parents(one.platform).get(wheel.name)
    ]

    def is_listed(one: tuple[Wheel, Target]) -> bool:
        wheel, target = one
        text = f"{wheel.name}=={wheel.version}"
        try:
            uv.list_exactly(Question(profile.name, (text,), target, profile.indexes))
        except UnsatisfiableError:
            return False
        return True

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="gone") as pool:
        listed = list(pool.map(is_listed, asked))
    by_url = {
        one.name for generation in profile.lineage for one in generation.requirements if one.url
    }
    gone = {wheel.name for (wheel, _), is_there in zip(asked, listed, strict=True) if not is_there}
    return frozenset(gone - by_url)


def _notes(solution: Solution, debs: Judged) -> Iterator[str]:
    for name in solution.gone:
        yield f"{name}: its index has the wheel no more; it was locked before"
    if debs.unread:
        named = ", ".join(debs.unread)
        yield f"unproven, neither in the suite any more nor in the store: {named}"


def _is_as_at(project: Project, profile: Profile, revision: Revision) -> bool:
    """Whether locks, origins and all files of a lineage are byte for byte those of a revision."""
    for generation in profile.lineage:
        for file in (lock_file(generation.name), origin_file(generation.name)):
            if read_file(project.root, file) != revision.read(file):
                return False
    raw = {file: digest for file, digest in profile.files.items() if file != PROJECT_FILE}
    for file, digest in raw.items():
        before = revision.read(file)
        if before is None or Digest.of(before) != digest:
            return False
    said = _said_at(project, revision)
    return said is not None and all(
        project.said_of(generation.name) == said.said_of(generation.name)
        for generation in profile.lineage
    )


def _said_at(project: Project, revision: Revision) -> Project | None:
    """The project's own file as it was; None for one that can't be read today."""
    data = revision.read(PROJECT_FILE)
    try:
        return Project(project.root) if data is None else parse_project(project.root, data)
    except InputError:
        return None


def _locked_at(revision: Revision, name: str) -> Locked | None:
    """A lock and its origin as they were; None where there was none, or none of today's format."""
    data, written = revision.read(lock_file(name)), revision.read(origin_file(name))
    if data is None:
        return None
    try:
        lock = codec.parse(data, f"{revision.name}:{lock_file(name)}")
        how = origin.parse(written, f"{revision.name}:{origin_file(name)}") if written else None
    except InputError:
        return None
    return Locked.of(lock, Digest.of(data), how)


def _lock_differences(there: Lock, found: Lock) -> Iterator[str]:
    """What the lock says that it wouldn't, were it made now."""
    difference = compare_locks(there, found)
    for setting in difference.settings:
        values = [
            value if value is not None else "not there" for value in (setting.old, setting.new)
        ]
        yield f"{setting.name} is {values[0]} in the lock, and has to be {values[1]}"
    for platform in difference.platforms:
        for wheel in platform.wheels:
            yield f"{_wheel_words(wheel)} ({platform.platform})"
        for deb in platform.debs:
            yield f"{_deb_words(deb)} ({platform.platform})"


def _wheel_words(change: Change[Wheel]) -> str:
    old, new = change.old, change.new
    if new is None:
        return (
            f"{change.name} {change.versions[0]} is locked, and nothing that is asked for needs it"
        )
    if old is None:
        return f"{change.name} is not locked, and is needed: {new.version}"
    if old.version != new.version:
        return f"{old.name} is locked to {old.version}, and has to be {new.version}"
    if old.file != new.file:
        return f"{old.name} {old.version} is locked as {old.file}, and its index has {new.file}"
    if old.sha256 != new.sha256:
        return (
            f"{old.file} is locked with sha256 {old.sha256.hex}, and its index has it with "
            f"{new.sha256.hex}"
        )
    if old.size != new.size:
        return f"{old.file} is locked with {old.size} bytes, and has {new.size}"
    return f"{old.name} is locked as of {old.generation}, and is of {new.generation}"


def _deb_words(change: Change[Deb]) -> str:
    old, new = (str(one) if one else "not there" for one in change.versions)
    if old == new:
        return f"the .deb {change.name} {old} is not locked as it is in the parent's lock"
    return f"the .deb {change.name} is {old} in the lock, and has to be {new}"


def _origin_differences(
    known: Known, profile: Profile, there: Origin, found: Solution
) -> Iterator[str]:
    """What the origin says that it wouldn't, were it written now."""
    for name in sorted(there.direct.keys() ^ found.direct.keys()):
        said = "says" if name in there.direct else "doesn't say"
        yield f"the origin {said} that {name} is asked for"
    before = known.since.origin.packages if known.since and known.since.origin else {}
    settled = {
        name for name in known.settled(profile) if there.packages.get(name) == before.get(name)
    }
    tells_extras = any(one.extras for one in there.packages.values())
    for name in sorted(there.packages.keys() | found.packages.keys()):
        one, other = there.packages.get(name), found.packages.get(name)
        if one is None or other is None:
            yield f"the origin has {'no' if one is None else 'a needless'} row of {name}"
            continue
        one, other = _without(one, known.gone), _without(other, known.gone)
        expected = _expected(one, other, tells_extras, name in settled or name in found.gone)
        for key, is_told, has_to_be in _unlike(one, expected):
            yield f"the origin has {key} {is_told} for {name}, and it has to be {has_to_be}"
    for name in sorted(there.debs.keys() | found.debs.keys()):
        suites = [rows[name].suite if name in rows else "" for rows in (there.debs, found.debs)]
        if suites[0] != suites[1]:
            yield f"the origin has {name} from {suites[0]!r}, and it has to be {suites[1]!r}"


def _without(row: PackageOrigin, gone: frozenset[str]) -> PackageOrigin:
    """A row without edges to what no index tells of any more."""
    return replace(row, requires=tuple(name for name in row.requires if name not in gone))


def _expected(
    there: PackageOrigin, found: PackageOrigin, tells_extras: bool, is_settled: bool
) -> PackageOrigin:
    """What a row has to be. What an index said of a row that was there before may change later.

    What no rule asks about any more may stand there, and older origins tell no extras.
    """
    if not tells_extras:
        found = replace(found, extras=())
    if is_settled:
        return replace(
            found,
            uploaded=there.uploaded,
            told=there.told,
            licences=there.licences,
            standing=there.standing,
        )
    if found.licences is None:
        found = replace(found, licences=there.licences)
    return found if found.standing is not None else replace(found, standing=there.standing)


def _unlike(there: PackageOrigin, found: PackageOrigin) -> Iterator[tuple[str, str, str]]:
    pairs: Mapping[str, tuple[object, object]] = {
        "index": (there.index, found.index),
        "requires": (sorted(there.requires), sorted(found.requires)),
        "extras": (sorted(there.extras), sorted(found.extras)),
        "uploaded": (there.uploaded, found.uploaded),
        "licences": (there.licences, found.licences),
        "standing": (there.standing, found.standing),
        "sha256-from": (_source(there), _source(found)),
    }
    for key, (one, other) in pairs.items():
        if one != other:
            yield key, _shown(one), _shown(other)


def _source(row: PackageOrigin) -> str:
    return "the index" if row.told else "the file"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class _Foundation:
    """A profile's own foundation: each .deb was there before, or stands in a signed index."""

    profile: Profile
    previous: Locked
    since: Locked | None
    world: World
    declare: Declare

    def judge(self, parent: Digest | None) -> Judged:
        """Nothing is asked where all of it is as it was."""
        if self._is_settled(parent) or self.previous.origin is None:
            return Judged()
        found = [self._platform(one) for one in self.previous.lock.platforms]
        strangers = tuple(fault for faults, _ in found for fault in faults)
        judged = judge_debs([site for _, site in found], self.previous.origin.debs)
        return Judged((*strangers, *judged.faults), judged.unread)

    def _is_settled(self, parent: Digest | None) -> bool:
        before = self.since.origin if self.since else None
        if self.since is None or before is None or self.previous.origin is None:
            return False
        asked = inputs(self.profile, parent).parts[Part.FOUNDATION]
        return (
            before.parts.get(Part.FOUNDATION) == asked
            and _debs(self.since.lock) == _debs(self.previous.lock)
            and before.debs == self.previous.origin.debs
        )

    def _platform(self, here: PlatformLock) -> tuple[list[str], DebSite]:
        if self.world.suite is None:
            raise ValueError("nobody can be asked for a suite's index")
        suite = self.profile.foundation.suite
        index = self.world.suite(suite, here.platform)
        seen = _debs(self.since.lock).get(here.platform, ()) if self.since else ()
        strangers, declared = [], {}
        for deb in here.debs:
            listed = next((one for one in index.listed(deb.name) if _is(one, deb)), None)
            if listed is None and deb not in seen:
                strangers.append(
                    f"the .deb {deb.name} {deb.version} ({deb.architecture}, sha256 "
                    f"{deb.sha256.hex}) is in no signed index of {suite}, and was not locked before"
                )
            if known := listed or self.declare(deb):
                declared[deb.name] = known
        held = {deb.name: deb for deb in here.debs}
        return strangers, DebSite(held, self.profile.foundation.packages, declared)


def _debs(lock: Lock) -> Mapping[Platform, tuple[Deb, ...]]:
    return {one.platform: one.debs for one in lock.platforms}


def _is(listed: BinaryPackage, deb: Deb) -> bool:
    found = (listed.name, str(listed.version), listed.architecture, listed.size, listed.sha256)
    return found == (deb.name, deb.version, deb.architecture, deb.size, deb.sha256)
