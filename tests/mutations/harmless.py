"""Changes that mean nothing, or that were made as they are to be made: none raises an alarm."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial

from mutations.model import Check, Copy, Mutation
from mutations.world import copy_store, copy_tree

BASE, ML, PROJECT = "profiles/base.toml", "profiles/ml.toml", "basestore.toml"

EDITS: tuple[tuple[str, str, str, str], ...] = (
    ("comment", BASE, "# The base of all.", "# The base of all that we have."),
    ("comment-gone", BASE, "# The base of all.\n", ""),
    ("comment-at-a-requirement", BASE, "# the first letter", "# A"),
    ("lines-moved", BASE, "# The base of all.\n", "\n\n# The base of all.\n\n"),
    ("order-of-requirements", BASE, '  "conf-a",\n  "conf-b",\n', '  "conf-b",\n  "conf-a",\n'),
    ("layout", BASE, '  "conf-a",\n  "conf-b",\n', '  "conf-a", "conf-b",\n'),
    ("spelling", BASE, '"web[fast]>=2"', '"Web[Fast] >= 2"'),
    ("requirement-twice", BASE, '  "conf-a",\n', '  "conf-a",\n  "conf-a",\n'),
    ("platform-order", BASE, '["linux/amd64", "linux/arm64"]', '["linux/arm64", "linux/amd64"]'),
    ("stated-default", BASE, 'env = { LEVEL', 'env = { LANG = "C.UTF-8", LEVEL'),
    ("stated-parents", ML, 'extends = "base"\n', 'extends = "base"\npython = "3.11"\n'),
    ("env-order", BASE, '{ LEVEL = "info", MODE = "safe" }', '{ MODE = "safe", LEVEL = "info" }'),
    ("index-url", BASE, "https://wheels.example.com/simple", "https://mirror.example.com/simple"),
    ("newer-excluded", BASE, 'python = "3.11"\n', 'python = "3.11"\nexclude-newer = "7 days"\n'),
    ("policy-more", PROJECT, '["forbidden*"]', '["forbidden*", "unheard-of"]'),
    ("policy-looser", PROJECT, '"10 kB"', '"20 kB"'),
    ("pins", PROJECT, "[policy]\n", '[pins]\nfiles = ["deploy/*"]\n\n[policy]\n'),
    ("service-spelling", PROJECT, 'requirements = ["helper"]', 'requirements = ["Helper"]'),
    ("file-comment", "reqs/base.txt", "infile\n", "infile  # of the file\n"),
    ("file-order", "reqs/base.txt", "infile\n", "\n\ninfile\n"),
    ("constraint-comment", "reqs/constraints.txt", "limited<2\n", "# bounds\nlimited<2\n"),
    ("ignored-file", "apps/api/notes.md", "not copied", "not copied at all"),
    ("ignore-comment", "apps/api/.dockerignore", "*.md\n", "# text\n*.md\n"),
    ("readme", "README.md", "A team's", "Our"),
    ("origin-resolver", "locks/base.origin.toml", 'resolver = "uv', 'resolver = "uw'),
)  # fmt: skip


def _rows_turned(file: str, copy: Copy) -> None:
    head, *rows, tail = copy.text(file).splitlines(keepends=True)
    copy.write(file, "".join([head, *rows[::-1], tail]))


def _renamed_constraints(copy: Copy) -> None:
    copy.path("reqs/constraints.txt").rename(copy.path("reqs/bounds.txt"))
    copy.edit(BASE, "constraints.txt", "bounds.txt")


def _renamed_requirements(copy: Copy) -> None:
    copy.path("reqs/base.txt").rename(copy.path("reqs/our.txt"))
    copy.edit(BASE, "reqs/base.txt", "reqs/our.txt")


def _moved_requirement(copy: Copy) -> None:
    copy.edit("reqs/base.txt", "infile\n", "")
    copy.edit(BASE, '  "conf-a",\n', '  "conf-a",\n  "infile",\n')


def _crlf(copy: Copy) -> None:
    copy.path(BASE).write_bytes(copy.path(BASE).read_bytes().replace(b"\n", b"\r\n"))


def _attributes(copy: Copy) -> None:
    copy.write(".gitattributes", "*.png binary\n")


def _unrelated(copy: Copy) -> None:
    copy.write("deploy/values.yaml", "replicas: 2\n")


def _touched(copy: Copy) -> None:
    for file in ("apps/api/main.py", "locks/base.lock", BASE):
        copy.path(file).touch()


def _services_turned(copy: Copy) -> None:
    head, tail = copy.text(PROJECT).split("[services.api]", 1)
    api, job = tail.split("[services.job]", 1)
    text = f"{head}[services.job]{job.rstrip()}\n\n[services.api]{api.rstrip()}\n"
    copy.write(PROJECT, text)


def _locks_attributes(copy: Copy) -> None:
    copy.edit("locks/.gitattributes", "* -text", "* -text -diff")


DEEDS: tuple[tuple[str, str, Callable[[Copy], None]], ...] = (
    ("images-order", "rows of the images file in another order",
     partial(_rows_turned, "locks/images.toml")),
    ("services-order", "rows of the services file in another order",
     partial(_rows_turned, "locks/services.toml")),
    ("constraints-renamed", "a constraints file has another name", _renamed_constraints),
    ("requirements-renamed", "a requirements file has another name", _renamed_requirements),
    ("requirement-moved", "a requirement stands in another file", _moved_requirement),
    ("crlf", "a profile with other line ends", _crlf),
    ("attributes", "attributes of other files", _attributes),
    ("locks-attributes", "attributes of locks, for diffs", _locks_attributes),
    ("unrelated", "a file that nobody reads", _unrelated),
    ("touched", "files with other times", _touched),
    ("services-turned", "services in another order", _services_turned),
)  # fmt: skip


def _honestly(copy: Copy, *commands: tuple[str, ...]) -> None:
    """Run what is to be run after a change, on a machine of the author's."""
    own = copy.folder / "author"
    copy_store(copy.world.store, own / "store")
    copy_tree(copy.world.state, own / "state")
    environ = {"BASESTORE_STORE": str(own / "store"), "XDG_STATE_HOME": str(own / "state")}
    for words in commands:
        copy.run(*words, **environ).expect(0)
    shutil.rmtree(own)


