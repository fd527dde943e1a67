import pytest

from basestore.layer.deb.control import parse_control
from basestore.layer.deb.errors import MalformedDebError

TEXT = b"""Package: libz
Version: 1:2.0-1
Architecture: arm64
Multi-Arch: same
Description: short
 long
 .
 end
"""


def test_keeps_fields_and_continuation_lines():
    control = parse_control(TEXT, "libz")
    assert control.identity == ("libz", "1:2.0-1", "arm64")
    assert control.fields["Description"] == "short\n long\n .\n end"


def test_info_name_has_the_architecture_only_where_several_can_be_installed():
    assert parse_control(TEXT, "libz").info_name == "libz:arm64"
    assert parse_control(TEXT.replace(b"same", b"foreign"), "libz").info_name == "libz"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b" lead\n" + TEXT, "broken line ' lead'"),
        (TEXT + b"no field\n", "broken line 'no field'"),
        (TEXT + b"Package: again\n", "broken line 'Package: again'"),
        (b"Package: x\nVersion: 1\n", "no field Architecture"),
        (b"Package: \xff\n", "not UTF-8"),
        (b"", "no field Package"),
    ],
)
def test_refuses(text, reason):
    with pytest.raises(MalformedDebError, match="libz") as caught:
        parse_control(text, "libz")
    assert reason in caught.value.message
