"""Builds a project's images as the tool does it, but for what it checks before."""

import sys
from pathlib import Path

from basestore.cli.context import open_store
from basestore.cli.settings import read_settings
from basestore.cli.sources import bring_from
from basestore.layer.realise import realise
from basestore.pipeline.build import Builder
from basestore.pipeline.record import build_and_record
from basestore.profile.project import all_names, read_project
from basestore.progress import Progress


def main() -> None:
    """Build what the folder holds that is named, profiles before services."""
    root = Path(sys.argv[1])
    project, settings = read_project(root), read_settings()
    store = open_store(settings, project)
    bring = bring_from(project, settings, Progress())
    builder = Builder(store, bring, Progress(), settings.jobs, settings.host)
    for name in all_names(project):
        build_and_record(project, builder, name, (), realise)


if __name__ == "__main__":
    main()
