"""What of a Dockerfile names an image."""

import pytest

from basestore.pins import PinFileError
from basestore.pins.dockerfile import references
from basestore.pins.model import Piece, text_of


def named(text: str, **given: str) -> list[str]:
    values = {name: (Piece(value),) for name, value in given.items()}
    return [text_of(pieces) for _, pieces in references("Dockerfile", text.encode(), values, {})]


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM a:1", ["a:1"]),
        ("from a:1 as B\nFROM b", ["a:1"]),
        ("FROM a AS b\nFROM c AS d\nCOPY --from=B x y\nCOPY --from=e x y", ["a", "c", "e"]),
        ("FROM a\nCOPY --from=0 x y", ["a"]),
        ("FROM scratch", []),
        ("ARG A=1\nARG B=b:$A\nFROM $B", ["b:1"]),
        ("ARG A=1 B=2\nFROM x:${A}${B}", ["x:12"]),
        ("ARG A\nFROM x:${A:-1}\nFROM x:${A-2}\nFROM x:${A:+3}", ["x:1", "x:2", "x:"]),
        ("ARG A=\nFROM x:${A:-1}\nFROM x:${A-2}", ["x:1", "x:"]),
        ("ARG A=1\nFROM x:${A:+2}\nFROM x:${A:-3}", ["x:2", "x:1"]),
        ("FROM x:${A:-${B:-1}}", ["x:1"]),
        ("ARG A=1\nFROM x:${A%.*}", ["x:${A%.*}"]),
        ("ARG A=\"1\"\nARG B='$A'\nFROM x:$A-$B", ["x:1-$A"]),
        ("ARG A=a\\ b\nFROM x", ["x"]),
        ("FROM x\nARG A=1\nFROM y:$A", ["x", "y:"]),
        ("#escape=`\nFROM a`\nb", ["ab"]),
        ("# escape=`\n#escape=\\\nFROM a`\nb", ["ab"]),
        ("\n# escape=`\nFROM a\\\nb", ["ab"]),
        ("# hello\n# escape=`\nFROM a\\\nb", ["ab"]),
        ("FROM a\nRUN x \\\\\nFROM b", ["a", "b"]),
        ("FROM a\nRUN x \\ \t\nFROM b", ["a"]),
        ("FROM a\nRUN x \\\n# y \\\n\nFROM b\nFROM c", ["a", "c"]),
        ("FROM a\nRUN <<A <<B\nFROM b\nA\nFROM c\nB\nFROM d", ["a", "d"]),
        ("FROM a\nCOPY <<A /b\n\tA\nFROM c\nA\nFROM d", ["a", "d"]),
        ("FROM a\nONBUILD RUN <<A\nFROM c\nA\nFROM d", ["a", "d"]),
        ("FROM a\nENV A <<B\nFROM c", ["a", "c"]),
        ("FROM a\nRUN cat << A\nFROM b\nA\nFROM c", ["a", "c"]),
        ("FROM a\nRUN cat <<- A\nFROM b", ["a", "b"]),
        ("FROM a\nRUN cat<<A <<<B\nFROM b", ["a", "b"]),
        ("FROM a\nRUN cat <<'A B' <<C\\D\nFROM b\nA B\nCD\nFROM c", ["a", "c"]),
        ("# escape=`\nFROM a\nRUN cat <<`A\nFROM b\n`A\nFROM c", ["a", "c"]),
        ("# owner=me\n# escape=`\nFROM a\\\nb", ["ab"]),
        ("# check=skip=all\n# escape=`\nFROM a`\nb", ["ab"]),
        ("FROM a\nRUN 3<<-A cat\n\tA\nFROM b", ["a", "b"]),
        ("FROM a\nRUN --network=none --mount=from=b,target=/b x --mount=from=c", ["a", "b"]),
        ("FROM a\nCOPY --link --from=b x y\nADD --from=c x y", ["a", "b"]),
        ("FROM a\nRUN echo 'unclosed\nFROM b", ["a", "b"]),
        ("FROM a\\", ["a"]),
        ("", []),
    ],
)
def test_images(text: str, images: list[str]) -> None:
    assert named(text) == images


def test_build_arguments_stand_for_defaults() -> None:
    assert named("ARG A=1\nFROM x:$A", A="2") == ["x:2"]
    assert named("ARG A\nFROM x:$A", A="2") == ["x:2"]
    assert named("FROM x:$A", A="2") == ["x:"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("FROM a\nRUN <<EOF\nEO\n", 2, "the here-document EOF has no end"),
        ("FROM a\n\nFROM\n", 3, "FROM wants an image"),
        ("FROM a b\n", 1, "FROM wants an image"),
        ("FROM a AS\n", 1, "FROM wants an image"),
        ("FROM --platform=x\n", 1, "FROM wants an image"),
    ],
)
def test_what_does_not_parse(text: str, line: int, reason: str) -> None:
    with pytest.raises(PinFileError, match=reason) as caught:
        named(text)

    assert caught.value.line == line
