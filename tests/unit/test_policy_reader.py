"""The ``[policy]`` of files: what is read, what is inherited, and a place in every error."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from judging import policy

from basestore.profile.document import DocumentError
from basestore.profile.place import Location
from basestore.profile.policy import (
    Effect,
    Forbid,
    MinimumAge,
    Need,
    NotTogether,
    PackageLimit,
    Policy,
    RefuseLicence,
    RefuseYanked,
    RequireIndex,
    TotalLimit,
    Waiver,
)
from basestore.profile.policy_lists import FORBID, LICENCES, NOT_TOGETHER
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile

EVERYTHING = """forbid = ["NVIDIA_*"]
not-together = [["b", "A"]]
require-index = { torch = "pytorch-cpu", numpy = "default" }
max-package-size = "1.5 MB"
max-total-size = "2 GiB"
refuse-licences = ["GPL-*"]
refuse-yanked = true
minimum-age = "2 weeks"
[[policy.warn]]
rule = "forbid"
package = "nvidia-ml-*"
reason = "pure Python"
until = 2027-01-31
profiles = ["cpu"]
"""


def at(line: int) -> Location:
    """A line of basestore.toml."""
    return Location("basestore.toml", line)


def test_every_rule_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/cpu.toml").touch()
    found = policy(tmp_path, EVERYTHING)
    assert found == Policy(
        (
            Forbid(at(2), "nvidia-*"),
            NotTogether(at(3), (("a",), ("b",))),
            RequireIndex(at(4), "numpy", "default"),
            RequireIndex(at(4), "torch", "pytorch-cpu"),
            PackageLimit(at(5), "*", 1_500_000),
            RefuseLicence(at(7), "GPL-*"),
            TotalLimit(at(6), 2 * 2**30),
            RefuseYanked(at(8)),
            MinimumAge(at(9), timedelta(days=14)),
        ),
        (
            Waiver(
                Effect.WARN,
                at(10),
                "forbid",
                "nvidia-ml-*",
                "pure Python",
                date(2027, 1, 31),
                ("cpu",),
            ),
        ),
    )
    assert found.needs == {Need.LICENCES, Need.STANDING}


def test_ready_made_lists(tmp_path: Path) -> None:
    text = 'forbid = ["@cuda", "own"]\nnot-together = ["@opencv"]\nrefuse-licences = ["@copyleft"]'
    found = policy(tmp_path, text)
    assert found.forbidden == tuple(sorted({*FORBID["@cuda"], "own"}))
    (together,) = [rule for rule in found.rules if isinstance(rule, NotTogether)]
    assert (together.alternatives, together.listed) == (NOT_TOGETHER["@opencv"][0], "@opencv")
    licences = {rule.pattern for rule in found.rules if isinstance(rule, RefuseLicence)}
    assert licences == set(LICENCES["@copyleft"])


def test_lists_are_patterns_in_their_normal_form(tmp_path: Path) -> None:
    names = [name for patterns in FORBID.values() for name in patterns]
    groups = [group for rules in NOT_TOGETHER.values() for group in rules]
    names += [name for group in groups for patterns in group for name in patterns]
    found = policy(tmp_path, f"forbid = {names}".replace("'", '"'))
    assert found.forbidden == tuple(sorted(set(names)))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('forbit = ["x"]', ":2: policy.forbit: unknown key", "did you mean 'forbid'?"),
        ('forbid = ["@cud"]', ":2: policy.forbid[0]: there is no list '@cud'", "mean '@cuda'?"),
        ('forbid = ["a b"]', ":2: policy.forbid[0]: 'a b' is no pattern", "nvidia-*"),
        ('not-together = "a"', ":2: policy.not-together: not an array", "in brackets"),
        ('not-together = [["a"]]', ":2: policy.not-together[0]: not two or more", "@one-cuda"),
        ('not-together = ["opencv"]', ":2: policy.not-together[0]: not two or", "@opencv"),
        ('not-together = [["a", 1]]', ":2: policy.not-together[0]: not two or", "array of names"),
        ('not-together = ["@cv"]', ":2: policy.not-together[0]: there is no list", "@opencv"),
        ('require-index = { a = "B" }', ":2: policy.require-index.a: 'B' is no name", "[indexes]"),
        ('max-total-size = "1 TB"', ":2: policy.max-total-size: '1 TB' is no size", "300 MB"),
        ("max-total-size = 5", ":2: policy.max-total-size: an integer, not a string", "quotes"),
        ('max-total-size = "0 MB"', ":2: policy.max-total-size: would refuse every", "above zero"),
        ('max-package-size = { a = "x" }', ":2: policy.max-package-size.a: 'x' is no", "300 MB"),
        ("max-package-size = 1", ":2: policy.max-package-size: an integer, not a table", "table"),
        ('refuse-licences = ["GPL 3"]', ":2: policy.refuse-licences[0]: 'GPL 3' is", "SPDX"),
        (
            'refuse-licences = ["GPLv3"]',
            ":2: policy.refuse-licences[0]: 'GPLv3' is",
            "GPL-3.0-only",
        ),
        ('refuse-licences = ["GPL"]', ":2: policy.refuse-licences[0]: 'GPL' is", "mean 'GPL-*'?"),
        ('refuse-licences = ["gplv*"]', ":2: policy.refuse-licences[0]: 'gplv*' is", "'gpl-*'?"),
        ('refuse-licences = ["@gpl"]', ":2: policy.refuse-licences[0]: there is no", "@copyleft"),
        ('refuse-yanked = "yes"', ":2: policy.refuse-yanked: a string, not a boolean", "true"),
        ('minimum-age = "2026-01-01"', ":2: policy.minimum-age: '2026-01-01' is no age", "7 days"),
        ('minimum-age = "0 days"', ":2: policy.minimum-age: '0 days' is no age", "7 days"),
        ('minimum-age = "999999 weeks"', ":2: policy.minimum-age: '999999 weeks' is no", "ten"),
    ],
)
def test_wrong_rules(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy(tmp_path, text)
    assert caught.value.message.startswith(f"basestore.toml{message}")
    assert hint in caught.value.hint


GOOD = {"rule": '"forbid"', "package": '"x"', "reason": '"r"', "until": "2027-01-31"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": None}, ":3: policy.allow[0].rule: missing"),
        ({"package": None}, ":3: policy.allow[0].package: missing"),
        ({"reason": None}, ":3: policy.allow[0].reason: missing"),
        ({"until": None}, ":3: policy.allow[0].until: missing"),
        ({"reason": '" "'}, ":6: policy.allow[0].reason: is empty"),
        ({"rule": '"forbit"'}, ":4: policy.allow[0].rule: there is no rule 'forbit'"),
        ({"rule": '"minimum-age"'}, ":4: policy.allow[0].rule: there is no minimum-age in this"),
        ({"package": '"a b"'}, ":5: policy.allow[0].package: 'a b' is no pattern"),
        ({"until": '"2027-01-31"'}, ":7: policy.allow[0].until: a string, not a date"),
        ({"until": "2027-01-31T00:00:00Z"}, ":7: policy.allow[0].until: a date and time, not a"),
        ({"profiles": '["cup"]'}, ":8: policy.allow[0].profiles[0]: there is no profile 'cup'"),
        ({"why": '"x"'}, ":8: policy.allow[0].why: unknown key"),
    ],
)
def test_wrong_waivers(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    rows = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    text = "\n".join(f"{key} = {value}" for key, value in rows.items())
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/cpu.toml").touch()
    with pytest.raises(DocumentError) as caught:
        policy(tmp_path, f'forbid = ["x"]\n[[policy.allow]]\n{text}')
    assert "cup" not in text or "did you mean 'cpu'?" in caught.value.hint
    assert caught.value.message.startswith(f"basestore.toml{message}")


def test_the_total_has_no_package(tmp_path: Path) -> None:
    text = 'max-total-size = "1 MB"\n[[policy.allow]]\nrule = "max-total-size"\npackage = "x"\n'
    with pytest.raises(DocumentError, match=r"^basestore\.toml:5: .*the total is about no package"):
        policy(tmp_path, f'{text}reason = "r"\nuntil = 2027-01-31')


PROFILE = """python = "3.11"
platforms = ["linux/amd64"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
[policy]
forbid = ["two"]
"""


def test_a_child_has_all_rules_and_lifts_none(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "basestore.toml").write_text('[policy]\nforbid = ["one"]\n')
    (tmp_path / "profiles/base.toml").write_text(PROFILE)
    child = tmp_path / "profiles/child.toml"
    child.write_text('extends = "base"\n[policy]\nforbid = ["three"]\n')
    project = read_project(tmp_path)
    assert read_profile(project, "child").policy.forbidden == ("one", "three", "two")

    allow = '[[policy.allow]]\nrule = "forbid"\npackage = "*"\nreason = "r"\nuntil = 2027-01-31\n'
    child.write_text(f'extends = "base"\n{allow}')
    with pytest.raises(DocumentError, match=r"^profiles/child\.toml:3: .*can't|no forbid in this"):
        read_profile(project, "child")

    child.write_text(f'extends = "base"\n[policy]\nforbid = ["three"]\n{allow}')
    found = read_profile(project, "child").policy
    covered = [rule for rule in found.rules if found.waivers[0].covers(rule, ("x",), ("child",))]
    assert [rule.pattern for rule in covered if isinstance(rule, Forbid)] == ["three"]
