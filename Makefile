# The two commands that do all the set-up: `make demo` and `make test`.
# They need python3 with venv, and the package registries; no root, no Docker, no registry.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test check format bench replay clean

demo: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh

test: $(READY)
	$(BIN)/pytest -n auto

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# All of it needs root, docker.io, docker-registry and skopeo; what is lacking is told and left out.
# BENCH=--gpu measures gpu too.
bench: $(READY)
	$(BIN)/python tests/bench --page docs/benchmarks.md $(BENCH)

# Locks past weeks from the package registries, once; what is locked stays in .replay.
replay: $(READY)
	PYTHONPATH=tests $(BIN)/python -m bench.replay $(REPLAY)

clean:
	rm -rf .venv .demo .replay

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable . --group dev
	touch $@
