"""Compiling modules, with the interpreter that runs the tests in the foundation's place."""

import importlib.util
import marshal
import sys
from pathlib import Path

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.layer.foundation.bytecode import (
    COMPILE_SCRIPT,
    Module,
    cached_name,
    compile_modules,
)
from basestore.layer.foundation.interpreter import (
    Interpreter,
    InterpreterUnusableError,
    interpreter_of,
)
from basestore.layer.foundation.tree import Tree
from basestore.recipe.model import LAYOUT
from basestore.target import Platform

AMD64 = Platform("amd64")
SOURCES = {
    "a.py": b"def f(x):\n    return x in {'one', 'two', 'three'}\n",
    "b.py": "# -*- coding: latin-1 -*-\nname = 'ü'\n".encode("latin-1"),
    "bad.py": b"def (:\n",
    "nul.py": b"x = 1\0\n",
    "empty.py": b"",
    "noisy.py": b"x = '\\d'\nassert x is 'y', 'kept'\n",
}


def host(folder: Path) -> Interpreter:
    return Interpreter(AMD64, (sys.executable,), sys.base_prefix, folder)


def compiled(folder: Path, names: list[str]) -> dict[str, bytes]:
    folder.mkdir()
    modules = []
    for name in names:
        (folder / name).write_bytes(SOURCES[name])
        modules.append(Module(folder / name, f"/usr/lib/{name}", folder / f"{name}c"))
    done = compile_modules(host(folder), modules)
    return {module.path: module.output.read_bytes() for module in done}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("modules") / "in", list(SOURCES))


def test_what_does_not_compile_is_left_out(results):
    assert sorted(results) == [
        f"/usr/lib/{name}" for name in ("a.py", "b.py", "empty.py", "noisy.py")
    ]


def test_files_are_unchecked_hash_based_and_name_their_final_path(results):
    data = results["/usr/lib/a.py"]
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert data[4:8] == b"\x01\0\0\0"
    assert data[8:16] == importlib.util.source_hash(SOURCES["a.py"])
    code = marshal.loads(data[16:])
    assert code.co_filename == "/usr/lib/a.py"
    scope: dict[str, object] = {}
    exec(marshal.loads(results["/usr/lib/b.py"][16:]), scope)
    assert scope["name"] == "ü"


def test_assertions_are_kept(results):
    with pytest.raises(AssertionError, match="kept"):
        exec(marshal.loads(results["/usr/lib/noisy.py"][16:]), {})


def test_folder_order_and_the_hosts_environment_change_no_byte(tmp_path, results, monkeypatch):
    for name, value in {"PYTHONHASHSEED": "42", "TZ": "Asia/Tokyo", "PYTHONOPTIMIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    other = compiled(tmp_path / "elsewhere and longer", list(reversed(SOURCES)))
    assert other == results


def test_the_script_is_a_part_of_the_layout():
    """Whoever changes the script changes bytes: move LAYOUT in recipe/model.py, then this."""
    assert (LAYOUT, Digest.of(COMPILE_SCRIPT.encode()).hex[:16]) == (0, "51966298344f670a")


def test_names_are_those_of_pep_3147():
    assert cached_name("usr/lib/a.b/c.py", "3.11") == "usr/lib/a.b/__pycache__/c.cpython-311.pyc"


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"\x7fELFnot for this machine" + bytes(100), 0o755, "Exec format error"),
        (
            b"#!/bin/sh\necho a first line >&2\necho no such library >&2\nexit 127\n",
            0o755,
            "no such library",
        ),
        (b"#!/bin/sh\nkill -9 $$\n", 0o755, "status -9"),
        (b"#!/bin/sh\n", 0o644, "Permission denied"),
    ],
)
def test_an_interpreter_that_does_not_run_is_named_with_the_way_out(
    tmp_path, content, mode, reason
):
    program = tmp_path / "ld.so"
    program.write_bytes(content)
    program.chmod(mode)
    interpreter = Interpreter(AMD64, (str(program),), "usr", tmp_path)
    with pytest.raises(InterpreterUnusableError) as caught:
        interpreter.run("", b"")
    error = caught.value
    assert error.exit_code is ExitCode.UNREACHABLE
    assert "linux/amd64" in error.message
    assert reason in error.message
    assert "build on a Linux host" in error.hint


def test_a_foundation_without_a_linker_has_no_interpreter(tmp_path):
    tree = Tree(tmp_path)
    tree.add_file("usr/bin/python3.11", b"")
    with pytest.raises(InterpreterUnusableError, match=r"ld-linux-x86-64\.so\.2"):
        interpreter_of(tree, AMD64, "3.11.2")
