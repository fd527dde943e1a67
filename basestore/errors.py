"""The one root of all expected errors, and the kinds that decide the exit code.

Concrete errors live beside the code that raises them, derive from one of the kinds here and carry
their data. ``cli`` is the one place that renders them.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command line; scripts rely on them."""

    DONE = 0
    BUG = 1
    USAGE = 2
    DISAGREEMENT = 3
    BAD_INPUT = 4
    INTEGRITY = 5
    UNREACHABLE = 6
    NO_RESOLUTION = 7
    POLICY = 8


class BasestoreError(Exception):
    """An expected failure: one sentence that names the thing, and the way out.

    ``message`` is a whole sentence without a final full stop; ``hint`` says what to do next and may
    be empty.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BasestoreError):
    """The command was called wrongly."""

    exit_code = ExitCode.USAGE


class DisagreementError(BasestoreError):
    """A check found things that should agree and don't: stale, unpinned, inconsistent."""

    exit_code = ExitCode.DISAGREEMENT


class InputError(BasestoreError):
    """A file that people or this tool wrote can't be taken as it is."""

    exit_code = ExitCode.BAD_INPUT


class IntegrityError(BasestoreError):
    """Bytes are not what their digest promised, or can't be trusted."""

    exit_code = ExitCode.INTEGRITY


class UnreachableError(BasestoreError):
    """A server, index, engine or folder can't be reached, or refuses."""

    exit_code = ExitCode.UNREACHABLE


class NoResolutionError(BasestoreError):
    """The requirements have no solution."""

    exit_code = ExitCode.NO_RESOLUTION


class PolicyError(BasestoreError):
    """A policy forbids what was asked for."""

    exit_code = ExitCode.POLICY
