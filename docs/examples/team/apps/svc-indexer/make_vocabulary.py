"""Trains the vocabulary: python make_vocabulary.py FILE... > vocabulary.tiktoken

It stays out of the image; .dockerignore says so.
"""

import base64
import sys
from pathlib import Path

from main import PATTERN
from tiktoken._educational import bpe_train

SIZE = 1024

text = "\n".join(Path(name).read_text() for name in sys.argv[1:])
for token, rank in bpe_train(text, SIZE, PATTERN, visualise=None).items():
    sys.stdout.write(f"{base64.b64encode(token).decode()} {rank}\n")
