"""One requirement: PEP 508 by name or by a wheel's URL, wherever it is written."""

from dataclasses import replace
from itertools import accumulate

from basestore.profile.direct import VARIABLE, Refuse, named, read_direct
from basestore.profile.model import Location, Requirement
from basestore.profile.names import ENDLESS_NUMBER, normalised

_LONGEST_SHOWN = 60
_DEEPEST = 50
"""Parentheses in each other in a marker; what packaging says of more differs by its version."""
_PATHS = (".", "/", "~")
_BUILD = "build a wheel of it, put that into an index or at a URL and name it here"


def parse_requirement(text: str, location: Location, refuse: Refuse) -> Requirement:
    """A requirement in packaging's canonical text; raises what ``refuse`` makes."""
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    if text.startswith(_PATHS):
        raise refuse("a path, not a requirement by name or by a wheel's URL", _BUILD)
    if text.startswith("git@"):
        raise refuse("a reference to a repository (git)", _BUILD)
    if ENDLESS_NUMBER.search(text):
        raise refuse("a number of a thousand digits", "write a version that somebody has released")
    if VARIABLE.search(text) and "://" not in text:
        raise refuse("a variable outside of a URL", "write what it stands for")
    if _depth(text) > _DEEPEST:
        raise refuse("a marker that is nested too deeply", "write it flatter")
    try:
        parsed = Parsed(named(text, refuse))
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise refuse(
            f"{_shown(text)} is no requirement: {reason}",
            "write a name, extras and versions as in PEP 508: uvicorn[standard]>=0.30,<1",
        ) from None
    parsed.name = normalised(parsed.name)
    parsed.extras = {normalised(extra) for extra in parsed.extras}
    if parsed.url is None:
        return Requirement(parsed.name, str(parsed), location)
    direct = read_direct(parsed.url, refuse)
    if direct.name != parsed.name:
        raise refuse(f"{direct.wheel} is no wheel of {parsed.name}", "mend the name or the URL")
    parsed.url = direct.shown
    return Requirement(
        parsed.name, str(parsed), location, direct.url, direct.wheel, hashes=direct.hashes
    )


def parse_constraint(text: str, location: Location, refuse: Refuse) -> Requirement:
    """A constraint: a name, versions and a marker; raises what ``refuse`` makes."""
    from packaging.requirements import Requirement as Parsed

    constraint = parse_requirement(text, location, refuse)
    if constraint.url:
        raise refuse("a URL as a constraint", "name the wheel's URL under the requirements")
    parsed = Parsed(constraint.text)
    # pip: constraints can't have extras; pip-compile writes them all the same, without meaning.
    parsed.extras = set()
    return replace(constraint, text=str(parsed))


def _depth(text: str) -> int:
    """How many parentheses are open at once, whatever they mean."""
    opened = accumulate((character == "(") - (character == ")") for character in text)
    return max(opened, default=0)


def _shown(text: str) -> str:
    if "://" in text or "@" in text:
        return "this"  # there may be a credential in it
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
