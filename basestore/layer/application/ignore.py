"""What of a context is left out: ``.dockerignore`` with the meaning that moby and BuildKit give it.

Reading is that of moby/patternmatcher's ``ignorefile``, matching that of its
``MatchesUsingParentResults``, which both builders walk with: the last pattern that matches a path
decides, and one that matched a folder matches all below it.
"""

from dataclasses import dataclass

from basestore.layer.application.errors import NotTextError, PatternError
from basestore.layer.application.pattern import MalformedPatternError, Pattern, clean, parse
from basestore.profile.place import Location

FILE = ".dockerignore"

DEFAULTS = ("**/.git", "**/__pycache__", "**/*.pyc", FILE)
"""As if they stood at the head of every ``.dockerignore``: what differs from clone to clone."""

_BY_DEFAULT = Location("the defaults", 0)
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that leaves out, or with ``!`` takes back, and where it stands."""

    pattern: Pattern
    takes_back: bool
    place: Location

    @property
    def by(self) -> str:
        """What it stands in, for people."""
        return str(self.place) if self.place.line else self.place.file


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a path: which of them matched it, and which decided, if one did."""

    matched: tuple[bool, ...] = ()
    decided: Rule | None = None

    @property
    def ignored(self) -> bool:
        """Whether the path is left out."""
        return self.decided is not None and not self.decided.takes_back


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of a context, in their order."""

    rules: tuple[Rule, ...]

    def root(self) -> Verdict:
        """What is said of the context itself: nothing."""
        return Verdict((False,) * len(self.rules))

    def judge(self, path: str, parent: Verdict) -> Verdict:
        """What is said of a path, given what is said of its folder."""
        matched, decided, ignored = [], None, False
        for rule, inherited in zip(self.rules, parent.matched, strict=True):
            # A rule that would change nothing is not asked, and then doesn't hold below either.
            found = inherited or (rule.takes_back == ignored and rule.pattern.matches(path))
            matched.append(found)
            if found:
                decided, ignored = rule, not rule.takes_back
        return Verdict(tuple(matched), decided)

    def may_take_back_below(self, folder: str) -> bool:
        """Whether something below a folder that is left out may be taken back."""
        return any(r.takes_back and r.pattern.may_match_below(folder) for r in self.rules)


def read_ignore(data: bytes, file: str) -> Ignore:
    """The defaults, then the rules of a ``.dockerignore``; raises PatternError.

    ``file``: what it is called in errors.
    """
    defaults = [Rule(parse(pattern), False, _BY_DEFAULT) for pattern in DEFAULTS]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotTextError(Location(file, line)) from None
    lines = enumerate(text.split("\n"), start=1)
    rules = (_rule(line, Location(file, number)) for number, line in lines)
    return Ignore((*defaults, *(rule for rule in rules if rule)))


def _rule(line: str, place: Location) -> Rule | None:
    """The rule of a line, None for a comment or nothing.

    Cleaned twice, once with the mark on it, as moby's reader and matcher do one after the other.
    """
    text = line.strip(_SPACE)
    if not text or line.startswith("#"):
        return None
    mark = "!" if text.startswith("!") else ""
    body = text.removeprefix(mark).strip(_SPACE)
    once = (mark + clean(body)).strip(_SPACE)
    cleaned = once if once.startswith("/") else clean(once)
    takes_back = cleaned.startswith("!")
    pattern = cleaned[1:] if takes_back else cleaned
    if not pattern or (mark and body[:1] in ("", "/") and clean(body) == "."):
        raise PatternError(place, text, "names nothing")
    try:
        return Rule(parse(pattern), takes_back, place)
    except MalformedPatternError as error:
        raise PatternError(place, text, str(error)) from None
