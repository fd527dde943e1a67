"""References in YAML, and what is none."""

import pytest
from pinning import BASES, CPU, RUNTIME

from basestore.pins import PinFileError, find


def found(text: str, file: str = "a.yaml") -> list[tuple[str, str | None]]:
    data = text.format(cpu=CPU, runtime=RUNTIME).encode()
    return [(one.reference, one.base) for one in find(file, data, BASES).occurrences]


@pytest.mark.parametrize(
    "text",
    [
        "name: {cpu}",
        "value: x{cpu}:1",
        "value: other/{cpu}:1",
        "value: pull {cpu}:1",
        "image: {cpu}-not:1/2",
        "? {cpu}:1\n: x",
        "{cpu}:1: x",
        "images:\n- name: {cpu}",
        "repository: {cpu}",
        "image: registry.example.com/team/base-tool:1",
        "image: registry.example.com/base-cpu:1",
        "build: {{args: {{A: b}}}}",
    ],
)
def test_what_is_no_reference_to_a_base(text: str) -> None:
    assert found(text) == []


def test_unknown_ones() -> None:
    assert found("image: registry.example.com/team/base-gone:1") == [
        ("registry.example.com/team/base-gone:1", None)
    ]


def test_the_value_of_an_anchor_is_one_reference() -> None:
    text = "a: &a\n  image: {cpu}:1\nb: *a\nc: [*a, *a]\nd: {{<<: *a}}\n"

    assert found(text) == [(f"{CPU}:1", "cpu")]


def test_several_documents_and_repeated_anchors() -> None:
    text = "a: &a {cpu}:1\n---\na: &a {cpu}:2\nb: *a\n---\nimage: {runtime}\n"

    assert found(text) == [(f"{CPU}:1", "cpu"), (f"{CPU}:2", "cpu"), (RUNTIME, "runtime")]


def test_anchors_on_anchors_are_no_deeper_than_they_look() -> None:
    chain = "".join(f"? [k{n}]\n: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))
    text = f"? [k]\n: &a0 [{{cpu}}:1]\n{chain}z: *a2999\n"

    assert found(text) == [(f"{CPU}:1", "cpu")]


def test_aliases_that_multiply() -> None:
    chain = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 100))

    assert found("b0: &b0 [{cpu}:1]\n" + chain) == [(f"{CPU}:1", "cpu")]


def test_an_anchor_that_holds_itself() -> None:
    assert found("a: &a [*a, {cpu}:1]\n") == [(f"{CPU}:1", "cpu")]


def test_json_is_yaml() -> None:
    assert found('{{"image":\t"{cpu}:1"}}', "a.json") == [(f"{CPU}:1", "cpu")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\n  image: {cpu}:1\n", 2),
        ("image: {cpu}:1\na: [\n", 3),
        ("image: {cpu}:1\nb: *none\n", 2),
        ("image: {cpu}:1\nb: \x01\n", 2),
        ("image: {cpu}:1\n" + "- " * 300 + "a", 2),
        ("image: {cpu}:1\n---\n" + "[" * 1000, 3),
    ],
)
def test_what_does_not_parse(text: str, line: int) -> None:
    with pytest.raises(PinFileError) as caught:
        found(text)

    assert (caught.value.file, caught.value.line) == ("a.yaml", line)


def test_what_is_no_text() -> None:
    with pytest.raises(PinFileError, match=r"a\.yaml:2: not UTF-8"):
        find("a.yaml", f"image: {CPU}\n\xe9".encode("latin-1"), BASES)


def test_pins_within_longer_texts() -> None:
    pin = f"{CPU}:{'1' * 64}@sha256:{'2' * 64}"
    text = f"é: |\n  FROM {pin}\n  RUN {CPU}:v1\nscript: ['docker run {pin}x {pin}, {pin}']\n"

    assert found(text) == [(pin, "cpu")] * 3


def test_an_image_with_a_name() -> None:
    assert found("image: {{name: {cpu}, entrypoint: ['']}}") == [(CPU, "cpu")]


@pytest.mark.parametrize("flag", ["--image=", "-i=", "--worker.image="])
def test_flags(flag: str) -> None:
    assert found(f"args: ['{flag}{{cpu}}:1']") == [(f"{CPU}:1", "cpu")]
    bare = found(f"args: ['{flag}{{cpu}}']")
    assert bare == ([(CPU, "cpu")] if flag.endswith("image=") else [])


@pytest.mark.parametrize("key", ["tag", "imageTag", "image_tag"])
def test_an_image_beside_its_tag(key: str) -> None:
    assert found(f"app:\n  image: {{cpu}}\n  {key}: v1\n") == [(f"{CPU}:v1", "cpu")]


def test_a_dockerfile_in_a_compose_file() -> None:
    text = (
        "services:\n"
        "  é:\n"
        "    build:\n"
        "      args: {{V: v1}}\n"
        "      dockerfile_inline: |\n"
        "\n"
        "        ARG V\n"
        "        FROM {cpu}:v2 AS a\n"
        "\n"
        "        FROM {cpu}:$$V\n"
        "          COPY --from={runtime} a b\n"
        "  b:\n"
        "    build: {{dockerfile_inline: 'FROM {runtime}:v3'}}\n"
    )
    data = text.format(cpu=CPU, runtime=RUNTIME).encode()

    occurrences = find("compose.yaml", data, BASES).occurrences

    assert [one.reference for one in occurrences] == [
        *(f"{CPU}:v2", f"{CPU}:v1", RUNTIME, f"{RUNTIME}:v3")
    ]
    for piece in (piece for one in occurrences for piece in one.pieces):
        assert piece.place
        assert data[piece.place.start : piece.place.end].decode() == piece.text


def test_a_dockerfile_in_a_compose_file_that_does_not_parse() -> None:
    text = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM {cpu} x\n"

    with pytest.raises(
        PinFileError, match=r"a\.yaml:4: line 1 of the Dockerfile in it: FROM wants"
    ):
        found(text)
