"""What a test needs of the machine it runs on, and what happens where that is lacking.

A test that lacks something is skipped and says what. Where BASESTORE_REQUIRE_SERVICES is set
nothing may be lacking: every skip is a failure then, whoever skipped (see conftest.py).
"""

import os
import shutil
from typing import NoReturn

import pytest


def nothing_may_lack() -> bool:
    """Whether a skipped test is a failed one."""
    return bool(os.environ.get("BASESTORE_REQUIRE_SERVICES"))


def lacking(what: str) -> NoReturn:
    """Skip a test that lacks something of this machine."""
    pytest.skip(what)


def need_program(name: str) -> str:
    """The path of a program that a test needs."""
    return shutil.which(name) or lacking(f"needs {name}")
