"""A Dockerfile of a service's entry."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from basestore.lock.model import ImageConfig
from basestore.profile.model import VENV, Healthcheck, Index
from basestore.profile.service import DEFAULT_WORKDIR, Service
from basestore.services.copies import copy_instruction
from basestore.services.quoting import UnwritableError, exec_form, quoted

INSTALLER = "ghcr.io/astral-sh/uv:0.13"
"""The image whose ``/uv`` installs the delta: bases hold no installer. Hashes decide what."""

_USER, _UID = "app", 10001

# Bases need not hold useradd, nor a shell; they all hold Python.
_MAKE_USER = (
    f"import os; home = '/home/{_USER}'; os.makedirs(home); os.chown(home, {_UID}, {_UID}); "
    f"user = '{_USER}:*:{_UID}:{_UID}::' + home + ':/usr/sbin/nologin\\n'; "
    f"open('/etc/passwd', 'a').write(user); open('/etc/group', 'a').write('{_USER}:*:{_UID}:\\n')"
)


@dataclass(frozen=True, slots=True)
class Delta:
    """The wheels that the base lacks.

    ``file``: a requirements file with hashes, relative to the context. ``indexes``: those that
    some of them are named for.
    """

    file: str
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a Dockerfile is to make.

    ``base``: the pin of the base's image, ``inherited`` its config. ``image``: the service's
    config, complete. ``delta``: None where the base has all that it needs.
    """

    service: Service
    base: str
    inherited: ImageConfig
    image: ImageConfig
    delta: Delta | None = None


def mark(service: str) -> str:
    """The first line of a Dockerfile that was written here for a service."""
    return (
        f"# Written by basestore for the service {service}. Without this line it leaves the file "
        "alone."
    )


def dockerfile(wanted: Wanted) -> bytes:
    """The Dockerfile of a service; raises UnwritableError and CopyPatternError."""
    return ("\n".join(_lines(wanted)) + "\n").encode()


def _lines(wanted: Wanted) -> Iterator[str]:
    image = wanted.image
    workdir = image.workdir or DEFAULT_WORKDIR
    yield mark(wanted.service.name)
    yield f"ARG BASE_IMAGE={wanted.base}"
    if wanted.delta:
        yield f"ARG UV_IMAGE={INSTALLER}"
        yield ""
        yield "FROM ${UV_IMAGE} AS uv"
    yield ""
    yield "FROM ${BASE_IMAGE}"
    if not _is_root(wanted.inherited.user):
        yield "USER root"
    if _is_root(image.user):
        yield f"RUN {exec_form(['python', '-c', _MAKE_USER])}"
    if wanted.delta:
        yield from _install(wanted.delta)
    yield ""
    yield f"WORKDIR {quoted(workdir, 'workdir')}"
    for copy in wanted.service.files:
        yield copy_instruction(copy, workdir)
    yield ""
    yield from _settings(wanted)


def _install(delta: Delta) -> Iterator[str]:
    """Install the delta into the base's environment; what is only needed for that is mounted."""
    run = ["/mnt/uv", "pip", "install", f"--python={VENV}/bin/python", "--link-mode=copy"]
    run += ["--cache-dir=/var/cache/uv"]
    what = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    what += [f"--index={index.url}" for index in delta.indexes]
    if delta.indexes:
        # A package may be listed by several indexes; the hash says which file of them is meant.
        what += ["--index-strategy=unsafe-best-match"]
    what += ["--requirements=/tmp/requirements.txt"]
    yield "RUN --mount=type=bind,from=uv,target=/mnt \\"
    yield "    --mount=type=cache,id=uv,target=/var/cache/uv,uid=0,gid=0 \\"
    yield "    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \\"
    yield f"    --mount=type=bind,source={delta.file},target=/tmp/requirements.txt \\"
    yield f"    {exec_form(run).removesuffix(']')}, \\"
    yield f"     {exec_form(what).removeprefix('[')}"


def _is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "root", "0")


def _settings(wanted: Wanted) -> Iterator[str]:
    """What of the image's config is not the base's."""
    image, inherited = wanted.image, wanted.inherited
    yield from _assignments("ENV", _variables(image.env, inherited.env))
    labels = [(k, v) for k, v in image.labels.items() if inherited.labels.get(k) != v]
    yield from _assignments("LABEL", ((_label(key), value) for key, value in labels))
    yield from (f"EXPOSE {port}" for port in image.ports if port not in inherited.ports)
    yield f"USER {_UID if _is_root(image.user) else image.user}"
    if image.healthcheck and image.healthcheck != inherited.healthcheck:
        yield f"HEALTHCHECK {_healthcheck(image.healthcheck)}"
    if (image.entrypoint, image.cmd) != (inherited.entrypoint, inherited.cmd):
        if image.entrypoint != inherited.entrypoint:
            yield f"ENTRYPOINT {exec_form(image.entrypoint)}"
        yield f"CMD {exec_form(image.cmd)}"


def _variables(env: Iterable[str], inherited: Sequence[str]) -> Iterator[tuple[str, str]]:
    for variable in env:
        if variable not in inherited:
            name, _, value = variable.partition("=")
            yield name, value


def _label(key: str) -> str:
    if "=" in key:
        raise UnwritableError(f"the label {key!r}", "its name has an equals sign")
    return quoted(key, f"the label {key!r}")


def _assignments(instruction: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = [f"{name}={quoted(value, f'the value of {name}')}" for name, value in pairs]
    if lines:
        yield f"{instruction} " + " \\\n    ".join(lines)


def _healthcheck(check: Healthcheck) -> str:
    seconds = {
        "interval": check.interval,
        "timeout": check.timeout,
        "start-period": check.start_period,
    }
    options = [f"--{name}={number}s" for name, number in seconds.items() if number]
    options += [f"--retries={check.retries}"] if check.retries else []
    return " ".join([*options, "CMD", exec_form(check.command)])
