"""What well-formed packages can hold that breaks whoever makes a system of them."""

import base64
from pathlib import Path

import debbytes as d
import pytest

from basestore.errors import BasestoreError, ExitCode
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.elf import MalformedElfError, read_elf
from basestore.layer.entry import Kind
from basestore.layer.foundation.alternatives import choices, make_alternatives
from basestore.layer.foundation.certificates import make_certificates
from basestore.layer.foundation.database import make_database
from basestore.layer.foundation.ldconfig import library_folders, run_ldconfig
from basestore.layer.foundation.system import make_system
from basestore.layer.foundation.tree import Node, PathConflictError, Tree, UnsafePathError
from basestore.layer.foundation.unpack import unpack_all
from basestore.layer.foundation.x509 import MalformedCertificateError, subject_hash
from basestore.target import Platform

AMD64 = Platform("amd64")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "root").mkdir()
    return Tree(tmp_path / "root")


def database(tree: Tree, folder: Path, **files: bytes) -> str:
    """dpkg's status with a package of these control files."""
    blobs = d.blobs_in(folder)
    made = d.stock(blobs, "pkg", [d.file("etc/pkg.conf", b"a = 1\n")], files=files)
    make_database(tree, unpack_all([made], blobs, tree))
    return (tree.read("var/lib/dpkg/status") or b"").decode()


# --- dpkg's database


def test_blank_lines_in_conffiles_are_passed_over(tree: Tree, tmp_path: Path) -> None:
    status = database(tree, tmp_path, conffiles=b"\n/etc/pkg.conf\n\n  \n")

    assert status.count("/etc/pkg.conf") == 1


@pytest.mark.parametrize("name", ["conffiles", "triggers"])
def test_control_files_that_are_no_text_are_refused(tree: Tree, tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedDebError, match=f"its {name} is not UTF-8") as caught:
        database(tree, tmp_path, **{name: b"/etc/\xff\n"})
    assert "pkg" in caught.value.message


# --- the tree


def test_a_file_in_the_place_of_a_folder_is_a_conflict(tree: Tree) -> None:
    tree.enter_folder("etc/passwd", Node(Kind.FOLDER, 0o755, owner="evil"))
    for add in (
        lambda: tree.add_file("etc/passwd", b""),
        lambda: tree.add_symlink("etc/passwd", "x"),
    ):
        with pytest.raises(PathConflictError, match="evil and basestore both hold /etc/passwd"):
            add()
    assert "etc/passwd" in tree


def test_a_package_can_make_that_folder(tree: Tree, tmp_path: Path) -> None:
    blobs = d.blobs_in(tmp_path)
    unpack_all([d.stock(blobs, "evil", [d.folder("etc"), d.folder("etc/timezone")])], blobs, tree)
    tree.add_file("usr/share/zoneinfo/Etc/UTC", b"TZif")
    with pytest.raises(PathConflictError, match="evil and basestore both hold /etc/timezone"):
        make_system(tree)


def test_a_folder_that_isnt_empty_becomes_no_link(tree: Tree) -> None:
    tree.add_file("var/run/x", b"")
    with pytest.raises(PathConflictError, match="/var/run"):
        tree.replace_empty_folder("var/run", "/run")


@pytest.mark.parametrize(
    "path", ["../evil", "usr/../../evil", "usr//x", "usr/.", "", "n" * 256, ".wh.etc"]
)
def test_no_path_leads_out_of_the_tree(tree: Tree, path: str) -> None:
    for add in (
        lambda: tree.add_file(path, b"x"),
        lambda: tree.add_symlink(path, "x"),
        lambda: tree.add_folder(path),
    ):
        with pytest.raises(UnsafePathError) as caught:
            add()
        assert caught.value.exit_code is ExitCode.INTEGRITY
    assert [p.name for p in tree.root.parent.iterdir()] == ["root"]


# --- libraries


@pytest.mark.parametrize(
    "soname", ["../../../evil/lib.so", "../lib.so", "..", "lib/../../so", ".wh.libc.so.6"]
)
def test_a_soname_that_leads_out_is_refused(tree: Tree, tmp_path: Path, soname: str) -> None:
    blobs = d.blobs_in(tmp_path)
    library = d.file("usr/lib/libevil.so.1", d.elf(soname=soname))
    unpack_all([d.stock(blobs, "evil", [library])], blobs, tree)
    with pytest.raises(BasestoreError) as caught:
        run_ldconfig(tree, AMD64)
    assert isinstance(caught.value, UnsafePathError)
    assert not (tmp_path / "evil").exists()


