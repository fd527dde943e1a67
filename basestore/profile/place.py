"""Places: where people wrote something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where people wrote something: a file relative to the project, and its line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
