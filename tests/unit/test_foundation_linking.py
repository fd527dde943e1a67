"""ldconfig's links and cache, and the search for needed libraries, over tiny ELF files."""

import io
import shutil
import subprocess
from dataclasses import replace

import debbytes as d
import pytest

from basestore.errors import ExitCode
from basestore.layer.elf import Elf, read_elf
from basestore.layer.foundation.ldconfig import library_folders, run_ldconfig
from basestore.layer.foundation.linking import check_linking, linker, missing_libraries
from basestore.layer.foundation.tree import Tree
from basestore.layer.needed import MissingLibraryError
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
LIBRARIES = "usr/lib/x86_64-linux-gnu"


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.add_folder("usr/lib")
    made.add_symlink("lib", "usr/lib")
    made.add_file("etc/ld.so.conf", b"include /etc/ld.so.conf.d/*.conf\n")
    made.add_file(
        "etc/ld.so.conf.d/b.conf",
        b"# multiarch\n/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n",
    )
    made.add_file("etc/ld.so.conf.d/a.conf", b"/usr/local/lib/\n/opt/none\n")
    made.add_folder("usr/local/lib")
    made.add_folder(LIBRARIES)
    return made


def add(tree, path, **elf):
    tree.add_file(path, d.elf(**elf))
    tree.nodes[path] = replace(tree.nodes[path], elf=True, owner="pkg")


def cached(tree) -> list[str]:
    """What the cache holds, by the strings in it; each path's entry is tested elsewhere."""
    data = tree.read("etc/ld.so.cache")
    count = int.from_bytes(data[20:24], "little")
    values = [
        int.from_bytes(data[at + 8 : at + 12], "little") for at in range(48, 48 + 24 * count, 24)
    ]
    return [data[at : data.index(b"\0", at)].decode() for at in values]


def test_folders_come_in_the_order_of_the_configuration_each_once(tree):
    assert library_folders(tree) == ["/usr/local/lib", "/lib/x86_64-linux-gnu", "/lib"]


def test_sonames_get_links_to_the_newest_file(tree):
    for version in ("1.9.0", "1.10.0"):
        add(tree, f"{LIBRARIES}/libz.so.{version}", soname="libz.so.1")
    run_ldconfig(tree, AMD64)
    assert tree.nodes[f"{LIBRARIES}/libz.so.1"].target == "libz.so.1.10.0"
    assert cached(tree) == ["/lib/x86_64-linux-gnu/libz.so.1"]


def test_links_of_packages_stay(tree):
    add(tree, f"{LIBRARIES}/libz.so.1.2", soname="libz.so.1")
    tree.add_symlink(f"{LIBRARIES}/libz.so.1", "libz.so.1.2")
    tree.add_symlink(f"{LIBRARIES}/libz.so", "libz.so.1")
    before = dict(tree.nodes)
    run_ldconfig(tree, AMD64)
    assert {path for path in tree.nodes if path not in before} == {"etc/ld.so.cache"}
    assert cached(tree) == ["/lib/x86_64-linux-gnu/libz.so.1", "/lib/x86_64-linux-gnu/libz.so"]


def test_links_through_alternatives_count(tree):
    add(tree, f"{LIBRARIES}/blas/libblas.so.3", soname="libblas.so.3")
    tree.add_symlink("etc/alternatives/blas", f"/{LIBRARIES}/blas/libblas.so.3")
    tree.add_symlink(f"{LIBRARIES}/libblas.so.3", "/etc/alternatives/blas")
    run_ldconfig(tree, AMD64)
    assert cached(tree) == ["/lib/x86_64-linux-gnu/libblas.so.3"]


def test_files_without_soname_and_special_ones(tree):
    add(tree, f"{LIBRARIES}/libplain.so")
    add(tree, f"{LIBRARIES}/libother.so.1", soname="libother.so.1", machine=183)
    add(tree, f"{LIBRARIES}/module.so", soname="module.so")
    tree.add_file(f"{LIBRARIES}/libscript.so", b"INPUT(libc.so.6)")
    tree.add_file(f"{LIBRARIES}/libz.so.1-gdb.py", b"")
    add(tree, f"{LIBRARIES}/glibc-hwcaps/x86-64-v3/libfast.so.1.2", soname="libfast.so.1")
    run_ldconfig(tree, AMD64)
    assert cached(tree) == [
        "/lib/x86_64-linux-gnu/libplain.so",
        "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libfast.so.1.2",
    ]
    run_ldconfig(tree, ARM64)
    assert cached(tree) == ["/lib/x86_64-linux-gnu/libother.so.1"]


