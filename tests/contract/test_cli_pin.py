"""pin: what it prints, what it changes, and what it takes for 500 files."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from commandline import CommandLine, contents, no_network
from committing import git
from locked_project import edit, lock
from pinning import CPU, RUNTIME, STALE, make_pinned_project, record_images, target, write_services
from services import need_program

from basestore.files import ChangedFileError
from basestore.pins import Edit
from basestore.pipeline.pin import UnpinnedAfterAllError, find_pins, rewrite_pins
from basestore.profile.project import read_project


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pins") / "project"
    make_pinned_project(folder)
    return folder


@pytest.fixture
def basestore(root: Path) -> CommandLine:
    environ = {**no_network(), "HOME": str(root.parent), "XDG_CONFIG_HOME": str(root.parent)}
    return CommandLine(root, {**environ, "BASESTORE_STORE": str(root.parent / "store")})


def write(root: Path, file: str, text: str) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_that_changed_since_it_was_read_is_left(root: Path) -> None:
    """Other files, which didn't, are left too."""
    write(root, "apps/a/Dockerfile", f"FROM {RUNTIME}:old\n")
    write(root, "apps/b/Dockerfile", f"FROM {RUNTIME}:old\n")
    found = find_pins(read_project(root))
    write(root, "apps/b/Dockerfile", f"FROM {RUNTIME}:old\nRUN more\n")
    before = contents(root)

    with pytest.raises(ChangedFileError, match="apps/b/Dockerfile"):
        rewrite_pins(found)

    assert contents(root) == before


def test_check_then_pin_then_check(basestore: CommandLine, root: Path) -> None:
    dockerfile = write(root, "apps/a/Dockerfile", f"ARG V=v1.0.1\n\nFROM {RUNTIME}:$V\n")
    dockerfile.chmod(0o600)
    write(root, "compose.yaml", f"services:\n  a: {{image: '{CPU}:{STALE}'}}  # kept\n")
    before = contents(root)
    runtime, cpu = target(root, "runtime"), target(root, "cpu")
    short = {one: f"{one.lock.hex[:12]}@{one.image.hex[:12]}" for one in (runtime, cpu)}

    done = basestore("pin", "--check").expect(3)

    assert contents(root) == before
    assert [line.split() for line in done.out.splitlines()] == [
        ["apps/a/Dockerfile:1", "unpinned", "base-runtime:v1.0.1", "->", short[runtime]],
        ["compose.yaml:2", "stale", "base-cpu:000000000000@000000000000", "->", short[cpu]],
    ]
    assert done.err.splitlines() == [
        "warning: basestore.toml: pins.files: no file matches '.env'",
        " hint: run `basestore pin`",
    ]

    done = basestore("pin").expect(0)

    assert done.out.splitlines() == [
        f"apps/a/Dockerfile:1  base-runtime:v1.0.1 -> {short[runtime]}",
        f"compose.yaml:2  base-cpu:000000000000@000000000000 -> {short[cpu]}",
    ]
    assert dockerfile.read_text() == f"ARG V={runtime.version}\n\nFROM {RUNTIME}:$V\n"
    assert dockerfile.stat().st_mode & 0o777 == 0o600
    assert (root / "compose.yaml").read_text() == f"services:\n  a: {{image: '{cpu}'}}  # kept\n"
    after = contents(root)
    assert basestore("pin", "--check").expect(0).out == "2 pins in 2 files: all as locked\n"
    assert basestore("pin").expect(0).out == "2 pins in 2 files: nothing to do\n"
    assert contents(root) == after


