"""The ``[record-exceptions]`` of a profile: whose RECORD may say otherwise than its wheel holds."""

from collections.abc import Iterator, Mapping

from basestore.profile.document import Table
from basestore.profile.model import Location, RecordException
from basestore.profile.names import UNSEEN, is_normalised, normalised

LONGEST_REASON = 200
"""The most characters of a reason."""


def read_record_exceptions(
    table: Table, inherited: Mapping[str, RecordException]
) -> Mapping[str, RecordException]:
    """The exceptions by normalised name, on top of a parent's; raises DocumentError.

    What both except has the reason that is stated last, the child's.
    """
    stated = dict(_stated(table))
    return {name: (stated.get(name) or inherited[name]) for name in sorted({*inherited, *stated})}


def is_reason(text: str) -> bool:
    """Whether a text can be the reason of an exception: one line that says something."""
    return bool(text.strip()) and len(text) <= LONGEST_REASON and not UNSEEN.search(text)


def _stated(table: Table) -> Iterator[tuple[str, RecordException]]:
    reasons = table.string_map("record-exceptions") or {}
    lines = table.document.lines if reasons else {}
    spellings: dict[str, str] = {}
    for text, reason in reasons.items():
        name = _name(table, text)
        if spellings.setdefault(name, text) != text:
            other = f"{spellings[name]!r} is the same package, {name}"
            raise table.error(other, "take one of them out", "record-exceptions", text)
        _check_reason(table, text, reason)
        line = lines[(*table.path, "record-exceptions", text)]
        yield name, RecordException(reason, Location(table.document.file, line))


def _name(table: Table, text: str) -> str:
    name = normalised(text)
    if is_normalised(name):
        return name
    hint = "write the name alone; an exception holds for all versions of a package"
    raise table.error(f"{text!r} is no package's name", hint, "record-exceptions", text)


def _check_reason(table: Table, text: str, reason: str) -> None:
    if is_reason(reason):
        return
    if not reason.strip():
        wrong, hint = "is empty", "say why, for those who come after you"
    elif len(reason) > LONGEST_REASON:
        wrong, hint = f"has {len(reason)} characters", f"say it in {LONGEST_REASON}"
    else:
        wrong, hint = "has a control character", "say it in one line of plain text"
    raise table.error(wrong, hint, "record-exceptions", text)
