"""The bytecode of the standard library, entered into the tree."""

from pathlib import Path

from basestore.layer.entry import Kind
from basestore.layer.foundation.bytecode import Module, cached_name, compile_modules
from basestore.layer.foundation.interpreter import Interpreter
from basestore.layer.foundation.tree import Node, Tree
from basestore.layer.foundation.venv import short


def compile_stdlib(tree: Tree, python: str, interpreter: Interpreter, scratch: Path) -> None:
    """Compile each module below /usr/lib/pythonN.M and /usr/lib/python3 (Debian Python policy).

    ``scratch`` is an empty folder for the results. Raises InterpreterUnusableError.
    """
    minor = short(python)
    tree.add_folder(f"usr/local/lib/python{minor}/dist-packages")
    paths = [path for folder in (f"python{minor}", "python3") for path in _sources(tree, folder)]
    modules = []
    for number, path in enumerate(paths):
        source = tree.file(path)
        if source is not None:
            modules.append(Module(source, f"/{path}", scratch / str(number)))
    for module in compile_modules(interpreter, modules):
        _enter(tree, cached_name(module.path.lstrip("/"), minor), module.output)


def _sources(tree: Tree, folder: str) -> list[str]:
    return [path for path in tree.below(f"usr/lib/{folder}") if path.endswith(".py")]


def _enter(tree: Tree, path: str, made: Path) -> None:
    if path in tree:
        return  # a package brought it
    made.rename(tree.place(path, Node(Kind.FILE, 0o644, size=made.stat().st_size)))
