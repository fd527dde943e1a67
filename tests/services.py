"""What a test needs of the machine it runs on, and what happens where that is lacking.

A test that lacks something is skipped and says what; with BASESTORE_REQUIRE_SERVICES it fails.
"""

import os
import shutil
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip a test that lacks something of this machine; fail it where nothing may be lacking."""
    if os.environ.get("BASESTORE_REQUIRE_SERVICES"):
        pytest.fail(f"{what}, and BASESTORE_REQUIRE_SERVICES is set")
    pytest.skip(what)


def need_program(name: str) -> str:
    """The path of a program that a test needs."""
    return shutil.which(name) or lacking(f"needs {name}")
