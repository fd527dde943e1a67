"""Properties of the judgement, over any closure and any rules of names and sizes."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from judging import AMD64, ASKED, NOW, package

from basestore.lock.facts import Facts, Package, PlatformFacts
from basestore.lock.licences import refused
from basestore.lock.policy import check
from basestore.profile.document import DocumentError, read_document
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
from basestore.profile.policy_reader import read_policy

NAMES = st.sampled_from(["a", "a-b", "b", "nvidia-x", "nvidia-x-cu12", "torch"])
PATTERNS = st.sampled_from(["*", "a", "a*", "b", "nvidia-*", "nvidia-*-cu12", "torch"])
PLACES = st.builds(Location, st.sampled_from(["basestore.toml", "profiles/a.toml"]), st.just(1))
LICENCES = st.lists(
    st.sampled_from(["MIT", "GPL-2.0-only", "MIT OR GPL-2.0-only", "ISC AND GPL-2.0-only", "(x"])
)
PACKAGES = st.builds(
    package,
    NAMES,
    size=st.integers(0, 3000),
    index=st.sampled_from(["default", "special"]),
    uploaded=st.none() | st.integers(0, 20).map(lambda days: NOW - timedelta(days=days)),
    licences=st.none() | LICENCES.map(tuple),
    standing=st.none() | st.sampled_from(["offered", "yanked", "yanked: so"]),
)
RULES: st.SearchStrategy[Rule] = st.one_of(
    st.builds(Forbid, PLACES, PATTERNS),
    st.builds(NotTogether, PLACES, st.lists(st.tuples(PATTERNS), min_size=2).map(tuple)),
    st.builds(RequireIndex, PLACES, PATTERNS, st.sampled_from(["default", "special"])),
    st.builds(PackageLimit, PLACES, PATTERNS, st.integers(1, 3000)),
    st.builds(TotalLimit, PLACES, st.integers(1, 9000)),
    st.builds(RefuseLicence, PLACES, st.sampled_from(["GPL-*", "unknown", "*", "MIT"])),
    st.builds(RefuseYanked, PLACES),
    st.builds(MinimumAge, PLACES, st.integers(1, 20).map(lambda days: timedelta(days=days))),
)
CLOSURES = st.lists(PACKAGES, unique_by=lambda one: one.name)
WAIVERS = st.builds(
    Waiver,
    st.sampled_from(Effect),
    PLACES,
    st.sampled_from(["forbid", "not-together", "max-total-size", "minimum-age"]),
    PATTERNS,
    st.just("why"),
    st.integers(-3, 3).map(lambda days: NOW.date() + timedelta(days=days)),
)


def facts(packages: list[Package], debs: int = 0) -> Facts:
    """Facts about one platform."""
    return Facts(("a",), (PlatformFacts(AMD64, {one.name: one for one in packages}, debs),))


@given(CLOSURES, st.lists(RULES), st.lists(RULES), st.lists(WAIVERS))
def test_more_rules_never_lift_a_hit(
    packages: list[Package], rules: list[Rule], more: list[Rule], waivers: list[Waiver]
) -> None:
    few = check(Policy(tuple(rules), tuple(waivers)), facts(packages), NOW)
    many = check(Policy((*rules, *more), tuple(waivers)), facts(packages), NOW)
    assert set(few.hits) <= set(many.hits)


@given(CLOSURES, st.lists(RULES), st.lists(WAIVERS))
def test_what_a_child_waives_leaves_its_ancestors_rules(
    packages: list[Package], rules: list[Rule], waivers: list[Waiver]
) -> None:
    """A waiver elsewhere than in its rule's file changes nothing."""
    elsewhere = tuple(replace(one, place=Location("profiles/child.toml", 9)) for one in waivers)
    plain = check(Policy(tuple(rules)), facts(packages), NOW)
    found = check(Policy(tuple(rules), elsewhere), facts(packages), NOW)
    assert found.idle == (() if found.unknown else tuple(dict.fromkeys(elsewhere)))
    assert replace(found, idle=()) == plain


