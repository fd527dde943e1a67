"""What `--since` opens: the revision, the registry that has its images, a place to make layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from basestore.cli.context import open_store, open_transport, reach
from basestore.cli.registry import NoRegistryError, repository_of
from basestore.cli.sources import bring_from
from basestore.cli.watch import watching
from basestore.profile.model import Project

if TYPE_CHECKING:
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
    from basestore.pipeline.build import Builder
    from basestore.pipeline.documents import Documents
    from basestore.pipeline.given import Giver
    from basestore.pipeline.proven import Proofs
    from basestore.pipeline.recorded import Records
    from basestore.pipeline.since import Since
    from basestore.pipeline.then import Then
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    settings = reach(offline=False)
    then = Then.of(project, revision)
    store = open_store(settings, project)
    with open_transport(settings) as transport, watching(json) as progress:
        config = DockerConfig(settings.docker_config)

        @cache
        def client(name: str) -> "RegistryClient | None":
            try:
                repository = repository_of(then.project or project, name, registry)
            except NoRegistryError:
                return None
            return RegistryClient.reader(transport, repository, config)

        bring = bring_from(project, settings, progress)
        builder = Builder(store, bring, progress, settings.jobs, settings.host)
        proofs = Proofs(then, Documents(store, client))
        with aside(builder) as place:
            yield Since(then, Records.read(project), Giver(project, proofs, place))
