from dataclasses import replace

import debbytes as d
import pytest

from basestore.errors import ExitCode
from basestore.layer.foundation import foundation_entries
from basestore.layer.foundation.interpreter import InterpreterUnusableError
from basestore.layer.foundation.venv import NoPythonError
from basestore.layer.needed import MissingLibraryError
from basestore.recipe.model import FoundationRecipe
from basestore.store.blobs import MissingBlobError
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
PYTHON = d.file("usr/bin/python3.11", b"#!/bin/sh\n", 0o755)


@pytest.fixture
def blobs(tmp_path):
    return d.blobs_in(tmp_path)


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def recipe(*debs) -> FoundationRecipe:
    return FoundationRecipe(AMD64, "3.11.2", debs)


def test_without_an_interpreter_there_is_no_foundation(blobs, scratch):
    own = recipe(d.stock(blobs, "other"))
    with pytest.raises(NoPythonError):
        foundation_entries(own, own, blobs, scratch)


def test_a_runner_with_another_python_is_refused(blobs, scratch):
    own = recipe(d.stock(blobs, "python3.11", [PYTHON]))
    other = replace(own, platform=ARM64, python="3.11.9")
    with pytest.raises(InterpreterUnusableError) as caught:
        foundation_entries(own, other, blobs, scratch)
    assert "linux/arm64" in caught.value.message
    assert "3.11.9" in caught.value.message
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_linker_that_does_not_run_here_is_named(blobs, scratch):
    linker = d.file("usr/lib64/ld-linux-x86-64.so.2", b"\x7fELF" + bytes(100), 0o755)
    own = recipe(d.stock(blobs, "python3.11", [PYTHON, linker]))
    with pytest.raises(InterpreterUnusableError, match="Exec format error"):
        foundation_entries(own, own, blobs, scratch)


def test_a_missing_library_names_file_package_and_library(blobs, scratch):
    tool = d.file("usr/bin/tool", d.elf(needed=["libgone.so.1"]), 0o755)
    own = recipe(d.stock(blobs, "python3.11", [PYTHON]), d.stock(blobs, "tool", [tool]))
    with pytest.raises(MissingLibraryError, match=r"/usr/bin/tool of tool needs libgone\.so\.1"):
        foundation_entries(own, own, blobs, scratch)


def test_a_package_that_the_store_lacks_is_an_error(blobs, scratch):
    lost = d.stock(blobs, "python3.11", [PYTHON])
    blobs.path(lost.sha256).unlink()
    with pytest.raises(MissingBlobError):
        foundation_entries(recipe(lost), recipe(lost), blobs, scratch)
