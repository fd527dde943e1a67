"""Reading what others made: the one place where what goes wrong at that becomes a refusal.

Bytes from elsewhere make Python and its libraries raise at what nobody foresaw: a number of
thousands of digits, an object where a list should be, a nesting without end. Each reader says what
it knows to be wrong in its own words; what is left over becomes its refusal here. A name that isn't
defined, an assertion: those are no bytes' fault, stay what they are, and are told as bugs.

What the system refuses (a file, memory, a thread) is nobody's reader's matter: `cli` tells it.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from basestore.errors import BasestoreError

UNFIT = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What bytes of another form than expected make a reader raise."""


@contextmanager
def reading(refuse: Callable[[str], BasestoreError]) -> Iterator[None]:
    """A block that reads: ``refuse`` makes its error of a clause, ``it is nested too deeply``.

    Errors that are told already pass. The clause quotes nothing of the bytes, which may be secret.
    """
    try:
        yield
    except BasestoreError:
        raise
    except UNFIT as error:
        raise refuse(clause(error)) from error


def clause(error: Exception) -> str:
    """What is wrong with bytes at which this was raised."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return f"it is of another form than expected ({type(error).__name__})"
