"""A clock that tests set, in the place of the machine's."""

from dataclasses import dataclass, field


@dataclass
class Clock:
    """Hours pass in no time. ``step``: seconds by which each look at it finds it gone on.

    ``slept``: what was asked of it to sleep.
    """

    step: float = 0.0
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def __call__(self) -> float:
        self.now += self.step
        return self.now
