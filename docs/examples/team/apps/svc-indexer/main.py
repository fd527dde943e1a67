"""Finds texts that share words with a query: tokens, vectors, nearest neighbours."""

import base64
from pathlib import Path
from threading import Lock
from typing import Annotated

import faiss
import numpy
import tiktoken
import torch
from fastapi import FastAPI, Query
from pydantic import BaseModel

DIMENSIONS = 256
PATTERN = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+"
VOCABULARY = Path(__file__).with_name("vocabulary.tiktoken")


class Text(BaseModel):
    id: str
    text: str


class Hit(BaseModel):
    id: str
    score: float


class Index:
    """Texts by their vectors, in memory. Its encoding comes with it: nothing is downloaded."""

    def __init__(self) -> None:
        lines = (line.split() for line in VOCABULARY.read_text().splitlines())
        ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
        self._encoding = tiktoken.Encoding(
            "team", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}
        )
        directions = torch.randn(len(ranks), DIMENSIONS, generator=torch.Generator().manual_seed(0))
        self._tokens = torch.nn.EmbeddingBag.from_pretrained(directions, mode="sum")
        self._vectors = faiss.IndexFlatIP(DIMENSIONS)
        self._ids: list[str] = []
        self._lock = Lock()

    def add(self, text: Text) -> int:
        """Add a text; how many there are now."""
        vector = self._vector(text.text)
        with self._lock:
            self._vectors.add(vector)
            self._ids.append(text.id)
            return len(self._ids)

    def search(self, query: str, limit: int) -> list[Hit]:
        """The nearest texts, the nearest first."""
        vector = self._vector(query)
        with self._lock:
            if not self._ids:
                return []
            scores, numbers = self._vectors.search(vector, min(limit, len(self._ids)))
            found = zip(numbers[0], scores[0], strict=True)
            return [Hit(id=self._ids[number], score=score) for number, score in found]

    def _vector(self, text: str) -> numpy.ndarray:
        """A random direction for each different token, summed, of length 1."""
        tokens = sorted(set(self._encoding.encode(text.lower()))) or [0]
        return torch.nn.functional.normalize(self._tokens(torch.tensor([tokens]))).numpy()


app = FastAPI(title="indexer")
index = Index()


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"service": "indexer", "status": "ok"}


@app.post("/texts", status_code=201)
def add(text: Text) -> dict[str, int]:
    return {"texts": index.add(text)}


@app.get("/search")
def search(q: str, limit: Annotated[int, Query(ge=1, le=100)] = 5) -> list[Hit]:
    return index.search(q, limit)
