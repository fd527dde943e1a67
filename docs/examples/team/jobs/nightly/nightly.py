"""Prints the keywords that most documents of the API share."""

import os
import sys

import httpx
from nltk.probability import FreqDist

documents = httpx.get(f"{os.environ['API_URL']}/documents").raise_for_status().json()
counted = FreqDist(word for document in documents for word in document["keywords"])
sys.stdout.writelines(f"{number} {word}\n" for word, number in counted.most_common(10))