@given(CLOSURES, st.lists(RULES), st.lists(WAIVERS))
def test_a_waiver_only_moves_hits(
    packages: list[Package], rules: list[Rule], waivers: list[Waiver]
) -> None:
    def key(hits: tuple[object, ...]) -> set[object]:
        return {replace(hit, waiver=None, meant=None) for hit in hits}

    plain = check(Policy(tuple(rules)), facts(packages), NOW)
    waived = check(Policy(tuple(rules), tuple(waivers)), facts(packages), NOW)
    hits, warnings = key(waived.hits), key(waived.warnings)
    assert hits | warnings <= key(plain.hits)
    assert not hits & warnings
    assert (hits == key(plain.hits)) == (waived.waived is None)
    assert all(hit.waiver and hit.waiver.until >= NOW.date() for hit in waived.warnings)


@given(CLOSURES, st.lists(RULES))
def test_everything_waived_for_long_is_no_hit(packages: list[Package], rules: list[Rule]) -> None:
    waivers = tuple(
        Waiver(Effect.WARN, rule.place, rule.key, "*", "why", date(2030, 1, 1)) for rule in rules
    )
    found = check(Policy(tuple(rules), waivers), facts(packages), NOW)
    assert found.hits == ()
    assert bool(found.warnings) == (found.waived is not None)


@given(CLOSURES, st.lists(RULES), st.randoms())
def test_the_order_of_packages_means_nothing_to_who_is_refused(
    packages: list[Package], rules: list[Rule], random: object
) -> None:
    policy = Policy(tuple(rules))
    shuffled = packages.copy()
    random.shuffle(shuffled)
    one, other = check(policy, facts(packages), NOW), check(policy, facts(shuffled), NOW)
    assert {(h.rule, h.packages) for h in one.hits} == {(h.rule, h.packages) for h in other.hits}


@given(CLOSURES, st.lists(RULES))
def test_time_alone_never_makes_anything_too_young(
    packages: list[Package], rules: list[Rule]
) -> None:
    ages = Policy(tuple(rule for rule in rules if isinstance(rule, MinimumAge)))
    now = {h.packages for h in check(ages, facts(packages), NOW).hits}
    later = {h.packages for h in check(ages, facts(packages), NOW + timedelta(days=9)).hits}
    assert later <= now


@given(CLOSURES, st.lists(RULES))
def test_every_hit_names_its_rule_and_its_packages(
    packages: list[Package], rules: list[Rule]
) -> None:
    for hit in check(Policy(tuple(rules)), facts(packages), NOW).hits:
        assert f"({hit.rule.place}: policy.{hit.rule.key})" in str(hit)
        told = {path.names[-1] for path in hit.paths}
        assert told <= {*hit.packages}
        if isinstance(hit.rule, NotTogether):
            assert len(told) > 1
        else:
            assert told == {*hit.packages}
        assert all(str(ASKED) in str(hit) for _ in hit.paths)


@given(st.lists(st.text(max_size=40)), st.text(max_size=10))
def test_any_text_for_a_licence_is_judged(expressions: list[str], pattern: str) -> None:
    found = refused(expressions, pattern)
    assert found == tuple(sorted(set(found)))
    assert refused(expressions, "*") != ()


_SCALARS = [
    '"@cuda"',
    '"@one-cuda"',
    '"GPL-*"',
    '"5 MB"',
    '"7 days"',
    '"x"',
    '"é \\u0000"',
    '""',
    "1",
    "1.5",
    "true",
    "2027-01-31",
    "2027-01-31T00:00:00Z",
]
_KEYS = [
    "forbid",
    "not-together",
    "require-index",
    "max-package-size",
    "max-total-size",
    "refuse-licences",
    "refuse-yanked",
    "minimum-age",
    "allow",
    "warn",
    "rule",
    "package",
    "reason",
    "until",
    "profiles",
]
_VALUES = st.recursive(
    st.sampled_from(_SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]")
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3).map(
            lambda table: "{ " + ", ".join(f"{k} = {v}" for k, v in table.items()) + " }"
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES))
def test_any_policy_is_read_or_refused_with_its_place(rows: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in rows.items())
    table = read_document("basestore.toml", f"[policy]\n{text}".encode())
    try:
        lines = [rule.place.line for rule in read_policy(table, tuple).rules]
        key, hint = "policy.", "none needed"
    except DocumentError as error:
        lines, key, hint = [error.line or 0], error.key, error.hint
    assert all(line > 1 for line in lines)
    assert key.startswith("policy.")
    assert hint
