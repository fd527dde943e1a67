"""The only writers whose bytes are hashed: JSON, and the pieces of our TOML files.

One value has one form. JSON: UTF-8, sorted keys, no white space, no floats. TOML: basic strings
with the shortest escapes, inline tables and arrays on one line.
"""

import json
import re
from collections.abc import Mapping, Sequence

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")

_MUST_ESCAPE = re.compile(r'[\x00-\x1f"\\\x7f]')

_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def json_bytes(value: Json) -> bytes:
    """The canonical JSON of a value, without a final newline."""
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def toml_string(text: str) -> str:
    """A TOML 1.0 basic string ("String"): control characters escaped, all else as it is."""
    return '"' + _MUST_ESCAPE.sub(_escape, text) + '"'


def toml_key(name: str) -> str:
    """A TOML key: bare where TOML 1.0 ("Keys") allows it, else quoted."""
    return name if _BARE.fullmatch(name) else toml_string(name)


def toml_strings(values: Sequence[str]) -> str:
    """An array of strings on one line, in the order given."""
    return "[" + ", ".join(toml_string(value) for value in values) + "]"


def toml_table(pairs: Sequence[tuple[str, str]]) -> str:
    """An inline table of keys and already written values, in the order given."""
    if not pairs:
        return "{}"
    return "{ " + ", ".join(f"{toml_key(key)} = {value}" for key, value in pairs) + " }"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"
