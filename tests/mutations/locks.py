"""Changes of locks: alone, with all that describes them told, and with what they give built."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from mutations.forging import (
    LockEdit,
    brings,
    drops,
    forge,
    forge_built,
    lock_of,
    platforms,
    takes,
    wheel_of,
    wheel_rows,
)
from mutations.model import Check, Copy, Mutation
from mutations.world import NAMES
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Replaced
from basestore.target import Platform

OTHER = Digest.of(b"nothing that there is")
PROFILES = ("base", "ml", "deep")

Edit = Callable[[Copy], LockEdit]


@dataclass(frozen=True)
class Row:
    """An edit of locks. ``names``: of these. ``built``: whether what it gives can be built, too."""

    name: str
    said: str
    edit: Edit
    names: tuple[str, ...] = NAMES
    built: bool = False


def _same(edit: LockEdit) -> Edit:
    return lambda _: edit


def _image(**changes: object) -> Edit:
    def apply(lock: Lock) -> Lock:
        return replace(lock, image=replace(lock.image, **changes))

    return _same(apply)


def _env(edit: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Edit:
    def apply(lock: Lock) -> Lock:
        return replace(lock, image=replace(lock.image, env=edit(lock.image.env)))

    return _same(apply)


def _debs(edit: Callable[[tuple[Deb, ...]], tuple[Deb, ...]], *only: str) -> Edit:
    def apply(one: PlatformLock) -> PlatformLock:
        return replace(one, debs=edit(one.debs)) if one.debs else one

    return _same(platforms(apply, *only))


def _deb(name: str, edit: Callable[[Deb], Deb | None]) -> Edit:
    def rows(debs: tuple[Deb, ...]) -> tuple[Deb, ...]:
        new = (edit(deb) if deb.name == name else deb for deb in debs)
        return tuple(deb for deb in new if deb)

    return _debs(rows)


def _swapped_debs(debs: tuple[Deb, ...]) -> tuple[Deb, ...]:
    one, two = (next(d for d in debs if d.name == name) for name in ("libuuid1", "libzstd1"))
    other = {
        one.name: replace(one, sha256=two.sha256, size=two.size),
        two.name: replace(two, sha256=one.sha256, size=one.size),
    }
    return tuple(other.get(deb.name, deb) for deb in debs)


def _takes(file: str, generation: str = "base") -> Edit:
    return lambda copy: takes(wheel_of(copy, file, generation))


def _brings(file: str, generation: str = "base") -> Edit:
    return lambda copy: brings(wheel_of(copy, file, generation))


def _changes(package: str, /, **changes: object) -> Edit:
    return _same(wheel_rows(package, lambda row: replace(row, **changes)))


def _swapped(copy: Copy) -> LockEdit:
    one, two = (wheel_of(copy, f"conf_{x}-1.0-py3-none-any.whl") for x in "ab")
    first = wheel_rows(one.name, lambda row: replace(row, sha256=two.sha256, size=two.size))
    second = wheel_rows(two.name, lambda row: replace(row, sha256=one.sha256, size=one.size))
    return lambda lock: second(first(lock))


def _forged_bytes(copy: Copy) -> LockEdit:
    """The same name and version, other bytes that no index has."""
    made = make_wheel("alpha", "1.1", {"alpha/__init__.py": b"import os  # and more\n"})
    copy.blobs[made.sha256] = made.data
    changes = {"sha256": Digest(made.sha256), "size": len(made.data)}
    return wheel_rows("alpha", lambda row: replace(row, **changes))


def _own_wheel(copy: Copy) -> LockEdit:
    """A newer version of a package that only the forger has."""
    made = make_wheel("alpha", "1.5")
    copy.blobs[made.sha256] = made.data
    changes = {
        "version": "1.5",
        "file": made.file,
        "sha256": Digest(made.sha256),
        "size": len(made.data),
    }
    return wheel_rows("alpha", lambda row: replace(row, **changes))


def _conflicts(edit: Callable[[dict[str, tuple[str, ...]]], object]) -> Edit:
    def apply(lock: Lock) -> Lock:
        found = dict(lock.path_conflicts)
        edit(found)
        return replace(lock, path_conflicts=found)

    return _same(apply)


def _exceptions(edit: Callable[[dict[str, str]], object]) -> Edit:
    def apply(lock: Lock) -> Lock:
        found = dict(lock.record_exceptions)
        edit(found)
        return replace(lock, record_exceptions=found)

    return _same(apply)


def _replaced(edit: Callable[[tuple[Replaced, ...]], tuple[Replaced, ...]]) -> Edit:
    return _same(platforms(lambda one: replace(one, replaced=edit(one.replaced))))


def _not_replaced(copy: Copy) -> LockEdit:
    """The parent's package as it is there, and nothing replaced."""
    core = wheel_of(copy, "core-1.1-py3-none-any.whl")

    def apply(one: PlatformLock) -> PlatformLock:
        wheels = tuple(core if row.name == "core" else row for row in one.wheels)
        return replace(one, wheels=wheels, replaced=())

    return platforms(apply)


