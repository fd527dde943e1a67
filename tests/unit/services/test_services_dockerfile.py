"""Dockerfiles of services, their words and their ignore files."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.layer.application.ignore import read_ignore
from basestore.lock.model import ImageConfig
from basestore.profile.document import read_document
from basestore.profile.model import Healthcheck, Index
from basestore.profile.place import Location
from basestore.profile.service import Copy, Service
from basestore.services.copies import CopyPatternError, check_copy, copy_instruction
from basestore.services.dockerfile import Delta, Wanted, dockerfile, mark
from basestore.services.ignore import MARK, dockerignore
from basestore.services.quoting import UnwritableError, exec_form, paths_form, quoted

PIN = f"registry.example.com/team/base-runtime:{'1' * 64}@sha256:{'2' * 64}"
HERE = Location("basestore.toml", 7)
BASE = ImageConfig(env=("LANG=C.UTF-8", "PATH=/opt/venv/bin:/bin"), cmd=("python",))
TEXT = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]))


def service(*files: Copy) -> Service:
    table = read_document("basestore.toml", b"")
    return Service("svc", "runtime", "svc", HERE, table, files=files)


def copy(source: str, target: str = "") -> Copy:
    return Copy(source, target, HERE)


def written(
    image: ImageConfig, *files: Copy, delta: Delta | None = None, inherited: ImageConfig = BASE
) -> str:
    return dockerfile(Wanted(service(*files), PIN, inherited, image, delta)).decode()


def test_the_whole() -> None:
    image = ImageConfig(
        env=(*BASE.env, 'GREETING=say "hi" for $5', "EMPTY="),
        entrypoint=("uvicorn",),
        cmd=("main:app", "--port=8000"),
        user="1000:1000",
        workdir="/app",
        labels={"team": "a b"},
        ports=(8000,),
        healthcheck=Healthcheck(("python", "-c", 'print("$HOME")'), 30, 5, 120, 3),
    )

    text = written(image, copy("main.py"), delta=Delta("requirements.svc.txt"))

    assert text == (
        f"{mark('svc')}\n"
        f"ARG BASE_IMAGE={PIN}\n"
        "ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13\n"
        "\n"
        "FROM ${UV_IMAGE} AS uv\n"
        "\n"
        "FROM ${BASE_IMAGE}\n"
        "RUN --mount=type=bind,from=uv,target=/mnt \\\n"
        "    --mount=type=cache,id=uv,target=/var/cache/uv,uid=0,gid=0 \\\n"
        "    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \\\n"
        "    --mount=type=bind,source=requirements.svc.txt,target=/tmp/requirements.txt \\\n"
        '    ["/mnt/uv", "pip", "install", "--python=/opt/venv/bin/python", "--link-mode=copy", '
        '"--cache-dir=/var/cache/uv", \\\n'
        '     "--require-hashes", "--no-deps", "--only-binary=:all:", '
        '"--requirements=/tmp/requirements.txt"]\n'
        "\n"
        'WORKDIR "/app"\n'
        'COPY ["main.py", "/app/main.py"]\n'
        "\n"
        'ENV GREETING="say \\"hi\\" for \\$5" \\\n'
        '    EMPTY=""\n'
        'LABEL "team"="a b"\n'
        "EXPOSE 8000\n"
        "USER 1000:1000\n"
        "HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 "
        'CMD ["python", "-c", "print(\\"$HOME\\")"]\n'
        'ENTRYPOINT ["uvicorn"]\n'
        'CMD ["main:app", "--port=8000"]\n'
    )


def test_what_the_base_has_is_not_said_again() -> None:
    inherited = ImageConfig(
        env=("A=1",), entrypoint=("x",), cmd=("y",), labels={"l": "1"}, user="5", workdir="/srv"
    )

    text = written(inherited, inherited=inherited)

    assert text.splitlines()[4:] == ["USER root", "", 'WORKDIR "/srv"', "", "USER 5"]


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:staff"])
def test_nobody_runs_as_root(user: str) -> None:
    lines = written(ImageConfig(user=user)).splitlines()

    assert "USER 10001" in lines
    (made,) = (line for line in lines if line.startswith("RUN "))
    program = json.loads(made.removeprefix("RUN "))[2]
    compile(program, "RUN", "exec")
    assert "app:*:10001:10001::" in program


def test_another_command_is_said_with_the_bases_entrypoint() -> None:
    inherited = ImageConfig(entrypoint=("python",), cmd=("-i",), user="1")

    text = written(ImageConfig(entrypoint=("python",), cmd=("app.py",), user="1"))
    kept = written(
        ImageConfig(entrypoint=("python",), cmd=("app.py",), user="1"), inherited=inherited
    )

    assert text.endswith('ENTRYPOINT ["python"]\nCMD ["app.py"]\n')
    assert kept.endswith('USER 1\nCMD ["app.py"]\n')


def test_packages_of_named_indexes() -> None:
    index = Index("cpu", "https://wheels.example.com/cpu", ("torch",))

    text = written(ImageConfig(), delta=Delta("r.txt", (index,)))

    assert '"--index=https://wheels.example.com/cpu", "--index-strategy=unsafe-best-match"' in text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (copy("."), '[".", "/app/"]'),
        (copy("src"), '["src", "/app/src"]'),
        (copy("a/b.py"), '["a/b.py", "/app/a/b.py"]'),
        (copy("src", "/srv"), '["src", "/srv"]'),
        (copy("a.cfg", "/etc/"), '["a.cfg", "/etc/"]'),
        (copy("*.py"), '["*.py", "/app/"]'),
        (copy("src/*.py"), '["src/*.py", "/app/src/"]'),
        (copy("src/[ab]?.py", "/x"), '["src/[ab]?.py", "/x/"]'),
        (copy("do$lar"), '["do\\\\$lar", "/app/do\\\\$lar"]'),
        (copy(r"\[x].txt"), '["[\\\\\\\\[]x].txt", "/app/"]'),
    ],
)
def test_copies(asked: Copy, said: str) -> None:
    assert copy_instruction(asked, "/app") == f"COPY {said}"


@pytest.mark.parametrize("source", ["src/**/*.py", "**", "*/a.py", "a/**.py"])
def test_a_pattern_over_folders_is_refused(source: str) -> None:
    with pytest.raises(CopyPatternError) as caught:
        copy_instruction(copy(source), "/app")

    assert caught.value.message.startswith("basestore.toml:7: ")
    assert repr(source) in caught.value.message


def test_the_hint_names_the_literal_folders() -> None:
    with pytest.raises(CopyPatternError, match="several folders") as caught:
        copy_instruction(copy("a/b/c*/d.py"), "/app")

    assert "'a/b'" in caught.value.hint


def test_a_pattern_that_finds_a_folder_is_refused() -> None:
    check_copy(copy("src/*"), ["src/a.py", "src/b.py"])
    check_copy(copy("src"), ["src/deep/a.py"])
    with pytest.raises(CopyPatternError, match="finds the folder src/deep"):
        check_copy(copy("src/*"), ["src/a.py", "src/deep/b/c.py"])


@given(TEXT)
def test_quoted_words_are_read_back(text: str) -> None:
    word = quoted(text, "it")

    assert (word[0], word[-1]) == ('"', '"')
    assert lexed(word[1:-1]) == text


@given(st.lists(TEXT))
def test_exec_forms_are_read_back(words: list[str]) -> None:
    assert json.loads(exec_form(words)) == words
    assert [lexed(word) for word in json.loads(paths_form(words))] == words


@pytest.mark.parametrize("value", ["a\nb", "\r"])
def test_line_breaks_can_not_be_written(value: str) -> None:
    with pytest.raises(UnwritableError, match="the value of A: it has a line break"):
        written(ImageConfig(env=(f"A={value}",)))


def test_a_label_with_an_equals_sign_can_not_be_written() -> None:
    with pytest.raises(UnwritableError, match="'a=b'"):
        written(ImageConfig(labels={"a=b": "c"}))


def test_an_ignore_file_leaves_out_what_is_no_program() -> None:
    data = dockerignore("docker/Dockerfile", ["src", "config/.env"])
    rules = read_ignore(data, ".dockerignore")

    def ignored(path: str) -> bool:
        verdict = rules.root()
        for end in [n for n, c in enumerate(path) if c == "/"] + [len(path)]:
            verdict = rules.judge(path[:end], verdict)
        return verdict.ignored

    assert data.decode().startswith(f"{MARK}\n")
    for path in ("a/.git/config", "b/.venv/x", "docker/Dockerfile", "x.pyc", ".dockerignore"):
        assert ignored(path), path
    for path in ("src/main.py", "config/.env", "docker/other", "requirements.svc.txt"):
        assert not ignored(path), path


def test_an_ignore_file_for_a_dockerfile_elsewhere() -> None:
    assert b"\n\n" not in dockerignore("", [])


def lexed(text: str) -> str:
    """What BuildKit's lexer makes of a word between double quotes; variables are not wanted."""
    assert not re.search(r"(?<!\\)(?:\\\\)*\$", text)
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
