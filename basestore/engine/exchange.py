"""Exchange: what an engine itself takes from a registry and brings there, with its own reach.

Credentials are those of Docker's configuration. Source: Engine API 1.41, "Create an image" and
"Push an image": progress, an ``error``, or for a push an ``aux`` with the manifest's digest.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.engine.errors import EngineRefusedError, NotAnEngineError
from basestore.engine.sdk import refused, speaking
from basestore.reading import UNFIT


def has_pulled(engine: Engine, repository: str, digest: Digest) -> bool:
    """Whether an engine has an image by the digest that a registry calls it by."""
    return engine.image(f"{repository}@{digest}") is not None


def pull(engine: Engine, repository: str, digest: Digest) -> None:
    """Let an engine pull an image by digest; raises EngineRefusedError and NoEngineError."""
    what = f"pull {repository}@{digest}"
    with speaking(engine.host, what):
        answers = engine.api.pull(repository, str(digest), stream=True, decode=True)
        for _ in _told(engine, what, answers):
            pass


def push(engine: Engine, repository: str, tag: str) -> Digest:
    """Let an engine push an image that it has under that name; the manifest's digest.

    Raises EngineRefusedError, NoEngineError and NotAnEngineError.
    """
    what = f"push {repository}:{tag}"
    with speaking(engine.host, what):
        answers = engine.api.push(repository, tag, stream=True, decode=True)
        found = [digest for answer in _told(engine, what, answers) if (digest := _pushed(answer))]
    try:
        return Digest.parse(found[-1])
    except UNFIT:
        raise NotAnEngineError(engine.host, "it tells no digest of what it pushed") from None


def _told(engine: Engine, what: str, answers: Iterable[Any]) -> Iterator[Any]:
    """The pieces of an answer to its end; raises the error that stands in one of them."""
    error: EngineRefusedError | None = None
    for answer in answers:
        error = error or refused(engine.host, what, answer)
        yield answer
    if error:
        raise error


def _pushed(answer: Any) -> str:
    aux = answer.get("aux") if isinstance(answer, dict) else None
    digest = aux.get("Digest") if isinstance(aux, dict) else None
    return digest if isinstance(digest, str) else ""
