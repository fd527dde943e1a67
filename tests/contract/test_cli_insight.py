"""why, status, diff and plan: what they print in a pipe, and for machines."""

import shutil
from pathlib import Path

import pytest
from clicases import command_line_on, index_of_wheels, make_locked_project, store_of
from commandline import CommandLine, Done, contents
from committing import commit, git
from locked_project import edit
from loopback_registry import loopback_registry
from pretended import SIZE, pretend_build
from terminals import on_terminal

from basestore.digest import Digest
from basestore.store import Store

COMMANDS = ("why cpu redis", "status", "diff", "plan", "plan --markdown", "diff --markdown")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "project"
    make_locked_project(folder)
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def digest(root: Path, name: str) -> Digest:
    return Digest.of((root / f"locks/{name}.lock").read_bytes())


@pytest.fixture(scope="session")
def changed_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after a change of runtime's requirements that isn't committed yet."""
    folder = shutil.copytree(template, tmp_path_factory.mktemp("changed") / "project")
    edit(folder / "profiles/runtime.toml", '["redis", "httpx"]', '["httpx", "torch"]')
    with index_of_wheels() as index:
        command_line_on(folder, index)("lock", "runtime").expect(0)
    return folder


@pytest.fixture
def changed(changed_template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(changed_template, tmp_path / "project")


def pretend_build_before(root: Path, store: Store) -> None:
    """Record what the committed lock of runtime gave, before it was changed."""
    lock = root / "locks/runtime.lock"
    now = lock.read_bytes()
    git(root, "checkout", "HEAD", "--", "locks/runtime.lock")
    pretend_build(root, "runtime", store)
    lock.write_bytes(now)


def lines(done: Done) -> list[str]:
    return done.expect(0).out.splitlines()


def test_nothing_is_written(basestore: CommandLine, root: Path) -> None:
    before = contents(root)

    for words in COMMANDS:
        done = basestore(*words.split()).expect(0)
        assert "\x1b" not in done.out + done.err
        assert done.err == ""

    assert contents(root) == before
    assert not Path(basestore.environ["BASESTORE_STORE"]).exists()


def test_why(basestore: CommandLine) -> None:
    done = basestore("why", "cpu", "Async_Timeout", "--size").expect(0)

    own, *_, whole = (int(size) for size in weights(basestore))
    assert lines(done) == [
        "async-timeout 4, a wheel that runtime brought",
        "  profiles/runtime.toml:3  redis -> async-timeout",
        "  on linux/amd64",
        f"    itself              {own} B",
        "    only it brings  nothing",
        f"    together            {own} B  of {whole / 1000:.1f} kB",
    ]


def weights(basestore: CommandLine) -> list[str]:
    (found,) = basestore("why", "cpu", "async-timeout", "--json").expect(0).json["packages"]
    (platform,) = found["platforms"]
    return [str(platform[key]) for key in ("size", "together", "whole")]


def test_why_for_machines(basestore: CommandLine) -> None:
    (found,) = basestore("why", "runtime", "redis", "--json", "--all").expect(0).json["packages"]

    (platform,) = found.pop("platforms")
    assert found == {
        "profile": "runtime",
        "kind": "wheel",
        "name": "redis",
        "version": "1",
        "from": "runtime",
        "base": None,
        "paths": [{"file": "profiles/runtime.toml", "line": 3, "packages": ["redis"]}],
        "complete": True,
    }
    assert [one["name"] for one in platform["only"]] == ["async-timeout"]
    assert platform["together"] == platform["size"] + platform["only"][0]["size"]


def test_status_of_what_is_fresh(basestore: CommandLine, root: Path) -> None:
    image = pretend_build(root, "runtime", store_of(basestore))

    tags = {name: digest(root, name).hex[:12] for name in ("runtime", "cpu")}
    runtime, cpu = (line.split() for line in lines(basestore("status", "--check")))
    assert runtime == [
        *("runtime", "fresh", "built", tags["runtime"]),
        *(image.digest.hex[:12], f"{len(image.layers) * SIZE / 1e6:.1f}", "MB", "6"),
    ]
    assert cpu[:6] == ["cpu", "fresh", "not", "built", tags["cpu"], "-"]
    assert cpu[6].startswith("~")
    assert cpu[8] == "7"


def test_status_of_an_image_that_lies_elsewhere(basestore: CommandLine, root: Path) -> None:
    image = pretend_build(root, "runtime", store_of(basestore))
    shutil.rmtree(basestore.environ["BASESTORE_STORE"])

    (found,) = basestore("status", "runtime", "--json").expect(0).json["profiles"]

    assert (found["image"], found["digest"], found["exact"]) == (
        "elsewhere",
        str(image.digest),
        False,
    )


def test_status_of_what_is_stale(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/runtime.toml", '"httpx"]', '"httpx", "rich"]')

    done = basestore("status", "--check").expect(3)

    runtime, cpu = done.out.splitlines()
    assert runtime.endswith("6  profiles/runtime.toml:3: rich was added")
    assert cpu.endswith("7  its parent is stale: runtime")
    assert done.err == " hint: run `basestore lock runtime cpu`\n"
    basestore("status").expect(0)


def test_status_for_machines(basestore: CommandLine, root: Path) -> None:
    (root / "locks/cpu.lock").unlink()
    edit(root / "profiles/runtime.toml", '"httpx"]', '"httpx<1"]')

    runtime, cpu = basestore("status", "--check", "--json").expect(3).json["profiles"]

    assert (runtime["parent"], cpu["parent"]) == (None, "runtime")
    assert runtime["lock"] == "stale"
    assert runtime["reasons"] == [
        {
            "text": 'was "httpx", now "httpx<1", and 1 is locked',
            "file": "profiles/runtime.toml",
            "line": 3,
        }
    ]
    assert runtime["tag"] == digest(root, "runtime").hex
    assert (cpu["lock"], cpu["tag"], cpu["image"], cpu["packages"]) == (
        "no lock",
        None,
        "not built",
        0,
    )


def test_status_goes_on_past_what_it_can_not_take(basestore: CommandLine, root: Path) -> None:
    (root / "profiles/web.toml").write_text('extends = "nowhere"\n')
    (root / "profiles/a.toml").write_text('extends = "b"\n')
    (root / "profiles/b.toml").write_text('extends = "a"\n')
    edit(root / "locks/cpu.lock", '"4"', '"5"')

    found = basestore("status", "--check", "--json").expect(3).json["profiles"]

    states = {one["profile"]: one["lock"] for one in found}
    assert states == {
        "runtime": "fresh",
        "cpu": "refused",
        "web": "refused",
        "a": "refused",
        "b": "refused",
    }
    (circle,) = (one for one in found if one["profile"] == "a")
    assert circle["reasons"][0]["text"].startswith("profiles/b.toml:1: extends: goes in a circle")


def test_what_the_policy_refuses(basestore: CommandLine, root: Path) -> None:
    (root / "basestore.toml").write_text('[policy]\nforbid = ["async-*"]\n')

    done = basestore("status", "runtime", "--check").expect(3)

    assert done.out.split()[:2] == ["runtime", "forbidden"]
    assert "basestore.toml:2: async-timeout 4 is forbidden as 'async-*'" in done.out
    assert "(redis -> async-timeout)" in done.out
    assert done.err == ""
    plan = basestore("plan", "runtime").expect(8)
    assert plan.out.startswith("runtime: nothing can be done\n  forbidden  basestore.toml:2: async")


def test_status_on_a_terminal_is_a_tree(basestore: CommandLine, root: Path) -> None:
    (root / "profiles/web.toml").write_text('extends = "runtime"\n')
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')

    shown = on_terminal(basestore, "status")

    assert [line[:24].rstrip() for line in shown] == [
        "profile  lock     image",
        "runtime  fresh    not bu",
        "├─ cpu   stale    not bu",
        "│       profiles/cpu.tom",
        "└─ web   no lock  not bu",
        " hint: run `basestore lo",
    ]
    assert max(map(len, shown)) <= 80


def test_diff_of_what_has_not_changed(basestore: CommandLine) -> None:
    done = basestore("diff")

    assert lines(done) == [
        "runtime: nothing changed since HEAD",
        "cpu: nothing changed since HEAD",
    ]


def test_diff(changed: Path) -> None:
    shown = lines(command_line_on(changed)("diff", "runtime"))

    assert shown[0] == "runtime: 1 package added, 2 dropped since HEAD"
    assert shown[1] == "  packages"
    assert [line.split()[:3] for line in shown[2:5]] == [
        ["-", "async-timeout", "4"],
        ["-", "redis", "1"],
        ["+", "torch", "1"],
    ]
    assert shown[5].startswith("  layers on linux/amd64: 1 new, ")
    assert shown[6].endswith("torch 1 added")
    assert shown[7].startswith("    a node that has the old image pulls ~")


def test_diff_for_machines(changed: Path) -> None:
    basestore = command_line_on(changed)
    pretend_build_before(changed, store_of(basestore))
    pretend_build(changed, "runtime", store_of(basestore))

    (found,) = basestore("diff", "--json", "runtime").expect(0).json["profiles"]

    assert found["new"] == str(digest(changed, "runtime")) != found["old"]
    happened = {one["name"]: (one["old"], one["new"], one["jump"]) for one in found["packages"]}
    assert happened == {
        "async-timeout": ("4", None, None),
        "redis": ("1", None, None),
        "torch": (None, "1", None),
    }
    (platform,) = found["platforms"]
    assert platform["pull"] == {"bytes": SIZE * len(platform["new"]), "exact": True}
    assert platform["pull_with_graph_driver"]["bytes"] >= platform["pull"]["bytes"]


def test_diff_from_a_file_and_from_profiles_that_come_and_go(
    basestore: CommandLine, root: Path
) -> None:
    (root / "profiles/cpu.toml").unlink()
    shutil.move(root / "locks/cpu.lock", root / "old")
    (root / "profiles/web.toml").write_text('extends = "runtime"\nrequirements = ["torch"]\n')
    with index_of_wheels() as index:
        command_line_on(root, index)("lock", "web").expect(0)

    assert [line for line in lines(basestore("diff")) if not line.startswith(" ")] == [
        "runtime: nothing changed since HEAD",
        "cpu: its lock is gone since HEAD",
        "web: new since HEAD, 7 packages",
    ]
    assert lines(basestore("diff", "web", "--from", "old"))[0].startswith("web: 1 package moved")
    assert "no profile 'cpu'" in basestore("diff", "--from", "old").expect(2).err
    assert lines(basestore("diff", "--from", "main", "runtime")) == [
        "runtime: nothing changed since main"
    ]


def test_diff_as_markdown(changed: Path) -> None:
    text = command_line_on(changed)("diff", "runtime", "--markdown").expect(0).out

    assert text.startswith("### runtime: 1 package added, 2 dropped since HEAD\n\n- linux/amd64: ")
    assert "| redis | 1 |  |  | -" in text
    assert text.count("<details>") == text.count("</details>") == 1
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_plan_of_nothing(basestore: CommandLine, root: Path) -> None:
    for name in ("runtime", "cpu"):
        pretend_build(root, name, store_of(basestore))

    assert lines(basestore("plan")) == [
        "runtime: nothing to build",
        "  push       at most 5.0 MB; 0 B if the registry has the other recorded images",
        "cpu: nothing to build",
        "  push       at most 6.0 MB; 1.0 MB if the registry has the other recorded images",
    ]


def test_plan_says_why_a_layer_is_made(changed: Path) -> None:
    basestore = command_line_on(changed)
    pretend_build_before(changed, store_of(basestore))

    (found,) = basestore("plan", "runtime", "--json").expect(0).json["profiles"]

    assert found["lock"] == "fresh"
    build = found["build"]
    assert build["needed"] is True
    assert build["image"] is None
    assert build["compared_with"].startswith("sha256:")
    (platform,) = build["platforms"]
    causes = [cause for made in platform["made"] for cause in made["causes"]]
    assert causes == [{"why": "added", "name": "torch", "old": None, "new": "1"}]
    assert build["fetch"]["files"] == 1
    assert "torch 1 added" in basestore("plan", "runtime").expect(0).out


def test_plan_of_a_stale_lock_and_of_none(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    (root / "profiles/web.toml").write_text('extends = "runtime"\n')

    shown = lines(basestore("plan", "cpu", "web"))

    assert shown[:3] == [
        "cpu: stale; 6 of 6 layers to make",
        "  stale      profiles/cpu.toml:2: rich was added",
        "             `build` takes it as it is; first run `basestore lock cpu`",
    ]
    assert shown[-1] == "web: no lock; run `basestore lock web`"


def test_plan_of_what_can_not_be_taken(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", "requirements", "requires")

    done = basestore("plan", "cpu").expect(4)

    assert done.out.startswith(
        "cpu: nothing can be done\n  refused    profiles/cpu.toml:2: requires"
    )


def test_plan_asks_a_registry(basestore: CommandLine, root: Path) -> None:
    image = pretend_build(root, "runtime", store_of(basestore))
    with loopback_registry() as registry:
        there = {str(layer.descriptor.digest): bytes(SIZE) for layer in image.layers[:2]}
        registry.blobs["team/base-cpu"] = there
        to = f"{registry.address}/team"
        asked = basestore("plan", "runtime", "--json", "--registry", to).expect(0).json
        shown = lines(basestore("plan", "runtime", "--registry", to))
        methods = {one.method for one in registry.asked}

    lacking = len(image.layers) - 2
    assert asked["profiles"][0]["push"] == {
        "repository": f"{to}/base-runtime",
        "needed": True,
        "layers": lacking,
        "send": {"bytes": lacking * SIZE, "exact": True},
    }
    assert shown[-1] == f"  push       {lacking}.0 MB to {to}/base-runtime, {lacking} layers"
    assert methods == {"HEAD"}


def test_plan_as_markdown(basestore: CommandLine) -> None:
    text = basestore("plan", "runtime", "--markdown").expect(0).out

    assert text.startswith("### runtime: 5 of 5 layers to make\n\n- build linux/amd64: 5 layers")
    assert "| redis" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("why cpu torhc", 2, "locks/cpu.lock holds no package 'torhc'"),
        ("why runtime torch", 2, "hint: the lock of cpu holds it"),
        ("why nothing torch", 2, "no profile 'nothing'"),
        ("diff --from nowhere", 2, "there is no file and no git revision 'nowhere'"),
        ("diff --from profiles/cpu.toml", 4, "profiles/cpu.toml is no lock that basestore wrote"),
        ("why cpu torch==1", 2, "hint: name it alone: torch; which versions"),
        ("why cpu ht-tpx", 2, "hint: did you mean httpx?"),
        ("why cpu timeout", 2, "hint: did you mean async-timeout?"),
        ("diff cpu runtime --from locks/cpu.lock", 2, "is one lock, and 2 profiles are named"),
        ("diff --json --markdown", 2, "--json and --markdown are two forms of output"),
        ("plan --json --markdown", 2, "--json and --markdown are two forms of output"),
        ("plan --registry", 2, "no registry is named"),
        ("status nothing", 2, "no profile 'nothing'"),
    ],
)
def test_wrong_words(basestore: CommandLine, words: str, code: int, message: str) -> None:
    done = basestore(*words.split()).expect(code)

    assert message in done.err
    assert "Traceback" not in done.err


def test_diff_needs_git_only_for_revisions(basestore: CommandLine, tmp_path: Path) -> None:
    done = basestore("diff", PATH=str(tmp_path)).expect(6)

    assert done.err.startswith("error: git can't be run: ")
    basestore("diff", "--from", "locks/cpu.lock", PATH=str(tmp_path)).expect(0)
    (tmp_path / "project/.git/HEAD").unlink()
    ceiling = str(tmp_path)
    assert (
        "git reads no repository"
        in basestore("diff", GIT_CEILING_DIRECTORIES=ceiling).expect(2).err
    )


def test_why_wants_the_origin_of_its_lock(basestore: CommandLine, root: Path) -> None:
    (root / "locks/cpu.origin.toml").rename(root / "kept")
    assert "cpu.origin.toml is missing" in basestore("why", "cpu", "torch").expect(3).err

    shutil.copy(root / "locks/runtime.origin.toml", root / "locks/cpu.origin.toml")
    assert "describes another lock" in basestore("why", "cpu", "torch").expect(3).err
