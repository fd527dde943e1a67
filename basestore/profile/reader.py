"""Profiles read from ``profiles/<name>.toml``, with what they inherit.

A child takes Python, foundation, image settings, indexes, policy, allowed path conflicts and
exceptions from RECORD from its parent. Since its image holds its parent's very layers, it may
restate Python and foundation but not change them, and its platforms are among its parent's.
"""

import re
from collections.abc import Collection, Mapping

from basestore.digest import Digest
from basestore.profile.cutoff import HINT as CUTOFF_HINT
from basestore.profile.cutoff import Cutoff, parse_cutoff
from basestore.profile.document import DocumentError, Table, nearest, read_document, read_file
from basestore.profile.foundation import SAME_LAYERS, differs, read_foundation
from basestore.profile.indexes import read_index_places, read_indexes
from basestore.profile.lines import key_lines
from basestore.profile.model import (
    PROJECT_FILE,
    ImageSettings,
    Location,
    Profile,
    Project,
    Requirement,
    profile_file,
)
from basestore.profile.names import is_normalised, is_plain, normalised, plain_name
from basestore.profile.path_conflicts import read_path_conflicts
from basestore.profile.policy_reader import read_policy
from basestore.profile.project import UnknownProfileError, all_names, profile_names
from basestore.profile.record_exceptions import read_record_exceptions
from basestore.profile.requirements import read_requirements
from basestore.profile.service import Service
from basestore.profile.service_reader import service_image
from basestore.profile.settings import read_image
from basestore.profile.team_lock import read_team_lock
from basestore.reading import reading
from basestore.target import KNOWN, Platform

GENERATIONS = 3
"""How many profiles a family may be deep: the layer budget is shared out over them."""

_KEYS = (
    "extends",
    "python",
    "platforms",
    "requirements",
    "requirements-files",
    "constraints-files",
    "pyproject",
    "from-lock",
    "replaces",
    "exclude-newer",
    "foundation",
    "image",
    "indexes",
    "policy",
    "path-conflicts",
    "record-exceptions",
)
_PYTHON = re.compile(r"3\.(0|[1-9][0-9]{0,3})")


_Children = tuple[tuple[str, Table], ...]
"""The profiles on the way to an ancestor, the youngest first."""


def read_profile(project: Project, name: str) -> Profile:
    """A profile, its parents read and merged in; or a service, likewise, as a child of its base.

    Raises PlainNameError, UnknownProfileError, MisnamedProfileError, and DocumentError naming file,
    line and key.
    """
    if name in project.services:
        return _read_service(project, project.services[name])
    data = read_file(project.root, profile_file(plain_name(name)))
    if data is None:
        raise UnknownProfileError(name, profile_names(project))
    with reading(lambda reason: DocumentError(profile_file(name), reason, "")):
        return _read(project, name, data, ())


def _read(project: Project, name: str, data: bytes, children: _Children) -> Profile:
    file = profile_file(name)
    table = read_document(file, data)
    table.only(*_KEYS)
    parent = _parent(project, (*children, (name, table)))
    indexes = read_indexes(table, parent.indexes if parent else ())
    python = _python(table, parent)
    stated = read_requirements(project.root, table, python, indexes)
    taken = read_team_lock(project.root, table)
    replaces = _replaces(table)
    inherited_files = parent.files if parent else _project_file(project)
    inherited_policy = parent.policy if parent else project.policy
    return Profile(
        name=name,
        python=python,
        platforms=_platforms(table, parent),
        foundation=read_foundation(table, parent),
        requirements=stated.requirements,
        image=read_image(table, parent.image if parent else ImageSettings()),
        indexes=indexes,
        policy=inherited_policy.plus(read_policy(table, lambda: profile_names(project))),
        path_conflicts=read_path_conflicts(table, parent.path_conflicts if parent else {}),
        parent=parent,
        replaces=replaces,
        constraints=_constraints(stated.constraints, parent, replaces),
        team_lock=taken.lock,
        exclude_newer=_exclude_newer(table, parent),
        files={**inherited_files, **stated.files, **taken.files, file: Digest.of(data)},
        indexed=read_index_places(table),
        record_exceptions=read_record_exceptions(table, parent.record_exceptions if parent else {}),
    )


def _read_service(project: Project, service: Service) -> Profile:
    table = service.table
    base = _base(project, service)
    stated = read_requirements(project.root, table, base.python, base.indexes)
    own_policy = read_policy(table, lambda: all_names(project))
    said = project.said_of(service.name)
    return Profile(
        name=service.name,
        python=base.python,
        platforms=_platforms(table, base),
        foundation=base.foundation,
        requirements=stated.requirements,
        image=service_image(service, base.image),
        indexes=base.indexes,
        policy=base.policy.plus(own_policy),
        parent=base,
        constraints=_constraints(stated.constraints, base, ()),
        exclude_newer=base.exclude_newer,
        service=service,
        files={**base.files, **stated.files, **({PROJECT_FILE: said} if said else {})},
        record_exceptions=read_record_exceptions(table, {}),  # its base's stand in its base's lock
    )