def _other_generation(copy: Copy) -> LockEdit:
    del copy
    return wheel_rows("alpha", lambda row: replace(row, generation="ml"))


def _fewer_platforms(lock: Lock) -> Lock:
    return replace(lock, platforms=lock.platforms[:1])


def _more_platforms(copy: Copy) -> LockEdit:
    arm = lock_of(copy, "base").platform(Platform("arm64"))
    return lambda lock: replace(lock, platforms=(*lock.platforms, arm))


def _without(lock: Lock, entry: str) -> tuple[str, ...]:
    return tuple(one for one in lock.image.env if not one.startswith(entry))


PATH = "lib/python3.11/site-packages/shared/words.txt"

ROWS = (
    # --- wheels that are there and shouldn't, or the other way round
    Row("drop-required", "a package that a requirements file asks for is dropped",
        _same(drops("infile")), built=True),
    Row("drop-needed", "a package that another requires is dropped",
        _same(drops("limited")), built=True),
    Row("drop-extra", "a package that an extra brings is dropped",
        _same(drops("speedup")), built=True),
    Row("drop-marked", "a package of one platform is dropped", _same(drops("armed")), built=True),
    Row("drop-of-service", "a package that a service needs is dropped",
        _same(drops("helped")), ("api",), built=True),
    Row("drop-of-child", "what the child asks for is dropped", _same(drops("tool")),
        ("ml", "deep"), built=True),
    Row("drop-parents", "the child lacks a package of its parent", _same(drops("infile")),
        ("ml", "deep"), built=True),
    Row("add-unasked", "a package that nobody asks for is added",
        _brings("evil-1.0-py3-none-any.whl"), PROFILES, built=True),
    Row("add-unasked-to-child", "a package that nobody asks for is added to the child",
        _brings("evil-1.0-py3-none-any.whl", "ml"), ("ml", "deep"), built=True),
    Row("add-unasked-to-service", "a package that nobody asks for is added to a service",
        _brings("evil-1.0-py3-none-any.whl", "api"), ("api",), built=True),
    Row("add-excluded", "a package is added that a marker excludes",
        _brings("oldpy-1.0-py3-none-any.whl"), PROFILES, built=True),
    Row("add-of-other-platform", "the package of one platform is added to the other",
        lambda copy: platforms(lambda one: replace(one, wheels=(*one.wheels, wheel_of(
            copy, "armed-1.0-py3-none-any.whl"))), "linux/amd64"), ("base",), built=True),
    Row("add-forbidden", "a package that the policy forbids is added",
        _brings("forbidden_x-1.0-py3-none-any.whl"), PROFILES),
    Row("add-to-service-what-base-has", "a service brings what its base has",
        _brings("alpha-1.0-py3-none-any.whl", "api"), ("api",)),
    # --- other versions
    Row("above-bound", "a version above the profile's bound", _takes("alpha-2.0-py3-none-any.whl"),
        built=True),
    Row("above-constraint", "a version above a constraint",
        _takes("limited-2.0-py3-none-any.whl"), built=True),
    Row("below-bound", "the child's version below its bound",
        _takes("core-1.1-py3-none-any.whl"), ("ml", "deep")),
    Row("lowered", "an older version that no bound forces", _takes("alpha-1.0-py3-none-any.whl"),
        built=True),
    Row("lowered-in-service", "an older version in a service, without what the newer needs",
        lambda copy: lambda lock: drops("helped")(takes(wheel_of(
            copy, "helper-1.0-py3-none-any.whl"))(lock)), ("api",), built=True),
    Row("lowered-in-child", "an older version in the child", _takes("tool-1.0-py3-none-any.whl"),
        ("ml", "deep"), built=True),
    Row("yanked", "a version that its index has yanked", _takes("alpha-1.2-py3-none-any.whl"),
        built=True),
    Row("unpinned", "another version than a requirement pins by hash",
        _takes("hashed-1.1-py3-none-any.whl"), built=True),
    Row("confused-index", "a package of the team's index comes from the default one",
        _takes("priv-9.0-py3-none-any.whl")),
    Row("children-differ", "the child has another version than its parent",
        _takes("infile-1.0-py3-none-any.whl"), ("ml", "deep"), built=True),
    Row("parent-moves-alone", "the parent has another version than its children",
        _takes("infile-1.0-py3-none-any.whl"), ("base",)),
    # --- other wheels of the same version
    Row("newer-glibc", "a wheel for a newer C library",
        _takes("speedup-1.0-cp311-cp311-manylinux_2_38_x86_64.whl"), PROFILES),
    Row("musl", "a wheel for another C library",
        _takes("speedup-1.0-cp311-cp311-musllinux_1_1_x86_64.whl"), PROFILES),
    Row("other-python", "a wheel for another Python",
        _takes("speedup-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"), PROFILES),
    Row("other-architecture", "a wheel for another architecture",
        _takes("speedup-1.0-cp311-cp311-manylinux_2_17_aarch64.whl"), PROFILES),
    Row("lesser-tag", "a wheel whose tag is not the best",
        lambda copy: platforms(lambda one: takes(wheel_of(
            copy, "speedup-1.0-cp311-cp311-manylinux_2_5_x86_64.whl"))(Lock(
                "x", ImageConfig(), (one,), ("base",))).platforms[0], "linux/amd64"),
        PROFILES, built=True),
    # --- keys of wheels' rows
    Row("wheel-name", "a row's name and file",
        _changes("alpha", name="alfa", file="alfa-1.1-py3-none-any.whl")),
    Row("wheel-version", "a row's version and file, not its digest",
        _changes("alpha", version="1.0", file="alpha-1.0-py3-none-any.whl")),
    Row("wheel-file", "a row's file name",
        _changes("alpha", file="alpha-1.1-py2.py3-none-any.whl")),
    Row("wheel-size", "a row's size", _same(wheel_rows("alpha", lambda row: replace(
        row, size=row.size + 1)))),
    Row("wheel-sha256", "a row's digest is nothing's", _changes("alpha", sha256=OTHER)),
    Row("wheel-other-sha256", "a row's digest and size are another version's",
        lambda copy: wheel_rows("alpha", lambda row: replace(
            row, sha256=wheel_of(copy, "alpha-1.0-py3-none-any.whl").sha256))),
    Row("wheel-from", "a row's generation", _other_generation, ("ml", "deep"), built=True),
    Row("wheels-swapped", "two rows' digests are swapped", _swapped),
    Row("same-file-other-bytes", "a known file name with bytes that no index has",
        _forged_bytes, built=True),
    Row("own-version", "a version that no index has", _own_wheel, built=True),
    # --- platforms
    Row("platform-less", "a platform less", _same(_fewer_platforms), ("base",), built=True),
    Row("platform-more", "a platform more", _more_platforms, ("ml",)),
    Row("platform-other", "the platform is another of the parent's",
        lambda copy: lambda lock: replace(
            lock, platforms=lock_of(copy, "base").platforms[1:]), ("ml",)),
    Row("platform-python", "another Python than the foundation's",
        _same(platforms(lambda one: replace(one, python="3.11.9")))),
    Row("platform-glibc", "a newer C library than the foundation's",
        _same(platforms(lambda one: replace(one, glibc="2.40")))),
    Row("platform-glibc-lower", "an older C library than the foundation's",
        _same(platforms(lambda one: replace(one, glibc="2.17")))),
    # --- .debs
    Row("deb-dropped", "a .deb that others need is dropped", _deb("libexpat1", lambda _: None),
        PROFILES),
    Row("deb-asked-dropped", "the .deb that the profile asks for is dropped",
        _deb("python3.11", lambda _: None), PROFILES),
    Row("deb-of-one-platform", "a .deb is dropped from one platform", _debs(
        lambda debs: tuple(d for d in debs if d.name != "libuuid1"), "linux/arm64"), ("base",)),
    Row("deb-of-child", "the child lacks a .deb of its parent", _deb("libuuid1", lambda _: None),
        ("ml", "deep")),
    Row("deb-name", "a .deb's name", _deb("libuuid1", lambda d: replace(d, name="libuuid2"))),
    Row("deb-version", "a .deb's version", _deb("libuuid1", lambda d: replace(
        d, version="2.38.1-5+deb12u1"))),
    Row("deb-size", "a .deb's size", _deb("libuuid1", lambda d: replace(d, size=d.size + 1))),
    Row("deb-sha256", "a .deb's digest is nothing's", _deb("libuuid1", lambda d: replace(
        d, sha256=OTHER))),
    Row("deb-architecture", "a .deb's architecture", _deb("libuuid1", lambda d: replace(
        d, architecture="all"))),
    Row("debs-swapped", "two .debs' digests are swapped", _debs(_swapped_debs)),
    # --- the image's config
    Row("env-value", "a variable's value", _env(lambda env: tuple(
        one.replace("MODE=safe", "MODE=open") for one in env)), built=True),
    Row("env-added", "a variable more", _env(lambda env: (*env, "LD_PRELOAD=/tmp/x.so")),
        built=True),
    Row("env-dropped", "a variable less", _env(lambda env: tuple(
        one for one in env if not one.startswith("LEVEL="))), built=True),
    Row("env-path", "PATH", _env(lambda env: tuple(
        f"{one}:/tmp" if one.startswith("PATH=") else one for one in env)), built=True),
    Row("entrypoint", "the entrypoint", _image(entrypoint=("/bin/sh",)), ("base",), built=True),
    Row("cmd", "the command", _image(cmd=("-c", "print(2)")), ("ml",), built=True),
    Row("user", "the user", _image(user=""), built=True),
    Row("workdir", "the working folder", _image(workdir="/tmp"), PROFILES, built=True),
    Row("labels", "a label", _image(labels={"team": "another"}), built=True),
    Row("ports", "a service's port", _image(ports=(8001,)), ("api",), built=True),
    Row("healthcheck", "a service's health check", _image(healthcheck=None), ("api",), built=True),
    # --- what is accepted
    Row("path-conflict-order", "who wins a conflict", _conflicts(
        lambda found: found.update({PATH: ("conf-b", "conf-a")})), PROFILES, built=True),
    Row("path-conflict-dropped", "a conflict that is accepted is not any more",
        _conflicts(lambda found: found.clear()), PROFILES),
    Row("path-conflict-added", "a further conflict is accepted", _conflicts(
        lambda found: found.update({f"{PATH}2": ("alpha", "web")})), PROFILES, built=True),
    Row("exception-dropped", "an exception from RECORD less",
        _exceptions(lambda found: found.clear()), PROFILES),
    Row("exception-added", "an exception from RECORD more", _exceptions(
        lambda found: found.update(alpha="no reason")), PROFILES, built=True),
    Row("exception-reason", "the reason of an exception", _exceptions(
        lambda found: found.update(badrec="another reason")), PROFILES, built=True),
    # --- what is replaced
    Row("replaced-dropped", "what is replaced is not said", _replaced(lambda _: ()),
        ("ml", "deep"), built=True),
    Row("replaced-size", "another size of what is replaced", _replaced(
        lambda rows: tuple(replace(row, size=row.size + 1) for row in rows)), ("ml", "deep"),
        built=True),
    Row("replaced-added", "something else is said to be replaced", _replaced(
        lambda rows: (*rows, Replaced("tool", 900, "base"))), ("ml", "deep"), built=True),
    Row("not-replaced", "the parent's package stays though it is to be replaced", _not_replaced,
        ("ml", "deep")),
    # --- heads
    Row("lineage", "the grandchild skips a generation", _same(lambda lock: replace(
        platforms(lambda one: replace(one, wheels=tuple(
            replace(w, generation="base" if w.generation == "ml" else w.generation)
            for w in one.wheels), replaced=()))(lock), lineage=("base", "deep"))), ("deep",)),
    Row("service-base", "a service stands on another base", _same(lambda lock: replace(
        lock, base="ml")), ("api",)),
)  # fmt: skip

