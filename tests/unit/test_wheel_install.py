"""Wheels as layers: where files go, what is generated, what is refused, and what pip does."""

import base64
import csv
import hashlib
import io
import posixpath
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from layers import SITE, Member, installed, keep, new_store, recipe_of, workshop
from wheelmaker import (
    MadeWheel,
    Record,
    Row,
    crlf_record,
    make_wheel,
    make_zip,
    record_with,
    record_with_wrong_hash,
    record_without,
    right_record,
)
from zipbytes import Item, deflated, zip_bytes

from basestore.errors import ExitCode
from basestore.layer.inflate import BrokenStreamError
from basestore.layer.realise import PathConflictError, make
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.install import Layout
from basestore.store import Store

BIN = "opt/venv/bin"
INFO = f"{SITE}/demo-1.0.dist-info"
SHEBANG = b"#!/opt/venv/bin/python"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def contents(found: Mapping[str, Member]) -> dict[str, bytes]:
    """Files below site-packages or bin, metadata left out."""
    return {
        path: member.content or b"" for path, member in found.items() if ".dist-info/" not in path
    }


def rows_of(found: Mapping[str, Member], info: str = INFO) -> list[tuple[str, str, str]]:
    """The lines of RECORD as csv reads them."""
    text = (found[f"{info}/RECORD"].content or b"").decode()
    return [(path, hashed, size) for path, hashed, size in csv.reader(io.StringIO(text))]


def check_record(found: Mapping[str, Member], info: str = INFO, site: str = SITE) -> None:
    """Every file is listed once with its own hash and size, and nothing else is."""
    rows = rows_of(found, info)
    listed = {posixpath.normpath(f"{site}/{path}"): (hashed, size) for path, hashed, size in rows}
    assert len(listed) == len(rows)
    assert listed.pop(f"{info}/RECORD") == ("", "")
    assert listed == {
        path: (f"sha256={urlsafe(member.content or b'')}", str(len(member.content or b"")))
        for path, member in found.items()
        if path != f"{info}/RECORD"
    }


def urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def wheel_file(made: MadeWheel, name: str) -> bytes:
    """A file's content as zipfile reads it."""
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        return archive.read(name)


def stream_length(made: MadeWheel, name: str) -> int:
    """The length of a file's deflate stream."""
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        return archive.getinfo(name).compress_size


def refused(store: Store, made: MadeWheel, reason: str) -> None:
    with pytest.raises(BadZipError, match=reason) as caught:
        installed(store, made)
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert made.file in caught.value.message
    assert "\n" not in caught.value.message


# --- where files go


def test_purelib_platlib_and_namespace_packages_share_one_folder(store: Store) -> None:
    files = {
        "demo/__init__.py": b"",
        "demo/empty_stream.txt": b"",
        "demo/_native.cpython-311-x86_64-linux-gnu.so": b"\x7fELF not really" * 100,
        "space/part/mod.py": b"x = 1\n",  # a namespace package has no __init__.py
        "single.py": b"y = 2\n",
        "demo/été/ünï code.txt": "ü".encode(),
        "demo.libs/libz.so.1": b"z",
    }
    made = make_wheel("demo", files=files, purelib=False, stored=["demo/empty_stream.txt"])
    found = installed(store, made)

    assert contents(found) == {f"{SITE}/{path}": content for path, content in files.items()}
    check_record(found)


def test_every_scheme_of_the_data_directory_has_its_place(store: Store) -> None:
    data = {
        "purelib/pure.py": b"p",
        "platlib/plat/x.so": b"q",
        "scripts/tool": b"#!/bin/sh\n",
        "headers/demo.h": b"#define X\n",
        "data/share/man/man1/demo.1": b".TH\n",
        "data/etc/demo.conf": b"k = v\n",
    }
    found = installed(store, make_wheel("demo", files={}, data=data))

    assert contents(found) == {
        f"{SITE}/pure.py": b"p",
        f"{SITE}/plat/x.so": b"q",
        f"{BIN}/tool": b"#!/bin/sh\n",
        "opt/venv/include/site/python3.11/demo/demo.h": b"#define X\n",
        "opt/venv/share/man/man1/demo.1": b".TH\n",
        "opt/venv/etc/demo.conf": b"k = v\n",
    }
    check_record(found)


