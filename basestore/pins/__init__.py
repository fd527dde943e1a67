"""Pins: the references to bases in the files of services.

A *reference* names an image: ``REPOSITORY[:TAG][@sha256:DIGITS]``. It is a base's when its
repository is the one that the base is pushed to, or an *alias* of it. A *pin* is a reference to a
base that names lock and image: ``REPOSITORY:LOCK@sha256:IMAGE``. It is *stale* when it names
another lock or image than the base has now; without a digest a reference is *unpinned*, for what
it names can move. Of a repository that would be a base's, and is none's, it is *unknown*.

A reference is often put together: ``FROM $REGISTRY/base-ml:${BASE_VERSION}``. So it is a row of
*pieces*, each a text and the *place* in a file that it stands in, if it stands verbatim in one. An
*edit* replaces a place. Readers of Dockerfiles, YAML files, templates and files of variables find
references; nothing is ever written anew but the places.

Pure: bytes come in, values go out. Spans and offsets are bytes.
"""

from basestore.pins.bases import Bases
from basestore.pins.edits import Edit, rewrite
from basestore.pins.find import Found, find
from basestore.pins.judge import Judgement, State, judge
from basestore.pins.model import Build, Occurrence, Piece, PinFileError, Place, Target

__all__ = [
    "Bases",
    "Build",
    "Edit",
    "Found",
    "Judgement",
    "Occurrence",
    "Piece",
    "PinFileError",
    "Place",
    "State",
    "Target",
    "find",
    "judge",
    "rewrite",
]
