"""What can be wrong with a package's bytes."""

from basestore.errors import IntegrityError


class MalformedDebError(IntegrityError):
    """A .deb breaks a rule of its format, or holds what can't be a part of an image."""

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(
            f"the package {package} can't be unpacked: {reason}",
            "its bytes are those of the lock; take it out of the profile's [foundation] packages, "
            "or lock another version of it",
        )
        self.package = package
        self.reason = reason