def test_modes_come_from_the_execute_bit_alone(store: Store) -> None:
    made = make_wheel(
        "demo",
        files={"demo/run": b"r", "demo/read": b"d"},
        data={"scripts/plain": b"s", "data/share/run": b"t", "data/share/read": b"u"},
        executable=["demo/run", "demo-1.0.data/data/share/run"],
    )
    found = installed(store, made)

    executable = {path for path, member in found.items() if member.mode == 0o755}
    assert executable == {f"{SITE}/demo/run", f"{BIN}/plain", "opt/venv/share/run"}
    assert {member.mode for member in found.values()} == {0o755, 0o644}


def test_the_layer_follows_the_minor_version_of_python() -> None:
    layout = Layout("3.13")

    assert layout.site == "opt/venv/lib/python3.13/site-packages"
    assert layout.scheme("headers", "demo") == "opt/venv/include/site/python3.13/demo"
    assert layout.scheme("scripts", "demo") == "opt/venv/bin"
    assert layout.scheme("stdlib", "demo") is None


@pytest.mark.parametrize("path", ["stdlib/x", "x", "lib64/x"])
def test_an_unknown_scheme_is_refused(store: Store, path: str) -> None:
    refused(store, make_wheel("demo", data={path: b"x"}), "no scheme")


# --- scripts

TEMPLATE = b"""\
#!/opt/venv/bin/python
import sys
from %s import %s
if __name__ == "__main__":
    sys.exit(%s())
"""


@pytest.mark.parametrize(
    ("reference", "module", "root", "call"),
    [
        ("demo:main", b"demo", b"main", b"main"),
        ("demo.cli : main", b"demo.cli", b"main", b"main"),
        ("demo.cli:App.run.now", b"demo.cli", b"App", b"App.run.now"),
        ("demo:main [extra]", b"demo", b"main", b"main"),
        ("demo:main[a,b]", b"demo", b"main", b"main"),
        ("_d2:_m3", b"_d2", b"_m3", b"_m3"),
    ],
)
@pytest.mark.parametrize("group", ["console_scripts", "gui_scripts"])
def test_entry_points_become_scripts(
    store: Store, group: str, reference: str, module: bytes, root: bytes, call: bytes
) -> None:
    found = installed(store, make_wheel("demo", entry_points={group: {"demo-run.2": reference}}))

    script = found[f"{BIN}/demo-run.2"]
    assert (script.content, script.mode) == (TEMPLATE % (module, root, call), 0o755)
    check_record(found)


def test_a_generated_script_runs(store: Store) -> None:
    """The script's own lines, run by this interpreter against a module in the way."""
    found = installed(
        store, make_wheel("demo", entry_points={"console_scripts": {"run": "demo:App.run"}})
    )
    module = "class App:\n    @staticmethod\n    def run():\n        return 7\n"
    prelude = f"import sys, types; m = types.ModuleType('demo'); exec({module!r}, m.__dict__)\n"
    script = prelude + "sys.modules['demo'] = m\n" + (found[f"{BIN}/run"].content or b"").decode()

    assert subprocess.run([sys.executable, "-I", "-c", script], check=False).returncode == 7


def test_other_groups_are_metadata_only(store: Store) -> None:
    points = {"pytest11": {"demo": "not a script at all"}, "console_scripts": {"demo": "demo:main"}}
    found = installed(store, make_wheel("demo", entry_points=points))

    assert [path for path in found if path.startswith(BIN)] == [f"{BIN}/demo"]


