"""What can be wrong with a wheel's bytes."""

from basestore.errors import IntegrityError


class BadZipError(IntegrityError):
    """The file is no zip that can be read in one way only."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"{file} is refused: {reason}",
            "the wheel is malformed or hostile; report it to its maintainers",
        )
        self.file = file
        self.reason = reason
