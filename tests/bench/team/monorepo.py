"""The team's repository: our bases with their locks, and services with code and a Dockerfile each.

All three ways build from copies of the same repository; what is installed are the locks' pins.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.team.members import Member
from wheels import AMD64, ROOT

from basestore.lock.codec import parse
from basestore.lock.model import Lock

PROFILES = ("runtime", "cpu", "ml")
PLATFORMS = re.compile(r"(?m)^platforms *=.*$")

SERVICE = """
[services.{name}]
base         = "{base}"
context      = "apps/{name}"
requirements = [{requirements}]
user         = "10001:10001"
cmd          = ["uvicorn", "main:app", "--host=0.0.0.0", "--port=8000"]
port         = 8000
"""

INSTALLED = """\
ARG BASE
FROM ${BASE}
ARG PIP_OPTIONS
WORKDIR /app
COPY requirements.txt ./
RUN --mount=type=bind,from=wheels,target=/wheels \\
    python -m pip install --no-index --no-deps --no-cache-dir --find-links /wheels \\
    ${PIP_OPTIONS} -r requirements.txt
"""
"""The Dockerfile of a base."""

DOCKERFILE = f"""\
{INSTALLED}COPY . ./
USER 10001:10001
EXPOSE 8000
CMD ["uvicorn", "main:app", "--host=0.0.0.0", "--port=8000"]
"""
"""The Dockerfile of a service."""

CODE: Mapping[str, str] = {
    "main.py": """\
\"\"\"{name}.\"\"\"

from importlib import import_module

from fastapi import FastAPI, HTTPException

from models import Answer, Question
from settings import SETTINGS
from work import Queue

NEEDED = {modules}

app = FastAPI(title={name!r})
queue = Queue(SETTINGS.most)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {{"status": "ok"}}


@app.get("/needed")
def needed() -> dict[str, str]:
    return {{name: str(import_module(name).__file__) for name in NEEDED}}


@app.post("/questions")
def ask(question: Question) -> Answer:
    if not queue.put(question):
        raise HTTPException(429, "too many questions at a time")
    return queue.answer()
""",
    "models.py": """\
\"\"\"What comes in and what goes out.\"\"\"

from datetime import datetime

from pydantic import BaseModel, Field


class Question(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)
    asked: datetime | None = None


class Answer(BaseModel):
    text: str
    words: int
""",
    "settings.py": """\
\"\"\"What differs between places.\"\"\"

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    most: int
    level: str


SETTINGS = Settings(int(os.environ.get("MOST", "100")), os.environ.get("LOG_LEVEL", "info"))
""",
    "work.py": """\
\"\"\"Questions wait here.\"\"\"

from collections import deque

from models import Answer, Question


class Queue:
    def __init__(self, most: int) -> None:
        self._waiting: deque[Question] = deque()
        self._most = most

    def put(self, question: Question) -> bool:
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append(question)
        return True

    def answer(self) -> Answer:
        question = self._waiting.popleft()
        return Answer(text=question.text.upper(), words=len(question.text.split()))
""",
}


@dataclass(frozen=True, slots=True)
class Monorepo:
    """A checkout of the team's repository."""

    folder: Path

    def context(self, service: str) -> Path:
        """Where a service's code lies."""
        return self.folder / "apps" / service

    def lock(self, name: str) -> Lock:
        """The lock of a base or a service."""
        file = f"locks/{name}.lock"
        return parse((self.folder / file).read_bytes(), file)

    def pins(self, name: str) -> Sequence[str]:
        """What the lock of a base, or that of a service beyond its base's, installs."""
        wheels = self.lock(name).platform(AMD64).wheels
        return [f"{wheel.name}=={wheel.version}" for wheel in wheels]

    def copy(self, folder: Path) -> "Monorepo":
        """Another checkout."""
        return Monorepo(Path(shutil.copytree(self.folder, folder)))

    def edit(self, services: Sequence[str]) -> None:
        """A line of code more in each of these services."""
        for service in services:
            with (self.context(service) / "main.py").open("a") as code:
                code.write('\n\n@app.get("/version")\ndef version() -> str:\n    return "2"\n')

    def take_locks(self, other: "Monorepo") -> None:
        """Take over the locks of another checkout, as a merge of its branch does."""
        for path in sorted((other.folder / "locks").iterdir()):
            if path.name.endswith((".lock", ".origin.toml")):
                shutil.copy(path, self.folder / "locks")


def make_monorepo(folder: Path, team: Sequence[Member]) -> Monorepo:
    """The repository with our bases' locks, and none of services yet.

    Dockerfiles build for one platform, so all of it is for linux/amd64 only; runtime's lock, which
    has another platform besides, has to be locked again.
    """
    for name in PROFILES:
        _copy(folder, f"profiles/{name}.toml")
        _copy(folder, f"locks/{name}.lock")
        _copy(folder, f"locks/{name}.origin.toml")
    root = folder / "profiles" / "runtime.toml"
    root.write_text(PLATFORMS.sub(f'platforms = ["{AMD64}"]', root.read_text()))
    (folder / "basestore.toml").write_text("".join(map(_service, team)))
    made = Monorepo(folder)
    for member in team:
        context = made.context(member.name)
        context.mkdir(parents=True)
        for file, text in CODE.items():
            (context / file).write_text(_filled(file, text, member))
    return made


def _copy(folder: Path, file: str) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / file, folder / file)


def _service(member: Member) -> str:
    requirements = ", ".join(f'"{one}"' for one in member.requirements)
    return SERVICE.format(name=member.name, base=member.base, requirements=requirements)


def _filled(file: str, text: str, member: Member) -> str:
    if file != "main.py":
        return text
    return text.format(name=member.name, modules=member.modules)
