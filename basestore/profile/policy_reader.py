"""The ``[policy]`` of a profile or the project: rules and waivers, with a place in every error."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from basestore.profile.cutoff import parse_cutoff
from basestore.profile.document import Table, nearest
from basestore.profile.licences import is_licence, meant_licences
from basestore.profile.lines import KeyPath, key_lines
from basestore.profile.names import (
    DEFAULT_INDEX,
    is_index_name,
    is_pattern,
    normalised,
)
from basestore.profile.place import Location
from basestore.profile.policy import (
    Effect,
    Forbid,
    MinimumAge,
    NotTogether,
    PackageLimit,
    Policy,
    RefuseLicence,
    RefuseYanked,
    RequireIndex,
    Rule,
    TotalLimit,
    Waiver,
)
from basestore.profile.policy_lists import FORBID, LICENCES, NOT_TOGETHER
from basestore.profile.sizes import SIZE_HINT, parse_size

_RULES = (
    Forbid.key,
    NotTogether.key,
    RequireIndex.key,
    PackageLimit.key,
    TotalLimit.key,
    RefuseLicence.key,
    RefuseYanked.key,
    MinimumAge.key,
)
_LICENCE = re.compile(r"[A-Za-z0-9.+*-]+( WITH [A-Za-z0-9.+*-]+)?")

_OLDEST = timedelta(days=3660)

_T = TypeVar("_T")


def read_policy(table: Table, profiles: Callable[[], Collection[str]]) -> Policy:
    """The policy of a file's root table, empty where it has none; raises DocumentError.

    ``profiles``: the names that the project's profiles have.
    """
    stated = table.table("policy")
    if stated is None:
        return Policy()
    stated.only(*_RULES, *Effect)
    reader = _Reader(stated, key_lines(table.document.text), profiles)
    return Policy(tuple(reader.rules()), tuple(reader.waivers()))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one ``[policy]``. ``lines``: of every key of the document."""

    table: Table
    lines: Mapping[KeyPath, int]
    profiles: Callable[[], Collection[str]]

    def rules(self) -> Iterator[Rule]:
        """All rules, in an order that the file's doesn't change."""
        yield from self._forbid()
        yield from self._not_together()
        yield from self._require_index()
        yield from self._package_limits()
        yield from self._licences()
        if size := self._read(TotalLimit.key, _size):
            yield TotalLimit(self._place(TotalLimit.key), size)
        if self.table.flag(RefuseYanked.key):
            yield RefuseYanked(self._place(RefuseYanked.key))
        if age := self._read(MinimumAge.key, _age):
            yield MinimumAge(self._place(MinimumAge.key), age)

    def waivers(self) -> Iterator[Waiver]:
        """All waivers, in the order of the file."""
        for effect in Effect:
            for number, row in enumerate(self.table.tables(effect)):
                yield self._waiver(effect, row, self._place(effect, number))

    def _place(self, *inner: str | int) -> Location:
        path = (*self.table.path, *inner)
        while path not in self.lines:  # an element of a ready-made list stands where its list does
            path = path[:-1]
        return Location(self.table.document.file, self.lines[path])

    def _read(self, key: str, parse: Callable[[Table, str, str], _T]) -> _T | None:
        text = self.table.string(key)
        return None if text is None else parse(self.table, text, key)

    def _forbid(self) -> Iterator[Forbid]:
        rules: dict[str, Forbid] = {}
        for number, text in enumerate(self.table.strings(Forbid.key) or ()):
            place = self._place(Forbid.key, number)
            if text.startswith("@"):
                listed = _listed(self.table, FORBID, text, Forbid.key, number)
                found = [Forbid(place, pattern, text) for pattern in listed]
            else:
                found = [Forbid(place, _pattern(self.table, text, Forbid.key, number))]
            for rule in found:
                rules.setdefault(rule.pattern, rule)
        yield from (rules[pattern] for pattern in sorted(rules))

    def _not_together(self) -> Iterator[NotTogether]:
        key = NotTogether.key
        for number, value in enumerate(_array(self.table, key)):
            place = self._place(key, number)
            if isinstance(value, str) and value.startswith("@"):
                for alternatives in _listed(self.table, NOT_TOGETHER, value, key, number):
                    yield NotTogether(place, alternatives, value)
                continue
            names = value if isinstance(value, list) else ()
            texts = [name for name in names if isinstance(name, str)]
            if len(texts) < 2 or len(texts) != len(names):
                raise self.table.error(
                    "not two or more names of packages",
                    'write an array of names, ["opencv-python", "opencv-python-headless"], or a '
                    f"list: {_known(NOT_TOGETHER)}",
                    key,
                    number,
                )
            patterns = [_pattern(self.table, text, key, number) for text in texts]
            yield NotTogether(place, tuple((pattern,) for pattern in sorted(set(patterns))))

    def _require_index(self) -> Iterator[RequireIndex]:
        key = RequireIndex.key
        for name, index in sorted((self.table.string_map(key) or {}).items()):
            pattern = _pattern(self.table, name, key, name)
            if index != DEFAULT_INDEX and not is_index_name(index):
                hint = f"name an index of [indexes], or {DEFAULT_INDEX!r}"
                raise self.table.error(f"{index!r} is no name of an index", hint, key, name)
            yield RequireIndex(self._place(key, name), pattern, index)

    def _package_limits(self) -> Iterator[PackageLimit]:
        key = PackageLimit.key
        if isinstance(self.table.values.get(key), str):
            size = self._read(key, _size)
            yield PackageLimit(self._place(key), "*", size or 0)
            return
        stated = self.table.string_map(key) or {}
        named = {_pattern(self.table, name, key, name): name for name in sorted(stated)}
        for pattern, name in sorted(named.items()):
            others = tuple(other for other in sorted(named) if other != pattern)
            size = _size(self.table, stated[name], key, name)
            yield PackageLimit(self._place(key, name), pattern, size, others)

    def _licences(self) -> Iterator[RefuseLicence]:
        key = RefuseLicence.key
        for number, text in enumerate(self.table.strings(key) or ()):
            place = self._place(key, number)
            if text.startswith("@"):
                for pattern in _listed(self.table, LICENCES, text, key, number):
                    yield RefuseLicence(place, pattern, text)
            else:
                yield RefuseLicence(place, self._licence(text, number))

    def _licence(self, text: str, number: int) -> str:
        if _LICENCE.fullmatch(text) and is_licence(text):
            return text
        reason = f"{text!r} is no SPDX identifier, nor a pattern that one matches"
        hint = f"write an SPDX identifier, GPL-* or unknown, or a list: {_known(LICENCES)}"
        if meant := meant_licences(text):
            hint = f"did you mean {' or '.join(map(repr, meant))}? {hint}"
        raise self.table.error(reason, hint, RefuseLicence.key, number)

    def _waiver(self, effect: Effect, row: Table, place: Location) -> Waiver:
        row.only("rule", "package", "reason", "until", "profiles")
        rule = row.required("rule", row.string("rule"), 'add rule = "forbid", or what it excepts')
        if rule not in _RULES:
            raise row.error(f"there is no rule {rule!r}", nearest(rule, _RULES), "rule")
        if rule not in self.table.values:
            raise row.error(
                f"there is no {rule} in this file",
                "except a rule in the file that states it: a policy can't be lifted elsewhere",
                "rule",
            )
        reason = row.required("reason", row.string("reason"), 'add reason = "…"')
        if not reason.strip():
            raise row.error("is empty", "say why, for those who come after you", "reason")
        until = row.required("until", row.day("until"), "add until = 2027-01-31, its last day")
        package = _waived(row, rule)
        return Waiver(effect, place, rule, package, reason, until, tuple(self._profiles(row)))

    def _profiles(self, row: Table) -> Iterator[str]:
        for number, name in enumerate(row.strings("profiles") or ()):
            if name not in (known := self.profiles()):
                hint = nearest(name, known)
                raise row.error(f"there is no profile {name!r}", hint, "profiles", number)
            yield name


