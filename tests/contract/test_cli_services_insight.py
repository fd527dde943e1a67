"""graph, affected, status, plan, diff, why and verify: what they say of services."""

import shutil
from pathlib import Path

import pytest
from clicases import command_line_on, store_of
from commandline import CommandLine, Done, contents
from committing import commit
from locked_project import edit, lock
from loopback_registry import loopback_registry
from serving_project import NAMES, build_service, build_team, make_serving_project, write
from terminals import on_terminal

from basestore.digest import Digest
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE
from basestore.pipeline.assembled import required_image
from basestore.pipeline.recorded import Records
from basestore.profile.project import read_project

COMMANDS = (
    "graph",
    "graph api",
    "affected --since HEAD",
    "status",
    "plan",
    "diff",
    "verify api",
    "why api itsdangerous",
    "why api redis",
)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project and, beside it, a store with all its images; records are committed."""
    folder = tmp_path_factory.mktemp("serving") / "project"
    make_serving_project(folder)
    build_team(folder, store_of(command_line_on(folder)))
    commit(folder)
    return folder


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template.parent / "project-home", tmp_path / "project-home")
    return shutil.copytree(template, tmp_path / "project", symlinks=True)


def lines(done: Done) -> list[str]:
    return done.expect(0).out.splitlines()


def image(root: Path, name: str) -> Digest:
    return Records.read(read_project(root)).required(name).image


def short(root: Path, name: str) -> str:
    return image(root, name).hex[:12]


def states(basestore: CommandLine) -> dict[str, tuple[str, str]]:
    found = basestore("status", "--json").expect(0).json["profiles"]
    return {one["profile"]: (one["lock"], one["image"]) for one in found}


def test_nothing_is_written(basestore: CommandLine, root: Path) -> None:
    before = contents(root)

    for words in COMMANDS:
        done = basestore(*words.split()).expect(0)
        assert "\x1b" not in done.out + done.err
        assert done.err == ""

    assert contents(root) == before


def test_graph(basestore: CommandLine, root: Path) -> None:
    shown = [line.split() for line in lines(basestore("graph"))]

    cpu, runtime = short(root, "cpu"), short(root, "runtime")
    assert shown == [
        ["runtime", "fresh", runtime, "-", "4", "others"],
        ["api", "fresh", short(root, "api"), f"runtime@{runtime}", "-"],
        ["cpu", "fresh", cpu, "runtime", "2", "others"],
        ["jobs", "fresh", short(root, "jobs"), f"cpu@{cpu}", "-"],
        ["ocr", "fresh", short(root, "ocr"), f"cpu@{cpu}", "-"],
    ]


def test_graph_on_a_terminal_is_a_tree(basestore: CommandLine) -> None:
    shown = on_terminal(basestore, "graph", "cpu")

    assert [line[:24].rstrip() for line in shown] == [
        "base or service  lock",
        "runtime          fresh",
        "└─ cpu           fresh",
        "   ├─ jobs       fresh",
        "   └─ ocr        fresh",
    ]
    assert max(map(len, shown)) <= 80


def test_graph_after_a_base_has_another_image(basestore: CommandLine, root: Path) -> None:
    old = image(root, "cpu")
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    lock(root, "cpu")
    lock(root, "ocr")

    nodes = basestore("graph", "cpu", "--json").expect(0).json["nodes"]

    found = {one["name"]: one for one in nodes}
    assert list(found) == ["runtime", "cpu", "jobs", "ocr"]
    assert found["cpu"]["makes_stale"] == ["jobs", "ocr"]
    assert (found["cpu"]["image"], found["cpu"]["standing"]) == (None, "not built")
    assert [found[name]["lock"] for name in ("jobs", "ocr")] == ["stale", "fresh"]
    assert found["ocr"] == {
        "name": "ocr",
        "kind": "service",
        "parent": "cpu",
        "lock": "fresh",
        "tag": None,
        "image": None,
        "standing": "on an old base",
        "stands_on": str(old),
        "makes_stale": [],
    }


def test_graph_as_a_diagram(basestore: CommandLine, root: Path) -> None:
    edit(root / "basestore.toml", '["itsdangerous"]', '["itsdangerous", "rich"]')

    shown = lines(basestore("graph", "api", "--mermaid"))

    assert shown == [
        "flowchart LR",
        f'  n0["runtime<br>fresh, {short(root, "runtime")}"]',
        f'  n1(["api<br>stale, {short(root, "api")}"])',
        "  n0 --> n1",
        "  classDef stale stroke-dasharray: 5 5",
        "  class n1 stale",
    ]


def test_affected(basestore: CommandLine, root: Path) -> None:
    assert lines(basestore("affected", "--since", "HEAD")) == ["nothing is affected since HEAD"]
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    for number in range(7):
        write(root, f"apps/api/new{number}.py", "")

    assert lines(basestore("affected", "--since", "main")) == [
        "api: build, push",
        *(f"  apps/api/new{number}.py: changed" for number in range(5)),
        "  and 2 more",
        "cpu: lock, build, push",
        "  profiles/cpu.toml:2: rich was added",
        "jobs: lock, build, push",
        "  cpu, which it stands on, has to be locked",
        "ocr: lock, build, push",
        "  cpu, which it stands on, has to be locked",
    ]


def test_affected_for_machines(basestore: CommandLine, root: Path) -> None:
    write(root, "apps/ocr/requirements.txt", "pypdf\nrich\n")
    write(root, "apps/api/main.py", "")

    found = basestore("affected", "--since", "HEAD", "--json").expect(0).json

    assert found["since"]["name"] == "HEAD"
    assert len(found["since"]["commit"]) == 40
    del found["since"]
    assert found == {
        "lock": ["ocr"],
        "build": ["api", "ocr"],
        "push": ["api", "ocr"],
        "bases": [],
        "services": ["api", "ocr"],
        "pins": [],
        "causes": {
            "api": [{"text": "changed", "file": "apps/api/main.py", "line": None}],
            "ocr": [
                {"text": "rich was added", "file": "apps/ocr/requirements.txt", "line": 2},
                {"text": "changed", "file": "apps/ocr/requirements.txt", "line": None},
            ],
        },
    }


def test_affected_needs_git_and_a_revision(basestore: CommandLine, root: Path) -> None:
    done = basestore("affected", "--since", "nowhere").expect(2)
    assert done.err == (
        "error: there is no git revision 'nowhere'\n hint: name a commit, branch or tag\n"
    )
    assert "--since" in basestore("affected").expect(2).err
    (root / ".git/shallow").write_text("")
    assert "which is shallow" in basestore("affected", "--since", "nowhere").expect(2).err
    shutil.rmtree(root / ".git")
    outside = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    done = basestore("affected", "--since", "HEAD", **outside).expect(2)
    assert "git reads no repository" in done.err
    assert "--from" not in done.err


def test_status(basestore: CommandLine, root: Path) -> None:
    write(root, "apps/ocr/main.py", "print('changed')\n")

    shown = {line.split()[0]: line for line in lines(basestore("status", "--check"))}

    assert tuple(shown) == ("runtime", "api", "cpu", "jobs", "ocr")
    assert shown["api"].split()[1:4] == ["fresh", "built", tag_of(root, "api")[:12]]
    assert shown["ocr"].split()[1:4] == ["fresh", "code", "changed"]
    assert "  +1.0 MB  1" in shown["api"]  # one pretended layer, and an application of some bytes


def tag_of(root: Path, name: str) -> str:
    return Records.read(read_project(root)).required(name).tag


def test_status_on_a_terminal_has_services_below_their_base(basestore: CommandLine) -> None:
    shown = on_terminal(basestore, "status")

    assert [line[:16].rstrip() for line in shown] == [
        "profile     lock",
        "runtime     fres",
        "├─ api      fres",
        "└─ cpu      fres",
        "   ├─ jobs  fres",
        "   └─ ocr   fres",
    ]
    assert max(map(len, shown)) <= 80


def test_status_where_others_have_built(basestore: CommandLine, root: Path) -> None:
    shutil.rmtree(basestore.environ["BASESTORE_STORE"])

    assert states(basestore) == dict.fromkeys(NAMES, ("fresh", "elsewhere"))


def test_status_of_an_image_on_an_old_base(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    for name in ("cpu", "ocr"):
        lock(root, name)

    found = states(basestore)

    assert found["cpu"] == ("fresh", "not built")
    assert found["ocr"] == ("fresh", "on an old base")
    assert found["jobs"] == ("stale", "on an old base")
    edit(root / "basestore.toml", '["itsdangerous"]', '["itsdangerous", "rich"]')
    lock(root, "api")
    assert states(basestore)["api"] == ("fresh", "of an old lock")
    build_service(root, "api", store_of(basestore))
    assert states(basestore)["api"] == ("fresh", "built")


@pytest.mark.parametrize("file", [SERVICES_FILE, IMAGES_FILE, "locks/api.lock", "locks/cpu.lock"])
def test_what_is_missing_is_said(basestore: CommandLine, root: Path, file: str) -> None:
    (root / file).unlink()

    found = states(basestore)

    assert all(image_state != "built" for _, image_state in lost(found, file))
    for words in COMMANDS:
        done = basestore(*words.split())
        assert "Traceback" not in done.err
        assert done.code in (0, 3), done.err


def lost(found: dict[str, tuple[str, str]], file: str) -> list[tuple[str, str]]:
    """The states of those that depend on a file."""
    names = {
        SERVICES_FILE: ("api", "ocr", "jobs"),
        IMAGES_FILE: NAMES,
        "locks/api.lock": ("api",),
        "locks/cpu.lock": ("cpu", "ocr", "jobs"),
    }
    return [found[name] for name in names[file]]


def test_a_misspelt_name_is_neither(basestore: CommandLine) -> None:
    assert basestore("build", "orc").expect(2).err == (
        "error: no profile or service 'orc': there is neither profiles/orc.toml nor [services.orc] "
        "in basestore.toml\n"
        " hint: did you mean 'ocr'? known here: api, cpu, jobs, ocr, runtime\n"
    )


def test_services_on_nothing(basestore: CommandLine, root: Path) -> None:
    text = (root / "basestore.toml").read_text()
    more = '[services.a]\nbase = "b"\n[services.b]\nbase = "a"\n'
    write(root, "basestore.toml", text.replace('base = "runtime"', 'base = "nowhere"') + more)

    found = states(basestore)

    assert found["api"] == ("refused", "on an old base")
    assert found["a"] == found["b"] == ("refused", "not built")
    assert "there is no profile 'nowhere'" in basestore("plan", "api").expect(4).out
    assert basestore("graph").expect(0).out.count("refused") == 3


def test_plan(basestore: CommandLine, root: Path) -> None:
    assert lines(basestore("plan", "ocr"))[:2] == [
        "ocr: nothing to build",
        f"  base       cpu@{short(root, 'cpu')}",
    ]
    write(root, "apps/ocr/main.py", "print('changed')\n")

    shown = lines(basestore("plan", "ocr"))

    assert shown[0].startswith("ocr: 1 of ")
    (layer,) = (line.split() for line in shown if line.startswith("    "))
    assert layer == ["~23", "B", "application", "its", "files", "have", "changed"]
    assert shown[-1].endswith("MB if the registry has the other recorded images")


def test_plan_on_a_base_that_is_not_built(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    for name in ("cpu", "ocr"):
        lock(root, name)

    (found,) = basestore("plan", "ocr", "--json").expect(0).json["profiles"]

    assert (found["lock"], found["tag"]) == ("fresh", None)
    assert (found["build"]["base"], found["build"]["base_image"]) == ("cpu", None)
    (platform,) = found["build"]["platforms"]
    causes = [cause["name"] for made in platform["made"] for cause in made["causes"]]
    assert causes == ["rich"]
    assert "cpu is not here: it is built first" in basestore("plan", "ocr").expect(0).out


def test_plan_of_what_an_engine_builds(basestore: CommandLine, root: Path) -> None:
    edit(
        root / "basestore.toml", 'context = "apps/api"', 'context = "apps/api"\nbuilder = "docker"'
    )

    assert lines(basestore("plan", "api"))[0].startswith(
        "api: an engine builds it from apps/api/Dockerfile"
    )
    assert states(basestore)["api"] == ("fresh", "not built")


def test_plan_asks_a_registry_for_what_is_the_services_own(
    basestore: CommandLine, root: Path
) -> None:
    recorded = Records.read(read_project(root)).required("cpu")
    base = required_image(read_project(root), recorded, store_of(basestore))
    with loopback_registry() as registry:
        layers = [layer.descriptor for layer in base.layers]
        there = {str(layer.digest): bytes(layer.size) for layer in layers}
        registry.blobs["team/base-cpu"] = there
        to = f"{registry.address}/team"
        (found,) = basestore("plan", "ocr", "--json", "--registry", to).expect(0).json["profiles"]

    assert found["push"]["repository"] == f"{to}/ocr"
    assert found["push"]["layers"] == 2


def test_diff(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    edit(root / "basestore.toml", '["itsdangerous"]', '["itsdangerous", "pypdf"]')
    for name in ("cpu", "ocr", "api"):
        lock(root, name)

    shown = lines(basestore("diff"))

    assert [line for line in shown if not line.startswith(" ")] == [
        "runtime: nothing changed since HEAD",
        "api: 1 package added since HEAD",
        "cpu: 1 package added since HEAD",
        "jobs: nothing of its own changed since HEAD, but its base cpu has",
        "ocr: nothing of its own changed since HEAD, but its base cpu has",
    ]
    assert "1 new layer of its base cpu" in "\n".join(shown)
    assert shown[-1].endswith(", and the application if that has changed")
    (found,) = basestore("diff", "api", "--json").expect(0).json["profiles"]
    assert (found["base"], found["base_changed"]) == ("runtime", False)
    (platform,) = found["platforms"]
    assert [layer["packages"] for layer in platform["new"]] == [["pypdf 1"]]
    assert (platform["kept"], platform["new_of_base"]) == (1, 0)
    (cause,) = platform["new"][0]["causes"]
    assert (cause["why"], cause["name"]) == ("added", "pypdf")


def test_diff_of_what_an_engine_builds(basestore: CommandLine, root: Path) -> None:
    edit(
        root / "basestore.toml",
        '["itsdangerous"]',
        '["itsdangerous", "pypdf"]\nbuilder = "docker"',
    )
    lock(root, "api")

    shown = lines(basestore("diff", "api"))

    assert shown[0].startswith("api: 1 package added")
    assert shown[-1] == (
        "  layers: an engine makes them from apps/api/Dockerfile; nobody knows them before"
    )
    assert "- layers: an engine makes them" in basestore("diff", "api", "--markdown").expect(0).out
    (found,) = basestore("diff", "api", "--json").expect(0).json["profiles"]
    assert (found["dockerfile"], found["platforms"]) == ("apps/api/Dockerfile", [])


def test_why(basestore: CommandLine) -> None:
    assert lines(basestore("why", "api", "itsdangerous")) == [
        "itsdangerous 1, a wheel that api brought",
        "  basestore.toml:6  itsdangerous",
    ]
    assert lines(basestore("why", "ocr", "redis")) == [
        "redis 1, a wheel that runtime brought; ocr has it from its base cpu",
        "  profiles/runtime.toml:3  redis",
    ]
    done = basestore("why", "ocr", "toch").expect(2)
    assert done.err == (
        "error: locks/ocr.lock and locks/cpu.lock hold no package 'toch'\n"
        " hint: did you mean torch?\n"
    )


def test_verify(basestore: CommandLine, root: Path) -> None:
    shown = lines(basestore("verify", "api"))

    assert shown[0] == "api: agrees"
    assert [line.split()[:2] for line in shown[1:]] == [
        *(["ok", check] for check in ("lock", "fresh", "image", "files")),
        ["unproven", "metadata"],
    ]
    write(root, "apps/api/main.py", "print('changed')\n")
    assert lines_of_failure(basestore) == ["files"]


def test_verify_of_files_needs_no_store(basestore: CommandLine, root: Path) -> None:
    shutil.rmtree(basestore.environ["BASESTORE_STORE"])

    assert lines(basestore("verify", "jobs"))[0] == "jobs: agrees, but its image is unproven"
    write(root, "apps/api/main.py", "print('changed')\n")
    assert lines_of_failure(basestore) == ["files"]
    assert not Path(basestore.environ["BASESTORE_STORE"]).exists()


def lines_of_failure(basestore: CommandLine) -> list[str]:
    done = basestore("verify", "api").expect(3)
    return [line.split()[1] for line in done.out.splitlines() if line.startswith("  FAIL")]


def test_verify_on_an_old_base(basestore: CommandLine, root: Path) -> None:
    edit(root / "profiles/runtime.toml", '"httpx"', '"httpx", "rich"')
    for name in ("runtime", "api"):
        lock(root, name)

    assert lines_of_failure(basestore) == ["image"]
