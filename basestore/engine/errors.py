"""What goes wrong with engines. ``host`` is an endpoint's address without userinfo."""

from basestore.errors import InputError, UnreachableError, UsageError

_ANOTHER = "name another engine with DOCKER_HOST or `docker context use`"


class EndpointError(InputError):
    """A file or variable that names the engine can't be taken as it is."""

    def __init__(self, where: str, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{where} names no engine that can be used: {reason}",
            hint or "set DOCKER_HOST to unix:///PATH or tcp://HOST:PORT",
        )


class NoEngineError(UnreachableError):
    """Nothing answers, or no longer."""

    def __init__(self, host: str, reason: str, hint: str = "") -> None:
        super().__init__(
            f"the Docker Engine at {host} can't be reached: {reason}",
            hint or f"start it, or {_ANOTHER}",
        )
        self.host = host


class NotAnEngineError(UnreachableError):
    """Something answers, but not as an engine does."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"what answers at {host} is no Docker Engine: {reason}", _ANOTHER)
        self.host = host


class OldEngineError(UnreachableError):
    """The engine's API is older than what is needed; both as ``1.N``."""

    def __init__(self, host: str, found: str, needed: str) -> None:
        super().__init__(
            f"the Docker Engine at {host} is too old: its API is {found}, needed is {needed} "
            "(Docker 20.10) or later",
            f"update it, or {_ANOTHER}",
        )
        self.host = host
        self.found = found
        self.needed = needed


class EngineRefusedError(UnreachableError):
    """The engine answered, but with an error. ``status`` is HTTP's, None inside a stream."""

    def __init__(self, host: str, what: str, reason: str, status: int | None = None) -> None:
        super().__init__(
            f"the Docker Engine at {host} refuses to {what}: {reason}",
            "its log says more (often `journalctl -u docker`)",
        )
        self.host = host
        self.reason = reason
        self.status = status


class EnginePlatformError(UsageError):
    """The image has no platform that the engine runs."""

    def __init__(self, host: str, platform: str, known: str) -> None:
        super().__init__(
            f"the Docker Engine at {host} runs {platform}, and the image has only {known}",
            "add the platform to `platforms` in the profile, lock and build again",
        )
        self.platform = platform


class NoProgramError(UsageError):
    """The image has not the program that a container was to run; ``code`` as shells have it.

    POSIX, "Shell Command Language", 2.8.2: 127 not found, 126 found but not executable.
    """

    def __init__(self, program: str, reason: str, code: int) -> None:
        super().__init__(
            f"the container can't run {program!r}: {reason}",
            "the image holds only what its profile asks for: no compiler, no pip; name a program "
            "of it, such as python",
        )
        self.program = program
        self.code = code


class PortTakenError(UnreachableError):
    """A port of the engine's machine that a container was to be reached at is in use."""

    def __init__(self, host: str, ports: tuple[int, ...]) -> None:
        taken = " or ".join(map(str, ports))
        super().__init__(
            f"port {taken} of 127.0.0.1 is in use where the Docker Engine at {host} runs",
            "choose another one with --port NUMBER, or end what listens there",
        )
        self.ports = ports