NOT_SEEN = frozenset({"lesser-tag"})
"""What no check finds once it is built; why stands in `unseen`."""

TEXTS = (
    ("format", "base", "format = 0", "format = 1"),
    ("comment", "base", "Do not edit.", "Do edit."),
    ("profile", "base", 'profile = "base"', 'profile = "bass"'),
    ("extends", "ml", 'extends = ["base"]', 'extends = ["deep"]'),
    ("env", "base", "MODE=safe", "MODE=open"),
    ("entrypoint", "base", '"-I"', '"-S"'),
    ("cmd", "base", "print(1)", "print(2)"),
    ("user", "base", 'user = "1000:1000"\n', ""),
    ("workdir", "base", '"/srv"', '"/tmp"'),
    ("labels", "base", 'tier = "one"', 'tier = "two"'),
    ("path-conflicts", "base", '["conf-a", "conf-b"]', '["conf-b", "conf-a"]'),
    ("record-exceptions", "base", "a file too many", "two files too many"),
    ("platform", "ml", 'platform = "linux/amd64"', 'platform = "linux/arm64"'),
    ("python", "base", 'python = "3.11.2"', 'python = "3.11.3"'),
    ("glibc", "base", 'glibc = "2.36"', 'glibc = "2.37"'),
    ("deb-version", "base", "2.38.1-5", "2.38.1-4"),
    ("deb-architecture", "base", 'architecture = "amd64"', 'architecture = "all"'),
    ("wheel-version", "base", 'name = "alpha", version = "1.1"', 'name = "alpha", version = "1.0"'),
    ("wheel-file", "base", "alpha-1.1-py3", "alpha-1.1-py2.py3"),
    ("wheel-from", "ml", 'from = "ml"', 'from = "base"'),
    ("replaced", "ml", '{ name = "core", size', '{ name = "tool", size'),
    ("service", "api", 'service = "api"', 'service = "job"'),
    ("service-base", "api", 'base = "base"', 'base = "ml"'),
    ("ports", "api", "[8000]", "[8001]"),
    ("healthcheck", "api", "interval = 30", "interval = 60"),
    ("no-final-newline", "base", "]\n\n[[platforms]]", "]\n[[platforms]]"),
    ("crlf", "base", "\n", "\r\n"),
    ("order", "base", '  { name = "alpha"', '  { name = "zeta"'),
)  # fmt: skip


