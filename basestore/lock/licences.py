"""Licence expressions (SPDX specification, annex "SPDX license expressions") held against patterns.

What is no expression (free text of old packages) counts as one identifier.
"""

import re
from collections.abc import Iterator, Sequence

from basestore.profile.licences import UNKNOWN

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_IDENTIFIER = re.compile(r"[A-Za-z0-9.+:-]+")
_DEEPEST = 50  # more parentheses than that are no licence, but an attack on the walk
_WORDS = frozenset({"AND", "OR", "WITH", "(", ")"})


class _NotAnExpressionError(Exception):
    """The text is no licence expression."""


def refused(
    expressions: Sequence[str], pattern: str, others: Sequence[str] = ()
) -> tuple[str, ...]:
    """The licences that match a pattern and can't be avoided by choosing another one; sorted.

    Every expression holds; none stands for `UNKNOWN`. ``*`` stands for anything, case for nothing.
    ``others``: patterns that are refused too, so that nobody can choose what matches one of them.
    """
    patterns = (pattern, *others)
    found = [_refused(text, patterns) for text in expressions or (UNKNOWN,)]
    unavoidable = frozenset[str]().union(*found)
    return tuple(sorted(one for one in unavoidable if _matching(one, (pattern,))))


def _refused(text: str, patterns: Sequence[str]) -> frozenset[str]:
    if text.count("(") > _DEEPEST:
        return _matching(text, patterns)
    try:
        return _Expression(text, patterns).refused()
    except _NotAnExpressionError:
        return _matching(text, patterns)


def _matching(licence: str, patterns: Sequence[str]) -> frozenset[str]:
    from fnmatch import fnmatchcase

    matches = any(fnmatchcase(licence.lower(), pattern.lower()) for pattern in patterns)
    return frozenset([licence] if matches else [])


class _Expression:
    """Walks an expression: OR binds least, then AND, then WITH."""

    def __init__(self, text: str, patterns: Sequence[str]) -> None:
        self._tokens: list[str] = list(_tokens(text))
        self._patterns = patterns

    def refused(self) -> frozenset[str]:
        found = self._any()
        if self._tokens:
            raise _NotAnExpressionError
        return found

    def _any(self) -> frozenset[str]:
        ways = [self._all()]
        while self._take("OR"):
            ways.append(self._all())
        return frozenset().union(*ways) if all(ways) else frozenset()

    def _all(self) -> frozenset[str]:
        found = self._one()
        while self._take("AND"):
            found |= self._one()
        return found

    def _one(self) -> frozenset[str]:
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                raise _NotAnExpressionError
            return inner
        name = self._identifier()
        return _matching(
            f"{name} WITH {self._identifier()}" if self._take("WITH") else name, self._patterns
        )

    def _identifier(self) -> str:
        if (
            not self._tokens
            or self._tokens[0] in _WORDS
            or not _IDENTIFIER.fullmatch(self._tokens[0])
        ):
            raise _NotAnExpressionError
        return self._tokens.pop(0)

    def _take(self, word: str) -> bool:
        if not self._tokens or self._tokens[0].upper() != word:
            return False
        del self._tokens[0]
        return True


def _tokens(text: str) -> Iterator[str]:
    return iter(_TOKEN.findall(text))
