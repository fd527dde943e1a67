"""Scripts: entry points made executable, and the ``#!python`` line made real.

PyPA entry points specification, "Use for scripts"; binary distribution format, "Recommended
installer features".
"""

import configparser
import re

from basestore.layer.names import is_whiteout
from basestore.layer.wheel.errors import BadZipError

_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_REFERENCE = re.compile(
    rf"(?P<module>{_DOTTED})\s*:\s*(?P<attribute>{_DOTTED})\s*(?:\[[^\]]*\])?", re.ASCII
)
_NAME = re.compile(r"[\w.+-]+", re.ASCII)  # ROCm's compilers have names like amdclang++
_SHEBANG = re.compile(rb"#!pythonw?[0-9.]*")

_TEMPLATE = """\
#!{interpreter}
import sys
from {module} import {root}
if __name__ == "__main__":
    sys.exit({attribute}())
"""


def entry_point_scripts(content: bytes, interpreter: str, label: str) -> dict[str, bytes]:
    """The generated scripts of an ``entry_points.txt``, by name; raises BadZipError."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(content.decode("utf-8"))
    except (UnicodeDecodeError, configparser.Error) as error:
        reason = str(error).splitlines()[0]
        raise BadZipError(label, f"its entry_points.txt can't be read ({reason})") from error
    scripts: dict[str, bytes] = {}
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_section(section):
            for name, reference in parser.items(section):
                scripts[name] = _script(name, reference, interpreter, label)
    return scripts


def with_interpreter(content: bytes, interpreter: str) -> bytes:
    """A script whose first line begins with ``#!python`` or ``#!pythonw``, with the real one.

    A version behind it goes, arguments stay.
    """
    first, newline, rest = content.partition(b"\n")
    arguments = _SHEBANG.sub(b"", first, count=1).rstrip(b"\r")
    return b"#!" + interpreter.encode() + arguments + newline + rest


def _script(name: str, reference: str, interpreter: str, label: str) -> bytes:
    match = _REFERENCE.fullmatch(reference.strip())
    fits = _NAME.fullmatch(name) and name not in (".", "..") and not is_whiteout(name)
    if match is None or not fits:
        raise BadZipError(label, f"its entry point {name!r} = {reference!r} is no script")
    attribute = match["attribute"]
    return _TEMPLATE.format(
        interpreter=interpreter,
        module=match["module"],
        root=attribute.partition(".")[0],
        attribute=attribute,
    ).encode()
