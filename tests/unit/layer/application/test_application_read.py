"""Reading an application: which files a service copies, and to where; what it can't copy."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from applying import paths, project, read, service

from basestore.errors import ExitCode, InputError
from basestore.layer.application import read_application
from basestore.layer.application.errors import (
    BelowFileError,
    EmptySourceError,
    IgnoredSourceError,
    LinkError,
    NoContextError,
    NoSourceError,
    NotTextError,
    OutsideProjectError,
    PatternError,
    SourceBehindLinkError,
    TargetError,
    TooLargeError,
    TwiceError,
    UnfitFileError,
    UnreadableFileError,
)
from basestore.recipe.model import ApplicationFile, ApplicationLink, label

Files = str | tuple[str, str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(
        tmp_path / "project",
        {
            "app/main.py": "import app\n",
            "app/sub/mod.py": "x = 1\n",
            "app/run*": "#!/bin/sh\n",
            "config/base.toml": "a = 1\n",
            "config/dev.toml": "a = 2\n",
            "main.py": "print()\n",
        },
    )


# --- where things go

APP = ["main.py", "run", "sub/mod.py"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["app"], [f"app/app/{name}" for name in APP]),
        (["app/"], [f"app/app/{name}" for name in APP]),
        (["./app/sub/.."], [f"app/app/{name}" for name in APP]),
        ([("app", "/srv")], [f"srv/{name}" for name in APP]),
        ([("app", "/srv/")], [f"srv/{name}" for name in APP]),
        ([("app", "/")], APP),
        (["app/sub/mod.py"], ["app/app/sub/mod.py"]),
        ([("main.py", "/srv/")], ["srv/main.py"]),
        ([("main.py", "/srv/start.py")], ["srv/start.py"]),
        ([("main.py", "/srv")], ["srv"]),
        ([("main.py", "/")], ["main.py"]),
        (["config/*.toml"], ["app/config/base.toml", "app/config/dev.toml"]),
        ([("config/*.toml", "/etc/svc")], ["etc/svc/base.toml", "etc/svc/dev.toml"]),
        (["config/[a-c]*"], ["app/config/base.toml"]),
        (["conf?g"], ["app/config/base.toml", "app/config/dev.toml"]),
        ([("conf*", "/etc/svc")], ["etc/svc/config/base.toml", "etc/svc/config/dev.toml"]),
        (["app/**/*.py"], ["app/app/main.py", "app/app/sub/mod.py"]),
        ([("app/**", "/srv")], [f"srv/{name}" for name in APP]),
        (["**/mod.py"], ["app/app/sub/mod.py"]),
        (["main.py", "main.py"], ["app/main.py"]),
        ([("app", "/x"), ("app/main.py", "/x/main.py")], [f"x/{name}" for name in APP]),
        (
            ["."],
            [
                *(f"app/app/{name}" for name in APP),
                "app/config/base.toml",
                "app/config/dev.toml",
                "app/main.py",
            ],
        ),
    ],
)
def test_sources_and_targets(root: Path, files: list[Files], expected: list[str]) -> None:
    assert paths(read(root, *files)) == expected


def test_everything_is_relative_to_the_context(root: Path) -> None:
    found = read(root, "sub", context="app")

    assert paths(found) == ["app/sub/mod.py"]
    assert list(found.sources.values()) == [root.resolve() / "app/sub/mod.py"]


def test_a_context_may_be_a_link_inside_the_project(root: Path) -> None:
    (root / "current").symlink_to("app")

    assert paths(read(root, "sub", context="current")) == ["app/sub/mod.py"]


def test_the_recipe_has_modes_sizes_and_digests(root: Path) -> None:
    found = read(root, "app/run", "main.py")
    sizes = {file.path: (file.mode, file.size) for file in found.recipe.files}

    assert sizes == {"app/app/run": (0o755, 10), "app/main.py": (0o644, 8)}
    assert found.size == 18
    assert all(
        found.sources[file.sha256].read_bytes() in (b"#!/bin/sh\n", b"print()\n")
        for file in found.recipe.files
    )


def test_a_recipe_says_what_it_is(root: Path) -> None:
    recipe = read(root, "main.py").recipe

    assert (recipe.packages, recipe.inputs, label(recipe)) == (("application",), (), "application")
    assert recipe.weight > 0


def test_only_path_content_and_the_owners_execute_bit_decide(root: Path) -> None:
    before = read(root, ".").recipe.digest
    os.utime(root / "main.py", (1, 1))
    (root / "main.py").chmod(0o600)
    (root / "app/run").chmod(0o700)
    assert read(root, ".").recipe.digest == before

    (root / "main.py").chmod(0o700)
    executable = read(root, ".").recipe.digest
    (root / "main.py").chmod(0o600)
    (root / "main.py").write_text("print(1)")
    changed = read(root, ".").recipe.digest
    assert len({before, executable, changed}) == 3
    assert len({before, read(root, "main.py").recipe.digest}) == 2


def test_the_order_in_which_a_folder_was_filled_is_not_told(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(50)]
    one = project(tmp_path / "one", {name: name for name in names})
    two = project(tmp_path / "two", {name: name for name in reversed(names)})

    assert read(one, ".").recipe == read(two, ".").recipe


def test_folders_without_files_are_left_out(root: Path) -> None:
    (root / "app/empty/below").mkdir(parents=True)

    assert paths(read(root, ("app", "/srv"))) == [f"srv/{name}" for name in APP]


# --- what is left out


def test_the_ignore_file_is_the_contexts_own(root: Path) -> None:
    project(root, {".dockerignore": "*\n", "app/.dockerignore": "sub\n"})

    assert paths(read(root, ".", context="app")) == ["app/main.py", "app/run"]


def test_what_differs_from_clone_to_clone_is_left_out_unless_taken_back(root: Path) -> None:
    project(
        root,
        {
            ".git/HEAD": "ref",
            "app/__pycache__/main.cpython-311.pyc": "x",
            "app/sub/.git": "gitdir: x",
            "app/old.pyc": "x",
        },
    )
    plain = paths(read(root, "."))
    project(root, {".dockerignore": "!**/__pycache__\n!**/*.pyc\n!.git\n!.dockerignore\n"})

    assert set(paths(read(root, "."))) - set(plain) == {
        "app/.dockerignore",
        "app/.git/HEAD",
        "app/app/__pycache__/main.cpython-311.pyc",
        "app/app/old.pyc",
    }


def test_folders_in_which_nothing_can_be_taken_back_are_not_looked_into(root: Path) -> None:
    project(root, {".dockerignore": "big\n!big/keep/one.txt\n", "big/keep/one.txt": "1"})
    (root / "big/other").mkdir()
    (root / "big/other").joinpath("\udcff").write_bytes(b"a name that is refused where it is seen")
    os.mkfifo(root / "big/keep/pipe")

    assert paths(read(root, "big")) == ["app/big/keep/one.txt"]


# --- links


def test_links_to_what_is_copied_stay_links(root: Path) -> None:
    (root / "app/start").symlink_to("main.py")
    (root / "app/sub/up").symlink_to("../main.py")
    (root / "app/also").symlink_to("sub")
    (root / "app/through").symlink_to("also/mod.py")

    assert read(root, ("app", "/srv")).recipe.links == (
        ApplicationLink("srv/also", "sub"),
        ApplicationLink("srv/start", "main.py"),
        ApplicationLink("srv/sub/up", "../main.py"),
        ApplicationLink("srv/through", "also/mod.py"),
    )


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "leads to an absolute path"),
        ("../../outside", "leads out of the context"),
        ("../main.py", "leads to nothing that is copied"),
        ("gone.py", "leads to nothing that is copied"),
        ("main.py/below", "leads to nothing that is copied"),
        ("link", "leads to nothing that is copied"),
        ("other", "leads to nothing that is copied"),  # which leads back
    ],
)
def test_links_that_would_lead_elsewhere_are_refused(root: Path, target: str, reason: str) -> None:
    (root / "app/link").symlink_to(target)
    (root / "app/other").symlink_to("link")

    with pytest.raises(LinkError, match=reason) as caught:
        read(root, "app")
    assert f"app/link -> {target}" in caught.value.message
    assert ".dockerignore" in caught.value.hint


def test_links_are_named_as_seen_from_the_project(root: Path) -> None:
    (root / "app/sub/link").symlink_to("gone")

    with pytest.raises(LinkError, match=r"^the symbolic link app/sub/link -> gone leads"):
        read(root, ".", context="app")


def test_a_link_is_checked_where_it_is_in_the_image(root: Path) -> None:
    (root / "app/settings").symlink_to("../config/base.toml")

    assert read(root, "app", "config").recipe.links
    with pytest.raises(LinkError, match="nothing that is copied"):
        read(root, ("app", "/srv"), "config")


def test_a_source_behind_a_link_is_named_by_its_own_path(root: Path) -> None:
    (root / "link").symlink_to("app")

    with pytest.raises(SourceBehindLinkError, match=r"basestore.toml:10: .* link link$"):
        read(root, "link/main.py")


# --- what can't be


def test_nothing_there_names_the_line_and_what_is_like_it(root: Path) -> None:
    with pytest.raises(NoSourceError) as caught:
        read(root, "app", "app/mian.py")

    assert caught.value.message == "basestore.toml:11: nothing in . matches 'app/mian.py'"
    assert caught.value.hint == "did you mean app/main.py?"


@pytest.mark.parametrize("source", ["gone", "main.py/below", "*.rs", "app/*.rs", "gone/**"])
def test_nothing_there(root: Path, source: str) -> None:
    with pytest.raises(NoSourceError, match=r"basestore\.toml:10: ") as caught:
        read(root, source)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_all_of_it_left_out_names_the_rule(root: Path) -> None:
    project(root, {".dockerignore": "# no\napp\n", "x/__pycache__/a.pyc": "a"})

    with pytest.raises(IgnoredSourceError, match=r"'app/main.py' .* 'app' of .dockerignore:2"):
        read(root, "app/main.py")
    with pytest.raises(IgnoredSourceError, match=r"'\*\*/__pycache__' of the defaults"):
        read(root, "x/__pycache__")


def test_a_folder_without_files_brings_nothing(root: Path) -> None:
    (root / "empty/below").mkdir(parents=True)

    with pytest.raises(EmptySourceError, match="'empty' brings nothing"):
        read(root, "empty")


@pytest.mark.parametrize("source", ["../outside", "..", "/etc/passwd", "app/../../outside"])
def test_sources_outside_the_context(root: Path, source: str) -> None:
    (root.parent / "outside").write_text("secret")

    with pytest.raises(OutsideProjectError, match=r"basestore.toml:10: .* outside of the context"):
        read(root, source)


@pytest.mark.parametrize("context", ["..", "../project-2", "/etc", "leaving"])
def test_contexts_outside_the_project(root: Path, context: str) -> None:
    project(root.parent / "project-2", {"main.py": ""})
    (root / "leaving").symlink_to("../project-2")

    with pytest.raises(OutsideProjectError, match=r"basestore.toml:7: .* outside of the project"):
        read(root, ".", context=context)


@pytest.mark.parametrize("context", ["gone", "main.py", "main.py/x", "x" * 300, "loop"])
def test_contexts_that_are_no_folders(root: Path, context: str) -> None:
    (root / "loop").symlink_to("loop")

    with pytest.raises(NoContextError, match=context):
        read(root, ".", context=context)


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("app", "/opt/venv/app", "holds the packages"),
        ("app", "/opt/./venv/", "holds the packages"),
        ("main.py", "/opt", "holds the packages"),
        ("app", "/proc/1", "lies over it"),
        ("app", "/srv/../etc", "`..`"),
        ("app", "srv", "not absolute"),
        ("app", "/srv\n", "control character"),
    ],
)
def test_targets_that_no_application_may_have(
    root: Path, source: str, target: str, reason: str
) -> None:
    with pytest.raises(TargetError, match=r"^basestore.toml:10: ") as caught:
        read(root, (source, target))
    assert reason in caught.value.message


def test_a_folder_of_the_context_can_reach_into_the_environment_neither(root: Path) -> None:
    project(root, {"tree/opt/venv/bin/python": "#!/bin/sh"})

    with pytest.raises(TargetError, match="/opt/venv/bin/python"):
        read(root, ("tree", "/"))


@pytest.mark.parametrize("name", ["new\nline", "esc\x1b[0m", "del\x7f", "nel\x85", "latin\udce9"])
def test_names_that_no_terminal_or_archive_should_see(root: Path, name: str) -> None:
    (root / "app" / name).write_text("x")

    with pytest.raises(UnfitFileError, match="control character or is not UTF-8") as caught:
        read(root, "app")
    assert name not in caught.value.message  # shown escaped


def test_pipes_and_sockets(root: Path) -> None:
    os.mkfifo(root / "app/pipe")
    with pytest.raises(UnfitFileError, match=r"'app/pipe' .* a named pipe"):
        read(root, "app")

    (root / "app/pipe").unlink()
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(root / "app")  # paths of sockets may not be long
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
    with pytest.raises(UnfitFileError, match=r"'app/socket' .* a socket"):
        read(root, "app")


def test_an_ignore_file_that_is_none(root: Path) -> None:
    ignore = root / ".dockerignore"
    for make in (ignore.mkdir, lambda: os.mkfifo(ignore), lambda: ignore.symlink_to("gone")):
        make()
        with pytest.raises(
            UnreadableFileError, match=r"^\.dockerignore can't be read: it is no file"
        ):
            read(root, "app")
        ignore.rmdir() if ignore.is_dir() else ignore.unlink()


def test_what_the_file_system_refuses_is_told(root: Path) -> None:
    with pytest.raises(UnreadableFileError, match="file name too long"):
        read(root, "x" * 300)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; nobody may not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("name", ["app", "app/main.py"])
def test_what_may_not_be_read_is_named(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # one that others may look into
        root = Path(folder)
        root.chmod(0o755)
        project(root, {"app/main.py": "1"})
        (root / name).chmod(0)
        reason = f"^{name} can't be read: permission denied"
        with as_nobody(), pytest.raises(UnreadableFileError, match=reason):
            read(root, "app")
        (root / name).chmod(0o755)


def test_one_path_from_two_sources(root: Path) -> None:
    project(root, {"one/x": "same", "two/x": "same"})
    assert paths(read(root, ("one", "/srv"), ("two", "/srv"))) == ["srv/x"]

    project(root, {"two/x": "else"})
    with pytest.raises(TwiceError) as caught:
        read(root, ("one", "/srv"), ("two", "/srv"))
    assert caught.value.message == (
        "one/x (basestore.toml:10) and two/x (basestore.toml:11) would both be /srv/x in the image"
    )


def test_one_path_with_other_permissions(root: Path) -> None:
    project(root, {"one/x": "same", "two/x*": "same"})

    with pytest.raises(TwiceError):
        read(root, ("one", "/srv"), ("two", "/srv"))


def test_a_file_where_another_source_needs_a_folder(root: Path) -> None:
    with pytest.raises(BelowFileError, match=r"^main.py \(basestore.toml:10\) would be /srv in"):
        read(root, ("main.py", "/srv"), ("app", "/srv"))


def test_bad_patterns_are_named_with_their_line(root: Path) -> None:
    project(root, {".dockerignore": "ok\n\n[a\n"})
    with pytest.raises(PatternError, match=r"^\.dockerignore:3: the pattern '\[a' has a \["):
        read(root, ".")

    project(root, {".dockerignore": b"ok\n\xff\n"})
    with pytest.raises(NotTextError, match=r"^\.dockerignore:2: "):
        read(root, ".")

    (root / ".dockerignore").unlink()
    with pytest.raises(PatternError, match=r"^basestore\.toml:10: the pattern 'app/\[z-a\]'"):
        read(root, "app/[z-a]")


# --- size


def test_the_limit_is_on_what_is_copied(root: Path) -> None:
    project(root, {"data/big": bytes(900), "more/small": bytes(90)})

    assert read_application(root, service("data", limit=900), "/app").size == 900
    with pytest.raises(TooLargeError):
        read_application(root, service("data", "more", limit=900), "/app")


def test_too_much_names_the_largest_and_the_ways_out(root: Path) -> None:
    project(
        root,
        {
            "svc/data/models/one.bin": bytes(2_000_000),
            "svc/data/models/two/a.bin": bytes(1_000_000),
            "svc/data/models/two/b.bin": bytes(1_500_000),
            "svc/data/readme": bytes(10_000),
            "svc/main.py": bytes(10),
        },
    )
    with pytest.raises(TooLargeError) as caught:
        read_application(root, service(".", context="svc", limit=1_000_000), "/app")

    assert caught.value.message == (
        "basestore.toml:7: the application has 4.5 MB, and its limit is 1.0 MB; the most lies in "
        "svc/data/models/two/ (2.5 MB), svc/data/models/one.bin (2.0 MB)"
    )
    assert ".dockerignore" in caught.value.hint
    assert 'context-limit = "5 MB"' in caught.value.hint


def test_too_much_is_told_before_anything_is_read(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 42)  # four terabytes of nothing: to hash them would take hours

    with pytest.raises(TooLargeError):
        read(root, "huge")


def test_all_errors_are_input_errors(root: Path) -> None:
    for files in (["gone"], ["../x"], [("app", "/opt/venv")]):
        with pytest.raises(InputError):
            read(root, *files)


def test_an_application_is_equal_to_itself(root: Path) -> None:
    one, two = read(root, ".").recipe, read(root, ".").recipe

    assert one == two
    assert hash(one) == hash(two)
    assert isinstance(one.files[0], ApplicationFile)


@pytest.mark.parametrize("target", ["/usr/bin/.wh.python3.11", "/usr/.wh..wh..opq", "/.wh.x/y"])
def test_names_that_delete_what_lies_below_are_refused(root: Path, target: str) -> None:
    with pytest.raises(TargetError, match="deletes files of the base"):
        read(root, ("main.py", target))


def test_what_a_killed_command_left_is_not_copied(root: Path) -> None:
    before = read(root, "app")
    (root / "app/.main.py-x1y2z3a4.basestore").write_text("half a fi")
    (root / "app/.notes-x1y2z3a4").write_text("a file like others\n")

    assert paths(read(root, "app")) == ["app/app/.notes-x1y2z3a4", *paths(before)]