@pytest.mark.skipif(shutil.which("/sbin/ldconfig") is None, reason="the host has no ldconfig")
def test_the_real_ldconfig_reads_the_cache(tree):
    for name in ("libz.so.1", "liba-10.so.2", "liba-9.so.2"):
        add(tree, f"{LIBRARIES}/{name}", soname=name)
    add(tree, "usr/local/lib/libz.so.1", soname="libz.so.1")
    run_ldconfig(tree, AMD64)
    done = subprocess.run(
        ["/sbin/ldconfig", "-p", "-C", str(tree.root / "etc/ld.so.cache")],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C"},
    )
    assert [line.split() for line in done.stdout.splitlines()[1:5]] == [
        ["libz.so.1", "(libc6,x86-64)", "=>", "/usr/local/lib/libz.so.1"],
        ["libz.so.1", "(libc6,x86-64)", "=>", "/lib/x86_64-linux-gnu/libz.so.1"],
        ["liba-10.so.2", "(libc6,x86-64)", "=>", "/lib/x86_64-linux-gnu/liba-10.so.2"],
        ["liba-9.so.2", "(libc6,x86-64)", "=>", "/lib/x86_64-linux-gnu/liba-9.so.2"],
    ]


def test_what_a_program_needs_in_vain_is_named(tree):
    add(tree, "usr/bin/tool", needed=["libz.so.1", "libgone.so.3"])
    add(tree, f"{LIBRARIES}/libz.so.1", soname="libz.so.1", needed=["libalso.so.2"])
    with pytest.raises(MissingLibraryError) as caught:
        check_linking(tree, AMD64)
    error = caught.value
    assert error.exit_code is ExitCode.BAD_INPUT
    assert error.message.startswith("/usr/bin/tool of pkg needs libgone.so.3,")
    assert "1 more" in error.message
    assert "libgone.so.3" in error.hint
    assert [(found.path, found.library) for found in error.missing] == [
        ("/usr/bin/tool", "libgone.so.3"),
        (f"/{LIBRARIES}/libz.so.1", "libalso.so.2"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "usr/bin/x",
        "usr/sbin/x",
        "usr/lib/python3.11/lib-dynload/x.so",
        f"{LIBRARIES}/libx.so.1",
        "usr/local/lib/libx.so",
    ],
)
def test_programs_libraries_and_modules_must_be_complete(tree, path):
    add(tree, path, needed=["libgone.so.3"])
    with pytest.raises(MissingLibraryError):
        check_linking(tree, AMD64)


def test_plugins_may_be_incomplete_but_are_listed(tree):
    add(tree, f"{LIBRARIES}/caca/libgl_plugin.so", needed=["libGLU.so.1"])
    check_linking(tree, AMD64)
    [found] = missing_libraries(tree, AMD64)
    assert (found.path, found.library) == (f"/{LIBRARIES}/caca/libgl_plugin.so", "libGLU.so.1")


@pytest.mark.parametrize(
    "runpath", ["$ORIGIN/../private", "/opt/app/private", "${ORIGIN}/../private:"]
)
def test_a_file_has_its_own_search_path(tree, runpath):
    add(tree, "opt/app/private/libp.so.1", soname="odd-soname")
    tree.add_folder("opt/app/bin")
    # Without the names of all libraries only the search can find it.
    view = replace(linker(tree, AMD64), names=frozenset())
    elf = read(d.elf(needed=["libp.so.1"], runpath=runpath))
    assert list(view.missing("/opt/app/bin/tool", elf)) == []
    assert [
        m.library for m in view.missing("/opt/other/tool", read(d.elf(needed=["libp.so.1"])))
    ] == ["libp.so.1"]


def read(data: bytes) -> Elf:
    elf = read_elf(io.BytesIO(data))
    assert elf is not None
    return elf


def test_a_wheels_library_can_be_asked_for_against_a_foundation(tree):
    add(tree, f"{LIBRARIES}/libgomp.so.1", soname="libgomp.so.1")
    view = linker(tree, AMD64)
    elf = read(d.elf(needed=["libgomp.so.1", "libcuda.so.1"]))
    assert [m.library for m in view.missing("/opt/venv/lib/x.so", elf)] == ["libcuda.so.1"]


def test_a_library_of_another_machine_helps_nobody(tree):
    add(tree, f"{LIBRARIES}/libz.so.1", soname="libz.so.1", machine=183)
    add(tree, "usr/bin/tool", needed=["libz.so.1"])
    with pytest.raises(MissingLibraryError):
        check_linking(tree, AMD64)
    check_linking(tree, ARM64)
