"""Projects with files that services copy, made in tests."""

from collections.abc import Mapping
from pathlib import Path

from layers import AMD64

from basestore.layer.application import Application, read_application
from basestore.layer.realise import Workshop
from basestore.profile.document import Document, Table
from basestore.profile.place import Location
from basestore.profile.service import DEFAULT_LIMIT, Copy, Service
from basestore.recipe.model import FoundationRecipe
from basestore.store import Store

FILE = "basestore.toml"


def project(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files; a name that ends with ``*`` is executable, without the star."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name.rstrip("*")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o755 if name.endswith("*") else 0o644)
    return folder


def service(
    *files: str | tuple[str, str], context: str = ".", limit: int = DEFAULT_LIMIT
) -> Service:
    """A service that copies these: sources, or sources with targets; line 10 on, one a line."""
    pairs = [(one, "") if isinstance(one, str) else one for one in files]
    copies = tuple(
        Copy(source, target, Location(FILE, 10 + number))
        for number, (source, target) in enumerate(pairs)
    )
    table = Table(Document(FILE, ""), (), {})
    return Service("svc", "ml", "svc", Location(FILE, 7), table, context, copies, limit)


def read(root: Path, *files: str | tuple[str, str], context: str = ".") -> Application:
    """The application of a service that copies these below ``/app``."""
    return read_application(root, service(*files, context=context), "/app")


def paths(application: Application) -> list[str]:
    """The paths of its files and links in the image, in the recipe's order."""
    recipe = application.recipe
    return [one.path for one in recipe.files] + [one.path for one in recipe.links]


def workshop(store: Store, application: Application) -> Workshop:
    """A workshop for an application, whose foundation is never made."""
    return Workshop(store, FoundationRecipe(AMD64, "3.11.2", ()), application.sources)
