"""Requirement files of any kind: an error of the table or a profile, never anything else."""

import tempfile
from pathlib import Path
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from basestore.errors import ExitCode
from basestore.lock.inputs import Inputs, inputs
from basestore.profile.document import DocumentError
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile

ROOT = """python = "3.11"
platforms = ["linux/amd64"]
requirements-files = ["../app/reqs.txt"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
SHA = "a" * 64
WHEEL = "https://example.com/extra-1.0-py3-none-any.whl"
LINES = (
    "fastapi>=0.100,<1",
    "Uvicorn[standard]",
    "tomli; python_version < '3.12'",
    f"web==1.0 --hash=sha256:{SHA}",
    f"{WHEEL}#sha256={SHA}",
    f"private @ https://us:${{KEY}}@example.com/private-1.0-py3-none-any.whl --hash=sha256:{SHA}",
    "-c bounds.txt",
    "-r more.txt",
)
MORE = {"bounds": "six<2\nweb<2\n", "more": "redis\n-c bounds.txt\n"}

PIECES = st.sampled_from(
    [
        *("-r ", "-c ", "-e ", "--hash=", "--hash ", "sha256:", "md5:", "--index-url", "--pre"),
        *("a", "web", "==", ">=1", "[x]", ";", "python_version", "'3'", "@", " @ ", "://", "https"),
        *("https://", "git+ssh://", "file:", "${TOKEN}", "${", "}", "#", "\\", "\n", "\r\n", " "),
        *("secret@", "team:secret@", "h/", "a-1-py3-none-any.whl", ".whl", "?k=", "[", "]"),
        *("\ufeff", "\v", "%00"),
        *("\0", "\t", "é", "../", "~", "bounds.txt", "reqs.txt", "%2e", "&", SHA, "\u2028", "\x0c"),
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join))


def _inputs(text: str | bytes, file: str = "reqs.txt") -> Inputs:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "profiles").mkdir()
        (root / "app").mkdir()
        (root / "profiles/x.toml").write_text(ROOT)
        for stem, content in {"reqs": "web\n", **MORE}.items():
            (root / f"app/{stem}.txt").write_text(content)
        if file != "reqs.txt":
            (root / "app/reqs.txt").write_text(f"-c {file}\nweb\n")
        data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
        (root / "app" / file).write_bytes(data)
        return inputs(read_profile(read_project(root), "x"), None)


def _error(text: str | bytes, file: str) -> DocumentError | None:
    try:
        _inputs(text, file)
    except DocumentError as error:
        return error
    return None


def _is_url(text: str, error: DocumentError) -> bool:
    """Whether the line of an error is a URL, alone or behind a name, and so may hold secrets."""
    line = text.split("\n")[(error.line or 1) - 1].strip()
    return "://" in line and not line.startswith("-")


@given(TEXTS)
@example("https://[/a-1-py3-none-any.whl")
@example("a @ https://h:port/a-1-py3-none-any.whl")
@example("https://h/a-1-py3-none-any.whl; python_version > '3'")
@example("-r reqs.txt\0")
@example("--hash")
@example("\\")
@example("\ufeff-c ")
def test_any_requirement_file(text: str) -> None:
    for file in ("reqs.txt", "bounds.txt"):
        error = _error(text, file)
        if error:
            shown = f"{error.message}{error.hint}"
            assert error.exit_code is ExitCode.BAD_INPUT
            assert error.message.startswith(("app/", "profiles/x.toml:"))
            assert error.hint
            told = "secret" in shown and "the option" not in shown  # its name is no secret
            assert not (told and _is_url(text, error))
            assert "\n" not in shown


@given(st.binary(max_size=40))
def test_any_bytes(data: bytes) -> None:
    error = _error(data, "reqs.txt")

    assert error is None or error.file.startswith("app/")


def _laid_out(lines: list[str], random: Random) -> str:
    """The same file with other order, comments, blank lines, white space and line ends."""
    laid = []
    for line in random.sample(lines, len(lines)) + random.choices(lines, k=random.randrange(3)):
        laid += random.choice([[], [""], ["# a comment"], ["   # --pre", "\t"]])
        if " --hash" in line:
            line = line.replace(" --hash", random.choice([" --hash", " \\\n    --hash"]))
        laid.append(random.choice(["", "  "]) + line + random.choice(["", "  ", "  # why"]))
    return random.choice(["\n", "\r\n"]).join(laid) + random.choice(["", "\n"])


@given(st.randoms(use_true_random=False))
def test_order_and_layout_change_no_input(random: Random) -> None:
    assert _inputs(_laid_out(list(LINES), random)) == _inputs("\n".join(LINES))


@given(st.sets(st.integers(0, len(LINES) - 1), min_size=1))
def test_any_line_that_goes_changes_the_inputs(gone: set[int]) -> None:
    """But for constraints that another line brings."""
    left = [line for number, line in enumerate(LINES) if number not in gone]
    told = gone - ({6} if 7 not in gone else set())
    assert (_inputs("\n".join(left)) != _inputs("\n".join(LINES))) == bool(told)
