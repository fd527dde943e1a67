"""From the recipe of a foundation to the entries of its layer."""

from pathlib import Path

from basestore.layer.entry import Entry
from basestore.layer.foundation.accounts import make_accounts
from basestore.layer.foundation.alternatives import make_alternatives
from basestore.layer.foundation.certificates import make_certificates
from basestore.layer.foundation.database import make_database
from basestore.layer.foundation.interpreter import InterpreterUnusableError, interpreter_of
from basestore.layer.foundation.ldconfig import run_ldconfig
from basestore.layer.foundation.linking import check_linking
from basestore.layer.foundation.stdlib import compile_stdlib
from basestore.layer.foundation.system import make_system
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.unpack import Installed, unpack_all
from basestore.layer.foundation.venv import make_venv
from basestore.recipe.model import FoundationRecipe
from basestore.store.blobs import Blobs


def foundation_entries(
    recipe: FoundationRecipe, runner: FoundationRecipe, blobs: Blobs, scratch: Path
) -> list[Entry]:
    """The entries of a foundation's layer, sorted by path.

    ``runner``: the foundation whose interpreter compiles the bytecode: the recipe itself where the
    host can run it, else one of another platform with the same Python. No byte depends on it.
    ``scratch``: an empty folder; the entries' contents are read from it, so it must outlive them.

    Raises MalformedDebError, WrongPackageError, PathConflictError, MissingLibraryError,
    NoPythonError, InterpreterUnusableError and MissingBlobError.
    """
    scratch = scratch.absolute()
    tree = _new_tree(scratch / "root")
    settle(tree, unpack_all(recipe.debs, blobs, tree), recipe)
    running = tree
    if runner != recipe:
        _check_runner(recipe, runner)
        running = _new_tree(scratch / "runner")
        unpack_all(runner.debs, blobs, running)
    interpreter = interpreter_of(running, runner.platform, runner.python)
    (scratch / "bytecode").mkdir()
    compile_stdlib(tree, recipe.python, interpreter, scratch / "bytecode")
    return list(tree.entries())


def settle(tree: Tree, installed: tuple[Installed, ...], recipe: FoundationRecipe) -> None:
    """Make what the maintainer scripts would have made, and the empty environment; check linking.

    Alternatives come before the linker's cache: some of them are libraries.
    """
    make_system(tree)
    make_accounts(tree, [package.control.name for package in installed])
    make_certificates(tree)
    make_database(tree, installed)
    make_alternatives(tree, (package.files.get("postinst", b"") for package in installed))
    make_venv(tree, recipe.python)
    run_ldconfig(tree, recipe.platform)
    check_linking(tree, recipe.platform)


def _check_runner(recipe: FoundationRecipe, runner: FoundationRecipe) -> None:
    """Another version of Python would write other bytecode."""
    if runner.python != recipe.python:
        raise InterpreterUnusableError(
            recipe.platform,
            f"the one for {runner.platform} would have to take its place, "
            f"but is {runner.python} and not {recipe.python}",
        )


def _new_tree(folder: Path) -> Tree:
    folder.mkdir()
    return Tree(folder)
