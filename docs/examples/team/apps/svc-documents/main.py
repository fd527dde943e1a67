"""Reads a PDF: the text and keywords of its pages, what they look like, a thumbnail."""

from io import BytesIO

import numpy
import pypdfium2
import torch
from fastapi import FastAPI, HTTPException, Request, Response
from nltk.probability import FreqDist
from nltk.stem import PorterStemmer
from nltk.tokenize import RegexpTokenizer
from PIL import Image

LONGEST = 160  # pixels of a thumbnail's longer side
WORDS = RegexpTokenizer(r"[^\W\d_]{4,}")
STEMMER = PorterStemmer()

app = FastAPI(title="documents")


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"service": "documents", "status": "ok"}


# PDFium isn't thread-safe. What is `async` here runs in one thread, one request after the other.
@app.post("/pages")
async def pages(request: Request) -> list[dict[str, object]]:
    """The pages of the PDF that is the request's body."""
    return [described(page) for page in read(await request.body())]


@app.post("/thumbnail")
async def thumbnail(request: Request) -> Response:
    """A PNG of the first page of the PDF that is the request's body."""
    image = rendered(read(await request.body())[0])
    image.thumbnail((LONGEST, LONGEST))
    png = BytesIO()
    image.save(png, "PNG")
    return Response(png.getvalue(), media_type="image/png")


def read(body: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        raise HTTPException(400, "this is no PDF") from error


def described(page: pypdfium2.PdfPage) -> dict[str, object]:
    text = page.get_textpage().get_text_bounded()
    return {"text": text, "keywords": keywords(text), "look": look(rendered(page))}


def rendered(page: pypdfium2.PdfPage) -> Image.Image:
    return page.render(scale=1).to_pil()


def keywords(text: str) -> list[str]:
    """The stems of the most frequent longer words."""
    stems = (STEMMER.stem(word) for word in WORDS.tokenize(text))
    return [stem for stem, _ in FreqDist(stems).most_common(5)]


def look(image: Image.Image) -> str:
    """64 bits, in hexadecimal, that are nearly the same for pages that look the same."""
    pixels = torch.from_numpy(numpy.array(image.convert("L"), dtype=numpy.float32))
    cells = torch.nn.functional.adaptive_avg_pool2d(pixels[None], 8).flatten()
    bits = (cells > cells.mean()).int().tolist()
    return f"{int(''.join(map(str, bits)), 2):016x}"
