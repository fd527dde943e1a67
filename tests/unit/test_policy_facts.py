"""What policies are told of wheels: licences out of metadata, and what pages say of files."""

import pytest

from basestore.lock.licences import refused
from basestore.sources.metadata import is_metadata, licences_of
from basestore.sources.simple import BadPageError, page_url, read_yanked


@pytest.mark.parametrize(
    ("expressions", "pattern", "found"),
    [
        (("MIT",), "GPL-*", ()),
        (("GPL-3.0-only",), "GPL-*", ("GPL-3.0-only",)),
        (("LGPL-3.0-only",), "GPL-*", ()),
        (("gpl-3.0-only",), "GPL-*", ("gpl-3.0-only",)),
        (("MIT OR GPL-3.0-only",), "GPL-*", ()),
        (("AGPL-3.0-only OR GPL-3.0-only",), "*GPL-*", ("AGPL-3.0-only", "GPL-3.0-only")),
        (("MIT AND GPL-3.0-only",), "GPL-*", ("GPL-3.0-only",)),
        (("GPL-2.0-only AND (MIT OR Apache-2.0)",), "GPL-*", ("GPL-2.0-only",)),
        (("MIT OR GPL-2.0-only AND ISC",), "GPL-*", ()),
        (("(MIT OR GPL-2.0-only) AND GPL-3.0-only",), "GPL-*", ("GPL-3.0-only",)),
        (
            ("GPL-2.0-only WITH Classpath-exception-2.0",),
            "GPL-*",
            ("GPL-2.0-only WITH Classpath-exception-2.0",),
        ),
        (("GPL-2.0-only WITH Classpath-exception-2.0",), "GPL-2.0-only", ()),
        (("MIT", "GPL-1.0-or-later"), "GPL-*", ("GPL-1.0-or-later",)),
        ((), "unknown", ("unknown",)),
        ((), "GPL-*", ()),
        (("Dual License, see below",), "dual*", ("Dual License, see below",)),
        (("GPL-2.0-only AND",), "GPL-*", ("GPL-2.0-only AND",)),
        (("(GPL-2.0-only",), "(GPL*", ("(GPL-2.0-only",)),
        (("(" * 5000 + "MIT",), "MIT", ()),
    ],
)
def test_licences_that_can_not_be_avoided(
    expressions: tuple[str, ...], pattern: str, found: tuple[str, ...]
) -> None:
    assert refused(expressions, pattern) == found


def test_a_choice_among_refused_licences_is_none() -> None:
    choice = ("AGPL-3.0-only OR GPL-3.0-only",)

    assert refused(choice, "GPL-*", ("AGPL-*",)) == ("GPL-3.0-only",)
    assert refused(choice, "AGPL-*", ("GPL-*",)) == ("AGPL-3.0-only",)
    assert refused(("MIT OR GPL-3.0-only",), "GPL-*", ("AGPL-*",)) == ()
    assert refused(("AGPL-3.0-only",), "GPL-*", ("AGPL-*",)) == ()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: GPL", ("MIT OR Apache-2.0",)),
        (
            (
                "Classifier: License :: OSI Approved :: MIT License\n"
                "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n"
                "Classifier: Programming Language :: Python"
            ),
            ("GPL-3.0-only", "MIT"),
        ),
        ("Classifier: License :: OSI Approved\nLicense: ISC", ("ISC",)),
        ("Classifier: License :: Other/Proprietary License", ("LicenseRef-Proprietary",)),
        ("Classifier: License :: Free for non-commercial use", ("Free for non-commercial use",)),
        ("License: GNU LGPL 2.1", ("LGPL-2.1-or-later",)),
        ("License: GNU General Public License v3", ("GPL-3.0-or-later",)),
        ("License: 3-Clause BSD License", ("3-Clause BSD License",)),
        ("License: UNKNOWN", ()),
        ("License: The MIT License\n        Permission is hereby", ("The MIT License",)),
        ("Summary: nothing", ()),
        ("License: a\x1b[31mb", ("a[31mb",)),
        ("License: Licença", ("Licença",)),
    ],
)
def test_licences_of_metadata(lines: str, found: tuple[str, ...]) -> None:
    metadata = f"Metadata-Version: 2.4\nName: x\n{lines}\n\nLicense: of the text below\n"
    assert licences_of(metadata.encode()) == found


def test_a_long_expression_is_never_cut() -> None:
    expression = " AND ".join(["MIT"] * 40 + ["GPL-3.0-only"])
    assert licences_of(f"License-Expression: {expression}\n\n".encode()) == (expression,)


def test_bytes_that_are_no_text_are_no_licence() -> None:
    assert licences_of(b"\xff\xfe\x00") == ()


def test_what_a_server_has_for_every_address_is_no_metadata() -> None:
    assert is_metadata(b"Metadata-Version: 2.4\nName: x\n")
    assert is_metadata(b"Name: x\r\nmetadata-version: 2.1\r\n\r\ntext")
    assert not is_metadata(b"<!DOCTYPE html><html></html>")
    assert not is_metadata(b"<html>\n\nMetadata-Version: 2.1\n")


HTML = b"""<!DOCTYPE html><html><body>
<a href="/files/x-1.0%2Bcpu-py3-none-any.whl#sha256=00" data-yanked="broken &amp; gone">x</a>
<a href="https://files.example.com/x-2.0-py3-none-any.whl?a=b" data-yanked>x</a>
<a href="x-3.0-py3-none-any.whl">x</a>
</body></html>"""
JSON = b"""{"files": [
  {"filename": "x-1.0+cpu-py3-none-any.whl", "yanked": "broken & gone"},
  {"filename": "x-2.0-py3-none-any.whl", "yanked": true},
  {"filename": "x-3.0-py3-none-any.whl", "yanked": false},
  {"filename": "x-4.0-py3-none-any.whl"},
  {"filename": "x-5.0-py3-none-any.whl", "yanked": null}
]}"""


@pytest.mark.parametrize("page", [HTML, JSON, b"\n" + JSON])
def test_yanked_files_of_a_page(page: bytes) -> None:
    assert read_yanked(page, "https://example.com/simple/x/") == {
        "x-1.0+cpu-py3-none-any.whl": "broken & gone",
        "x-2.0-py3-none-any.whl": "",
    }


@pytest.mark.parametrize("page", [b"\xff", b"{", b'{"files": 1}', b'{"files": [1]}', b"{}"])
def test_what_is_no_page(page: bytes) -> None:
    with pytest.raises(BadPageError, match=r"^example\.com shows a page"):
        read_yanked(page, "https://user:secret@example.com/simple/x/")


@pytest.mark.parametrize("index", ["http://h/simple", "http://h/simple/"])
def test_where_a_page_lies(index: str) -> None:
    assert page_url(index, "x") == "http://h/simple/x/"