@pytest.mark.parametrize(
    "reference",
    ["demo", "demo:", ":main", "demo:main()", "demo main", "demo:a-b", "demo:a..b", ".demo:main",
     "demo:1a", "demo:main; import os", "demo:main\n os.system", "os:system #", ""],
)  # fmt: skip
def test_a_bad_reference_is_refused(store: Store, reference: str) -> None:
    made = make_wheel("demo", entry_points={"console_scripts": {"demo": reference}})
    refused(store, made, "entry")


@pytest.mark.parametrize("name", ["amdclang++", "2to3", "a_b-c.d"])
def test_script_names_are_those_of_programs(store: Store, name: str) -> None:
    found = installed(store, make_wheel("demo", entry_points={"console_scripts": {name: "a:b"}}))

    assert f"{BIN}/{name}" in found


@pytest.mark.parametrize("name", ["../demo", "a/b", "..", ".", "a b", "é"])
def test_a_bad_script_name_is_refused(store: Store, name: str) -> None:
    made = make_wheel("demo", entry_points={"console_scripts": {name: "demo:main"}})
    refused(store, made, "is no script")


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"demo = demo:main\n", b"[console_scripts\n", b"[console_scripts]\na\n",
     b"[console_scripts]\na = b:c\na = b:d\n", b"[console_scripts]\n[console_scripts]\n"],
)  # fmt: skip
def test_entry_points_that_cant_be_read_are_refused(store: Store, content: bytes) -> None:
    made = make_wheel("demo", extra_dist_info={"entry_points.txt": content})
    refused(store, made, "entry_points")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"#!python\nx\n", SHEBANG + b"\nx\n"),
        (b"#!pythonw\nx\n", SHEBANG + b"\nx\n"),
        (b"#!python3\nx\n", SHEBANG + b"\nx\n"),
        (b"#!python3.9 -E\nx\n", SHEBANG + b" -E\nx\n"),
        (b"#!python -O\r\nx\r\n", SHEBANG + b" -O\nx\r\n"),
        (b"#!python", SHEBANG),
        (b"#!python\n" + b"x" * 100_000, SHEBANG + b"\n" + b"x" * 100_000),
        (b"#!/usr/bin/env python\nx\n", b"#!/usr/bin/env python\nx\n"),
        (b"#! python\n", b"#! python\n"),
        (b"\x7fELF\x00binary", b"\x7fELF\x00binary"),
        (b"#!pyt", b"#!pyt"),
        (b"", b""),
    ],
)
@pytest.mark.parametrize("stored", [[], ["*"]], ids=["deflated", "stored"])
def test_shebangs_are_made_real(
    store: Store, before: bytes, after: bytes, stored: list[str]
) -> None:
    found = installed(store, make_wheel("demo", data={"scripts/tool": before}, stored=stored))

    assert (found[f"{BIN}/tool"].content, found[f"{BIN}/tool"].mode) == (after, 0o755)
    check_record(found)


def test_shebangs_elsewhere_stay(store: Store) -> None:
    found = installed(
        store,
        make_wheel("demo", files={"demo/x.py": b"#!python\n"}, data={"data/x": b"#!python\n"}),
    )

    assert found[f"{SITE}/demo/x.py"].content == found["opt/venv/x"].content == b"#!python\n"


def test_an_entry_point_wins_over_a_script_of_its_name(store: Store) -> None:
    made = make_wheel(
        "demo",
        data={"scripts/tool": b"#!python\nold\n"},
        entry_points={"console_scripts": {"tool": "demo:main"}},
    )
    found = installed(store, made)

    assert found[f"{BIN}/tool"].content == TEMPLATE % (b"demo", b"main", b"main")
    check_record(found)


# --- metadata


