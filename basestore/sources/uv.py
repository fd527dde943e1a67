"""uv as resolver and as the client of package indexes, run as a program.

Every call runs in a folder of its own with a generated ``pyproject.toml``, so that neither the
working folder nor a project around it decides. What uv needs to reach an index is the user's: its
variables, what `user_settings` takes out of its settings files, netrc. What would change the answer
is not.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from basestore.canonical import toml_key, toml_string, toml_strings, toml_table
from basestore.errors import BasestoreError, UnreachableError
from basestore.profile.model import Index
from basestore.profile.names import DEFAULT_INDEX
from basestore.sources.pylock import IndexedPackage, read_pylock, write_preferences
from basestore.sources.uv_environ import (
    bare,
    credentials_of,
    credentials_variables,
    environ_for_uv,
    readable,
    with_credentials,
)
from basestore.sources.uv_failure import UvFailedError, failure_of
from basestore.target import Platform
from basestore.transport.url import Credentials, Origin, origin, take_credentials

DIRECT = "direct"
"""What stands for an index where a wheel is asked for by its URL."""

_DEFAULTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_LINE = re.compile(
    r"(?P<name>[a-z0-9-]+)(?:\[(?P<extras>[^\]]*)\])?(?:==(?P<version>\S+)| @ \S+)(?: ; .*?)?"
    r"\s+# via (?P<via>.+)"
)
_PACKAGE = re.compile(r"[a-z0-9-]*[a-z0-9]")  # and not such as "-c bounds.txt"
_INDEX = re.compile(r"\s+# from (?P<url>\S+)")


class UvMissingError(UnreachableError):
    """The uv program can't be run."""

    def __init__(self, program: Path, reason: str) -> None:
        super().__init__(f"{program} can't be run: {reason}", "install uv beside basestore")


@dataclass(frozen=True, slots=True)
class Target:
    """What wheels have to run on. ``python`` is the full version, ``glibc`` such as ``2.36``."""

    platform: Platform
    python: str
    glibc: str


