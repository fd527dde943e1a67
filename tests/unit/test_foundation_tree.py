import pytest

from basestore.errors import ExitCode
from basestore.layer.entry import Kind
from basestore.layer.foundation.tree import Node, PathConflictError, Tree


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def content(entry):
    return b"".join(piece for part in entry.payload for piece in part.read())


def test_links_are_followed_inside_of_the_tree_only(tree):
    tree.add_file("usr/lib/a", b"ours")
    tree.add_symlink("lib", "usr/lib")
    tree.add_symlink("etc/link", "/lib/../lib/./a")
    tree.add_symlink("etc/above", "../../../../lib/a")
    tree.add_symlink("etc/passwd", "/etc/shadow")
    tree.add_symlink("etc/loop", "loop")
    assert tree.read("etc/link") == b"ours"
    assert tree.read("/etc/above") == b"ours"
    assert tree.resolve("etc/passwd") is None
    assert tree.resolve("etc/loop") is None
    assert tree.resolve("/") == ""
    assert tree.names("lib") == ["a"]


def test_missing_folders_are_made_plain(tree):
    tree.add_file("a/b/c", b"x", 0o600)
    assert [(e.path, e.kind, e.mode) for e in tree.entries()] == [
        ("a", Kind.FOLDER, 0o755),
        ("a/b", Kind.FOLDER, 0o755),
        ("a/b/c", Kind.FILE, 0o600),
    ]


def test_nothing_is_written_through_a_link(tree, tmp_path):
    tree.place("a", Node(Kind.SYMLINK, 0o777, target=str(tmp_path.parent), owner="one")).symlink_to(
        tmp_path.parent
    )
    with pytest.raises(PathConflictError) as caught:
        tree.place("a/escaped", Node(Kind.FILE, 0o644, owner="two"))
    assert "one and two both hold /a" in caught.value.message
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert not (tmp_path.parent / "escaped").exists()


def test_contents_come_from_the_disk_anew_each_time(tree, tmp_path):
    tree.add_file("a", b"x" * 600_000)
    [entry] = tree.entries()
    assert content(entry) == content(entry) == (tmp_path / "a").read_bytes()
    tree.add_file("empty", b"")
    assert [len(entry.payload) for entry in tree.entries()] == [1, 0]


def test_of_several_names_of_a_file_the_first_by_path_has_the_content(tree):
    tree.add_file("m", b"data", 0o755)
    for name in ("z", "a"):
        node = Node(Kind.HARDLINK, 0o755, target="m", size=4)
        tree.place(name, node).hardlink_to(tree.root / "m")
    entries = {entry.path: entry for entry in tree.entries()}
    assert list(entries) == ["a", "m", "z"]
    assert (entries["a"].kind, content(entries["a"]), entries["a"].target) == (
        Kind.FILE,
        b"data",
        "",
    )
    for name in ("m", "z"):
        assert (entries[name].kind, entries[name].target) == (Kind.HARDLINK, "a")
        assert entries[name].payload == ()
    assert tree.read("z") == b"data"


def test_later_files_and_links_take_the_place_of_earlier_ones(tree):
    tree.add_symlink("a", "b")
    tree.add_file("a", b"1")
    tree.add_file("a", b"2")
    assert tree.read("a") == b"2"
    tree.add_symlink("a", "c")
    assert tree.is_symlink("a")