def test_record_is_the_wheels_own_and_our_lines_behind_it(store: Store) -> None:
    made = make_wheel("demo", entry_points={"console_scripts": {"demo": "demo:main"}})
    found = installed(store, made)

    own = wheel_file(made, "demo-1.0.dist-info/RECORD")
    record = found[f"{INFO}/RECORD"].content or b""
    assert record.startswith(own)
    added = [line.split(b",")[0] for line in record.removeprefix(own).splitlines()]
    assert added == [b"../../../bin/demo", b"demo-1.0.dist-info/INSTALLER"]
    check_record(found)


def test_records_stream_is_copied_too(store: Store) -> None:
    """The wheel's stream stays in the wheel, our lines are a member behind it."""
    made = make_wheel("demo", files={f"demo/{n:03}.py": b"%d" % n for n in range(200)})
    wheel = keep(store, made)
    realisation = make(recipe_of([wheel]), workshop(store))
    record = "demo-1.0.dist-info/RECORD"

    cut = [s for s in store.realisations.segments(realisation) if s.blob == wheel.sha256]
    assert len(wheel_file(made, record)) > 10_000
    assert max(segment.length for segment in cut) == stream_length(made, record)


def no_final_newline(rows: Sequence[Row], path: str) -> bytes:
    return right_record(rows, path).rstrip(b"\n")


def quoted(rows: Sequence[Row], path: str) -> bytes:
    out = io.StringIO(newline="")
    lines = [(name, f"sha256={urlsafe(content)}", len(content)) for name, content in rows]
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([*lines, (path, "", "")])
    return out.getvalue().encode()


FILES = {"demo/__init__.py": b"one", "demo/two.py": b"two"}


@pytest.mark.parametrize("record", [crlf_record, no_final_newline, quoted, right_record])
@pytest.mark.parametrize("data", [{}, {"scripts/tool": b"#!python\n"}], ids=["plain", "moved"])
def test_every_form_of_record_is_completed(
    store: Store, record: Record, data: dict[str, bytes]
) -> None:
    found = installed(store, make_wheel("demo", record=record, data=data, files=FILES))

    check_record(found)
    text = found[f"{INFO}/RECORD"].content or b""
    assert text.endswith(b"\n")
    assert b"\n\n" not in text


@pytest.mark.parametrize("data", [{}, {"scripts/tool": b"#!python\n"}], ids=["plain", "moved"])
def test_names_with_commas_and_quotes_stay_whole(store: Store, data: dict[str, bytes]) -> None:
    files = {"demo/a, b.py": b"x", 'demo/"c".py': b"y"}
    check_record(installed(store, make_wheel("demo", record=quoted, data=data, files=files)))


def test_record_with_data_names_the_places(store: Store) -> None:
    made = make_wheel("demo", files=FILES, data={"data/share/x": b"x", "purelib/y.py": b"y"})
    paths = [path for path, _, _ in rows_of(installed(store, made))]

    assert "../../../share/x" in paths
    assert "y.py" in paths
    assert not [path for path in paths if ".data/" in path]


def test_the_installer_is_basestore(store: Store) -> None:
    found = installed(store, make_wheel("demo"))

    assert found[f"{INFO}/INSTALLER"].content == b"basestore\n"
    names = {path.removeprefix(f"{INFO}/") for path in found if path.startswith(INFO)}
    assert names == {"METADATA", "WHEEL", "RECORD", "INSTALLER"}


def test_an_installer_in_the_wheel_gives_way(store: Store) -> None:
    found = installed(store, make_wheel("demo", extra_dist_info={"INSTALLER": b"somebody else\n"}))

    assert found[f"{INFO}/INSTALLER"].content == b"basestore\n"
    check_record(found)


def test_vendored_metadata_is_data(store: Store) -> None:
    inner = {"demo/_vendor/other-2.0.dist-info/RECORD": b"x,,\n", "demo/__init__.py": b""}
    found = installed(store, make_wheel("demo", files=inner))

    assert f"{SITE}/demo/_vendor/other-2.0.dist-info/RECORD" in found
    check_record(found)


