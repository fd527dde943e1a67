"""Core metadata of wheels: the licences that they tell.

PyPA, "Core metadata specifications": ``License-Expression`` is SPDX (PEP 639); older packages have
classifiers, or a ``License`` of free text.
"""

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser

LIMIT = 4 * 1024 * 1024
"""The most a metadata file may hold, in bytes."""

_LONGEST = 100  # a longer free text is the licence itself, not its name
_LONGEST_EXPRESSION = 4096
_FIELD = re.compile(rb"^metadata-version:", re.IGNORECASE | re.MULTILINE)  # always there
_ROOT = "License :: "
_NO_LICENCE = frozenset({"", "unknown", "none", "n/a"})

_OF_CLASSIFIER: Mapping[str, str] = {
    "Academic Free License (AFL)": "AFL-3.0",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-2.0",
    "BSD License": "BSD-3-Clause",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License (GPL)": "GPL-1.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Other/Proprietary License": "LicenseRef-Proprietary",
    "Public Domain": "LicenseRef-Public-Domain",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Zope Public License": "ZPL-2.1",
    "zlib/libpng License": "Zlib",
}

# What people write into the free text, as far as it is plain.
_OF_TEXT = (
    (re.compile(r"\bAGPL|Affero", re.IGNORECASE), "AGPL-3.0-or-later"),
    (re.compile(r"\bLGPL|Lesser General Public", re.IGNORECASE), "LGPL-2.1-or-later"),
    (re.compile(r"\bGPL ?v?3|General Public License v?3", re.IGNORECASE), "GPL-3.0-or-later"),
    (re.compile(r"\bGPL|General Public License", re.IGNORECASE), "GPL-2.0-or-later"),
)


def is_metadata(data: bytes) -> bool:
    """Whether a server's answer is a metadata file, and no page that it has for everything."""
    return _FIELD.search(data.partition(b"\n\n")[0]) is not None


def licences_of(metadata: bytes) -> tuple[str, ...]:
    """The licences of a wheel, all of which hold; empty where it tells none.

    SPDX expressions where the metadata has them or a classifier stands for one, else its words.
    """
    message = HeaderParser().parsestr(metadata.decode(errors="replace"))
    if expression := _line(message, "License-Expression")[:_LONGEST_EXPRESSION]:
        return (expression,)
    if classified := tuple(sorted(set(_classified(message)))):
        return classified
    text = _line(message, "License")[:_LONGEST].strip()
    if text.lower() in _NO_LICENCE:
        return ()
    return (_named(text),)


def _line(message: Message, name: str) -> str:
    """The first line of a field, which is what names it, without control characters."""
    first = str(message.get(name, "")).strip().partition("\n")[0]
    return "".join(c for c in first if c.isprintable()).strip()


def _classified(message: Message) -> Iterator[str]:
    for value in message.get_all("Classifier", []):
        text = str(value).strip()
        if text.startswith(_ROOT) and text != f"{_ROOT}OSI Approved":
            last = text.rpartition(" :: ")[2]
            yield _OF_CLASSIFIER.get(last, last)


def _named(text: str) -> str:
    if not re.search(r"[ (]", text):
        known: str | None = None  # an identifier stays what it is
    else:
        known = next((licence for words, licence in _OF_TEXT if words.search(text)), None)
    return known or text
