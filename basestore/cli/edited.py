"""A word where a service's files have changed since the image that is used was built."""

from basestore.cli.terminal import warn
from basestore.errors import InputError
from basestore.pipeline.recorded import Recorded
from basestore.profile.model import Project
from basestore.store import Store


def warn_if_edited(project: Project, store: Store | None, recorded: Recorded) -> None:
    """Who pushes or runs what was built before the last edit is told so; files that can't be read
    are the build's matter."""
    if store is None or recorded.made is None:
        return
    from basestore.pipeline.application import CodeState, code_state

    try:
        state = code_state(project, store, recorded.name, recorded.made)
    except InputError:
        return
    if state is CodeState.CHANGED:
        name = recorded.name
        warn(f"the files of {name} have changed since it was built: run `basestore build {name}`")
