"""What the command line says of bad input: exit code, one sentence, a way out, nothing changed.

``PYTHONPATH=tests python tests/contract/test_cli_messages.py`` writes the golden file anew; read
its difference as the person will who gets the message.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from clicases import WHEELS, command_line_on, make_locked_project
from commandline import Done, closed_address, contents
from locked_project import edit
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock import images
from basestore.lock.files import write_images
from basestore.profile.project import read_project

GOLDEN = Path(__file__).parents[1] / "golden/cli-errors.txt"

Edit = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A wrong thing that a person does. ``served``: what the index has, None for one that is down.

    ``environ``: what is set besides; ``{home}`` and ``{nobody}`` stand for the home, and for an
    address where nothing listens.
    """

    title: str
    words: str
    edit: Edit = lambda root: None
    served: Callable[[LoopbackIndex], None] | None = None
    environ: Mapping[str, str] | None = None


def write(file: str, text: str) -> Edit:
    """Give a file of the project other content."""

    def change(root: Path) -> None:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)

    return change


def replaced(file: str, old: str, new: str) -> Edit:
    """Edit a file of the project."""
    return lambda root: edit(root / file, old, new)


def required(*requirements: str) -> Edit:
    """Ask for more packages, in lines 4 and following of the profile."""
    lines = "".join(f'  "{requirement}",\n' for requirement in requirements)
    return replaced(
        "profiles/runtime.toml", '["redis", "httpx"]', f'[\n{lines}  "redis",\n  "httpx",\n]'
    )


def removed(file: str) -> Edit:
    """Remove a file of the project."""
    return lambda root: (root / file).unlink()


def recorded(name: str) -> Edit:
    """Record an image of a profile's lock."""

    def change(root: Path) -> None:
        lock = Digest.of((root / f"locks/{name}.lock").read_bytes())
        write_images(read_project(root), [images.ImageRecord(name, lock, lock, {})])

    return change


def in_turn(*edits: Edit) -> Edit:
    """Several edits."""

    def change(root: Path) -> None:
        for one in edits:
            one(root)

    return change


def everything(index: LoopbackIndex) -> None:
    """The index has the project's wheels."""
    index.add(*WHEELS)


def with_other_bytes(index: LoopbackIndex) -> None:
    """A wheel's bytes are not those of the hash that the index tells."""
    everything(index)
    index.change("httpx-1-py3-none-any.whl", data=b"x" * len(WHEELS[2].data))


def with_another_hash(index: LoopbackIndex) -> None:
    """The index tells another hash for a file that is locked."""
    everything(index)
    index.change("httpx-1-py3-none-any.whl", sha256="0" * 64)


def with_rich(index: LoopbackIndex) -> None:
    """The index has one more package, of January 2026."""
    everything(index)
    index.add(make_wheel("rich", "1"))


def undated(index: LoopbackIndex) -> None:
    """The index tells no upload times."""
    with_rich(index)
    for file in index.files:
        index.change(file.file, uploaded="")


def with_a_short_file(index: LoopbackIndex) -> None:
    """A wheel ends too early."""
    everything(index)
    index.change("httpx-1-py3-none-any.whl", data=WHEELS[2].data[:-9])


def without_a_file(index: LoopbackIndex) -> None:
    """A wheel of the lock was removed from the index."""
    everything(index)
    index.remove("httpx-1-py3-none-any.whl")


def with_conflict(index: LoopbackIndex) -> None:
    """Two packages want different versions of a third."""
    everything(index)
    index.add(
        make_wheel("web", requires=["core>=2"]),
        make_wheel("jobs", requires=["core<2"]),
        make_wheel("core", "1"),
        make_wheel("core", "2"),
    )


def for_windows(index: LoopbackIndex) -> None:
    """A package has wheels for another system only."""
    everything(index)
    index.add(make_wheel("registry-keys", tag="cp311-cp311-win_amd64", purelib=False))


def out_of_order(index: LoopbackIndex) -> None:
    """The index answers with errors."""
    index.status = 500


