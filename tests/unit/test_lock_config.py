"""What a profile's settings come to in its lock."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.config import (
    DEFAULT_PATH,
    IdleRecordExceptionError,
    ParentsRecordExceptionError,
    image_config,
    path_conflicts,
    record_exceptions,
)
from basestore.lock.model import ImageConfig, PlatformLock, Wheel
from basestore.profile.document import read_document
from basestore.profile.model import (
    PROJECT_FILE,
    DebianFoundation,
    ImageSettings,
    Location,
    Profile,
    RecordException,
)
from basestore.profile.service import Service
from basestore.target import Platform

AMD64 = Platform("amd64")
PROFILE = Profile("x", "3.11", (AMD64,), DebianFoundation("bookworm", ("python3.11",)), ())
CHILD = replace(PROFILE, parent=replace(PROFILE, name="parent"))
ENV = ("LANG=C.UTF-8", f"PATH={DEFAULT_PATH}", "VIRTUAL_ENV=/opt/venv")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ImageSettings(), ImageConfig(ENV, cmd=("python",))),
        (ImageSettings(user="root", workdir="/"), ImageConfig(ENV, cmd=("python",))),
        (
            ImageSettings(user="app", workdir="/srv"),
            ImageConfig(ENV, (), ("python",), "app", "/srv"),
        ),
        (ImageSettings(cmd=()), ImageConfig(ENV)),
        (ImageSettings(entrypoint=("tini",)), ImageConfig(ENV, ("tini",))),
        (ImageSettings(entrypoint=("tini",), cmd=("sh",)), ImageConfig(ENV, ("tini",), ("sh",))),
        (ImageSettings(labels={"a": "b"}), ImageConfig(ENV, cmd=("python",), labels={"a": "b"})),
    ],
)
def test_image_config(settings: ImageSettings, expected: ImageConfig) -> None:
    assert image_config(replace(PROFILE, image=settings)) == expected


def test_the_environment_is_sorted_and_the_users_own_wins() -> None:
    settings = ImageSettings(env={"Z": "1", "A_B": "2", "A": "3", "LANG": "de_DE.UTF-8"})
    assert image_config(replace(PROFILE, image=settings)).env == (
        "A=3",
        "A_B=2",
        "LANG=de_DE.UTF-8",
        f"PATH={DEFAULT_PATH}",
        "VIRTUAL_ENV=/opt/venv",
        "Z=1",
    )


def platform_with(*names: str, parents: str = "") -> PlatformLock:
    """A platform that has a wheel of each name, and of its parent's."""
    brought = [*((name, "parent") for name in parents), *((name, "x") for name in names)]
    wheels = tuple(
        Wheel(name, "1", f"{name}-1-py3-none-any.whl", 1, Digest("0" * 64), generation)
        for name, generation in brought
    )
    return PlatformLock(AMD64, "3.11.2", "2.36", (), wheels)


def excepting(**places: Location) -> Mapping[str, RecordException]:
    """Exceptions of packages, each stated at its place."""
    return {name: RecordException(f"why {name}", place) for name, place in places.items()}


def test_only_conflicts_that_can_be_are_locked() -> None:
    allowed = {"lib/one": ("b", "c", "a"), "lib/two": ("a", "c"), "lib/three": ("c", "d")}
    profile = replace(PROFILE, path_conflicts=allowed)
    platform = platform_with("a", "b")
    assert path_conflicts(profile, [platform]) == {"lib/one": ("b", "a")}
    assert path_conflicts(profile, []) == {}


OWN, INHERITED = Location("profiles/x.toml", 7), Location("profiles/parent.toml", 3)


def test_the_exceptions_of_what_is_locked() -> None:
    """A parent's may be for a platform that its child doesn't have, or for what that replaces."""
    excepted = excepting(a=OWN, b=INHERITED, c=INHERITED, d=INHERITED)
    profile = replace(CHILD, record_exceptions=excepted)
    platforms = [platform_with("a"), platform_with("d", parents="b")]
    assert record_exceptions(profile, platforms) == {"a": "why a", "b": "why b"}
    assert record_exceptions(PROFILE, platforms) == {}


def test_a_child_does_not_except_what_its_parent_brought() -> None:
    profile = replace(CHILD, record_exceptions=excepting(a=OWN))
    with pytest.raises(ParentsRecordExceptionError) as caught:
        record_exceptions(profile, [platform_with(parents="a")])
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert caught.value.message == (
        "profiles/x.toml:7: record-exceptions: the wheel of a is parent's, whose layers are the "
        "same in all that extends it"
    )
    assert caught.value.hint == "write the exception into profiles/parent.toml"


def test_an_exception_for_nothing_does_not_stand() -> None:
    profile = replace(PROFILE, record_exceptions=excepting(reqests=OWN))
    with pytest.raises(IdleRecordExceptionError) as caught:
        record_exceptions(profile, [platform_with("requests", "idna")])
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert caught.value.message == (
        "profiles/x.toml:7: record-exceptions: the lock has no wheel of reqests"
    )
    assert caught.value.hint == (
        "did you mean 'requests'? take it out if nothing needs reqests any more"
    )


def test_a_service_does_not_except_what_its_base_brings() -> None:
    place = Location(PROJECT_FILE, 4)
    table = read_document(PROJECT_FILE, b"")
    service = Service("svc", "ml", "svc", Location(PROJECT_FILE, 1), table)
    profile = replace(PROFILE, service=service, record_exceptions=excepting(torch=place))
    with pytest.raises(IdleRecordExceptionError) as caught:
        record_exceptions(profile, [platform_with("tool")])
    assert caught.value.hint == (
        "take it out if nothing needs torch any more; "
        "what its base brings is excepted in profiles/ml.toml"
    )
