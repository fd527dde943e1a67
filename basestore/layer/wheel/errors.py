"""What can be wrong with a wheel's bytes."""

import re

from basestore.errors import IntegrityError

_HINT = "the wheel is malformed or hostile; report it to its maintainers"


class BadZipError(IntegrityError):
    """The file is no zip that can be read in one way only."""

    def __init__(self, file: str, reason: str, hint: str = _HINT) -> None:
        super().__init__(f"{file} is refused: {reason}", hint)
        self.file = file
        self.reason = reason


class BadRecordError(BadZipError):
    """A wheel's RECORD is missing, or says other than the archive holds.

    ``package``: its name, normalised (PEP 503), by which a profile can except it.
    """

    def __init__(self, file: str, reason: str) -> None:
        self.package = re.sub(r"[-_.]+", "-", file.partition("-")[0]).lower()
        super().__init__(
            file,
            reason,
            "report it to its maintainers; or take it as it is: say why in the profile, "
            f'[record-exceptions] {self.package} = "REASON", and lock again',
        )
