"""`dockerfile` as a person has it: what it prints, writes, keeps and refuses."""

from pathlib import Path

import pytest
from clicases import command_line_on
from commandline import CommandLine, contents
from locked_project import edit, lock, make_project

from basestore.digest import Digest
from basestore.lock.files import write_images
from basestore.lock.images import ImageRecord
from basestore.profile.project import read_project
from basestore.target import Platform

IMAGE = Digest.of(b"the base's image")
GREETING = """'say "hi" for $5'"""
PROJECT = f"""registry = "registry.example.com/team"
[services.api]
base = "runtime"
requirements = ["uvicorn"]
context = "apps/api"
files = ["main.py", "static"]
cmd = ["uvicorn", "main:app"]
port = 8000
env = {{ GREETING = {GREETING} }}
[services.job]
base = "runtime"
context = "apps/job"
builder = "docker"
dockerfile = "docker/job.Dockerfile"
user = "1000"
"""


@pytest.fixture
def basestore(tmp_path: Path) -> CommandLine:
    root = tmp_path / "project"
    root.mkdir()
    make_project(root)
    (root / "basestore.toml").write_text(PROJECT)
    (root / "apps/api/static").mkdir(parents=True)
    (root / "apps/api/static/page.html").write_text("a page")
    (root / "apps/api/main.py").write_text("app = None\n")
    (root / "apps/job").mkdir()
    (root / "apps/job/job.py").write_text("print()\n")
    base = lock(root, "runtime")
    lock(root, "api")
    lock(root, "job")
    record = ImageRecord("runtime", base, IMAGE, {Platform("amd64"): IMAGE})
    write_images(read_project(root), [record])
    return command_line_on(root)


def test_it_is_printed(basestore: CommandLine) -> None:
    before = contents(basestore.folder)

    done = basestore("dockerfile", "api").expect(0)

    base = Digest.of((basestore.folder / "locks/runtime.lock").read_bytes()).hex
    pin = f"registry.example.com/team/base-runtime:{base}@{IMAGE}"
    assert done.out.startswith(
        "# Written by basestore for the service api. Without this line it leaves the file alone.\n"
        f"ARG BASE_IMAGE={pin}\n"
    )
    assert 'ENV GREETING="say \\"hi\\" for \\$5"\n' in done.out
    assert done.out.endswith('USER 10001\nCMD ["uvicorn", "main:app"]\n')
    assert done.err == (
        " hint: it wants apps/api/.dockerignore, apps/api/requirements.api.txt beside it: --write "
        "writes them all\n"
    )
    assert contents(basestore.folder) == before


def test_it_is_written_and_written_again(basestore: CommandLine) -> None:
    folder = basestore.folder / "apps/api"
    printed = basestore("dockerfile", "api").out

    done = basestore("dockerfile", "api", "--write").expect(0)

    files = ["Dockerfile", ".dockerignore", "requirements.api.txt"]
    assert done.out.splitlines() == [f"api: wrote apps/api/{file}" for file in files]
    assert (folder / "Dockerfile").read_text() == printed
    hashed = (folder / "requirements.api.txt").read_text()
    assert f"uvicorn==1 \\\n    --hash={Digest.of(b'uvicorn')}\n" in hashed
    assert "redis" not in hashed  # which the base has
    before = contents(folder)
    basestore("dockerfile", "api", "--write").expect(0)
    assert contents(folder) == before


@pytest.mark.parametrize("file", ["Dockerfile", ".dockerignore", "requirements.api.txt"])
def test_files_of_people_are_left_alone(basestore: CommandLine, file: str) -> None:
    mine = basestore.folder / "apps/api" / file
    mine.write_text("# mine\n")
    before = contents(basestore.folder)

    done = basestore("dockerfile", "api", "--write").expect(2)

    assert f"apps/api/{file} is there, and basestore did not write it for api" in done.err
    assert "--force" in done.err
    assert contents(basestore.folder) == before
    basestore("dockerfile", "api", "--write", "--force").expect(0)
    assert mine.read_text().startswith("# Written by basestore")


def test_another_services_dockerfile_is_left_alone(basestore: CommandLine) -> None:
    basestore("dockerfile", "job", "--write").expect(0)
    file = basestore.folder / "docker/job.Dockerfile"
    edit(file, "the service job", "the service other")

    done = basestore("dockerfile", "job", "--write").expect(2)

    assert "did not write it for job" in done.err


def test_what_the_base_has_needs_no_installing(basestore: CommandLine) -> None:
    done = basestore("dockerfile", "job", "--json").expect(0)

    paths = [file["path"] for file in done.json["files"]]
    assert paths == ["docker/job.Dockerfile", "apps/job/.dockerignore"]
    assert "RUN" not in done.json["files"][0]["content"]
    assert done.json["written"] is False
    assert done.json["base"].endswith(f"@{IMAGE}")


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('registry = "registry.example.com/team"\n', "", 2, "no registry is named"),
        ('"static"]', '"missing"]', 4, "nothing in apps/api matches 'missing'"),
        ('"static"]', '"**/*.html"]', 4, "COPY of a Dockerfile can't do what '**/*.html' says"),
        ('"static"]', '"stat*"]', 4, "it finds the folder static, and would merge it"),
        (GREETING, r'"a\nb"', 4, "can't hold the value of GREETING: it has a line break"),
    ],
)
def test_what_no_dockerfile_can_say(
    basestore: CommandLine, old: str, new: str, code: int, said: str
) -> None:
    edit(basestore.folder / "basestore.toml", old, new)
    lock(basestore.folder, "api")

    done = basestore("dockerfile", "api").expect(code)

    assert said in done.err
    assert "hint: " in done.err
    assert done.out == ""


@pytest.mark.parametrize("name", ["runtime", "nothing"])
def test_only_services_have_one(basestore: CommandLine, name: str) -> None:
    done = basestore("dockerfile", name).expect(2)

    assert f"no service {name!r}" in done.err


def test_a_base_that_is_not_built(basestore: CommandLine) -> None:
    (basestore.folder / "locks/images.toml").unlink()

    done = basestore("dockerfile", "api").expect(3)

    assert "hint: run `basestore build runtime`" in done.err


def test_a_stale_lock_is_told(basestore: CommandLine) -> None:
    edit(basestore.folder / "basestore.toml", '["uvicorn"]', '["uvicorn", "httptools"]')

    done = basestore("dockerfile", "api").expect(0)

    assert "warning: the lock of api is stale" in done.err
