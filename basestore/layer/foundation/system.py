"""The rest of what Debian's own postinst scripts make: folders, links, defaults.

Each function stands for the scripts of one or a few packages and does nothing where their files
are not there. Files that a container's runtime writes (/etc/hosts, /etc/hostname,
/etc/resolv.conf) are not made.
"""

from basestore.layer.foundation.tree import Tree

# What the postinst of base-files, debianutils, libc-bin and readline-common copy, where missing.
_DEFAULTS = {
    "etc/inputrc": "usr/share/readline/inputrc",
    "etc/motd": "usr/share/base-files/motd",
    "etc/nsswitch.conf": "usr/share/libc-bin/nsswitch.conf",
    "etc/profile": "usr/share/base-files/profile",
    "etc/shells": "usr/share/debianutils/shells",
    "root/.bashrc": "usr/share/base-files/dot.bashrc",
    "root/.profile": "usr/share/base-files/dot.profile",
    "usr/share/info/dir": "usr/share/base-files/info.dir",
}

# Folders that every container needs or base-files' postinst makes, with modes and groups.
_MAIL, _UTMP = 8, 43
_FOLDERS = (
    ("dev", 0o755, 0),
    ("etc/opt", 0o755, 0),
    ("media", 0o755, 0),
    ("mnt", 0o755, 0),
    ("opt", 0o755, 0),
    ("proc", 0o755, 0),
    ("root", 0o700, 0),
    ("run/lock", 0o1777, 0),
    ("srv", 0o755, 0),
    ("sys", 0o755, 0),
    ("tmp", 0o1777, 0),
    ("usr/local/bin", 0o755, 0),
    ("usr/local/etc", 0o755, 0),
    ("usr/local/games", 0o755, 0),
    ("usr/local/include", 0o755, 0),
    ("usr/local/lib", 0o755, 0),
    ("usr/local/sbin", 0o755, 0),
    ("usr/local/share/man", 0o755, 0),
    ("usr/local/src", 0o755, 0),
    ("var/mail", 0o2775, _MAIL),
    ("var/opt", 0o755, 0),
    ("var/tmp", 0o1777, 0),
)

_NETWORKS = b"default\t\t0.0.0.0\nloopback\t127.0.0.0\nlink-local\t169.254.0.0\n\n"


def make_system(tree: Tree) -> None:
    """Make everything of this module."""
    for path, mode, gid in _FOLDERS:
        tree.add_folder(path, mode, gid=gid)
    _make_links(tree)
    _copy_defaults(tree)
    _make_logs(tree)
    _make_shells(tree)
    _set_time_zone(tree)
    if "etc/protocols" in tree and "etc/networks" not in tree:
        tree.add_file("etc/networks", _NETWORKS)


def _make_links(tree: Tree) -> None:
    tree.replace_empty_folder("var/run", "/run")
    tree.replace_empty_folder("var/lock", "/run/lock")
    for path, target in (("var/spool/mail", "../mail"), ("usr/local/man", "share/man")):
        if path not in tree:
            tree.add_symlink(path, target)
    if "etc/dpkg/origins/debian" in tree and "etc/dpkg/origins/default" not in tree:
        tree.add_symlink("etc/dpkg/origins/default", "debian")
    if "etc/os-release" not in tree and "usr/lib/os-release" in tree:
        tree.add_symlink("etc/os-release", "../usr/lib/os-release")


def _copy_defaults(tree: Tree) -> None:
    for path, source in _DEFAULTS.items():
        data = tree.read(source)
        if data is not None and path not in tree:
            tree.add_file(path, data)


def _make_logs(tree: Tree) -> None:
    """The empty login records of base-files, owned by the group utmp."""
    if "usr/share/base-files/profile" not in tree:
        return
    for name, mode in (("btmp", 0o660), ("lastlog", 0o664), ("wtmp", 0o664)):
        tree.add_file(f"var/log/{name}", b"", mode, gid=_UTMP)


def _make_shells(tree: Tree) -> None:
    """update-shells(8): the shells that packages declare, by both of their names."""
    template = tree.read("etc/shells")
    if template is None:
        return
    folder = "usr/share/debianutils/shells.d"
    declared = [template, *(tree.read(f"{folder}/{name}") or b"" for name in tree.names(folder))]
    shells: dict[str, None] = {}
    for line in b"\n".join(declared).decode(errors="replace").splitlines():
        shell = line.partition("#")[0].strip()
        if shell:
            shells |= {shell: None, _real_name(tree, shell): None}
    present = template.decode(errors="replace").splitlines()
    added = "".join(f"{shell}\n" for shell in shells if shell not in present)
    tree.add_file("etc/shells", template + added.encode())
    tree.add_file("var/lib/shells.state", "".join(f"{shell}\n" for shell in shells).encode())


def _real_name(tree: Tree, path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"/{tree.resolve(folder) or folder.strip('/')}/{name}"


def _set_time_zone(tree: Tree) -> None:
    """tzdata's answer where nobody is asked: UTC."""
    zone = "Etc/UTC"
    if tree.file(f"usr/share/zoneinfo/{zone}") is None:
        return
    tree.add_symlink("etc/localtime", f"/usr/share/zoneinfo/{zone}")
    tree.add_file("etc/timezone", f"{zone}\n".encode())
