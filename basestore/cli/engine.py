"""Which engine the commands speak to."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from basestore.cli.settings import Settings

if TYPE_CHECKING:
    from basestore.engine.client import Engine


@contextmanager
def open_engine(settings: Settings) -> "Iterator[Engine]":
    """The engine that Docker's own client would speak to; raises what opening it raises."""
    from basestore.engine.client import Engine
    from basestore.engine.endpoint import find_endpoint

    with closing(Engine.open(find_endpoint(settings.environ, settings.docker_config))) as engine:
        yield engine
