"""Whether the files that a service copies are those of its recorded image. Writes no record."""

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from basestore.digest import Digest
from basestore.layer.application import Application, read_application
from basestore.lock.files import read_lock
from basestore.lock.services import Made
from basestore.profile.model import Project
from basestore.store import Store


class CodeState(StrEnum):
    """How a service's files stand; ``UNKNOWN``: this store has nothing to compare them with."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


def code_state(project: Project, store: Store, name: str, made: Made) -> CodeState:
    """How the files of a service stand to those that its image was made of. Makes no layer.

    Raises NoLockError, EditedLockError, and InputError kinds for files that can't be taken.
    """
    layer = _recorded(store, _application(project, name))
    if layer is not None:
        return CodeState.SAME if layer == made.application else CodeState.CHANGED
    was_made_here = store.realisations.made_layer(made.application) is not None
    return CodeState.CHANGED if was_made_here else CodeState.UNKNOWN


def application_layer(project: Project, store: Store | None, name: str) -> Digest:
    """The layer that the files of a service give, made for this where no store knows it.

    Raises what `code_state` raises, NoLockError for its base, and what realising raises.
    """
    from basestore.layer.realise import Workshop, realise, runner_of

    application = _application(project, name)
    if store and (known := _recorded(store, application)):
        return known
    runner = runner_of(read_lock(project, project.services[name].base)[0], None)
    with TemporaryDirectory(prefix="basestore-") as folder:
        workshop = Workshop(Store.open(Path(folder)), runner, application.sources)
        return realise(application.recipe, workshop).layer


def _application(project: Project, name: str) -> Application:
    workdir = read_lock(project, name)[0].image.workdir or "/"
    return read_application(project.root, project.services[name], workdir)


def _recorded(store: Store, application: Application) -> Digest | None:
    found = store.realisations.of_recipe(application.recipe.digest)
    return found.layer if found else None
