"""The images file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import PLATFORMS, digests, plain_names

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.images import ImageRecord, find, parse, record_image, write
from basestore.profile.document import DocumentError
from basestore.target import Platform

ONE, TWO, THREE = (Digest(c * 64) for c in "123")
AMD64, ARM64 = Platform("amd64"), Platform("arm64")
ML = ImageRecord("ml", ONE, TWO, {ARM64: THREE, AMD64: TWO})
CPU = ImageRecord("cpu", TWO, THREE, {AMD64: THREE})

TEXT = f"""\
images = [
  {{ profile = "cpu", lock = "{"2" * 64}", image = "sha256:{"3" * 64}", \
platforms = {{ "linux/amd64" = "sha256:{"3" * 64}" }} }},
  {{ profile = "ml", lock = "{"1" * 64}", image = "sha256:{"2" * 64}", \
platforms = {{ "linux/amd64" = "sha256:{"2" * 64}", "linux/arm64" = "sha256:{"3" * 64}" }} }},
]
"""

records = st.lists(
    st.builds(
        ImageRecord,
        plain_names,
        digests,
        digests,
        st.dictionaries(st.sampled_from(PLATFORMS), digests, min_size=1),
    ),
    unique_by=lambda record: (record.profile, record.lock),
    max_size=4,
)


def test_the_file() -> None:
    assert write([ML, CPU]).decode() == TEXT
    assert parse(TEXT.encode(), "x") == (CPU, ML)
    assert write([]) == b"images = [\n]\n"
    assert parse(b"images = [\n]\n", "x") == ()


@given(records)
def test_round_trip(records: list[ImageRecord]) -> None:
    parsed = parse(write(records), "x")
    assert sorted(parsed, key=repr) == sorted(records, key=repr)
    assert write(parsed) == write(records)


def test_what_git_merged_out_of_order_is_taken() -> None:
    head, cpu, ml, end = TEXT.splitlines(keepends=True)
    assert parse("".join([head, ml, cpu, ml, end]).encode(), "x") == (CPU, ML)


def test_two_images_of_one_lock_are_refused() -> None:
    head, cpu, ml, end = TEXT.splitlines(keepends=True)
    other = cpu.replace("sha256:3", "sha256:4")
    with pytest.raises(
        DocumentError, match=r"^x:4: images\[2\]: another image of a lock"
    ) as caught:
        parse("".join([head, cpu, ml, other, end]).encode(), "x")
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("images", "image", "x:1: image: unknown key"),
        ('lock = "2', 'lock = "sha256:2', "x:2: images[0]: 'sha256:22"),
        ("linux/arm64", "linux/m68k", "x:3: images[1]: no platform 'linux/m68k'"),
        ('profile = "ml", ', "", "x:3: images[1].profile: missing"),
    ],
)
def test_what_is_no_images_file(old: str, new: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(TEXT.replace(old, new).encode(), "x")
    assert caught.value.message.startswith(message)


def test_a_new_record_takes_the_old_ones_place_and_drops_those_of_locks_that_are_gone() -> None:
    again = ImageRecord("ml", ONE, THREE, {AMD64: THREE})
    assert record_image((CPU, ML), again, {ONE, TWO}) == (CPU, again)
    assert record_image((CPU, ML), again, {ONE}) == (again,)
    assert find((CPU, ML), "ml", ONE) == ML
    assert find((CPU, ML), "ml", TWO) is None