def test_for_machines(basestore: CommandLine, root: Path) -> None:
    write(root, "compose.yaml", f"a: {RUNTIME}:1\nb: {RUNTIME[:-7]}gone:1\nc: {CPU}:x{{{{\n")
    runtime = target(root, "runtime")

    checked = basestore("pin", "--check", "--json").expect(3).json
    done = basestore("pin", "--json").expect(3).json

    first, second, third = checked["pins"]
    assert first == {
        "file": "compose.yaml",
        "line": 1,
        "column": 4,
        "base": "runtime",
        "state": "unpinned",
        "reference": f"{RUNTIME}:1",
        "target": str(runtime),
        "reason": "",
        "rewritten": False,
    }
    assert (second["state"], second["base"], second["line"]) == ("unknown", None, 2)
    assert (third["state"], third["line"], third["rewritten"]) == ("unpinned", 3, False)
    assert "a template fills it in" in third["reason"]
    assert checked["changed"] == []
    assert checked["unmatched"] == ["apps/**", ".env"]
    assert done["changed"] == ["compose.yaml"]
    assert [one["rewritten"] for one in done["pins"]] == [True, False, False]
    assert (root / "compose.yaml").read_text().startswith(f"a: {runtime}\nb: ")


def test_one_base_alone(basestore: CommandLine, root: Path) -> None:
    file = write(root, "compose.yaml", f"a: {RUNTIME}:1\nb: {CPU}:1\nc: {CPU[:-3]}gone:1\n")

    basestore("pin", "cpu").expect(0)

    assert file.read_text() == f"a: {RUNTIME}:1\nb: {target(root, 'cpu')}\nc: {CPU[:-3]}gone:1\n"
    basestore("pin", "cpu", "--check").expect(0)
    basestore("pin", "runtime", "--check").expect(3)


def test_only_what_changed_since_the_commit(basestore: CommandLine, root: Path) -> None:
    file = write(root, "compose.yaml", f"a: {RUNTIME}:1\nb: {CPU}:1\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a commit")

    basestore("pin", "--only-changed", "--check").expect(0)
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    lock(root, "cpu")
    record_images(root)
    basestore("pin", "--only-changed", "--check").expect(3)
    basestore("pin", "--only-changed", "runtime", "--check").expect(0)
    basestore("pin", "--only-changed").expect(0)

    assert file.read_text() == f"a: {RUNTIME}:1\nb: {target(root, 'cpu')}\n"


def test_a_new_lock_makes_its_pins_stale(basestore: CommandLine, root: Path) -> None:
    write(root, "compose.yaml", f"a: {RUNTIME}:1\nb: {CPU}:1\n")
    basestore("pin").expect(0)
    edit(root / "profiles/cpu.toml", '"torch"', '"torch", "rich"')
    lock(root, "cpu")

    done = basestore("pin", "--check").expect(3)
    assert "locks/images.toml records no image of the lock of cpu" in done.err
    assert done.err.endswith(" hint: run `basestore build cpu`\n")
    basestore("pin", "runtime", "--check").expect(0)
    record_images(root)

    assert basestore("pin", "--check").expect(3).out.split()[:2] == ["compose.yaml:2", "stale"]


def test_repository_and_version_in_variables(basestore: CommandLine, root: Path) -> None:
    """Only the version is a place for one, and a compose file that names no base is read."""
    variables = write(root, ".env", f"BASE_IMAGE={CPU}\nBASE_VERSION=v1\n")
    compose = write(root, "compose.yaml", "a: {image: '${BASE_IMAGE}:${BASE_VERSION}'}\n")
    before = compose.read_bytes()

    assert ".env:2  unpinned" in basestore("pin", "--check").expect(3).out
    basestore("pin").expect(0)

    assert variables.read_text() == (
        f"BASE_IMAGE={CPU}\nBASE_VERSION={target(root, 'cpu').version}\n"
    )
    assert compose.read_bytes() == before
    assert basestore("pin", "--check").expect(0).out == "1 pin in 1 file: all as locked\n"


