"""uv as resolver and as the client of package indexes, run as a program.

Every call runs in a folder of its own with a generated ``pyproject.toml``, so that neither the
working folder nor a project around it decides. What uv needs to reach an index is the user's: its
variables, its user-level configuration, netrc. What would change the answer is not.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from basestore.canonical import toml_key, toml_string, toml_strings, toml_table
from basestore.errors import BasestoreError, UnreachableError
from basestore.profile.model import Index
from basestore.sources.pylock import IndexedPackage, read_pylock, write_preferences
from basestore.sources.uv_environ import STEERING, credentials_of, with_credentials
from basestore.sources.uv_failure import UvFailedError, failure_of
from basestore.target import Platform
from basestore.transport.url import Credentials, Origin

DEFAULT_INDEX = "default"
"""What the index that uv asks by default is called in mirrors and origins."""

_LINE = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)\s+# via (?P<via>.+)")
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
    preferred version, and whose index pages are asked for anew; ``["*"]`` are all. ``any_age``:
    names whose files are taken however new they are.
    """

    project: str
    requirements: tuple[str, ...]
    target: Target
    indexes: tuple[Index, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    upgrade: frozenset[str] = frozenset()
    any_age: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """Where a resolved package came from: ``index`` by name, ``required_by`` packages by name."""

    name: str
    version: str
    index: str
    required_by: tuple[str, ...]


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
            words = self._run(Path(folder), ["--version"]).split()
        return words[1] if len(words) > 1 else "unknown"

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
        known = credentials_of(self._named_urls(question), self.environ)
        return tuple(_readable(package, known) for package in packages)

    def list_exactly(self, question: Question) -> tuple[IndexedPackage, ...]:
        """The requirements, all ``NAME==VERSION``, without what they require.

        They are locked: whatever age the caller's environment allows new ones, these are wanted,
        and be it that their index tells no ages. Raises what `resolve` does.
        """
        names = frozenset(requirement.partition("==")[0] for requirement in question.requirements)
        return self.resolve(replace(question, any_age=names), ["--no-deps"])

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
            style = ["--annotation-style", "line", "--emit-index-annotation"]
            self._compile(output, question, [*style, *options])
            return self._read_trace(output.read_text(), question)

    def _read_trace(self, text: str, question: Question) -> tuple[Found, ...]:
        names = {_bare(self._url(index)): index.name for index in question.indexes}
        lines = text.splitlines()
        found = []
        for line, below in zip(lines, [*lines, ""][1:], strict=True):
            if match := _LINE.fullmatch(line):
                origin = _INDEX.fullmatch(below)
                index = names.get(_bare(origin["url"]), DEFAULT_INDEX) if origin else DEFAULT_INDEX
                packages = [via for via in match["via"].split(", ") if "(" not in via]
                found.append(Found(match["name"], match["version"], index, tuple(packages)))
        return tuple(found)

    def _compile(self, output: Path, question: Question, options: Sequence[str]) -> None:
        """Run `uv pip compile` beside ``output``, whose name is the format that is asked for."""
        target = question.target
        (output.parent / "pyproject.toml").write_text(self._pyproject(question))
        arguments = ["pip", "compile", "pyproject.toml", *options]
        arguments += ["--output-file", output.name, "--format", output.name]
        arguments += ["--python-version", target.python]
        arguments += ["--python-platform", target.platform.uv_platform(target.glibc)]
        arguments += ["--only-binary", ":all:", "--no-header", "--no-python-downloads"]
        arguments += ["--resolution", "highest", "--index-strategy", "first-index"]
        arguments += ["--prerelease", "if-necessary-or-explicit"]
        arguments += ["--python", str(self.python), "--quiet", "--color", "never"]
        self._run(output.parent, arguments)

    def _run(self, folder: Path, arguments: Sequence[str]) -> str:
        command = [str(self.program), *arguments]
        try:
            done = subprocess.run(
                command, cwd=folder, env=self._environ(), capture_output=True, check=False
            )
        except OSError as error:
            raise UvMissingError(self.program, error.strerror or str(error)) from error
        if done.returncode:
            raise failure_of(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def _environ(self) -> dict[str, str]:
        environ = {key: value for key, value in self.environ.items() if key not in STEERING}
        # Its messages are read line by line; it would wrap them to COLUMNS.
        environ["UV_NO_WRAP"] = "1"
        if DEFAULT_INDEX in self.mirrors:
            # Not an argument: a URL with credentials in it would show in the list of processes.
            environ.pop("UV_INDEX_URL", None)
            environ["UV_DEFAULT_INDEX"] = self.mirrors[DEFAULT_INDEX]
        return environ

    def _url(self, index: Index) -> str:
        return self.mirrors.get(index.name, index.url)

    def _named_urls(self, question: Question) -> dict[str, str]:
        named = {index.name: self._url(index) for index in question.indexes}
        return {**named, **{k: v for k, v in self.mirrors.items() if k == DEFAULT_INDEX}}

    def _pyproject(self, question: Question) -> str:
        lines = ["[project]", f"name = {toml_string(question.project)}", 'version = "0"']
        lines += [f"dependencies = {toml_strings(sorted(set(question.requirements)))}"]
        lines += ["[tool.uv]"]  # uv looks for settings in the folders above where this is missing
        ages = [(name, "false") for name in sorted(question.any_age)]
        lines += [f"exclude-newer-package = {toml_table(ages)}"] if ages else []
        sources: list[str] = []
        for index in question.indexes:
            lines += ["[[tool.uv.index]]", f"name = {toml_string(index.name)}"]
            lines += [f"url = {toml_string(self._url(index))}", "explicit = true"]
            source = toml_table([("index", toml_string(index.name))])
            sources += [f"{toml_key(package)} = {source}" for package in index.packages]
        return "\n".join([*lines, "[tool.uv.sources]", *sources, ""])


def _upgrade_options(names: frozenset[str]) -> list[str]:
    if "*" in names:
        return ["--upgrade"]
    return [f"--upgrade-package={name}" for name in sorted(names)]


def _readable(package: IndexedPackage, known: Mapping[Origin, Credentials]) -> IndexedPackage:
    """The package with URLs that open: uv leaves out an index's credentials."""
    wheels = (replace(wheel, url=with_credentials(wheel.url, known)) for wheel in package.wheels)
    return replace(package, wheels=tuple(wheels)) if known else package


def _bare(url: str) -> str:
    """A URL as it is compared: without credentials and trailing slash."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}".rstrip("/")