WAIVER = """\
[[policy.allow]]
rule = "refuse-licences"
package = "copyleft"
reason = "only looked at"
until = 2099-12-31
"""
LOCK, BUILD = ("lock",), ("build",)


def _edited(edits: tuple[tuple[str, str, str], ...], copy: Copy) -> None:
    for file, old, new in edits:
        copy.edit(file, old, new)
    _honestly(copy, LOCK, BUILD)


def _upgraded(copy: Copy) -> None:
    """A version that was lowered by a bound goes up again with the bound."""
    copy.edit(ML, '"tool"', '"tool", "deeper"')
    _honestly(copy, LOCK, BUILD)


def _new_profile(copy: Copy) -> None:
    copy.write("profiles/new.toml", 'extends = "base"\nplatforms = ["linux/amd64"]\n')
    _honestly(copy, LOCK, BUILD)


def _new_service(copy: Copy) -> None:
    more = '\n[services.cron]\nbase = "ml"\nplatforms = ["linux/amd64"]\nfiles = ["libs"]\n'
    copy.write(PROJECT, copy.text(PROJECT) + more)
    _honestly(copy, LOCK, BUILD)


def _gone_profile(copy: Copy) -> None:
    for file in ("profiles/deep.toml", "locks/deep.lock", "locks/deep.origin.toml"):
        copy.path(file).unlink()
    text = copy.text("locks/images.toml").splitlines(keepends=True)
    copy.write("locks/images.toml", "".join(line for line in text if '"deep"' not in line))


def _new_code(copy: Copy) -> None:
    copy.edit("apps/api/main.py", '"api"', '"API"')
    _honestly(copy, BUILD)


HONEST: tuple[tuple[str, str, Callable[[Copy], None]], ...] = (
    ("requirement", "a requirement more, locked and built",
     partial(_edited, ((BASE, '  "conf-a",\n', '  "conf-a",\n  "evil",\n'),))),
    ("requirement-less", "a requirement less, locked and built",
     partial(_edited, ((BASE, '  "copyleft",\n', ""),
                       (PROJECT, WAIVER, "")))),
    ("bound", "a bound that lowers a version, locked and built",
     partial(_edited, (("reqs/base.txt", "infile\n", "infile<1.1\n"),))),
    ("env", "a variable, locked and built", partial(_edited, ((BASE, '"info"', '"debug"'),))),
    ("foundation", "a Debian package more, locked and built",
     partial(_edited, ((BASE, '["python3.11"]', '["python3.11", "hostname"]'),))),
    ("winner", "another package wins a conflict, locked and built",
     partial(_edited, ((BASE, '["conf-a", "conf-b"]', '["conf-b", "conf-a"]'),))),
    ("child", "a requirement more in the child, locked and built", _upgraded),
    ("service", "a service's requirement, locked and built",
     partial(_edited, ((PROJECT, '["helper"]', '["helper<1.1"]'),))),
    ("new-profile", "a profile more, locked and built", _new_profile),
    ("new-service", "a service more, locked and built", _new_service),
    ("gone-profile", "a profile less, with its lock and image", _gone_profile),
    ("code", "a service's files, built", _new_code),
)  # fmt: skip


def mutations() -> Iterator[Mutation]:
    """Every harmless change, then every one that was made as it is to be made."""
    for what, file, old, new in EDITS:
        said = f"{file}: {' '.join(old.split())[:50]}"
        yield Mutation(f"harmless/{what}", said, partial(_edit, file, old, new), Check.NOBODY)
    for what, said, change in DEEDS:
        yield Mutation(f"harmless/{what}", said, change, Check.NOBODY)
    for what, said, change in HONEST:
        yield Mutation(f"honest/{what}", said, change, Check.NOBODY)


def _edit(file: str, old: str, new: str, copy: Copy) -> None:
    copy.edit(file, old, new)