def test_signatures_need_no_line(store: Store) -> None:
    made = make_wheel(
        "demo",
        extra_dist_info={"RECORD.jws": b"{}", "RECORD.p7s": b"p"},
        record=record_without("demo-1.0.dist-info/RECORD.jws"),
    )

    assert f"{INFO}/RECORD.jws" in installed(store, made)


def test_wrong_hashes_are_not_looked_at_in_a_build(store: Store) -> None:
    made = make_wheel("demo", record=record_with_wrong_hash("demo/__init__.py"))

    assert f"{SITE}/demo/__init__.py" in installed(store, made)


# --- refused


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (record_without("demo/__init__.py"), "doesn't list demo/__init__.py"),
        (record_with("demo/ghost.py"), "lists demo/ghost.py, which it doesn't hold"),
        (record_with("../../../etc/passwd"), "doesn't hold"),
        (lambda rows, path: right_record(rows, path) * 2, "twice"),
        (lambda rows, path: b"demo/__init__.py\n", "three fields"),
        (lambda rows, path: b"\xff", "can't be read"),
        (lambda rows, path: b'"open', "can't be read"),
        (lambda rows, path: b"x" * 200_000, "can't be read"),
        (lambda rows, path: b"", "doesn't list"),
    ],
)
def test_a_record_that_isnt_the_wheels_is_refused(
    store: Store, record: Record, reason: str
) -> None:
    refused(store, make_wheel("demo", record=record), reason)


def rezipped(made: MadeWheel, drop: str = "", **more: bytes) -> MadeWheel:
    """The wheel's files without one, or with others."""
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        rows = [(name, archive.read(name)) for name in archive.namelist() if name != drop]
    return replace(made, data=make_zip([*rows, *more.items()]))


@pytest.mark.parametrize("name", ["WHEEL", "RECORD"])
def test_missing_metadata_is_refused(store: Store, name: str) -> None:
    refused(store, rezipped(make_wheel("demo"), f"demo-1.0.dist-info/{name}"), name)


def test_no_and_two_dist_infos_are_refused(store: Store) -> None:
    empty = MadeWheel("demo-1.0-py3-none-any.whl", make_zip([("demo/__init__.py", b"")]))
    refused(store, empty, "0 top-level")
    refused(store, rezipped(make_wheel("demo"), **{"b-2.dist-info/METADATA": b""}), "2 top-level")


def test_an_archive_of_nothing_is_refused(store: Store) -> None:
    refused(store, MadeWheel("demo-1.0-py3-none-any.whl", make_zip([])), "0 top-level")


@pytest.mark.parametrize("other", [("demo", "2.0"), ("other", "1.0")])
def test_another_distribution_than_locked_is_refused(store: Store, other: tuple[str, str]) -> None:
    made = make_wheel(*other)
    refused(store, replace(made, file="demo-1.0-py3-none-any.whl"), "is not of demo 1.0")


@pytest.mark.parametrize(
    ("name", "version", "locked"),
    [("Demo.Pkg", "1.0", "demo-pkg"), ("demo", "1.0.0+cpu", "demo"), ("demo", "2.0.post1", "demo")],
)
def test_names_and_versions_are_compared_as_the_standards_have_it(
    store: Store, name: str, version: str, locked: str
) -> None:
    made = make_wheel(name, version)
    wheel = replace(keep(store, made), name=locked)

    assert make(recipe_of([wheel]), workshop(store)).size


@pytest.mark.parametrize("version", [b"2.0", b"", b"x", b"\xff", b"0.9"])
def test_an_unknown_wheel_version_is_refused(store: Store, version: bytes) -> None:
    made = make_wheel("demo")
    wheel = wheel_file(made, "demo-1.0.dist-info/WHEEL").replace(b"1.0", version, 1)
    changed = rezipped(made, "demo-1.0.dist-info/WHEEL", **{"demo-1.0.dist-info/WHEEL": wheel})
    refused(store, changed, "Wheel-Version")


