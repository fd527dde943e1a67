"""Accounts, dpkg's database, the system's folders, and the environment."""

import shutil
import subprocess

import debbytes as d
import pytest

from basestore.errors import ExitCode
from basestore.layer.entry import Kind
from basestore.layer.foundation.accounts import make_accounts
from basestore.layer.foundation.database import make_database
from basestore.layer.foundation.system import make_system
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.unpack import unpack_all
from basestore.layer.foundation.venv import NoPythonError, make_venv


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "root").mkdir()
    return Tree(tmp_path / "root")


@pytest.fixture
def blobs(tmp_path):
    return d.blobs_in(tmp_path)


def text(tree, path):
    return (tree.read(path) or b"").decode()


MASTERS = {
    "usr/share/base-passwd/passwd.master": b"root:*:0:0:root:/root:/bin/bash\nbin:*:2:2::/bin:/x\n",
    "usr/share/base-passwd/group.master": b"root:*:0:\nsudo:*:27:\n",
}


def test_accounts_are_base_passwds(tree):
    for path, data in MASTERS.items():
        tree.add_file(path, data)
    make_accounts(tree, ["base-passwd"])
    assert [tree.read("etc/passwd"), tree.read("etc/group")] == list(MASTERS.values())
    assert "etc/shadow" not in tree


def test_with_passwd_installed_secrets_are_in_shadow_and_have_no_date(tree):
    for path, data in MASTERS.items():
        tree.add_file(path, data)
    make_accounts(tree, ["base-passwd", "passwd"])
    assert text(tree, "etc/passwd") == "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2::/bin:/x\n"
    assert text(tree, "etc/group") == "root:x:0:\nsudo:x:27:\n"
    assert text(tree, "etc/shadow") == "root:*::0:99999:7:::\nbin:*::0:99999:7:::\n"
    assert text(tree, "etc/gshadow") == "root:*::\nsudo:*::\n"
    assert [(tree.nodes[p].mode, tree.nodes[p].gid) for p in ("etc/shadow", "etc/gshadow")] == [
        (0o640, 42)
    ] * 2


def test_without_base_passwd_there_are_root_and_nobody(tree):
    make_accounts(tree, [])
    assert [line.split(":")[:3] for line in text(tree, "etc/passwd").splitlines()] == [
        ["root", "*", "0"],
        ["nobody", "*", "65534"],
    ]


PACKAGES = {
    "libz": (
        [d.folder("usr/lib"), d.file("usr/lib/libz.so.1", b"z")],
        {
            "md5sums": b"fbade9e36a3f36d3d676c1b808451dd7  usr/lib/libz.so.1\n",
            "postinst": b"#!/bin/sh\n",
        },
        "Multi-Arch: same\nHomepage: https://example.com\nEssential: yes\n",
    ),
    "etc": (
        [
            d.folder("etc"),
            d.file("etc/etc.conf", b"key\n"),
            d.file("etc/gone"),
            d.file("etc/empty"),
        ],
        {
            "conffiles": b"/etc/etc.conf\nremove-on-upgrade /etc/gone\n",
            "triggers": b"# why\ninterest-noawait /usr/share/x\ninterest other\nactivate ld\n",
        },
        "",
    ),
}


@pytest.fixture
def database(blobs, tree):
    debs = [d.stock(blobs, name, i, files=f, more=m) for name, (i, f, m) in PACKAGES.items()]
    make_database(tree, unpack_all(debs, blobs, tree))
    return tree


def test_status_is_in_dpkgs_form(database):
    assert text(database, "var/lib/dpkg/status") == (
        "Package: etc\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.com>\n"
        "Architecture: amd64\nVersion: 1.0-1\n"
        "Conffiles:\n /etc/etc.conf 146c07ef2479cedcd54c7c2af5cf3a80\n"
        "Description: etc\n Longer.\n\n"
        "Package: libz\nEssential: yes\nStatus: install ok installed\n"
        "Maintainer: Nobody <nobody@example.com>\nArchitecture: amd64\nMulti-Arch: same\n"
        "Version: 1.0-1\nDescription: libz\n Longer.\nHomepage: https://example.com\n\n"
    )


def test_info_has_lists_and_scripts(database):
    info = "var/lib/dpkg/info"
    assert database.names(info) == [
        "etc.conffiles",
        "etc.list",
        "etc.md5sums",
        "etc.triggers",
        "format",
        "libz:amd64.list",
        "libz:amd64.md5sums",
        "libz:amd64.postinst",
    ]
    assert text(database, f"{info}/libz:amd64.list") == "/.\n/usr/lib\n/usr/lib/libz.so.1\n"
    assert database.nodes[f"{info}/libz:amd64.postinst"].mode == 0o755
    assert database.nodes[f"{info}/libz:amd64.md5sums"].mode == 0o644


