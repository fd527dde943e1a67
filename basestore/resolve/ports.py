"""What solving is asked, and what it asks of the world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.digest import Digest
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.learn import Learn, learn_nothing
from basestore.resolve.pin import Pin, Tells, pin_nothing, tells_all
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv import Uv
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Ports:
    """What solving asks of the world.

    ``foundation`` solves a platform's foundation anew; ``measure`` tells wheels' sizes in bytes,
    ``learn`` what a policy asks about them, ``pin`` their digests where no index does. ``now``: the
    time by which a policy judges. ``tells``: whether an index tells a file's digest.
    """

    uv: Uv
    foundation: Callable[[Platform], SolvedFoundation]
    measure: Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]
    learn: Learn = learn_nothing
    now: datetime | None = None
    pin: Pin = pin_nothing
    tells: Tells = tells_all


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """``upgrade``: packages whose earlier version means nothing, ``*`` for all.

    ``upgrade_foundation``: likewise for the .debs. A parent's part is the parent's all the same.
    ``before``: wheels that enter the lock were uploaded before it; locked ones stay.
    """

    upgrade: frozenset[str] = frozenset()
    upgrade_foundation: bool = False
    before: datetime | None = None
