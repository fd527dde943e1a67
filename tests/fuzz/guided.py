"""The same targets under atheris, which is led by what code an input reaches.

    pip install atheris && python tests/fuzz/guided.py zip [-max_total_time=60]

atheris is no dependency of the project: it has wheels for some Pythons only. Words behind the
target are libFuzzer's. What it finds lies in ``.fuzz`` as ``TARGET-crash-…``, ``TARGET-timeout-…``.
"""

import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

with atheris.instrument_imports(include=["basestore"], enable_loader_override=False):
    from fuzz.mutate import sealed
    from fuzz.targets import TARGETS


def main(words: list[str]) -> None:
    """Fuzz one target; doesn't return."""
    name, *options = words
    target = TARGETS[name]

    def one(data: bytes) -> None:
        try:
            target.run(sealed(data) if target.seal else data)
        except target.refusals:
            return

    corpus = Path(".fuzz") / name  # libFuzzer adds to the first folder, and only reads the others
    corpus.mkdir(parents=True, exist_ok=True)
    folders = [str(corpus), str(HERE / "seeds" / name)]
    fuzzer = ["-timeout=2", "-max_len=65536", f"-artifact_prefix={corpus}-", *options, *folders]
    atheris.Setup([sys.argv[0], *fuzzer], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
