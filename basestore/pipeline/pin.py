"""Pin: the files of services name the bases' images, or each reference that doesn't is named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from basestore.errors import DisagreementError, UsageError
from basestore.files import edit_files
from basestore.lock.files import UnwritableError, lock_file, read_images
from basestore.lock.images import find as find_record
from basestore.pins import Bases, Edit, Judgement, Occurrence, State, Target, rewrite
from basestore.pins.search import References, search
from basestore.pins.settle import places_of, settle
from basestore.pipeline.locked import read_locked
from basestore.pipeline.pin_files import read_files
from basestore.profile.document import read_file
from basestore.profile.inside import real_paths
from basestore.profile.model import Project
from basestore.profile.project import profile_names
from basestore.sources.git import Revision


class NoPinRegistryError(UsageError):
    """The project names no registry, so that nothing tells its bases' repositories."""

    def __init__(self) -> None:
        super().__init__(
            "no registry is named, and a pin begins with one",
            'write registry = "HOST/PATH" into basestore.toml',
        )


class NoPinFilesError(UsageError):
    """Nothing says where pins are."""

    def __init__(self) -> None:
        super().__init__(
            "no files are named that hold pins",
            'write [pins] files = ["apps/*/Dockerfile", "compose.yaml"] into basestore.toml',
        )


class NoImagesError(DisagreementError):
    """The images of locks aren't recorded, so that nothing can be pinned to them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"locks/images.toml records no image of the lock of {' and '.join(names)}",
            f"run `basestore build {' '.join(names)}`",
        )
        self.names = tuple(names)


class UnpinnedAfterAllError(DisagreementError):
    """What a file would become wouldn't read as pinned."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__(
            f"{file}:{line}: the reference can't be pinned as it is written",
            "write it plain, in one piece; nothing was changed",
        )


@dataclass(frozen=True, slots=True)
class Pin:
    """A reference to a base, where its version stands (line and column from 1), and how it stands.

    ``base`` and ``target``: None where its repository is no base's. ``obstacle``: why nothing would
    mend it; empty where its edits would.
    """

    file: str
    line: int
    column: int
    reference: str
    base: str | None
    state: State
    target: Target | None
    edits: tuple[Edit, ...]
    obstacle: str


@dataclass(frozen=True, slots=True)
class Pins:
    """The pins of a project, by file and line.

    ``names``: the bases that were asked for; None for all. ``unmatched``: the patterns that match
    no file.
    """

    root: Path
    bases: Bases
    names: frozenset[str] | None
    contents: Mapping[str, bytes]
    pins: tuple[Pin, ...]
    unmatched: tuple[str, ...]

    @property
    def to_mend(self) -> tuple[Pin, ...]:
        """The pins that a rewriting would mend."""
        return tuple(pin for pin in self.pins if pin.edits)

    @property
    def left(self) -> tuple[Pin, ...]:
        """The references that are wrong and that a rewriting would leave so."""
        return tuple(p for p in self.pins if p.state is not State.PINNED and not p.edits)


def find_pins(project: Project, names: Collection[str] | None = None) -> Pins:
    """Every reference to a base, or to those named, in the files of ``[pins]``.

    References to no known base are left out where bases are named. Raises NoPinRegistryError,
    NoPinFilesError, NoImagesError, NoLockError, OutsideError, PinFileError.
    """
    bases = bases_of(project)
    files = read_files(project.root, project.pins.files)
    found = search(files.contents, bases)
    wanted = {one.base for one in found.occurrences if one.base}
    wanted = wanted if names is None else wanted & set(names)
    targets = _targets(project, sorted(wanted))
    pins = _pins(files.contents, _chosen(found, names), targets)
    asked = None if names is None else frozenset(names)
    return Pins(project.root, bases, asked, files.contents, tuple(pins), files.unmatched)


def bases_of(project: Project) -> Bases:
    """The repositories of a project's bases; raises NoPinRegistryError, NoPinFilesError."""
    if not project.pins.files:
        raise NoPinFilesError
    if not project.registry:
        raise NoPinRegistryError
    return Bases.of(
        project.registry,
        project.image_name,
        profile_names(project),
        [one.image for one in project.services.values()],
        project.pins.aliases,
    )


