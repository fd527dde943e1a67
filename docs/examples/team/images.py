"""Prints where each service's image lies, for compose and envsubst: images.py >images.env"""

import sys
import tomllib
from pathlib import Path

project = Path(__file__).parent
registry = tomllib.loads((project / "basestore.toml").read_text())["registry"]
for row in tomllib.loads((project / "locks/services.toml").read_text())["services"]:
    image = f"{registry}/{row['service']}:{row['tag']}@{row['image']}"
    sys.stdout.write(f"{row['service'].replace('-', '_').upper()}={image}\n")
