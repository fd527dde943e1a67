"""Running the program: errors rendered, exit codes given, whatever goes wrong and wherever.

The program itself is loaded where errors are told: with too little memory already that may fail.
"""

import os
import sys
from contextlib import suppress

from basestore.cli.endings import EndedError, heed_endings
from basestore.cli.streams import BROKEN_PIPE, empty_streams, is_broken_pipe, open_streams

_INTERRUPTED = 130  # what shells say of a program that SIGINT ended
_UNREACHABLE = 6
_NO_ROOM = b"error: there is too little memory, or too few open files, to say what went wrong\n"


def main() -> None:
    """Run the command line."""
    open_streams()
    code = _run()
    empty_streams()
    sys.exit(code)


def _run() -> str | int | None:
    """Run it, and tell what went wrong; what to exit with."""
    try:
        heed_endings()
        from basestore.cli.program import app

        app(prog_name="basestore")
    except SystemExit as end:
        # click ends with 1 where nobody reads what it prints.
        return BROKEN_PIPE if is_broken_pipe(end.__context__) else end.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except EndedError as ended:
        return ended.code
    except Exception as error:  # noqa: BLE001  # the one place where errors become words
        return BROKEN_PIPE if is_broken_pipe(error) else _tell(error)
    return 0


def _tell(error: Exception) -> int:
    """Tell an error: an expected one, the system's, or a bug. The exit code."""
    try:
        from basestore.cli.terminal import show

        return show(error)
    except (MemoryError, ImportError, OSError):
        with suppress(OSError):
            os.write(2, _NO_ROOM)  # bytes that were there before
        return _UNREACHABLE
