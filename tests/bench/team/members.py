"""The 14 services of a team: what each one stands on, and the packages that it needs besides."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A service. ``modules``: what its code imports of ``requirements``."""

    name: str
    base: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...]


TEAM = (
    Member("svc-documents", "ml", ("pypdfium2", "pillow"), ("pypdfium2", "PIL.Image")),
    Member("svc-indexer", "ml", ("faiss-cpu", "tiktoken"), ("faiss", "tiktoken")),
    Member("svc-classifier", "ml", ("pandas", "lightgbm"), ("pandas", "lightgbm")),
    Member(
        "svc-api",
        "runtime",
        ("itsdangerous", "python-multipart", "slowapi"),
        ("itsdangerous", "python_multipart", "slowapi"),
    ),
    Member(
        "svc-auth",
        "runtime",
        ("argon2-cffi", "cryptography", "pyjwt"),
        ("argon2", "cryptography.fernet", "jwt"),
    ),
    Member(
        "svc-billing",
        "runtime",
        ("alembic", "sqlalchemy", "stripe"),
        ("alembic", "sqlalchemy", "stripe"),
    ),
    Member("svc-mailer", "runtime", ("aiosmtplib", "jinja2"), ("aiosmtplib", "jinja2")),
    Member("svc-scheduler", "runtime", ("apscheduler", "croniter"), ("apscheduler", "croniter")),
    Member("svc-files", "runtime", ("aiofiles", "smart-open"), ("aiofiles", "smart_open")),
    Member("svc-gateway", "runtime", ("cachetools", "websockets"), ("cachetools", "websockets")),
    Member("svc-reports", "runtime", ("jinja2", "openpyxl"), ("jinja2", "openpyxl")),
    Member("svc-search", "runtime", ("opensearch-py",), ("opensearchpy",)),
    Member("svc-events", "runtime", ("aiokafka", "msgpack"), ("aiokafka", "msgpack")),
    Member(
        "svc-admin",
        "runtime",
        ("psycopg[binary]", "sqlalchemy", "typer"),
        ("psycopg", "sqlalchemy", "typer"),
    ),
)


def bases_of(members: Iterable[Member]) -> tuple[str, ...]:
    """The bases that they stand on, each once, in their order."""
    return tuple(dict.fromkeys(member.base for member in members))
