"""Needed: the image that a command sends, writes or runs, its layers made where they lack.

What this user has made is put together from its records. In a store that others have filled, be it
a shared one, a seed or a restored cache, layers are made again: what comes out is what is recorded,
or refused.
"""

from basestore.image.model import Image
from basestore.pipeline.assembled import check_same, required_image
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import NotBuiltError, Recorded
from basestore.profile.model import Project


def needed_image(project: Project, recorded: Recorded, builder: Builder) -> Image:
    """A recorded image with all that it consists of in the store; nothing is recorded.

    Raises OtherImageError where the lock gives another one, NotBuiltError for a service whose files
    aren't those of its image any more, and what building raises.
    """
    try:
        return required_image(project, recorded, builder.store)
    except NotBuiltError:
        builder.progress.note(f"{recorded.name}: making the layers that this user hasn't made")
    built = _built(project, recorded.name, builder)
    if built.recorded.made != recorded.made:
        reason = "what it is made of isn't what is recorded, and this user hasn't made that"
        raise NotBuiltError(recorded.name, f"{recorded.name}: {reason}")
    check_same(recorded, built.image)
    return built.image


def _built(project: Project, name: str, builder: Builder) -> Built:
    from basestore.layer.realise import realise

    if name in project.services:
        from basestore.pipeline.service import ServiceBuilder

        return ServiceBuilder(project, builder).build(name, (), realise)
    return builder.build(read_locked(project, name), (), realise)
