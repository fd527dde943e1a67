import pytest

from basestore.layer.foundation.alternatives import Choice, Slave, choices, make_alternatives
from basestore.layer.foundation.tree import Tree

MAWK = """\
if [ "$1" = "configure" ]; then
        update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\
            --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\
            --slave /usr/bin/nawk nawk /usr/bin/mawk
fi
"""


def names(script: str) -> list[tuple[str, str, int]]:
    return [(choice.name, choice.path, choice.priority) for choice in choices(script)]


def test_reads_a_command_over_several_lines():
    assert list(choices(MAWK)) == [
        Choice(
            "awk",
            "/usr/bin/awk",
            "/usr/bin/mawk",
            5,
            (
                Slave("awk.1.gz", "/usr/share/man/man1/awk.1.gz", "/usr/share/man/man1/mawk.1.gz"),
                Slave("nawk", "/usr/bin/nawk", "/usr/bin/mawk"),
            ),
        )
    ]


@pytest.mark.parametrize(
    "script",
    [
        "prio=10\nupdate-alternatives --quiet --install /usr/bin/e e /usr/bin/vi $prio || true",
        "export prio=10;\nupdate-alternatives --install /usr/bin/e e '/usr/bin/vi' ${prio}",
        "update-alternatives --install $DPKG_ROOT/usr/bin/e e /usr/bin/vi 10 # comment",
        "for p in vi; do\n update-alternatives --install /usr/bin/e e /usr/bin/$p 10\ndone",
        "x() { update-alternatives --install /usr/bin/e e /usr/bin/vi 10; }",
    ],
)
def test_reads_literals_in_other_forms(script):
    assert names(script) == [("e", "/usr/bin/vi", 10)]


def test_reads_loops_over_literal_words():
    script = """\
tools='a b'
for tool in $tools; do
    update-alternatives --install /usr/bin/$tool $tool /usr/bin/$tool-6 7
done
update-alternatives --install /usr/bin/$tool $tool /usr/bin/$tool-6 7
"""
    assert names(script.replace("$tools", "a b")) == [
        ("a", "/usr/bin/a-6", 7),
        ("b", "/usr/bin/b-6", 7),
    ]
    assert names(script) == []


@pytest.mark.parametrize(
    "script",
    [
        "update-alternatives --install /usr/bin/e e $(which vi) 10",
        "update-alternatives --install /usr/bin/e e /usr/bin/$editor 10",
        "p=1\np=2\nupdate-alternatives --install /usr/bin/e e /usr/bin/vi $p",
        "update-alternatives --remove e /usr/bin/vi",
        "update-alternatives --install /usr/bin/e e /usr/bin/vi",
        "update-alternatives --install /usr/bin/e e /usr/bin/vi high",
        "update-alternatives --install bin/e e /usr/bin/vi 10",
        "update-alternatives --install /usr/../../e e /usr/bin/vi 10",
        "update-alternatives --install /usr/bin/e ../../e /usr/bin/vi 10",
        "update-alternatives --install /usr/bin/e e '/usr/bin/vi 10",
        "# update-alternatives is not called\n",
    ],
)
def test_passes_over_what_is_not_a_literal_installation(script):
    assert names(script) == []


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    for path in ("usr/bin/mawk", "usr/bin/gawk", "usr/share/man/man1/mawk.1.gz"):
        made.add_file(path, b"")
    return made


def test_links_and_record_as_dpkg_writes_them(tree):
    make_alternatives(tree, [MAWK.encode()])
    links = {path: node.target for path, node in tree.nodes.items() if tree.is_symlink(path)}
    assert links == {
        "etc/alternatives/awk": "/usr/bin/mawk",
        "etc/alternatives/awk.1.gz": "/usr/share/man/man1/mawk.1.gz",
        "etc/alternatives/nawk": "/usr/bin/mawk",
        "usr/bin/awk": "/etc/alternatives/awk",
        "usr/bin/nawk": "/etc/alternatives/nawk",
        "usr/share/man/man1/awk.1.gz": "/etc/alternatives/awk.1.gz",
    }
    assert (tree.read("var/lib/dpkg/alternatives/awk") or b"").decode() == (
        "auto\n/usr/bin/awk\n"
        "awk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n"
        "\n/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n"
    )


def test_the_highest_priority_wins_whatever_the_order(tree):
    gawk = b"update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10"
    make_alternatives(tree, [gawk, MAWK.encode()])
    assert tree.nodes["etc/alternatives/awk"].target == "/usr/bin/gawk"
    assert "usr/bin/nawk" not in tree
    record = (tree.read("var/lib/dpkg/alternatives/awk") or b"").decode()
    assert record.endswith(
        "\n\n/usr/bin/gawk\n10\n\n\n/usr/bin/mawk\n5\n"
        "/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n"
    )


def test_what_is_not_there_is_not_registered(tree):
    make_alternatives(tree, [b"update-alternatives --install /usr/bin/e e /usr/bin/vi 10"])
    assert not [path for path in tree.nodes if path.startswith(("etc", "var"))]


def test_a_real_file_keeps_its_place(tree):
    tree.add_file("usr/bin/awk", b"mine")
    make_alternatives(tree, [MAWK.encode()])
    assert tree.read("usr/bin/awk") == b"mine"
