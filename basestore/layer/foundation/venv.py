"""The empty virtual environment into which the wheels' layers install (PEP 405)."""

from basestore.errors import InputError
from basestore.layer.foundation.tree import Tree
from basestore.layer.listing import Listing
from basestore.recipe.model import VENV


class NoPythonError(InputError):
    """No package of the foundation brings the interpreter that its lock names."""

    def __init__(self, python: str) -> None:
        minor = short(python)
        super().__init__(
            f"the foundation's packages hold no /usr/bin/python{minor}",
            f"add python{minor} to the profile's [foundation] packages",
        )
        self.python = python


def short(python: str) -> str:
    """``major.minor`` of a full version."""
    return ".".join(python.split(".")[:2])


def make_venv(tree: Tree, python: str) -> None:
    """Make the environment, without scripts to activate it: the image's PATH names it.

    ``python`` is the interpreter's full version. Raises NoPythonError.
    """
    name = f"python{short(python)}"
    if tree.file(f"usr/bin/{name}") is None:
        raise NoPythonError(python)
    tree.add_file(f"{VENV}/pyvenv.cfg", _configuration(name, python).encode())
    for folder in ("include", f"lib/{name}/site-packages"):
        tree.add_folder(f"{VENV}/{folder}")
    tree.add_symlink(f"{VENV}/lib64", "lib")
    tree.add_symlink(f"{VENV}/bin/python", f"/usr/bin/{name}")
    for link in ("python3", name):
        tree.add_symlink(f"{VENV}/bin/{link}", "python")


def venv_listing(python: str) -> Listing:
    """Where the environment has files and links; of what is in them it tells nothing true.

    ``python``: of the interpreter ``major.minor`` at least.
    """
    links = ("lib64", "bin/python", "bin/python3", f"bin/python{short(python)}")
    return Listing(
        files={f"{VENV}/pyvenv.cfg": (0, 0)},
        links=dict.fromkeys((f"{VENV}/{o}" for o in links), ""),
    )


def _configuration(name: str, python: str) -> str:
    return (
        "home = /usr/bin\n"
        "include-system-site-packages = false\n"
        f"version = {python}\n"
        f"executable = /usr/bin/{name}\n"
    )
