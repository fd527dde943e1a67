"""The team's API: takes PDFs, has them read and indexed, and finds them again."""

import os
from collections.abc import Sequence
from typing import Any

import httpx
import ulid
from fastapi import FastAPI, HTTPException, Request

DOCUMENTS = os.environ.get("DOCUMENTS_URL", "http://127.0.0.1:8001")
INDEXER = os.environ.get("INDEXER_URL", "http://127.0.0.1:8002")

app = FastAPI(title="api")
documents: dict[str, dict[str, object]] = {}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"service": "api", "status": "ok"}


@app.post("/documents", status_code=201)
async def add(request: Request) -> dict[str, object]:
    """Take the PDF that is the request's body."""
    pages = await ask("POST", f"{DOCUMENTS}/pages", content=await request.body())
    name = ulid.new().str
    text = "\n".join(page["text"] for page in pages)
    await ask("POST", f"{INDEXER}/texts", json={"id": name, "text": text})
    words = [word for page in pages for word in page["keywords"]]
    documents[name] = {"id": name, "pages": len(pages), "keywords": words}
    return documents[name]


@app.get("/documents")
def listed() -> Sequence[dict[str, object]]:
    return list(documents.values())


@app.get("/search")
async def search(q: str) -> Sequence[dict[str, object]]:
    """The documents nearest to a query, the nearest first."""
    hits = await ask("GET", f"{INDEXER}/search", params={"q": q})
    known = [hit for hit in hits if hit["id"] in documents]
    return [{**documents[hit["id"]], "score": hit["score"]} for hit in known]


async def ask(method: str, url: str, **request: object) -> Any:
    """The JSON that another service answers; what it refuses, this one does."""
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.request(method, url, **request)
    except httpx.TransportError as error:
        raise HTTPException(502, f"{url} can't be reached") from error
    if answer.is_server_error:
        raise HTTPException(502, f"{url} answered {answer.status_code}")
    if answer.is_error:
        raise HTTPException(answer.status_code, answer.json().get("detail"))
    return answer.json()
