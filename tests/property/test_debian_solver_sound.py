"""The solver of .debs on small random suites: what it gives is a solution, and it finds one if
there is any.
"""

from itertools import chain, combinations

from debmaker import make_deb, packages_file
from hypothesis import event, given
from hypothesis import strategies as st

from basestore.debian.packages import BinaryPackage, PackagesIndex, SuiteIndex
from basestore.errors import NoResolutionError
from basestore.resolve.debs import solve_debs

NAMES = "abcdefg"
VIRTUAL = "v"

versions = st.sampled_from(["1", "2"])
relations = st.builds(
    lambda name, comparison, version: f"{name} ({comparison} {version})" if comparison else name,
    st.sampled_from([*NAMES, VIRTUAL]),
    st.sampled_from(["", "", "", "=", ">=", "<<"]),
    versions,
)
clauses = st.lists(relations, min_size=1, max_size=3).map(" | ".join)
fields = st.fixed_dictionaries(
    {},
    optional={
        "depends": st.lists(clauses, min_size=1, max_size=3).map(", ".join),
        "pre_depends": clauses,
        "conflicts": relations,
        "breaks": relations,
        "provides": st.sampled_from([VIRTUAL, f"{VIRTUAL} (= 2)"]),
    },
)


@st.composite
def suites(draw: st.DrawFn) -> SuiteIndex:
    """Up to seven packages, each in one or two versions."""
    made = [
        make_deb(name, version, **draw(fields))
        for name in NAMES
        for version in sorted(draw(st.sets(versions, min_size=1)))
    ]
    return SuiteIndex("small", [PackagesIndex("http://a.example.org", packages_file(made))])


def holds(packages: tuple[BinaryPackage, ...]) -> bool:
    """Whether these packages can be installed together."""
    return all(
        all(any(q.satisfies(r) for r in clause for q in packages) for clause in p.depends)
        and not any(q != p and q.satisfies(r) for r in p.conflicts for q in packages)
        for p in packages
    )


def any_solution(index: SuiteIndex, wanted: set[str]) -> bool:
    """Try all sets of candidates."""
    candidates = [package for name in NAMES if (package := index.candidate(name))]
    sets = chain.from_iterable(
        combinations(candidates, size) for size in range(len(wanted), len(candidates) + 1)
    )
    return any(wanted <= {p.name for p in packages} and holds(packages) for packages in sets)


@given(suites(), st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_a_solution_is_one_and_none_means_there_is_none(
    index: SuiteIndex, wanted: set[str]
) -> None:
    try:
        solution = solve_debs(index, wanted)
    except NoResolutionError:
        solution = None
    event(f"a solution: {solution is not None}")
    if solution is None:
        assert not any_solution(index, wanted)
        return
    names = [package.name for package in solution.packages]
    assert names == sorted(set(names))
    assert wanted <= set(names)
    assert holds(solution.packages)
    assert _reached(solution.requires, wanted) == set(names)


def _reached(requires: dict[str, tuple[str, ...]], roots: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += requires[name]
    return reached