def test_a_soname_that_is_no_text_is_taken_as_it_reads(tree: Tree, tmp_path: Path) -> None:
    blobs = d.blobs_in(tmp_path)
    data = d.elf(soname="libSO.so").replace(b"libSO", b"lib\xff\xfe")
    unpack_all([d.stock(blobs, "odd", [d.file("usr/lib/libodd.so.1", data)])], blobs, tree)
    run_ldconfig(tree, AMD64)

    assert [entry.path.encode() for entry in tree.entries()]


def test_tables_beyond_every_file_are_malformed(tmp_path: Path) -> None:
    """An offset of 64 bits is more than a file's can be."""
    data = bytearray(d.elf(needed=["libc.so.6"]))
    data[32:40] = b"\xff" * 8
    (tmp_path / "elf").write_bytes(data)
    with (tmp_path / "elf").open("rb") as file, pytest.raises(MalformedElfError):
        read_elf(file)


def test_configurations_that_include_each_other_end(tree: Tree) -> None:
    """Each of 60 files includes all: to the eighth power, were they read each time."""
    tree.add_file("etc/ld.so.conf", b"include ld.d/*\n")
    for number in range(60):
        text = f"include ld.d/*\n/usr/lib/{number}\n"
        tree.add_file(f"etc/ld.d/{number:02}", text.encode())
        tree.add_folder(f"usr/lib/{number}")

    assert len(library_folders(tree)) == 61


# --- maintainer scripts, which are only read


def test_loops_in_loops_are_not_counted_out() -> None:
    words = " ".join(f"w{n}" for n in range(100))
    nested = "".join(f"for v{n} in {words}; do\n" for n in range(9))
    command = "update-alternatives --install /usr/bin/x x /usr/bin/$v1 1\n"

    assert list(choices(nested + command + "done\n" * 9)) == []


def test_a_priority_of_thousands_of_digits_is_none() -> None:
    command = f"update-alternatives --install /usr/bin/x x /usr/bin/y {'9' * 5000}\n"

    assert list(choices(command)) == []


def test_assignments_without_number_are_read_once() -> None:
    script = "".join(f"v{n}=x\n" for n in range(40_000))

    assert list(choices(script)) == []


@pytest.mark.parametrize("name", ["..", ".", "a/b"])
def test_alternatives_stay_in_their_folder(tree: Tree, name: str) -> None:
    tree.add_file("usr/bin/y", b"", 0o755)
    before = set(tree.nodes)
    script = f"update-alternatives --install /usr/bin/x {name} /usr/bin/y 1\n"
    make_alternatives(tree, [script.encode()])

    assert set(tree.nodes) == before


def test_shells_that_are_no_text_are_kept(tree: Tree) -> None:
    tree.add_file("usr/share/debianutils/shells", b"/bin/sh\n\xff\n")
    make_system(tree)

    assert (tree.read("etc/shells") or b"").startswith(b"/bin/sh\n\xff\n")


# --- certificates


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content


def certificate(subject: bytes) -> bytes:
    fields = [der(0x02, b"\1"), der(0x30), der(0x30), der(0x30), subject]
    return der(0x30, der(0x30, *fields))


ODD = {
    "an attribute without a value": certificate(der(0x30, der(0x31, der(0x30, der(0x06, b"U"))))),
    "an attribute of nothing": certificate(der(0x30, der(0x31, der(0x30)))),
    "an indefinite length": certificate(der(0x30, b"\x31\x80\0\0")),
    "a length of 127 bytes": certificate(der(0x30, b"\x31\xff" + b"\1" * 127)),
    "a length that ends": certificate(der(0x30, b"\x31\x84\1")),
    "a name that is no name": certificate(der(0x31)),
    "no fields": der(0x30, der(0x30)),
    "nothing": b"",
    "a tag alone": b"\x30",
}


@pytest.mark.parametrize("case", ODD)
def test_odd_certificates_are_passed_over(tree: Tree, case: str) -> None:
    with pytest.raises(MalformedCertificateError):
        subject_hash(ODD[case])
    pem = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n"
    tree.add_file("usr/share/ca-certificates/odd.crt", pem % base64.encodebytes(ODD[case]))
    make_certificates(tree)

    assert tree.names("etc/ssl/certs") == ["ca-certificates.crt", "odd.pem"]