def test_wheel_version_1_9_is_taken(store: Store) -> None:
    made = make_wheel("demo")
    wheel = wheel_file(made, "demo-1.0.dist-info/WHEEL").replace(b"1.0", b"1.9", 1)
    changed = rezipped(made, "demo-1.0.dist-info/WHEEL", **{"demo-1.0.dist-info/WHEEL": wheel})

    assert installed(store, changed)


def by_items(*broken: Item, wrong_crc: str = "") -> MadeWheel:
    """A wheel of these files with right metadata, or a wrong CRC-32 of one of its files."""
    rows = [(item.name, item.content) for item in broken]
    info = "demo-1.0.dist-info"
    rows += [(f"{info}/METADATA", b"Name: demo\n"), (f"{info}/WHEEL", b"Wheel-Version: 1.0\n")]
    rows.append((f"{info}/RECORD", right_record(rows, f"{info}/RECORD")))
    items = [*broken, *(Item(name, content) for name, content in rows[len(broken) :])]
    lie = {"crc32": 7}
    items = [
        replace(item, local=lie, central=lie) if item.name.endswith(f"/{wrong_crc}") else item
        for item in items
    ]
    return MadeWheel("demo-1.0-py3-none-any.whl", zip_bytes(items))


@pytest.mark.parametrize("stream", [b"\x03\x00", b"\x01\x00\x00\xff\xff", deflated(b"")])
def test_an_empty_file_may_have_any_empty_stream(store: Store, stream: bytes) -> None:
    assert installed(store, by_items(Item("x", data=stream)))[f"{SITE}/x"].content == b""


@pytest.mark.parametrize("stream", [deflated(b"hidden"), b"\x03\x00hidden", b"hidden", b"\x03"])
def test_an_empty_file_hides_nothing(store: Store, stream: bytes) -> None:
    refused(store, by_items(Item("x", data=stream)), "x")


def test_an_empty_file_has_the_crc_of_nothing(store: Store) -> None:
    lie = {"crc32": 7}
    refused(store, by_items(Item("x", local=lie, central=lie)), "CRC-32")


@pytest.mark.parametrize("name", ["RECORD", "WHEEL", "entry_points.txt"])
def test_broken_metadata_names_the_wheel(store: Store, name: str) -> None:
    points = Item("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\n")
    refused(store, by_items(points, wrong_crc=name), name)


def test_a_broken_script_names_the_wheel(store: Store) -> None:
    item = Item("demo-1.0.data/scripts/x", b"#!python\n", data=b"\xff" * 20)
    refused(store, by_items(item), "no deflate stream")


def test_a_broken_file_is_named(store: Store) -> None:
    with pytest.raises(BrokenStreamError, match=rf"^demo-1.*whl is refused: {SITE}/demo/x\.py: "):
        installed(store, by_items(Item("demo/x.py", b"content", data=deflated(b"another"))))


def test_of_several_wheels_the_broken_one_is_named(store: Store) -> None:
    broken = by_items(Item("demo/x.py", b"content", data=deflated(b"another")))
    with pytest.raises(BrokenStreamError) as caught:
        installed(store, make_wheel("aaa"), broken, make_wheel("zzz"))
    assert (caught.value.file, caught.value.path) == (broken.file, f"{SITE}/demo/x.py")


def test_one_path_twice_in_a_wheel_is_refused(store: Store) -> None:
    made = make_wheel("demo", files={"x.py": b"1"}, data={"purelib/x.py": b"2"})
    with pytest.raises(PathConflictError, match="demo and demo both bring"):
        installed(store, made)


def test_a_file_in_the_place_of_a_folder_is_refused(store: Store) -> None:
    made = make_wheel("demo", files={"demo/x.py": b"1"}, data={"purelib/demo": b"2"})
    with pytest.raises(PathConflictError) as caught:
        installed(store, made)
    assert caught.value.path == f"{SITE}/demo"
    assert caught.value.packages == ("demo", "demo")


# --- beside pip

