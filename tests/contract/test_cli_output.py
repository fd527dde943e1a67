"""What the command line prints where all is well: results on standard output, the rest beside."""

from pathlib import Path

import pytest
from clicases import command_line_on, index_of_wheels
from commandline import CommandLine, contents
from locked_project import edit

from basestore.digest import Digest


def digest(root: Path, name: str) -> str:
    return str(Digest.of((root / f"locks/{name}.lock").read_bytes()))


def test_check_of_fresh_locks(basestore: CommandLine) -> None:
    done = basestore("lock", "--check").expect(0)

    assert done.out == "cpu: fresh\nruntime: fresh\n"
    assert done.err == ""


def test_check_makes_no_store_and_changes_nothing(basestore: CommandLine, root: Path) -> None:
    before = contents(root)

    basestore("lock", "--check").expect(0)
    basestore("verify").expect(3)

    assert contents(root) == before
    assert not Path(basestore.environ["BASESTORE_STORE"]).exists()


def test_check_for_machines(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", '["torch"]', '["torch", "rich"]')

    done = basestore("lock", "--check", "--json").expect(3)

    assert done.json == {
        "locks": [
            {
                "profile": "cpu",
                "digest": digest(root, "cpu"),
                "fresh": False,
                "reasons": ["requirements added: rich"],
                "lines": ["profiles/cpu.toml:2: rich was added"],
                "warnings": [],
                "hits": [],
            },
            {
                "profile": "runtime",
                "digest": digest(root, "runtime"),
                "fresh": True,
                "reasons": [],
                "lines": [],
                "warnings": [],
                "hits": [],
            },
        ]
    }


WARNED = """[policy]
forbid = ["async-*", "torch"]
[[policy.warn]]
rule = "forbid"
package = "{package}"
reason = "goes soon"
until = 2999-12-31
"""


def test_what_the_policy_warns_of(basestore: CommandLine, root: Path) -> None:
    (root / "basestore.toml").write_text(WARNED.format(package="*"))

    text = basestore("lock", "--check", "runtime").expect(0)
    (found,) = basestore("lock", "--check", "--json", "runtime").expect(0).json["locks"]
    (locked,) = basestore("lock", "--json", "runtime").expect(0).json["locks"]

    assert text.out == "runtime: fresh\n"
    assert text.err.startswith("warning: runtime: async-timeout 4 is forbidden as 'async-*' (")
    assert (found["fresh"], found["warnings"]) == (True, locked["warnings"])
    (warning,) = found["warnings"]
    assert (warning["rule"], warning["line"]) == ("forbid", 2)
    assert (warning["reason"], warning["until"]) == ("goes soon", "2999-12-31")
    assert warning["packages"] == ["async-timeout"]
    assert [path["names"] for path in warning["paths"]] == [["redis", "async-timeout"]]


def test_what_the_policy_refuses_is_told_of_every_profile(
    basestore: CommandLine, root: Path
) -> None:
    (root / "basestore.toml").write_text(WARNED.format(package="other"))

    done = basestore("lock", "--check").expect(8)
    locks = basestore("lock", "--check", "--json").expect(8).json["locks"]

    assert done.err.count("async-timeout 4 is forbidden") == 1  # the parent's, told once
    assert [one["fresh"] for one in locks] == [False, False]
    assert {hit["packages"][0] for one in locks for hit in one["hits"]} == {"async-timeout"}


@pytest.mark.parametrize("words", [("lock", "--check"), ("verify",)])
def test_an_exception_that_has_run_out(
    basestore: CommandLine, root: Path, words: tuple[str, ...]
) -> None:
    waived = WARNED.format(package="*").replace("2999", "2020")
    (root / "basestore.toml").write_text(waived)

    done = basestore(*words, "runtime").expect(8)

    assert "; its exception in basestore.toml:3 expired on 2020-12-31: goes soon\n" in done.err


def test_lock_for_machines(basestore: CommandLine, root: Path) -> None:
    """The contract that scripts rely on; parents come before children."""
    done = basestore("lock", "--json").expect(0)

    assert done.err == ""
    assert done.json == {
        "locks": [
            {
                "profile": name,
                "digest": digest(root, name),
                "changed": False,
                "packages": count,
                "warnings": [],
            }
            for name, count in (("runtime", 6), ("cpu", 7))
        ],
        "stale": [],
        "duplicates": [],
    }


def test_a_changed_lock_is_said_to_be(root: Path) -> None:
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis"]')
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        changed = basestore("lock", "--json", "runtime").expect(0).json["locks"][0]
        again = basestore("lock", "runtime").expect(0)

    assert changed["changed"] is True
    assert changed["digest"] == digest(root, "runtime")
    assert again.out == f"runtime: unchanged, 5 packages\n  lock  {digest(root, 'runtime')}\n"


def test_the_children_of_a_changed_lock_are_named(root: Path) -> None:
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis"]')
    with index_of_wheels() as index:
        basestore = command_line_on(root, index)
        done = basestore("lock", "runtime").expect(0)
        machines = basestore("lock", "runtime", "--json").expect(0)
        both = basestore("lock").expect(0)

    assert done.err.endswith(" hint: stale now: cpu; run `basestore lock cpu`\n")
    assert machines.json["stale"] == ["cpu"]
    assert "stale" not in both.err


def test_a_stale_lock_is_built_with_a_warning(basestore: CommandLine, root: Path) -> None:
    """It fails later, for want of an index."""
    edit(root / "profiles/runtime.toml", '["redis", "httpx"]', '["redis", "httpx", "rich"]')

    done = basestore("build", "runtime").expect(6)

    assert done.err.startswith("warning: the lock of runtime is stale (requirements added: rich)")


def test_nothing_is_coloured_in_a_pipe(basestore: CommandLine) -> None:
    for words in (["lock", "--check"], ["verify"], ["build"], ["--help"]):
        done = basestore(*words)
        assert "\x1b" not in done.out + done.err


def test_verify_for_machines(basestore: CommandLine) -> None:
    done = basestore("verify", "--json", "runtime").expect(3)

    assert done.json["profiles"][0]["profile"] == "runtime"
    assert done.json["profiles"][0]["agrees"] is False
    findings = {one["check"]: one["holds"] for one in done.json["profiles"][0]["findings"]}
    assert findings == {"lock": True, "fresh": True, "image": False}


def test_where_the_store_lies(basestore: CommandLine, root: Path) -> None:
    assert basestore("store", "path").out == f"{basestore.environ['BASESTORE_STORE']}\n"
    by_default = basestore("store", "path", BASESTORE_STORE="").expect(0).out
    assert by_default == f"{basestore.environ['XDG_CACHE_HOME']}/basestore\n"


def test_the_project_is_found_from_below_and_from_afar(
    basestore: CommandLine, root: Path, tmp_path: Path
) -> None:
    below = CommandLine(root / "profiles", basestore.environ)
    afar = CommandLine(tmp_path, basestore.environ)

    assert below("lock", "--check", "runtime").expect(0).out == "runtime: fresh\n"
    assert afar("-C", "project", "lock", "--check", "cpu").expect(0).out == "cpu: fresh\n"
    afar("lock", "--check").expect(2)
