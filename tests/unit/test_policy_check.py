"""Policies held against facts: each rule where it is kept, and where it is broken."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from judging import AMD64, ARM64, NOW, facts, judged, package, policy, whats

from basestore.errors import ExitCode
from basestore.lock.facts import Facts, PlatformFacts
from basestore.lock.policy import PolicyHitError, Verdict, check


@pytest.mark.parametrize(
    ("rule", "broken", "kept", "what"),
    [
        (
            'forbid = ["nvidia-*"]',
            package("nvidia-cuda"),
            package("nvidia"),
            "nvidia-cuda 1.0 is forbidden as 'nvidia-*'",
        ),
        (
            'forbid = ["@test-and-lint"]',
            package("pytest-cov"),
            package("pytestify"),
            "pytest-cov 1.0 is forbidden as 'pytest-*' of @test-and-lint",
        ),
        (
            'require-index = { torch = "pytorch-cpu" }',
            package("torch"),
            package("torch", index="pytorch-cpu"),
            "torch 1.0 comes from the index default, not from pytorch-cpu",
        ),
        (
            'max-package-size = "1 kB"',
            package("large", size=1001),
            package("large", size=1000),
            "large 1.0 has 1.001 kB, more than 1 kB",
        ),
        (
            'max-total-size = "2 kB"',
            package("large", size=2001),
            package("large", size=2000),
            "everything has 2.001 kB, more than 2 kB; the largest are large 1.0 2.001 kB",
        ),
        (
            'refuse-licences = ["GPL-*"]',
            package("free", licences=("MIT", "GPL-2.0-only")),
            package("free", licences=("MIT OR GPL-2.0-only",)),
            "free 1.0 has the licence GPL-2.0-only, refused as 'GPL-*'",
        ),
        (
            'refuse-licences = ["@proprietary", "AGPL-*"]',
            package("dual", licences=("LicenseRef-Own AND (MIT OR AGPL-3.0-only)",)),
            package("dual", licences=("MIT OR LicenseRef-Own OR AGPL-3.0-only",)),
            "dual 1.0 has the licence LicenseRef-Own, refused as 'LicenseRef-*' of @proprietary",
        ),
        (
            'refuse-licences = ["unknown"]',
            package("silent", licences=()),
            package("silent"),
            "silent 1.0 has the licence unknown",
        ),
        (
            "refuse-yanked = true",
            package("bad", standing="yanked: broken on Python 3.11"),
            package("bad"),
            "bad 1.0 was yanked from its index, because 'broken on Python 3.11'",
        ),
        (
            "refuse-yanked = true",
            package("bad", standing="yanked"),
            package("bad"),
            "bad 1.0 was yanked from its index",
        ),
        (
            "refuse-yanked = true",
            package("taken", standing="untold"),
            package("taken"),
            "taken 1.0 may be yanked: nothing tells the index that it came from",
        ),
        (
            'require-index = { torch = "pytorch-cpu" }',
            package("torch", index="direct"),
            package("torchvision", index="direct"),
            "torch 1.0 comes from a URL, not from pytorch-cpu",
        ),
        (
            'minimum-age = "7 days"',
            package("new", uploaded=NOW - timedelta(days=7) + timedelta(seconds=1)),
            package("new", uploaded=NOW - timedelta(days=7)),
            (
                "new 1.0 was uploaded 2026-11-14 12:00 UTC, so it is too young until "
                "2026-11-21 12:00 UTC"
            ),
        ),
        (
            'minimum-age = "1 hour"',
            package("undated", uploaded=None, index="special"),
            package("undated"),
            "undated 1.0 has no age: the index special tells no upload times",
        ),
    ],
)
def test_a_rule(tmp_path: Path, rule: str, broken: object, kept: object, what: str) -> None:
    assert whats(judged(tmp_path, rule, broken)) == [what]
    assert judged(tmp_path, rule, kept) == Verdict()


def test_a_choice_between_refused_licences(tmp_path: Path) -> None:
    there = package("dual", licences=("LicenseRef-Own OR AGPL-3.0-only",))

    assert whats(judged(tmp_path, 'refuse-licences = ["LicenseRef-*", "AGPL-*"]', there)) == [
        "dual 1.0 has the licence LicenseRef-Own, refused as 'LicenseRef-*'",
        "dual 1.0 has the licence AGPL-3.0-only, refused as 'AGPL-*'",
    ]
    assert judged(tmp_path, 'refuse-licences = ["AGPL-*"]', there) == Verdict()


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("opencv-python",), None),
        (
            ("opencv-python", "opencv-python-headless"),
            "opencv-python 1.0 and opencv-python-headless 1.0 exclude each other by @opencv",
        ),
        (("nvidia-cudnn-cu13", "nvidia-cublas", "nvidia-ml-py"), None),
        (("nvidia-cudnn-cu12", "nvidia-cublas-cu12"), None),
        (
            ("nvidia-cudnn-cu12", "nvidia-cublas-cu12", "nvidia-cudnn-cu13", "nvidia-nvtx"),
            "nvidia-cudnn-cu12 1.0 and nvidia-cudnn-cu13 1.0 exclude each other by @one-cuda",
        ),
        (
            ("nvidia-cublas-cu12", "nvidia-cublas"),
            "nvidia-cublas-cu12 1.0 and nvidia-cublas 1.0 exclude each other by @one-cuda",
        ),
        (("b", "c"), "b 1.0 and c 1.0 exclude each other"),
    ],
)
def test_what_is_not_to_be_together(tmp_path: Path, names: tuple[str], what: str | None) -> None:
    rule = 'not-together = ["@one-cuda", "@opencv", ["c", "b"]]'
    found = judged(tmp_path, rule, *map(package, names))
    assert whats(found) == ([what] if what else [])
    assert [path.names[-1] for hit in found.hits for path in hit.paths] == [
        word for word in (what or "").replace(" exclude", "").split() if word in names
    ]


def test_the_closest_limit_of_a_file_binds(tmp_path: Path) -> None:
    rule = 'max-package-size = { "*" = "1 kB", "torch*" = "2 kB", torch = "3 kB" }'
    there = [package(name, size=2500) for name in ("numpy", "torchvision", "torch")]
    assert whats(judged(tmp_path, rule, *there)) == [
        "numpy 1.0 has 2.5 kB, more than 1 kB",
        "torchvision 1.0 has 2.5 kB, more than 2 kB",
    ]


def test_debs_count_for_the_total(tmp_path: Path) -> None:
    rules = policy(tmp_path, 'max-total-size = "1 MB"')
    verdict = check(rules, facts(debs=1_000_001), NOW)
    assert whats(verdict) == ["everything has 1000001 B, more than 1000000 B"]


def test_a_hit_of_one_platform_names_it(tmp_path: Path) -> None:
    there = {"nvidia": package("nvidia")}
    both = Facts(("runtime",), (PlatformFacts(AMD64, there, 0), PlatformFacts(ARM64, {}, 0)))
    (hit,) = check(policy(tmp_path, 'forbid = ["nvidia"]'), both, NOW).hits
    assert hit.platforms == (AMD64,)
    assert str(hit).startswith("nvidia 1.0 is forbidden as 'nvidia' on linux/amd64 (basestore.toml")


def test_all_hits_are_told_together_with_rule_place_and_path(tmp_path: Path) -> None:
    rules = 'forbid = [\n  "lib",\n]\nmax-package-size = "1 kB"'
    verdict = judged(tmp_path, rules, package("lib", "app"), package("app", size=2000))

    error = PolicyHitError("locks/runtime.lock", verdict.hits)

    assert error.exit_code == ExitCode.POLICY
    assert error.message == (
        "the policy refuses locks/runtime.lock for 2 reasons:\n"
        "  lib 1.0 is forbidden as 'lib' (basestore.toml:3: policy.forbid); "
        "profiles/runtime.toml:3 asks for app, app -> lib\n"
        "  app 1.0 has 2 kB, more than 1 kB (basestore.toml:5: policy.max-package-size); "
        "profiles/runtime.toml:3 asks for app"
    )
    assert error.hint == (
        "mend each, or except it for a time with [[policy.allow]] or [[policy.warn]] in "
        "basestore.toml"
    )


WAIVER = """forbid = ["lib", "tool"]
[[policy.{effect}]]
rule = "forbid"
package = "{package}"
reason = "it goes soon"
until = 2026-12-31"""


@pytest.mark.parametrize(
    ("effect", "hits", "warnings"), [("allow", ["tool"], []), ("warn", ["tool"], ["lib"])]
)
def test_a_waiver_covers_its_package_alone(
    tmp_path: Path, effect: str, hits: list[str], warnings: list[str]
) -> None:
    rules = WAIVER.format(effect=effect, package="li*")
    verdict = judged(tmp_path, rules, package("lib"), package("tool"))

    assert [hit.packages[0] for hit in verdict.hits] == hits
    assert [hit.packages[0] for hit in verdict.warnings] == warnings
    assert verdict.waived == date(2026, 12, 31)


def test_a_warning_tells_its_reason_and_its_end(tmp_path: Path) -> None:
    (hit,) = judged(tmp_path, WAIVER.format(effect="warn", package="*"), package("lib")).warnings
    assert str(hit).endswith("; only a warning until 2026-12-31: it goes soon")


@pytest.mark.parametrize("effect", ["allow", "warn"])
def test_a_waiver_ends_with_its_last_day(tmp_path: Path, effect: str) -> None:
    rules = WAIVER.format(effect=effect, package="lib")
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert judged(tmp_path, rules, package("lib"), now=last).hits == ()
    (hit,) = judged(tmp_path, rules, package("lib"), now=last + timedelta(seconds=1)).hits
    assert str(hit).endswith(
        "; its exception in basestore.toml:3 expired on 2026-12-31: it goes soon"
    )


def test_without_a_clock_no_waiver_has_run_out_and_nothing_is_too_young(tmp_path: Path) -> None:
    rules = policy(
        tmp_path, 'minimum-age = "7 days"\n' + WAIVER.format(effect="allow", package="*")
    )
    assert check(rules, facts(package("lib", uploaded=NOW)), None).hits == ()


def test_a_waiver_may_be_for_some_profiles_and_what_extends_them(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/cpu.toml").touch()
    rules = policy(tmp_path, WAIVER.format(effect="allow", package="lib") + '\nprofiles = ["cpu"]')
    for lineage, hits in ((("runtime",), 1), (("runtime", "cpu"), 0), (("cpu", "ml"), 0)):
        assert len(check(rules, facts(package("lib"), lineage=lineage), NOW).hits) == hits


def test_a_waiver_that_excepts_nothing_is_idle(tmp_path: Path) -> None:
    rules = WAIVER.format(effect="allow", package="gone")
    (waiver,) = policy(tmp_path, rules).waivers
    assert judged(tmp_path, rules, package("other")).idle == (waiver,)
    assert judged(tmp_path, WAIVER.format(effect="warn", package="lib"), package("lib")).idle == ()


def test_a_misspelt_waiver_is_told_with_the_hit(tmp_path: Path) -> None:
    rules = WAIVER.format(effect="allow", package="fuzzywuzy").replace("lib", "fuzzywuzzy")
    (hit,) = judged(tmp_path, rules, package("fuzzywuzzy")).hits
    assert "; the exception in basestore.toml:3 is for fuzzywuzy, not for it" in str(hit)


def test_a_waiver_of_the_total(tmp_path: Path) -> None:
    rules = """max-total-size = "1 kB"
[[policy.allow]]
rule = "max-total-size"
reason = "until the models are out"
until = 2027-01-31"""
    assert judged(tmp_path, rules, package("lib", size=2000)) == Verdict(waived=date(2027, 1, 31))


def test_rules_that_nobody_has_asked_for_are_unknown_not_kept(tmp_path: Path) -> None:
    rules = 'refuse-licences = ["GPL-*"]\nrefuse-yanked = true'
    there = package("lib", licences=None, standing=None)
    assert judged(tmp_path, rules, there).unknown == ("refuse-licences", "refuse-yanked")
    assert judged(tmp_path, rules, package("lib")).unknown == ()