WHEELS = [
    make_wheel(
        "demo",
        files={
            "demo/__init__.py": b"def main():\n    return 0\n",
            "demo/run.sh": b"#!/bin/sh\n",
            "demo/empty": b"",
            "demo/été.txt": b"e",
            "space/one/mod.py": b"",
        },
        data={
            "scripts/old": b"#!python\nprint(1)\n",
            "scripts/windowed": b"#!pythonw\nprint(2)\n",
            "scripts/shell": b"#!/bin/sh\necho 3\n",
            "headers/demo.h": b"#pragma once\n",
            "data/share/demo/x.txt": b"x",
            "data/share/demo/run": b"x",
            "purelib/extra.py": b"",
            "platlib/extra2.py": b"",
        },
        executable=["demo/run.sh", "demo-1.0.data/data/share/demo/run",
                    *(f"demo-1.0.data/scripts/{name}" for name in ("old", "windowed", "shell"))],
        entry_points={"console_scripts": {"demo-run": "demo:main"}, "gui_scripts": {"g": "a:b"}},
    ),
    make_wheel("space.two", "2.0", files={"space/two/mod.py": b"2"}, purelib=False),
    make_wheel("plain", "0.1", record=crlf_record, extra_dist_info={"licenses/LICENSE": b"free"}),
]  # fmt: skip
GENERATED = {"bin/demo-run", "bin/g"}


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment into which pip installed the wheels."""
    folder = tmp_path_factory.mktemp("pip")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    paths = [wheel.write(folder / "wheels") for wheel in WHEELS]
    target = folder / "venv" / "bin" / "python"
    options = ["--isolated", "--disable-pip-version-check", "--no-cache-dir", "--no-color"]
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-compile", *map(str, paths)]
    command = [sys.executable, "-m", "pip", "--python", str(target), *options, *install]
    subprocess.run(command, check=True, umask=0o022)
    return folder / "venv"


def test_path_mode_and_content_are_pips(store: Store, pips: Path) -> None:
    """But for RECORD, INSTALLER, what says that a user asked for it, and the scripts' bytes."""
    site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    prefix = f"#!{pips}/bin/python".encode()
    theirs = {}
    for path in pips.rglob("*"):
        name = path.relative_to(pips).as_posix()
        if path.is_symlink() or not path.is_file() or name.startswith("bin/activate"):
            continue
        if name == "pyvenv.cfg" or name.startswith("bin/Activate") or name == ".gitignore":
            continue
        content = path.read_bytes().replace(prefix, SHEBANG)
        theirs[name.replace(site, "SITE")] = (path.stat().st_mode & 0o777, content)
    ours = {
        path.removeprefix("opt/venv/")
        .replace("lib/python3.11/site-packages", "SITE")
        .replace("site/python3.11", f"site/{site.split('/')[1]}"): (
            member.mode,
            member.content,
        )
        for path, member in installed(store, *WHEELS).items()
    }

    own = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    differing = {
        name
        for name in theirs.keys() | ours.keys()
        if theirs.get(name) != ours.get(name) and not name.endswith(own)
    }
    assert differing == GENERATED
    for name in GENERATED:
        assert theirs[name][0] == ours[name][0]
        assert theirs[name][1].splitlines()[0] == ours[name][1].splitlines()[0]
    extra = {name.rpartition("/")[2] for name in theirs.keys() - ours.keys()}
    assert extra == {"REQUESTED", "direct_url.json"}
    assert ours.keys() <= theirs.keys()


def test_every_record_beside_pips_is_right(store: Store) -> None:
    found = installed(store, *WHEELS)
    for stem in ("demo-1.0", "space_two-2.0", "plain-0.1"):
        info = f"{SITE}/{stem}.dist-info"
        listed = {posixpath.normpath(f"{SITE}/{path}") for path, _, _ in rows_of(found, info)}
        check_record({path: found[path] for path in listed}, info)
        assert {path for path in found if path.startswith(info)} <= listed
