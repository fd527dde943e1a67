import os

import debbytes as d
import pytest

from basestore.errors import ExitCode
from basestore.layer.entry import Kind
from basestore.layer.foundation.tree import PathConflictError, Tree
from basestore.layer.foundation.unpack import WrongPackageError, unpack_all
from basestore.lock.model import Deb


@pytest.fixture
def blobs(tmp_path):
    return d.blobs_in(tmp_path)


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "root").mkdir()
    return Tree(tmp_path / "root")


def test_paths_move_below_usr_and_the_links_appear(blobs, tree):
    items = [
        d.folder("bin"),
        d.file("bin/tool", b"#!/bin/sh\n", 0o755),
        d.folder("lib64"),
        d.symlink("lib64/ld.so", "/lib/ld.so"),
        d.folder("var/lock", 0o1777),
        d.folder("library"),
    ]
    unpack_all([d.stock(blobs, "tool", items)], blobs, tree)
    links = {p: n.target for p, n in tree.nodes.items() if n.kind is Kind.SYMLINK}
    assert links == {
        "bin": "usr/bin",
        "lib": "usr/lib",
        "lib64": "usr/lib64",
        "sbin": "usr/sbin",
        "usr/lib64/ld.so": "/lib/ld.so",
    }
    assert tree.nodes["run/lock"].mode == 0o1777
    assert "library" in tree
    assert tree.read("/bin/tool") == b"#!/bin/sh\n"


def test_dpkgs_list_has_the_paths_as_the_package_has_them(blobs, tree):
    [package] = unpack_all(
        [d.stock(blobs, "tool", [d.folder("bin"), d.file("bin/t")])], blobs, tree
    )
    assert package.paths == ("/.", "/bin", "/bin/t")


def test_a_package_may_bring_the_links_of_merged_usr(blobs, tree):
    items = [d.symlink("bin", "usr/bin"), d.symlink("lib64", "/usr/lib64"), d.folder("usr/bin")]
    unpack_all([d.stock(blobs, "base-files", items)], blobs, tree)
    assert tree.nodes["bin"].target == "usr/bin"
    assert tree.nodes["usr/bin"].kind is Kind.FOLDER


def test_modes_and_owners_are_the_packages_whatever_the_umask(blobs, tree):
    items = [
        d.folder("var/mail", 0o2775, (0, 8)),
        d.file("bin/su", b"s", 0o4755, (0, 42)),
        d.hardlink("bin/su2", "bin/su"),
    ]
    before = os.umask(0o077)
    try:
        unpack_all([d.stock(blobs, "login", items)], blobs, tree)
    finally:
        os.umask(before)
    entries = {entry.path: entry for entry in tree.entries()}
    assert (entries["var/mail"].mode, entries["var/mail"].gid) == (0o2775, 8)
    assert (entries["usr/bin/su"].mode, entries["usr/bin/su"].gid) == (0o4755, 42)
    assert (entries["usr/bin/su2"].mode, entries["usr/bin/su2"].target) == (0o4755, "usr/bin/su")


def test_of_a_shared_folder_base_files_has_the_say(blobs, tree):
    debs = [
        d.stock(blobs, "aaa", [d.folder("tmp", 0o755)]),
        d.stock(blobs, "base-files", [d.folder("tmp", 0o1777)]),
    ]
    unpack_all(debs, blobs, tree)
    assert tree.nodes["tmp"].mode == 0o1777


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (d.file("etc/x", b"1"), d.file("etc/x", b"2")),
        (d.file("etc/x", b"1"), d.file("etc/x", b"")),
        (d.file("etc/x", b"1"), d.folder("etc/x")),
        (d.symlink("etc/x", "a"), d.symlink("etc/x", "b")),
        (d.symlink("etc/x", "a"), d.file("etc/x/y", b"2")),
        (d.file("bin/x", b"1"), d.file("usr/bin/x", b"2")),
    ],
)
def test_two_packages_with_one_path_are_both_named(blobs, tree, one, other):
    debs = [d.stock(blobs, "pkg-b", [other]), d.stock(blobs, "pkg-a", [one])]
    with pytest.raises(PathConflictError) as caught:
        unpack_all(debs, blobs, tree)
    assert caught.value.packages == ("pkg-a", "pkg-b")


@pytest.mark.parametrize(
    "item", [d.file("etc/x", b"1"), d.symlink("etc/x", "a"), d.folder("etc/x")]
)
def test_the_same_thing_twice_is_no_conflict(blobs, tree, item):
    unpack_all([d.stock(blobs, "one", [item]), d.stock(blobs, "two", [item])], blobs, tree)
    assert tree.nodes["etc/x"].owner == "one"


def test_a_package_that_is_another_one_is_refused(blobs, tree):
    deb = d.stock(blobs, "real")
    wrong = Deb("locked", deb.version, deb.architecture, deb.size, deb.sha256)
    with pytest.raises(WrongPackageError) as caught:
        unpack_all([wrong], blobs, tree)
    assert "locked 1.0-1 (amd64) is real 1.0-1 (amd64)" in caught.value.message
    assert caught.value.exit_code is ExitCode.INTEGRITY