@dataclass(frozen=True, slots=True)
class Question:
    """What uv is asked to resolve.

    ``project`` stands for the asker in uv's reasons. ``requirements`` are PEP 508 texts; their
    order means nothing. ``pins``: versions that are preferred. ``upgrade``: names that have no
    preferred version, and whose index pages are asked for anew; ``["*"]`` are all. ``before``: only
    files uploaded before it are taken, an aware datetime, but for those of ``any_age`` and of
    indexes that tell no upload times. ``left_out``: packages about which no index is asked, as if
    nothing required them.
    """

    project: str
    requirements: tuple[str, ...]
    target: Target
    indexes: tuple[Index, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    upgrade: frozenset[str] = frozenset()
    before: datetime | None = None
    any_age: frozenset[str] = frozenset()
    constraints: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """Where a resolved package came from: ``index`` by name, ``required_by`` packages by name.

    ``url``: the index's, with credentials if need be; empty where uv tells none. ``extras``: those
    with which anything asks for it, sorted.
    """

    name: str
    version: str
    index: str
    required_by: tuple[str, ...]
    url: str = ""
    extras: tuple[str, ...] = ()

    def beside(self, other: "Found") -> "Found":
        """This and what uv tells of the same package with other extras, as one."""
        return replace(
            self,
            required_by=tuple(dict.fromkeys((*self.required_by, *other.required_by))),
            extras=tuple(sorted({*self.extras, *other.extras})),
        )


@dataclass(frozen=True, slots=True)
class Uv:
    """The uv program. ``python`` is any interpreter, ``environ`` the caller's environment.

    ``mirrors``: index name to the URL that is asked instead.
    """

    program: Path
    python: Path
    environ: Mapping[str, str]
    mirrors: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """uv's own version, such as ``0.13.8``."""
        with tempfile.TemporaryDirectory(prefix="basestore-") as folder:
            words = self._run(Path(folder), ["--version"], {}).split()
        return words[1] if len(words) > 1 else "unknown"

    @property
    def trusted(self) -> frozenset[str]:
        """The indexes that are known to tell hashes: uv's own default, and what is no index."""
        return frozenset({DIRECT} if self._default else {DIRECT, DEFAULT_INDEX})

    def resolve(
        self, question: Question, options: Sequence[str] = ()
    ) -> tuple[IndexedPackage, ...]:
        """The closure of the requirements on one platform, wheels only.

        Raises UnsatisfiableError, IndexUnreachableError, IndexAccessError, PylockError,
        MissingHashError, DirectUrlError, UvMissingError and UvFailedError.
        """
        with tempfile.TemporaryDirectory(prefix="basestore-") as name:
            folder = Path(name)
            # uv takes the versions in the file that it is to write as preferences.
            output = folder / "pylock.toml"
            if question.pins:
                output.write_bytes(write_preferences(question.pins))
            upgrade = _upgrade_options(question.upgrade)
            self._compile(output, question, ["--no-annotate", *upgrade, *options])
            packages = read_pylock(output.read_bytes())
        known = self._credentials(question)
        return tuple(readable(package, known) for package in packages)

    def list_exactly(self, question: Question) -> tuple[IndexedPackage, ...]:
        """The requirements, all ``NAME==VERSION``, without what they require.

        Raises what `resolve` does.
        """
        return self.resolve(question, ["--no-deps"])

    def export(self, folder: Path, options: Sequence[str]) -> bytes:
        """The ``uv.lock`` in a folder of its own, in another form.

        Raises UvMissingError, and UvFailedError for what uv can't take.
        """
        quiet = ["--quiet", "--color", "never", "--no-python-downloads"]
        arguments = ["export", *options, *quiet, "--python", str(self.python)]
        return self._run(folder, arguments, {}).encode()

    def default_indexes(self) -> frozenset[str]:
        """The URLs of uv's own default index, and of the one that this machine has instead.

        Raises UvMissingError and UvFailedError. No index is asked.
        """
        own = replace(self, environ={k: v for k, v in self.environ.items() if k not in _DEFAULTS})
        return frozenset({own._told_default(), self._default} - {""})  # noqa: SLF001  # its own

    def trace(self, question: Question, packages: Sequence[IndexedPackage]) -> tuple[Found, ...]:
        """Who requires whom in an answer of `resolve`, and from which index each came.

        Answered from uv's cache where it can be. Raises what `resolve` does.
        """
        pins = {package.name: package.version for package in packages}
        again = replace(question, pins=pins, upgrade=frozenset())
        try:
            found = self._trace(again, ["--offline"])
        except BasestoreError:
            found = self._trace(again, [])
        if {entry.name: entry.version for entry in found} != pins:
            raise UvFailedError("it resolved the same requirements in two ways")
        return found

    def _trace(self, question: Question, options: Sequence[str]) -> tuple[Found, ...]:
        with tempfile.TemporaryDirectory(prefix="basestore-") as name:
            output = Path(name) / "requirements.txt"
            pins = sorted(question.pins.items())
            output.write_text("".join(f"{name}=={version}\n" for name, version in pins))
            style = ["--annotation-style", "line", "--emit-index-annotation", "--no-strip-extras"]
            self._compile(output, question, [*style, *options])
            return self._read_trace(output.read_text(), question)

    def _read_trace(self, text: str, question: Question) -> tuple[Found, ...]:
        names = {bare(self._url(index)): index.name for index in question.indexes}
        known = self._credentials(question)
        lines = text.splitlines()
        found: dict[str, Found] = {}  # one line a package and set of extras
        for line, below in zip(lines, [*lines, ""][1:], strict=True):
            if match := _LINE.fullmatch(line):
                origin = _INDEX.fullmatch(below)
                index = names.get(bare(origin["url"]), DEFAULT_INDEX) if origin else DEFAULT_INDEX
                packages = [via for via in match["via"].split(", ") if _PACKAGE.fullmatch(via)]
                url = with_credentials(origin["url"], known) if origin else ""
                name, version = match["name"], match["version"]
                if version is None:
                    index, version = DIRECT, question.pins.get(name, "")
                extras = tuple(sorted(filter(None, re.split(r"[\s,]+", match["extras"] or ""))))
                one = Found(name, version, index, tuple(packages), url, extras)
                found[name] = found[name].beside(one) if name in found else one
        return tuple(found.values())

    def _told_default(self) -> str:
        arguments = ["pip", "compile", "none.txt", "--emit-index-url", "--offline", "--no-header"]
        arguments += ["--python", str(self.python), "--no-python-downloads"]
        with tempfile.TemporaryDirectory(prefix="basestore-") as name:
            (Path(name) / "none.txt").touch()
            options = self._run(Path(name), [*arguments, "--color", "never", "--quiet"], {})
        return options.partition("--index-url ")[2].partition("\n")[0].strip()

    def _compile(self, output: Path, question: Question, options: Sequence[str]) -> None:
        """Run `uv pip compile` beside ``output``, whose name is the format that is asked for."""
        target = question.target
        (output.parent / "pyproject.toml").write_text(self._pyproject(question))
        # Bounds in `[tool.uv]` would be a setting, and uv is told to read none.
        bounds = sorted(set(question.constraints))
        (output.parent / "bounds.txt").write_text("".join(f"{bound}\n" for bound in bounds))
        arguments = ["pip", "compile", "pyproject.toml", "--constraints", "bounds.txt", *options]
        arguments += ["--output-file", output.name, "--format", output.name]
        arguments += ["--python-version", target.python]
        arguments += ["--python-platform", target.platform.uv_platform(target.glibc)]
        arguments += ["--only-binary", ":all:", "--no-header", "--no-python-downloads"]
        arguments += ["--resolution", "highest", "--index-strategy", "first-index"]
        arguments += ["--prerelease", "if-necessary-or-explicit"]
        arguments += ["--python", str(self.python), "--quiet", "--color", "never"]
        if question.left_out:
            # What overrides a requirement and never holds takes it away.
            never = (f"{name} ; python_version < '0'\n" for name in sorted(question.left_out))
            (output.parent / "overrides.txt").write_text("".join(never))
            arguments += ["--overrides", "overrides.txt"]
        self._run(output.parent, [*arguments, *_age_options(question)], self._secrets(question))

    def _run(self, folder: Path, arguments: Sequence[str], secrets: Mapping[str, str]) -> str:
        """Run uv in a folder; ``secrets`` are variables, which no list of processes shows."""
        command = [str(self.program), *arguments]
        environ = {**environ_for_uv(self.environ), **secrets}
        try:
            done = subprocess.run(
                command, cwd=folder, env=environ, capture_output=True, check=False
            )
        except OSError as error:
            raise UvMissingError(self.program, error.strerror or str(error)) from error
        if done.returncode:
            raise failure_of(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def _url(self, index: Index) -> str:
        return self.mirrors.get(index.name, index.url)

    def _credentials(self, question: Question) -> dict[Origin, Credentials]:
        named = {index.name: self._url(index) for index in question.indexes}
        default = {k: v for k, v in self.mirrors.items() if k == DEFAULT_INDEX}
        return credentials_of({**named, **default}, self.environ)

    def _secrets(self, question: Question) -> dict[str, str]:
        """The credentials of the question's indexes, as variables: no file holds them."""
        known = self._credentials(question)
        default = {"UV_DEFAULT_INDEX": with_credentials(self._default, known)}
        found = ((index.name, known.get(origin(self._url(index)))) for index in question.indexes)
        variables = (credentials_variables(name, one) for name, one in found if one)
        named = {name: value for one in variables for name, value in one.items()}
        return {**default, **named} if self._default else named

    @property
    def _default(self) -> str:
        """The URL of the default index where this machine names one."""
        named = (self.environ.get(key, "") for key in _DEFAULTS)
        return self.mirrors.get(DEFAULT_INDEX) or next(filter(None, named), "")

    def _pyproject(self, question: Question) -> str:
        lines = ["[project]", f"name = {toml_string(question.project)}", 'version = "0"']
        lines += [f"dependencies = {toml_strings(sorted(set(question.requirements)))}"]
        lines += ["[tool.uv]"]
        sources: list[str] = []
        for index in question.indexes:
            lines += ["[[tool.uv.index]]", f"name = {toml_string(index.name)}"]
            url, _ = take_credentials(self._url(index))
            lines += [f"url = {toml_string(url)}", "explicit = true"]
            source = toml_table([("index", toml_string(index.name))])
            sources += [f"{toml_key(package)} = {source}" for package in index.packages]
        return "\n".join([*lines, "[tool.uv.sources]", *sources, ""])


def _upgrade_options(names: frozenset[str]) -> list[str]:
    if "*" in names:
        return ["--upgrade"]
    return [f"--upgrade-package={name}" for name in sorted(names)]


def _age_options(question: Question) -> list[str]:
    if question.before is None:
        return []
    before = question.before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    undated = {name for index in question.indexes if not index.dated for name in index.packages}
    options = [f"--exclude-newer={before}"]
    return options + [
        f"--exclude-newer-package={name}=false" for name in sorted(question.any_age | undated)
    ]
