"""Users and groups: passwd(5), group(5), shadow(5), gshadow(5).

base-passwd's postinst copies its master files, in which every account is locked (``*``). The
package ``passwd`` turns shadow files on; then the passwords move there.
"""

from collections.abc import Iterable

from basestore.layer.foundation.tree import Tree

_MASTERS = "usr/share/base-passwd"
_MINIMAL_USERS = (
    b"root:*:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
_MINIMAL_GROUPS = b"root:*:0:\nnogroup:*:65534:\n"
_SHADOW_GROUP = 42


def make_accounts(tree: Tree, packages: Iterable[str]) -> None:
    """Make /etc/passwd and /etc/group, and the shadow files where ``passwd`` is installed."""
    users = tree.read(f"{_MASTERS}/passwd.master") or _MINIMAL_USERS
    groups = tree.read(f"{_MASTERS}/group.master") or _MINIMAL_GROUPS
    if "passwd" in packages:
        # No day of the last change: it would be a date, and empty turns password aging off.
        _add_secret(tree, "etc/shadow", users, ":*::0:99999:7:::")
        _add_secret(tree, "etc/gshadow", groups, ":*::")
        users, groups = _shadowed(users), _shadowed(groups)
    tree.add_file("etc/passwd", users)
    tree.add_file("etc/group", groups)


def _add_secret(tree: Tree, path: str, accounts: bytes, rest: str) -> None:
    lines = [line.split(b":")[0] + rest.encode() + b"\n" for line in accounts.splitlines()]
    tree.add_file(path, b"".join(lines), 0o640, gid=_SHADOW_GROUP)


def _shadowed(accounts: bytes) -> bytes:
    lines = (line.split(b":") for line in accounts.splitlines())
    return b"".join(b":".join([fields[0], b"x", *fields[2:]]) + b"\n" for fields in lines)
