"""What no check can find, and why."""

UNSEEN: tuple[tuple[str, str], ...] = ()