def _base(project: Project, service: Service) -> Profile:
    data = None
    if is_plain(service.base) and service.base not in project.services:
        data = read_file(project.root, profile_file(service.base))
    if data is None:
        known = profile_names(project)
        hint = nearest(service.base, known) if known else "write the base's profile first"
        raise service.table.error(f"there is no profile {service.base!r}", hint, "base")
    return _read(project, service.base, data, ())


def _constraints(
    own: tuple[Requirement, ...], parent: Profile | None, replaces: Collection[str]
) -> tuple[Requirement, ...]:
    """A parent's hold for its children too, but for what they bring themselves."""
    theirs = parent.constraints if parent else ()
    kept = {one for one in theirs if one.name not in replaces}
    return tuple(sorted(kept | set(own), key=lambda one: (one.name, one.text, one.location)))


def _project_file(project: Project) -> Mapping[str, Digest]:
    said = project.said_of("")
    return {PROJECT_FILE: said} if said else {}


def _parent(project: Project, family: _Children) -> Profile | None:
    """The parent of the last; ``family`` holds the profiles read so far, the one asked for first.

    A family that is too deep is so by the one asked for, whatever else extends its ancestors.
    """
    table = family[-1][1]
    name = table.string("extends")
    if name is None:
        return None
    names = [one for one, _ in family]
    chain = " -> ".join((*names, name))
    if name in names:
        raise table.error(f"goes in a circle: {chain}", "take one of them out", "extends")
    data = read_file(project.root, profile_file(name)) if is_plain(name) else None
    if data is None:
        known = [other for other in profile_names(project) if other not in names]
        hint = nearest(name, known) if known else "take the key out; there is no other profile"
        raise table.error(f"there is no profile {name!r}", hint, "extends")
    if len(family) == GENERATIONS:
        hint = f"let it extend {family[1][0]}'s parent {names[2]}, or merge two of them"
        youngest = family[0][1]
        raise youngest.error(f"more than {GENERATIONS} generations: {chain}", hint, "extends")
    return _read(project, name, data, family)


def _python(table: Table, parent: Profile | None) -> str:
    python = table.string("python")
    if python is not None and not _PYTHON.fullmatch(python):
        raise table.error(
            f"{python!r} is no Python version of the form 3.N",
            "write the minor version alone; the foundation decides the patch release",
            "python",
        )
    if parent is None:
        return table.required("python", python, 'add python = "3.11"')
    if python not in (None, parent.python):
        raise table.error(differs(python, parent.python, parent), SAME_LAYERS, "python")
    return parent.python


def _platforms(table: Table, parent: Profile | None) -> tuple[Platform, ...]:
    texts = table.strings("platforms")
    if texts is None and parent is not None:
        return parent.platforms
    hint = f"choose from {', '.join(KNOWN)}"
    if not table.required("platforms", texts, f'add platforms = ["{KNOWN[0]}"]; {hint}'):
        raise table.error("names no platform", hint, "platforms")
    return tuple(sorted({_platform(table, *item, parent) for item in enumerate(texts or ())}))


def _platform(table: Table, number: int, text: str, parent: Profile | None) -> Platform:
    try:
        platform = Platform.parse(text)
    except ValueError:
        hint = f"choose from {', '.join(KNOWN)}"
        raise table.error(f"no platform {text!r}", hint, "platforms", number) from None
    if parent is not None and platform not in parent.platforms:
        raise table.error(
            f"{platform} is none of the platforms in {profile_file(parent.name)}, which it extends",
            f"add it there, or leave it out here; there: {', '.join(map(str, parent.platforms))}",
            "platforms",
            number,
        )
    return platform


def _exclude_newer(table: Table, parent: Profile | None) -> Cutoff | None:
    text = table.string("exclude-newer")
    if text is None:
        return parent.exclude_newer if parent else None
    try:
        return parse_cutoff(text)
    except ValueError as error:
        raise table.error(str(error), CUTOFF_HINT, "exclude-newer") from None


def _replaces(table: Table) -> Mapping[str, Location]:
    names = table.strings("replaces") or ()
    if names and "extends" not in table.values:
        raise table.error(
            "there is no parent whose packages it could replace",
            "take the key out, or add extends",
            "replaces",
        )
    lines = key_lines(table.document.text) if names else {}
    replaces: dict[str, Location] = {}
    for number, text in enumerate(names):
        name = normalised(text)
        if not is_normalised(name):
            hint = "write the name alone, and the versions under requirements"
            raise table.error(f"{text!r} is no package's name", hint, "replaces", number)
        place = Location(table.document.file, lines["replaces", number])
        replaces.setdefault(name, place)
    return {name: replaces[name] for name in sorted(replaces)}