def _text(name: str, old: str, new: str, copy: Copy) -> None:
    copy.edit(f"locks/{name}.lock", old, new)


def _row_twice(copy: Copy) -> None:
    text = copy.text("locks/base.lock")
    row = next(line for line in text.splitlines(keepends=True) if '"alpha"' in line)
    copy.write("locks/base.lock", text.replace(row, row + row, 1))


def _merged(copy: Copy) -> None:
    text = copy.text("locks/base.lock")
    copy.write("locks/base.lock", f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n")


def _other_lock(copy: Copy) -> None:
    copy.write("locks/ml.lock", copy.text("locks/deep.lock"))


def mutations() -> Iterator[Mutation]:
    """Every change of locks."""
    for what, name, old, new in TEXTS:
        said = f"of {name}: {' '.join(old.split()) or 'line ends'} alone"
        yield Mutation(f"lock/{what}", said, partial(_text, name, old, new))
    yield Mutation("lock/row-twice", "a row stands twice", _row_twice)
    yield Mutation("lock/conflict-markers", "a merge's markers", _merged)
    yield Mutation("lock/another", "a profile's lock is another's", _other_lock)
    yield Mutation("lock/removed", "a lock is gone",
                   lambda copy: copy.path("locks/ml.lock").unlink())  # fmt: skip
    yield Mutation("lock/emptied", "a lock is empty", lambda copy: copy.write("locks/ml.lock", ""))
    for row in ROWS:
        yield Mutation(f"told/{row.name}", f"{row.said}; all is told", partial(_told, row))
    for row in ROWS:
        if row.built:
            said = f"{row.said}; all is told, built and pushed"
            if row.name in NOT_SEEN:
                yield Mutation(f"unseen/{row.name}", said, partial(_built, row), Check.NOBODY)
            else:
                yield Mutation(f"built/{row.name}", said, partial(_built, row))


def _told(row: Row, copy: Copy) -> None:
    forge(copy, row.edit(copy), *row.names)


def _built(row: Row, copy: Copy) -> None:
    forge_built(copy, row.edit(copy), *row.names)