def test_a_package_without_md5sums_gets_those_of_its_files_but_conffiles(database):
    made = text(database, "var/lib/dpkg/info/etc.md5sums")
    assert made == "d41d8cd98f00b204e9800998ecf8427e  etc/empty\n"


def test_triggers_tell_who_waits(database):
    folder = "var/lib/dpkg/triggers"
    assert {name: text(database, f"{folder}/{name}") for name in database.names(folder)} == {
        "File": "/usr/share/x etc/noawait\n",
        "Unincorp": "",
        "other": "etc\n",
    }


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="the host has no dpkg")
def test_dpkg_itself_finds_nothing_wrong(database):
    root = f"--root={database.root}"
    for check in ("--audit", "--verify"):
        done = subprocess.run(["dpkg", root, check], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (database.root / "etc/etc.conf").write_bytes(b"changed\n")
    done = subprocess.run(["dpkg", root, "--verify"], capture_output=True, text=True, check=False)
    assert "/etc/etc.conf" in done.stdout


def test_folders_have_their_modes_and_groups(tree):
    make_system(tree)
    modes = {path: (tree.nodes[path].mode, tree.nodes[path].gid) for path in tree.nodes}
    assert modes["tmp"] == modes["var/tmp"] == modes["run/lock"] == (0o1777, 0)
    assert modes["root"] == (0o700, 0)
    assert modes["var/mail"] == (0o2775, 8)
    assert {path: tree.nodes[path].target for path in tree.nodes if tree.is_symlink(path)} == {
        "usr/local/man": "share/man",
        "var/lock": "/run/lock",
        "var/run": "/run",
        "var/spool/mail": "../mail",
    }
    assert {"dev", "proc", "sys"} <= set(tree.nodes)


def test_the_runtimes_own_files_are_left_to_it(tree):
    tree.add_file("etc/protocols", b"")
    make_system(tree)
    assert text(tree, "etc/networks").startswith("default\t\t0.0.0.0\n")
    assert not {"etc/hosts", "etc/hostname", "etc/resolv.conf"} & set(tree.nodes)


def test_defaults_are_copied_where_nothing_is(tree):
    tree.add_file("usr/share/base-files/dot.bashrc", b"bash")
    tree.add_file("usr/share/base-files/profile", b"default")
    tree.add_file("usr/share/libc-bin/nsswitch.conf", b"passwd: files")
    tree.add_file("etc/profile", b"mine")
    make_system(tree)
    assert tree.read("root/.bashrc") == b"bash"
    assert tree.read("etc/nsswitch.conf") == b"passwd: files"
    assert tree.read("etc/profile") == b"mine"
    assert (tree.nodes["var/log/wtmp"].mode, tree.nodes["var/log/wtmp"].gid) == (0o664, 43)


def test_shells_by_both_of_their_names(tree):
    tree.add_symlink("bin", "usr/bin")
    tree.add_folder("usr/bin")
    tree.add_file("usr/share/debianutils/shells", b"# shells\n/bin/sh\n")
    tree.add_file("usr/share/debianutils/shells.d/dash", b"/bin/dash # small\n")
    make_system(tree)
    expected = "/bin/sh\n/usr/bin/sh\n/bin/dash\n/usr/bin/dash\n"
    assert text(tree, "etc/shells") == f"# shells\n{expected}"
    assert text(tree, "var/lib/shells.state") == expected


def test_the_time_zone_is_utc_where_tzdata_is(tree):
    make_system(tree)
    assert "etc/localtime" not in tree
    tree.add_file("usr/share/zoneinfo/Etc/UTC", b"TZif")
    make_system(tree)
    assert tree.read("etc/localtime") == b"TZif"
    assert text(tree, "etc/timezone") == "Etc/UTC\n"


def test_the_environment_is_what_venv_would_make(tree):
    tree.add_file("usr/bin/python3.11", b"", 0o755)
    make_venv(tree, "3.11.2")
    below = {p: tree.nodes[p] for p in tree.below("opt/venv")}
    assert {p.removeprefix("opt/venv/"): n.target for p, n in below.items() if n.target} == {
        "bin/python": "/usr/bin/python3.11",
        "bin/python3": "python",
        "bin/python3.11": "python",
        "lib64": "lib",
    }
    assert below["opt/venv/lib/python3.11/site-packages"].kind is Kind.FOLDER
    lines = dict(line.split(" = ") for line in text(tree, "opt/venv/pyvenv.cfg").splitlines())
    assert lines["home"] == "/usr/bin"
    assert lines["version"] == "3.11.2"
    assert lines["include-system-site-packages"] == "false"


def test_a_foundation_without_its_python_is_the_profiles_fault(tree):
    with pytest.raises(NoPythonError) as caught:
        make_venv(tree, "3.11.2")
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert "python3.11" in caught.value.hint