def rewrite_pins(found: Pins) -> tuple[str, ...]:
    """Replace what differs in all files or in none, modes kept; the files that changed.

    Raises UnwritableError; LeadsOutError, UnpinnedAfterAllError, and ChangedFileError for a file
    that isn't as it was read, before anything is written.
    """
    edits: dict[str, set[Edit]] = {}
    for pin in found.to_mend:
        for edit in pin.edits:
            edits.setdefault(edit.file, set()).add(edit)
    changed = {file: rewrite(found.contents[file], edits[file]) for file in sorted(edits)}
    _check_mended(found, changed)
    places = real_paths(found.root, changed)
    try:
        edit_files({places[f]: (found.contents[f], data) for f, data in changed.items()})
    except OSError as error:
        raise UnwritableError(changed, error.strerror or str(error)) from error
    return tuple(changed)


def _check_mended(found: Pins, changed: Mapping[str, bytes]) -> None:
    """Read what the files would become: what was to be mended is, and nothing else is worse."""
    if not changed:
        return
    contents = {**found.contents, **changed}
    targets = {pin.base: pin.target for pin in found.pins if pin.base and pin.target}
    after = list(_pins(contents, _chosen(search(contents, found.bases), found.names), targets))
    wanted = {_line(pin) for pin in found.pins if pin.edits or pin.state is State.PINNED}
    pinned = {_line(pin) for pin in after if pin.state is State.PINNED}
    left = {(*_line(pin), pin.reference) for pin in found.left}
    wrong = {
        _line(pin)
        for pin in after
        if pin.state is not State.PINNED and (*_line(pin), pin.reference) not in left
    }
    for file, line, _ in sorted((wanted - pinned) | wrong, key=lambda one: one[:2]):
        raise UnpinnedAfterAllError(file, line)


def _line(pin: Pin) -> tuple[str, int, str | None]:
    return pin.file, pin.line, pin.base


def changed_bases(project: Project, revision: Revision) -> frozenset[str]:
    """The profiles whose locks are not those of a revision."""
    return frozenset(
        name
        for name in profile_names(project)
        if (data := read_file(project.root, lock_file(name))) is not None
        and data != revision.read(lock_file(name))
    )


def _chosen(found: References, names: Collection[str] | None) -> References:
    """What isn't asked for is not judged, but what it is put together from is not edited either."""
    if names is None:
        return found
    chosen = tuple(one for one in found.occurrences if one.base in names)
    others = places_of(one for one in found.occurrences if one.base not in names)
    return References(chosen, (*found.shared, *others))


def _targets(project: Project, names: Sequence[str]) -> Mapping[str, Target]:
    records = read_images(project)
    found, lacking = {}, []
    for name in names:
        lock = read_locked(project, name).digest
        record = find_record(records, name, lock)
        if record is None:
            lacking.append(name)
        else:
            repository = f"{project.registry}/{project.image(name)}"
            found[name] = Target(repository, lock, record.image)
    if lacking:
        raise NoImagesError(lacking)
    return found


def _pins(
    contents: Mapping[str, bytes], found: References, targets: Mapping[str, Target]
) -> Iterable[Pin]:
    """Each reference once for the place of its version, sorted by that."""
    pins: dict[tuple[str, int, str | None, State], Pin] = {}
    judged = settle(found.occurrences, found.shared, targets)
    for one, judgement in zip(found.occurrences, judged, strict=True):
        key = (one.place.file, one.place.start, one.base, judgement.state)
        pin = _pin(contents, one, judgement, targets)
        pins[key] = _both(pins[key], pin) if key in pins else pin
    return (pins[key] for key in sorted(pins, key=lambda key: key[:2]))


def _both(one: Pin, other: Pin) -> Pin:
    """Two uses of one version."""
    edits = tuple(dict.fromkeys((*one.edits, *other.edits)))
    return replace(one, edits=edits, obstacle=one.obstacle or other.obstacle)


def _pin(
    contents: Mapping[str, bytes],
    one: Occurrence,
    judgement: Judgement,
    targets: Mapping[str, Target],
) -> Pin:
    place = one.place
    data = contents[place.file]
    return Pin(
        file=place.file,
        line=data.count(b"\n", 0, place.start) + 1,
        column=place.start - data.rfind(b"\n", 0, place.start),
        reference=one.reference,
        base=one.base,
        state=judgement.state,
        target=targets.get(one.base) if one.base else None,
        edits=judgement.edits,
        obstacle=judgement.obstacle,
    )
