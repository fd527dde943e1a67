"""Bytecode of Python modules, with bytes that nothing of the host decides.

Unchecked hash-based files (PEP 552), optimisation level 0, the final path as the code's file name.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from basestore.layer.foundation.interpreter import Interpreter

# Part of the layer's format. Marshal's bytes depend on who else refers to an object, so even a
# name that the script keeps can change them; and on what was compiled before, so the modules are
# dealt to the processes in a fixed way.
COMPILE_SCRIPT = """\
import importlib.util, marshal, sys
fields = sys.stdin.buffer.read().decode().split("\\0")[:-1]
for at in range(0, len(fields), 3):
    with open(fields[at], "rb") as file:
        source = file.read()
    try:
        code = compile(source, fields[at + 1], "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        continue
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    with open(fields[at + 2], "wb") as file:
        file.write(head + importlib.util.source_hash(source) + marshal.dumps(code))
"""
"""Reads triples of NUL-ended names: source, final path, output. Skips what doesn't compile."""

PROCESSES = 2
"""Never the host's number of processors: it would decide which modules share a process."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module to compile: where its source is, its path in the image, where the result goes."""

    source: Path
    path: str
    output: Path


def compile_modules(interpreter: Interpreter, modules: Sequence[Module]) -> list[Module]:
    """Compile; the modules that could be. Raises InterpreterUnusableError."""
    shares = [modules[first::PROCESSES] for first in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as threads:
        list(threads.map(lambda share: _compile(interpreter, share), shares))
    return [module for module in modules if module.output.exists()]


def _compile(interpreter: Interpreter, modules: Sequence[Module]) -> None:
    fields = (field for module in modules for field in (module.source, module.path, module.output))
    interpreter.run(COMPILE_SCRIPT, "".join(f"{field}\0" for field in fields).encode())


def cached_name(path: str, python: str) -> str:
    """Where the bytecode of the module at ``path`` belongs (PEP 3147); ``python``: ``3.11``."""
    folder, _, name = path.rpartition("/")
    tag = f"cpython-{python.replace('.', '')}"
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
