"""What a profile's settings come to in its lock."""

from dataclasses import replace

import pytest

from basestore.digest import Digest
from basestore.lock.config import DEFAULT_PATH, image_config, path_conflicts
from basestore.lock.model import ImageConfig, PlatformLock, Wheel
from basestore.profile.model import DebianFoundation, ImageSettings, Profile
from basestore.target import Platform

AMD64 = Platform("amd64")
PROFILE = Profile("x", "3.11", (AMD64,), DebianFoundation("bookworm", ("python3.11",)), ())
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


def test_only_conflicts_that_can_be_are_locked() -> None:
    wheels = tuple(
        Wheel(name, "1", f"{name}-1-py3-none-any.whl", 1, Digest("0" * 64), "x") for name in "ab"
    )
    allowed = {"lib/one": ("b", "c", "a"), "lib/two": ("a", "c"), "lib/three": ("c", "d")}
    profile = replace(PROFILE, path_conflicts=allowed)
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (), wheels)
    assert path_conflicts(profile, [platform]) == {"lib/one": ("b", "a")}
    assert path_conflicts(profile, []) == {}
