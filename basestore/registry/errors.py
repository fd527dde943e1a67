"""What registries do wrong, and what they say of it (distribution-spec 1.1, "Error Codes")."""

import json
import re

from basestore.errors import IntegrityError, UnreachableError
from basestore.reading import UNFIT
from basestore.registry.reference import Repository
from basestore.transport import Response, TransportError, phrase

_LARGEST_ANSWER = 64 * 1024
_LONGEST_REASON = 200
_CODE = re.compile(r"[A-Z_]{1,64}")


class RegistryRefusedError(UnreachableError):
    """The registry answered, but not with what was asked for; ``codes`` are its own."""

    def __init__(
        self, repository: Repository, status: int, codes: tuple[str, ...], reason: str = ""
    ) -> None:
        super().__init__(
            f"{repository.host} refuses a request for {repository.path}: "
            f"{reason or phrase(status)}",
            "ask the registry's operator; its log says more",
        )
        self.repository = repository
        self.status = status
        self.codes = codes


class UnsafeUploadError(UnreachableError):
    """The registry wants an upload sent to where it could be read or changed on its way."""

    def __init__(self, repository: Repository, host: str) -> None:
        super().__init__(
            f"{repository.host} sends an upload to {host} on plain http",
            "behind a proxy, tell the registry its own address and scheme (X-Forwarded-Proto)",
        )


class WrongContentError(IntegrityError):
    """The registry serves, or kept, other bytes than their digest promised."""

    def __init__(self, repository: Repository, expected: str, found: str) -> None:
        super().__init__(
            f"{repository} has other bytes than it says: expected {expected}, found {found}",
            "don't trust that registry, or what stands between it and you, before you know why",
        )
        self.expected = expected
        self.found = found


def read_errors(response: Response) -> tuple[tuple[str, ...], str]:
    """The codes in a failed response, and the first error in words; both empty without them.

    ``detail`` is not read: it may repeat what was sent.
    """
    try:
        answer = json.loads(response.read(_LARGEST_ANSWER))
        errors = [error for error in answer["errors"] if isinstance(error, dict)]
    except (TransportError, *UNFIT):
        return (), ""
    codes = tuple(str(error.get("code")) for error in errors)
    codes = tuple(code for code in codes if _CODE.fullmatch(code))
    messages = [f"{e.get('code')}: {e.get('message')}" for e in errors if e.get("message")]
    words = "".join(c for c in "".join(messages[:1]) if c.isprintable())
    return codes, words[:_LONGEST_REASON] or ", ".join(codes)
