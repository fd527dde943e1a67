"""Changes of origins: each key, alone; the lock stays as it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

from mutations.forging import OriginEdit, origin_of, write_origin
from mutations.model import Check, Copy, Mutation

from basestore.digest import Digest
from basestore.lock.inputs import Part
from basestore.lock.origin import DebOrigin, Head, Origin, PackageOrigin
from basestore.profile.model import Location

OTHER = Digest.of(b"nothing that there is")
LATER = datetime(2026, 6, 6, tzinfo=UTC)


def _head(**changes: object) -> OriginEdit:
    return lambda how: replace(how, head=replace(how.head, **changes))


def _files(edit: Callable[[dict[str, Digest]], object]) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        files = dict(how.head.files)
        edit(files)
        head = Head(how.head.lock, how.head.inputs, files, how.head.waived)
        return replace(how, head=head)

    return apply


def _package(package: str, /, **changes: object) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        row = replace(how.packages[package], **changes)
        return replace(how, packages={**how.packages, package: row})

    return apply


def _packages(edit: Callable[[dict[str, PackageOrigin]], object]) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        found = dict(how.packages)
        edit(found)
        return replace(how, packages=found)

    return apply


def _deb(package: str, /, **changes: object) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        return replace(how, debs={**how.debs, package: replace(how.debs[package], **changes)})

    return apply


def _debs(edit: Callable[[dict[str, DebOrigin]], object]) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        found = dict(how.debs)
        edit(found)
        return replace(how, debs=found)

    return apply


def _part(part: Part) -> OriginEdit:
    return lambda how: replace(how, parts={**how.parts, part: OTHER})


def _places(key: str, edit: Callable[[dict[object, object]], object]) -> OriginEdit:
    def apply(how: Origin) -> Origin:
        found = dict(getattr(how, key))
        edit(found)
        return replace(how, **{key: found})

    return apply


ELSEWHERE = Location("profiles/base.toml", 1)

EDITS: tuple[tuple[str, str, str, OriginEdit], ...] = (
    ("lock", "base", "the lock that it describes", _head(lock=OTHER)),
    ("inputs", "base", "the digest of the inputs", _head(inputs=OTHER)),
    ("files-profile", "base", "the digest of the profile's file",
     _files(lambda f: f.update({"profiles/base.toml": OTHER}))),
    ("files-requirements", "base", "the digest of a requirements file",
     _files(lambda f: f.update({"reqs/base.txt": OTHER}))),
    ("files-parent", "ml", "the digest of the parent's lock",
     _files(lambda f: f.update({"locks/base.lock": OTHER}))),
    ("files-dropped", "base", "a file less", _files(lambda f: f.pop("reqs/constraints.txt"))),
    ("files-parent-dropped", "ml", "the parent's lock less",
     _files(lambda f: f.pop("locks/base.lock"))),
    ("files-added", "base", "a file more", _files(lambda f: f.update({"README.md": OTHER}))),
    ("files-emptied", "base", "no files at all", _files(lambda f: f.clear())),
    ("waived-dropped", "base", "the last day of an exception in use", _head(waived=None)),
    ("waived-later", "base", "a later last day", _head(waived=date(2199, 1, 1))),
    ("foundation", "base", "the foundation's digest", lambda how: replace(how, foundation=OTHER)),
    ("foundation-dropped", "base", "no foundation's digest",
     lambda how: replace(how, foundation=None)),
    *((f"part-{part.value}", "ml", f"the digest of the inputs' part {part.value}", _part(part))
      for part in Part if part not in (Part.FROM_LOCK, Part.HASHES)),
    ("parts-dropped", "base", "no parts at all", lambda how: replace(how, parts={})),
    ("direct-dropped", "base", "where a package is asked for",
     _places("direct", lambda f: f.pop("alpha"))),
    ("direct-added", "base", "a place where nobody asks",
     _places("direct", lambda f: f.update(limited=(ELSEWHERE,)))),
    ("direct-moved", "base", "another place", _places("direct", lambda f: f.update(
        alpha=(ELSEWHERE,)))),
    ("stated", "base", "what a line asks for", _places("stated", lambda f: f.update(
        {next(iter(f)): ("alpha<9",)}))),
    ("stated-dropped", "base", "a line that asks", _places("stated", lambda f: f.pop(
        next(iter(f))))),
    ("bounds", "base", "a constraint", _places("bounds", lambda f: f.update(
        {next(iter(f)): ("limited<9",)}))),
    ("package-dropped", "base", "a locked package's row", _packages(lambda f: f.pop("alpha"))),
    ("package-added", "base", "a row of a package that isn't locked",
     _packages(lambda f: f.update(evil=PackageOrigin("default", ())))),
    ("package-index", "base", "a package's index", _package("alpha", index="team")),
    ("package-index-policy", "base", "the index of a package that has to come from another",
     _package("priv", index="default")),
    ("package-requires-less", "base", "what a package requires, less",
     _package("web", requires=("core", "speedup"))),
    ("package-requires-more", "base", "what a package requires, more",
     _package("web", requires=("alpha", "core", "limited", "speedup"))),
    ("package-uploaded", "base", "when a wheel was uploaded", _package("alpha", uploaded=LATER)),
    ("package-uploaded-dropped", "base", "that a wheel was uploaded at all",
     _package("alpha", uploaded=None)),
    ("package-licences", "base", "a licence that the policy refuses is another",
     _package("copyleft", licences=("MIT",))),
    ("package-licences-added", "base", "a licence of a package that tells none",
     _package("alpha", licences=("MIT",))),
    ("package-standing", "base", "how a package stands", _package("alpha", standing="untold")),
    ("package-yanked", "base", "that a wheel is yanked which isn't",
     _package("alpha", standing="yanked: broken")),
    ("package-told", "base", "that an index told no hash", _package("alpha", told=False)),
    ("package-of-service", "api", "what a service's package requires",
     _package("helper", requires=())),
    ("deb-dropped", "base", "a .deb's row", _debs(lambda f: f.pop("libexpat1"))),
    ("deb-added", "base", "a row of a .deb that isn't locked",
     _debs(lambda f: f.update(bash=DebOrigin("bookworm")))),
    ("deb-suite", "base", "a .deb's suite", _deb("libexpat1", suite="trixie")),
    ("deb-requires-less", "base", "what a .deb requires, less", _deb("python3.11", requires=())),
    ("deb-requires-more", "base", "what a .deb requires, more",
     _deb("libexpat1", requires=("libc6", "libuuid1"))),
)  # fmt: skip

NOTES = frozenset(
    {
        "files-profile",
        "files-requirements",
        "files-parent",
        "files-dropped",
        "files-parent-dropped",
        "files-added",
        "files-emptied",
        "waived-dropped",
        "waived-later",
        "foundation-dropped",
    }
)
"""Those of which nothing hangs: what they say is looked at anew, and differs after honest edits."""

_KEYS = re.compile(r"^(lock|inputs|files) = .*\n", re.MULTILINE)


def _garbage(copy: Copy) -> None:
    copy.edit("locks/base.origin.toml", "resolver =", "resolved-by =")


def _removed(copy: Copy) -> None:
    copy.path("locks/base.origin.toml").unlink()


def _another(copy: Copy) -> None:
    copy.write("locks/ml.origin.toml", copy.text("locks/deep.origin.toml"))


def _headless(copy: Copy) -> None:
    text = copy.text("locks/base.origin.toml")
    copy.write("locks/base.origin.toml", _KEYS.sub("", text))


def mutations() -> Iterator[Mutation]:
    """Every change of origins."""
    for what, name, said, edit in EDITS:
        change, check = partial(_edit, name, edit), Check.NOBODY if what in NOTES else Check.RECIPE
        kind = "unseen/origin-" if what in NOTES else "origin/"
        yield Mutation(f"{kind}{what}", f"of {name}: {said}", change, check)
    yield Mutation("origin/unknown-key", "an unknown key", _garbage)
    yield Mutation("origin/headless", "neither lock nor inputs nor files", _headless)
    yield Mutation("origin/removed", "there is none", _removed)
    yield Mutation("origin/another", "another profile's", _another)


def _edit(name: str, edit: OriginEdit, copy: Copy) -> None:
    before = origin_of(copy, name)
    after = edit(before)
    assert after != before, "nothing changes"
    write_origin(copy, name, after)