def test_an_edit_that_spoils_another_reference_is_never_written(root: Path) -> None:
    """Whatever was found: what the files would become is read before they are written."""
    pin = target(root, "cpu")
    variables = write(root, ".env", f"BASE={CPU}\nV={pin.version}\n")
    compose = write(root, "compose.yaml", f"a: {{image: '${{BASE}}:${{V}}'}}\nb: {RUNTIME}:1\n")
    before = (variables.read_bytes(), compose.read_bytes())
    found = find_pins(read_project(root))
    end = variables.read_text().index("\n")
    mended = found.to_mend[0]
    spoiling = replace(mended, edits=(*mended.edits, Edit(".env", end, end, ":1")))

    with pytest.raises(UnpinnedAfterAllError):
        rewrite_pins(replace(found, pins=(*found.pins[:-1], spoiling)))

    assert (variables.read_bytes(), compose.read_bytes()) == before


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("apps/a/x.yaml", f"image: {CPU}:1\n\tx: [\n", "apps/a/x.yaml:2: no YAML: "),
        ("apps/a/Dockerfile", f"FROM {CPU}\nRUN <<EOF\n", "apps/a/Dockerfile:2: the here-doc"),
        ("apps/a/Dockerfile", f"FROM {CPU} x\n", "apps/a/Dockerfile:1: FROM wants"),
    ],
)
def test_a_file_that_does_not_parse_stops_everything(
    basestore: CommandLine, root: Path, file: str, text: str, place: str
) -> None:
    write(root, "compose.yaml", f"image: {CPU}:1\n")
    write(root, file, text)
    before = contents(root)

    for words in (["pin"], ["pin", "--check"]):
        done = basestore(*words).expect(4)
        assert done.err.startswith(f"error: {place}")

    assert contents(root) == before


def test_a_file_that_can_not_be_written_stops_everything(
    basestore: CommandLine, root: Path
) -> None:
    """The longest name that there is leaves none for the file that would take its place."""
    write(root, "compose.yaml", f"image: {CPU}:1\n")
    write(root, f"apps/a/{'x' * 250}.yaml", f"image: {CPU}:1\n")
    before = contents(root)

    done = basestore("pin").expect(6)

    assert contents(root) == before
    assert "can't be written" in done.err


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("registry = ", "# ", 2, "no registry is named"),
        ("files = ", "# ", 2, "no files are named that hold pins"),
        ("[pins]", "[pinned]", 4, "basestore.toml:2: pinned: unknown key"),
    ],
)
def test_what_has_to_be_said_first(
    basestore: CommandLine, root: Path, old: str, new: str, code: int, message: str
) -> None:
    edit(root / "basestore.toml", old, new)

    done = basestore("pin", "--check").expect(code)

    assert message in done.err
    assert " hint: " in done.err


def test_a_lock_that_is_missing(basestore: CommandLine, root: Path) -> None:
    write(root, "compose.yaml", f"image: {CPU}:1\n")
    (root / "locks/cpu.lock").unlink()

    assert "no lock" in basestore("pin", "--check").expect(3).err
    assert "no profile 'nothing'" in basestore("pin", "nothing").expect(2).err


def test_a_link_out_of_the_project(basestore: CommandLine, root: Path) -> None:
    outside = write(root.parent, "outside.yaml", f"image: {CPU}:1\n")
    (root / "compose.yaml").symlink_to(outside)

    assert "compose.yaml lies outside of the project" in basestore("pin").expect(4).err


def test_500_files_are_each_opened_once(basestore: CommandLine, root: Path) -> None:
    """All of them name a base; stale is what costs most, for each is told."""
    strace = need_program("strace")
    write_services(root, 500, STALE)
    trace = root.parent / "trace"
    traced = (strace, "-f", "-qq", "-e", "trace=open,openat", "-o", str(trace))

    done = replace(basestore, through=traced)("pin", "--check").expect(3)

    assert len({line.partition(":")[0] for line in done.out.splitlines()}) == 500
    opened = Counter(re.findall(r'"([^"]*/svc-[0-9]+/[^"/]+)", O_RDONLY', trace.read_text()))
    assert len(opened) == 500
    assert set(opened.values()) == {1}