def debian(text: str) -> Edit:
    """The profile was never locked, and Debian's archive is a folder with that InRelease."""
    return in_turn(
        removed("locks/runtime.lock"),
        removed("locks/runtime.origin.toml"),
        lambda root: write("debian/dists/bookworm/InRelease", text)(_home(root)),
    )


_IN_2025 = "--exclude-newer 2025-12-31"
UNSIGNED = "Origin: Debian\nSuite: bookworm\nCodename: bookworm\n"
TAMPERED = (
    f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{UNSIGNED}"
    "-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCAAdFiEE\n-----END PGP SIGNATURE-----\n"
)
ARCHIVE = {
    "BASESTORE_MIRROR_DEBIAN": "file://{home}/debian",
    "BASESTORE_MIRROR_DEBIAN_SECURITY": "file://{home}/debian",
}

POLICY = """[policy]
forbid = ["nvidia-*"]
[[policy.allow]]
rule = "forbid"
package = "nvidia-ml-py"
reason = "pure Python"
until = 2099-12-31
{profiles}
"""

NOT_GOLDEN = (
    # What differs from run to run: ports, which package is asked for first, the progress.
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"/(default|simple)/[\w-]+/", "/…/"),
    (r"^(fetch|locate|lock) .* in \d+\.\ds\n", ""),
    (r"the index says about .*", "the index says about …"),
    # Words of uv, of packaging and of Python, which their next version may put otherwise.
    (r"because .*", "because …"),
    (r"(is no requirement|not valid TOML): .*", r"\1: …"),
    (r"(package index 127.0.0.1:PORT can't be reached): \S.* \(", r"\1: … ("),
)

