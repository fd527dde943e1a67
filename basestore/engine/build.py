"""Build: the engine's own client makes an image of a Dockerfile, with BuildKit.

The client, because the engine's API alone doesn't drive BuildKit: a build speaks to a session that
the client holds (context, secrets, credentials). Source: docs.docker.com, "docker build" and
"docker buildx build"; both have the options used here.
"""

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from basestore.digest import Digest
from basestore.errors import UnreachableError

PROGRAM = "docker"
HIDDEN = "***"
"""What stands for a secret."""

_LAST = 20
"""Lines of output that an error repeats."""

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH|PWD", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")

# It would make images that the engine doesn't run; the base is there for its own platform.
_OTHER_PLATFORM = "DOCKER_DEFAULT_PLATFORM"

_DASHES = "------"
_STEP = re.compile(r"#[0-9]+ ")

# What clients say that have no BuildKit: those before 18.09, and later ones without their plugin.
_NO_BUILDKIT = (
    "buildx component is missing",
    "unknown flag: --progress",
    "unknown flag: --iidfile",
)


class NoClientError(UnreachableError):
    """There is no client of the engine."""

    def __init__(self) -> None:
        super().__init__(
            f"the engine's client is not there: no program {PROGRAM!r} in PATH",
            'install it (docker-ce-cli, or docker.io), or take builder = "docker" out',
        )


class NoBuildKitError(UnreachableError):
    """The engine's client can't drive BuildKit."""

    def __init__(self, program: str) -> None:
        super().__init__(
            f"{program} builds without BuildKit, which is needed",
            "install its plugin buildx (docker-buildx-plugin), or Docker 20.10 or later",
        )
        self.program = program


class BuildFailedError(UnreachableError):
    """A build failed; ``lines`` are the last of its output, without secrets."""

    def __init__(self, name: str, code: int, lines: Sequence[str]) -> None:
        said = "".join(f"\n  {line}" for line in lines)
        super().__init__(
            f"the engine's client could not build {name}: it ended with {code}, and said{said}"
            if said
            else f"the engine's client could not build {name}: it ended with {code}",
            "mend the Dockerfile or the context, then build again",
        )
        self.name = name
        self.code = code
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What to build. ``name`` is for people; ``arguments`` are ``--build-arg``'s.

    Values of arguments whose name says that they are secret are shown nowhere, and given to the
    client by its environment, where other users of the machine don't see them.
    """

    name: str
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The arguments that are not to be seen."""
        return {k: v for k, v in self.arguments.items() if v and _SECRET_NAME.search(k)}

    def shown(self, output: bytes) -> str:
        """A line of output without secrets and without what steers terminals."""
        line = output.decode(errors="replace").rstrip().rpartition("\r")[2]
        for secret in self.secrets.values():
            for part in filter(None, secret.splitlines()):
                line = line.replace(part, HIDDEN)
        line = _USERINFO.sub(HIDDEN, line).expandtabs()
        return "".join(c for c in line if c.isprintable())


def build(order: BuildOrder, environ: Mapping[str, str], note: Callable[[str], None]) -> Digest:
    """Build an image with BuildKit in the engine that the environment names; its ID.

    ``note`` gets each line of output. Raises NoClientError, NoBuildKitError, BuildFailedError.
    """
    program = shutil.which(PROGRAM, path=environ.get("PATH", ""))
    if program is None:
        raise NoClientError
    with TemporaryDirectory(prefix="basestore-") as folder:
        told = Path(folder, "image-id")
        last: deque[str] = deque(maxlen=_LAST)
        with _started([program, *_words(order, told)], _environ(order, environ)) as process:
            for line in map(order.shown, process.stdout or ()):
                last.append(line)
                note(line)
        if process.returncode:
            raise _failure(program, order, process.returncode, last)
        return _told(told, order, last)


def _words(order: BuildOrder, told: Path) -> Iterator[str]:
    yield from ("build", "--progress=plain", "--iidfile", str(told))
    yield from ("--file", str(order.dockerfile))
    for name, value in order.arguments.items():
        yield from ("--build-arg", name if name in order.secrets else f"{name}={value}")
    for name, value in order.labels.items():
        yield from ("--label", f"{name}={value}")
    yield str(order.context.absolute())


def _environ(order: BuildOrder, environ: Mapping[str, str]) -> Mapping[str, str]:
    # Attestations would make an index of the image, whose digest is another every time.
    own = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    inherited = {k: v for k, v in environ.items() if k != _OTHER_PLATFORM}
    return {**inherited, **order.secrets, **own}


def _started(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreachableError(
            f"{command[0]} can't be run: {reason}", "install Docker's client anew"
        ) from error


def _failure(
    program: str, order: BuildOrder, code: int, last: Sequence[str]
) -> NoBuildKitError | BuildFailedError:
    if any(words in line for line in last for words in _NO_BUILDKIT):
        return NoBuildKitError(program)
    return BuildFailedError(order.name, code, _telling(last))


def _telling(lines: Sequence[str]) -> Sequence[str]:
    """Of the last lines those that tell what went wrong.

    BuildKit says at its end, between lines of dashes, which step failed and what that said; and
    nothing but the reason where no step was begun.
    """
    if _DASHES in lines:
        lines = list(lines)[lines.index(_DASHES) :]
        return tuple(one for one in lines if one not in ("", _DASHES))
    return tuple(one for one in lines if one and not _STEP.match(one)) or tuple(lines)


def _told(told: Path, order: BuildOrder, last: Sequence[str]) -> Digest:
    try:
        return Digest.parse(told.read_text().strip())
    except (OSError, ValueError):
        raise BuildFailedError(order.name, 0, (*last, "(it names no image)")) from None
