"""What a project said in a revision, as far as it can be read today."""

import tomllib

from basestore.errors import InputError
from basestore.lock import images
from basestore.lock.files import IMAGES_FILE, read_images
from basestore.profile.document import read_file
from basestore.profile.model import PROJECT_FILE, Project, profile_file
from basestore.profile.project import parse_project, profile_names
from basestore.reading import UNFIT
from basestore.sources.git import Changes, Revision


def project_before(project: Project, revision: Revision, changes: Changes) -> Project | None:
    """The project as its file was; None where it said what can't be read today."""
    if PROJECT_FILE not in changes:
        return project
    data = revision.read(PROJECT_FILE)
    try:
        return parse_project(project.root, data) if data is not None else Project(project.root)
    except InputError:
        return None


def remade(project: Project, revision: Revision, changes: Changes) -> frozenset[str]:
    """The profiles whose image of one lock is recorded as another one than it was."""
    data = revision.read(IMAGES_FILE) if IMAGES_FILE in changes else None
    if data is None:
        return frozenset()
    try:
        before = images.parse(data, f"{revision.name}:{IMAGES_FILE}")
    except InputError:
        return frozenset()
    known = {(one.profile, one.lock): one.image for one in before}
    found = ((one, known.get((one.profile, one.lock))) for one in read_images(project))
    return frozenset(one.profile for one, image in found if image and image != one.image)


def commented(project: Project, revision: Revision, changes: Changes) -> frozenset[str]:
    """The files of profiles that still say what they said, in other words of their comments."""
    files = {profile_file(name) for name in profile_names(project)} & changes.tracked
    return frozenset(
        file
        for file in files
        if (said := _values(revision.read(file))) is not None
        and said == _values(read_file(project.root, file))
    )


def _values(data: bytes | None) -> object:
    """What a TOML file says; None where there is none, or nothing that can be read."""
    try:
        return None if data is None else tomllib.loads(data.decode())
    except UNFIT:
        return None