CASES: Sequence[Case] = (
    Case("unknown key", "lock", replaced("profiles/runtime.toml", "requirements =", "requires =")),
    Case("unknown key of the project", "lock --check", write("basestore.toml", 'regsitry = "x"\n')),
    Case("wrong type", "lock", replaced("profiles/runtime.toml", '"3.11"', "3.11")),
    Case("not TOML", "lock --check", replaced("profiles/runtime.toml", '["redis",', '["redis"')),
    Case("extends missing", "lock", replaced("profiles/cpu.toml", '"runtime"', '"runtmie"')),
    Case(
        "extends in a circle",
        "lock --check",
        replaced("profiles/runtime.toml", "python =", 'extends = "cpu"\npython ='),
    ),
    Case("no requirement", "lock runtime", required("redis=>5")),
    Case("no requirement in a file", "lock runtime", write("profiles/base.txt", "orjson\n-e .\n")),
    Case("edited lock", "lock --check", replaced("locks/runtime.lock", '"4"', '"5"')),
    Case("edited lock, built", "build", replaced("locks/runtime.lock", " = 0", "=0")),
    Case("reformatted lock", "verify runtime", replaced("locks/runtime.lock", ", ", ",")),
    Case("missing lock", "build runtime", removed("locks/runtime.lock")),
    Case("missing lock, pushed", "push --to {nobody}/team", removed("locks/cpu.lock")),
    Case("missing lock, exported", "export cpu --to oci:out", removed("locks/cpu.lock")),
    Case("missing lock, checked", "lock --check cpu", removed("locks/cpu.lock")),
    Case("another lock's origin", "lock --check cpu", removed("locks/cpu.origin.toml")),
    Case("stale lock", "lock --check", required("rich")),
    Case("stale lock, verified", "verify", required("rich")),
    Case("stale parent", "lock cpu", required("rich")),
    Case("forbidden", "lock --check", write("basestore.toml", '[policy]\nforbid = ["async-*"]\n')),
    Case(
        "exception for an unknown profile",
        "lock --check",
        write("basestore.toml", POLICY.format(profiles='profiles = ["cup"]')),
    ),
    Case(
        "no licence",
        "lock --check",
        write("basestore.toml", '[policy]\nrefuse-licences = ["GPLv3"]\n'),
    ),
    Case(
        "groups beside only-groups",
        "lock --check",
        in_turn(
            write("pyproject.toml", "[dependency-groups]\na = []\nb = []\n"),
            replaced(
                "profiles/cpu.toml",
                'requirements = ["torch"]',
                '[[pyproject]]\nfile = "../pyproject.toml"\ngroups = ["a"]\nonly-groups = ["b"]',
            ),
        ),
    ),
    Case(
        "groups beside only-groups of a lock",
        "lock --check",
        in_turn(
            write("pyproject.toml", '[project]\nname = "app"\n'),
            write("uv.lock", "version = 1\n"),
            replaced(
                "profiles/cpu.toml",
                'requirements = ["torch"]',
                '[from-lock]\nfile = "../uv.lock"\ngroups = ["a"]\nonly-groups = ["b"]',
            ),
        ),
    ),
    Case(
        "too many generations",
        "lock",
        in_turn(
            write("profiles/ml.toml", 'extends = "cpu"\n'),
            write("profiles/svc.toml", '# Ours.\nextends = "ml"\n'),
        ),
    ),
    Case(
        "package named for another index",
        "lock cpu",
        in_turn(
            write("basestore.toml", ""),
            replaced(
                "profiles/cpu.toml",
                'requirements = ["torch"]',
                'requirements = ["torch"]\n[indexes.own]\nurl = "https://w.example/"\n'
                'packages = [\n  "torch",\n  "redis",\n]',
            ),
        ),
    ),
    Case("no name to upgrade", "lock --upgrade-package fastapi==0.1"),
    Case("no name to ask for", "why runtime redis==5"),
    Case("nearly a name", "why runtime async-timeuot"),
    Case("older lock that is none", "diff --from base.txt", write("base.txt", "orjson\n")),
    Case("upgrade beside --check", "lock --check --upgrade"),
    Case("no plain name", "build ../secrets"),
    Case("no plain name in the folder", "lock", write("profiles/My Base.toml", "")),
    Case("unknown profile", "lock runtmie"),
    Case("no project", "--project / lock"),
    Case("no such folder", "--project nowhere lock"),
    Case("store that is a file", "build", environ={"BASESTORE_STORE": "{home}/../project/f"}),
    Case(
        "store of another format",
        "build",
        lambda root: write("store/format", "restic 2\n")(_home(root)),
    ),
    Case("nothing built", "export runtime --to oci:out"),
    Case("nothing built, pushed", "push runtime --to {nobody}/team"),
    Case("no registry", "push"),
    Case("no registry, verified", "verify --registry"),
    Case("registry with a scheme", "push --to https://registry.example.com/team"),
    Case("registry with a password", "push --to me:secret@registry.example.com/team"),
    Case("registry that is a path", "push --to team"),
    Case("no form of export", "export runtime --to somewhere"),
    Case("unknown form of export", "export runtime --to zip:out.zip"),
    Case("no platform", "build --platform sparc"),
    Case("unknown platform", "build --platform linux/riscv64"),
    Case("platform that the lock hasn't", "build cpu --platform linux/arm64"),
    Case("no engine", "load runtime", environ={"DOCKER_HOST": "unix:///nowhere/docker.sock"}),
    Case("nothing built to run", "run runtime", environ={"DOCKER_HOST": "tcp://{nobody}"}),
    Case(
        "no engine to run in",
        "run runtime",
        recorded("runtime"),
        environ={"DOCKER_HOST": "tcp://{nobody}"},
    ),
    Case("no engine that is spoken to", "load", environ={"DOCKER_HOST": "ssh://me@far"}),
    Case("no such context", "load runtime", environ={"DOCKER_CONTEXT": "far"}),
    Case("missing lock, loaded", "load cpu", removed("locks/cpu.lock")),
    Case("volume without a target", "run -v data runtime"),
    Case("options of a command without --", "run runtime python -c 1"),
    Case("unknown command", "bulid"),
    Case("unknown option", "lock --uprgade"),
    Case("missing option", "export runtime"),
    Case("package to upgrade that isn't there", "lock --upgrade-package nothing"),
    Case(
        "user configuration",
        "build",
        lambda root: write("config/basestore/config.toml", "mirror = 1\n")(_home(root)),
    ),
    Case("index down", "lock runtime", required("rich")),
    Case("index down, built", "build runtime"),
    Case("index out of order", "lock runtime", required("rich"), out_of_order),
    Case("unknown package", "lock runtime", required("frobnicate"), everything),
    Case("conflict", "lock runtime", required("web", "jobs"), with_conflict),
    Case("no wheel for a platform", "lock runtime", required("registry-keys"), for_windows),
    Case("wrong hash", "build runtime", served=with_other_bytes),
    Case("truncated download", "build runtime", served=with_a_short_file),
    Case("artifact gone", "build runtime", served=without_a_file),
    Case("other bytes for a file", "lock runtime --upgrade", served=with_another_hash),
    Case("offline, not in uv's cache", "lock runtime --offline", required("rich")),
    Case("offline, not in the store", "build runtime --offline"),
    Case("no date", "lock --exclude-newer yesterday"),
    Case("too new", f"lock runtime {_IN_2025}", required("rich"), with_rich),
    Case("index without upload times", f"lock runtime {_IN_2025}", required("rich"), undated),
    Case(
        "uv's settings",
        "lock runtime --upgrade",
        lambda root: write("config/uv/uv.toml", 'index-url = "https://me:secret@')(_home(root)),
    ),
    Case("archive down", "lock runtime", debian(UNSIGNED)),
    Case("unsigned InRelease", "lock runtime", debian(UNSIGNED), environ=ARCHIVE),
    Case("tampered InRelease", "lock runtime", debian(TAMPERED), environ=ARCHIVE),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_messages(case: Case, template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "project")

    assert transcript(case, tmp_path / "project") == golden()[case.title]


def transcript(case: Case, root: Path) -> str:
    """What is said in a case, which changes no byte of the project."""
    write("f", "a file\n")(root)
    case.edit(root)
    before = contents(root)
    with _index(case.served) as index:
        done = _run(case, root, index)
    assert contents(root) == before
    assert done.code not in (0, 1), _written(done, root)
    assert "Traceback" not in done.err
    assert "secret@" not in done.err
    return _written(done, root)


def golden() -> Mapping[str, str]:
    """The transcripts by title."""
    parts = re.split(r"^=== (.*)\n", GOLDEN.read_text(), flags=re.MULTILINE)[1:]
    return {title: text.strip() + "\n" for title, text in zip(parts[::2], parts[1::2], strict=True)}


@contextmanager
def _index(served: Callable[[LoopbackIndex], None] | None) -> Iterator[LoopbackIndex | None]:
    if served is None:
        yield None
        return
    with loopback_index() as index:
        served(index)
        yield index


def _run(case: Case, root: Path, index: LoopbackIndex | None) -> Done:
    basestore = command_line_on(root, index)
    known = {"home": _home(root), "nobody": closed_address()}
    words = [word.format(**known) for word in case.words.split()]
    return basestore(*words, **{k: v.format(**known) for k, v in (case.environ or {}).items()})


def _written(done: Done, root: Path) -> str:
    text = f"$ basestore {' '.join(done.words)}\n{done.out}{done.err}exit {done.code}\n"
    text = text.replace(str(_home(root)), "HOME").replace(str(root), "PROJECT")
    for pattern, stands_for in NOT_GOLDEN:
        text = re.sub(pattern, stands_for, text, flags=re.MULTILINE)
    return text


def _home(root: Path) -> Path:
    return root.with_name(f"{root.name}-home")


def _write_golden() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_locked_project(Path(folder, "template"))
        parts = []
        for number, case in enumerate(CASES):
            root = Path(folder, str(number), "project")
            shutil.copytree(Path(folder, "template"), root)
            parts.append(f"=== {case.title}\n{transcript(case, root)}")
    GOLDEN.write_text("\n".join(parts))


if __name__ == "__main__":
    _write_golden()