def _waived(row: Table, rule: str) -> str:
    text = row.string("package")
    if rule != TotalLimit.key:
        hint = 'add package = "…"; * may stand for anything in it'
        return _pattern(row, row.required("package", text, hint), "package")
    if text is not None:
        raise row.error("the total is about no package", "take it out", "package")
    return ""


def _pattern(table: Table, text: str, *inner: str | int) -> str:
    pattern = normalised(text)
    if is_pattern(pattern):
        return pattern
    raise table.error(
        f"{text!r} is no pattern of package names",
        "write a package's name, in which * may stand for anything: nvidia-*",
        *inner,
    )


def _listed(
    table: Table, lists: Mapping[str, Sequence[_T]], name: str, *inner: str | int
) -> Sequence[_T]:
    if name in lists:
        return lists[name]
    raise table.error(f"there is no list {name!r}", nearest(name, lists), *inner)


def _known(lists: Mapping[str, object]) -> str:
    return ", ".join(sorted(lists))


def _array(table: Table, key: str) -> Sequence[object]:
    """An array whose elements are told apart by the caller."""
    value = table.values.get(key, [])
    if isinstance(value, list):
        return value
    raise table.error("not an array", f'write it in brackets: {key} = [["…", "…"]]', key)


def _size(table: Table, text: str, *inner: str | int) -> int:
    """Bytes: a number with a unit."""
    try:
        size = parse_size(text)
    except ValueError as error:
        raise table.error(str(error), SIZE_HINT, *inner) from None
    if not size:
        raise table.error("would refuse everything", "write a size above zero", *inner)
    return size


def _age(table: Table, text: str, *inner: str | int) -> timedelta:
    try:
        age = parse_cutoff(text)
    except ValueError:
        age = None
    if isinstance(age, timedelta) and timedelta() < age <= _OLDEST:
        return age
    hint = 'write a number of hours, days or weeks, ten years at most: "7 days"'
    raise table.error(f"{text!r} is no age", hint, *inner)
