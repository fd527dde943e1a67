"""What `--since` opens: the revision, the registry that has its images, a place to make layers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from basestore.cli.context import open_store, open_transport, reach
from basestore.cli.registry import NoRegistryError, repository_of
from basestore.cli.settings import Settings
from basestore.cli.sources import builder_of
from basestore.cli.watch import watching
from basestore.profile.model import Project
from basestore.store import Store

if TYPE_CHECKING:
    from basestore.pipeline.proven import Proofs
    from basestore.pipeline.since import Since
    from basestore.registry.client import RegistryClient
    from basestore.sources.git import Revision


def revision_of(project: Project, name: str) -> "Revision":
    """A revision of the project's repository; raises what `Git.revision` raises."""
    from basestore.sources.git import Git

    return Git(project.root, reach(offline=False).environ).revision(name)


def since_json(revision: "Revision | None") -> dict[str, object]:
    """What JSON says of a revision, if there is one."""
    if revision is None:
        return {}
    return {"since": {"name": revision.name, "commit": revision.commit}}


@contextmanager
def checks_since(
    project: Project, revision: "Revision", registry: str | None, json: bool
) -> Iterator["Since"]:
    """The checks of a project against a revision; ``registry``: instead of the project's.

    What was made for them is gone at the end.
    """
    from basestore.pipeline.aside import aside
    from basestore.pipeline.given import Giver
    from basestore.pipeline.recorded import Records
    from basestore.pipeline.since import Since

    settings = reach(offline=False)
    store = open_store(settings, project)
    with (
        watching(json) as progress,
        _proofs(project, revision, registry, settings, store) as proofs,
        aside(builder_of(project, settings, progress)) as place,
    ):
        yield Since(proofs.then, Records.read(project), Giver(project, proofs, place))


def believe_since(
    project: Project, revision: str, names: Sequence[str], settings: Settings, store: Store
) -> None:
    """Believe what others recorded in a store where a revision's images prove it."""
    from basestore.pipeline.vouched import vouch

    found = revision_of(project, revision)
    bases = (project.services[name].base for name in names if name in project.services)
    with _proofs(project, found, None, settings, store) as proofs:
        vouch(proofs, dict.fromkeys((*bases, *names)), store)


@contextmanager
def _proofs(
    project: Project,
    revision: "Revision",
    registry: str | None,
    settings: Settings,
    store: Store,
) -> Iterator["Proofs"]:
    """What a revision's images prove, which the store or a registry has."""
    from basestore.pipeline.documents import Documents
    from basestore.pipeline.proven import Proofs
    from basestore.pipeline.then import Then
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    then = Then.of(project, revision)
    with open_transport(settings) as transport:
        config = DockerConfig(settings.docker_config)

        @cache
        def client(name: str) -> "RegistryClient | None":
            try:
                repository = repository_of(then.project or project, name, registry)
            except NoRegistryError:
                return None
            return RegistryClient.reader(transport, repository, config)

        yield Proofs(then, Documents(store, client))
