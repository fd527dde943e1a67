"""System calls as strace writes them down, and which of them change what outlasts a process."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_TO_WRITE = r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC"
CHANGING = frozenset(
    (
        *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
        *("splice", "truncate", "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range"),
        *("sync", "syncfs"),
        *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
        *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "mknod", "mknodat", "creat"),
        *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
        *("utime", "utimes", "futimesat", "utimensat"),
        *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    )
)
"""Whatever changes a file, a folder, or what of it outlasts a loss of power."""

CHANGING_IF = {
    "open": re.compile(_TO_WRITE),
    "openat": re.compile(_TO_WRITE),
    "openat2": re.compile(_TO_WRITE),
    "mmap": re.compile(r"PROT_WRITE.*MAP_SHARED"),
    "ioctl": re.compile(r"FICLONE|FIDEDUPERANGE|FS_IOC_SET|FS_IOC_FSSET"),
}
"""Calls that do so where their arguments say so."""

HARMLESS = frozenset(
    (
        *("read", "pread64", "readv", "preadv", "preadv2", "lseek", "close", "close_range"),
        *("stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "readahead"),
        *("access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "fadvise64"),
        *("getdents", "getdents64", "chdir", "fchdir", "dup", "dup2", "dup3", "execve", "execveat"),
        *("getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr"),
        *("poll", "ppoll", "select", "pselect6", "epoll_ctl", "inotify_add_watch"),
        # Locks end with their process, and no file is another for them.
        *("fcntl", "flock"),
    )
)
"""Calls that leave nothing behind."""

_UNSEEN = "io_uring_enter"  # what it asks the kernel for, strace doesn't see

_LINE = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) += (-?\d+|\?).*| <unfinished \.\.\.>)$")
UNFINISHED = "<unfinished ...>"
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*\) += (-?\d+|\?).*)")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|<(/[^>]*)>')
_AT = re.compile(r"at2?$|^statx$")
_BESIDE = re.compile(r'\w+<(/[^>]*)>, "((?:[^"\\]|\\.)*)"')  # a folder, and a name in it
_DATA = re.compile(r"^p?(read|write)(64|v2?)?$")  # calls whose words are no paths
_FILE = re.compile(r"\d+<(/[^>]*)>")
_FOLDER = re.compile(r'AT_FDCWD<(/[^>]*)>|chdir\("(/[^"]*)"\) += 0')  # the thread's own


@dataclass(frozen=True)
class Call:
    """A call in the order of its beginning. ``number``: of that name in its thread, from 1.

    ``paths``: what it names, absolute; those behind its descriptors too. ``done``: it succeeded;
    ``refused``: by the fault.
    """

    thread: int
    name: str
    number: int
    paths: tuple[str, ...]
    arguments: str
    done: bool
    refused: bool

    @property
    def changes(self) -> bool:
        """Whether it is there to change something: opening is only where it is for writing."""
        if self.name in CHANGING_IF:
            return bool(CHANGING_IF[self.name].search(self.arguments))
        return self.name in CHANGING

    def below(self, folders: Collection[Path]) -> bool:
        """Whether it names anything in these folders."""
        return any(path.startswith(f"{folder}/") for path in self.paths for folder in folders)


def unknown(calls: Sequence[Call], folders: Collection[Path]) -> frozenset[str]:
    """The names of calls on something in these folders of which nobody says what they do."""
    known = CHANGING | HARMLESS | CHANGING_IF.keys()
    return frozenset(
        call.name
        for call in calls
        if call.name == _UNSEEN or (call.name not in known and call.below(folders))
    )


def calls_of(lines: Sequence[str], start: Path) -> Iterator[Call]:
    """The calls of a trace of a process that began in a folder.

    One that others interrupted is put together again.
    """
    ends = _ends(lines)
    folders: dict[int, str] = {}
    counts: dict[tuple[int, str], int] = {}
    for line in lines:
        if not (found := _LINE.match(line)):
            continue
        thread, name, arguments, code = int(found[1]), found[2], found[3], found[4]
        number = counts[thread, name] = counts.get((thread, name), 0) + 1
        rest = ""
        if code is None:
            rest, code = ends.get((thread, name, number), ("", "?"))
            arguments += rest
        for one, other in _FOLDER.findall(line):
            folders[thread] = one or other
        paths = tuple(_paths(name, arguments, folders.get(thread, str(start))))
        refused = "(INJECTED)" in line or "(INJECTED)" in rest
        yield Call(thread, name, number, paths, arguments, code not in ("?", "-1"), refused)


def _paths(name: str, arguments: str, folder: str) -> Iterator[str]:
    """What a call names, in a thread whose folder this is."""
    if _DATA.search(name):
        if file := _FILE.match(arguments):
            yield file[1]
        return
    if _AT.search(name):
        arguments = _BESIDE.sub(lambda found: f'"{Path(found[1], found[2])}"', arguments)
    for quoted, behind in _WORD.findall(arguments):
        yield behind or str(Path(folder, quoted))


def _ends(lines: Sequence[str]) -> dict[tuple[int, str, int], tuple[str, str]]:
    """The ends of interrupted calls, by thread, name and number."""
    counts: dict[tuple[int, str], int] = {}
    ends = {}
    for line in lines:
        if resumed := RESUMED.match(line):
            key = (int(resumed[1]), resumed[2])
            ends[(*key, counts.get(key, 0))] = (resumed[3], resumed[4])
        elif found := _LINE.match(line):
            key = (int(found[1]), found[2])
            counts[key] = counts.get(key, 0) + 1
    return ends
