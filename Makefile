# The two commands that do all the set-up: `make demo` and `make test`.
# They need python3 with venv, and the Python index for the environment; no root, no Docker, no registry.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# What the environment consists of, by version and hash; made by `make relock`.
LOCKED := tests/environment.txt
NEWEST := .venv-newest/bin

# Without bytecode every command that a test runs would compile basestore anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-services test test-rest test-all test-newest relock check format bench bench-against bench-team fuzz faults mutations replay clean

demo: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh

# Three services on two bases; with docker-registry and a Docker Engine it pushes and runs them, too.
demo-services: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/examples/team/demo.sh

# Five minutes on two quiet cores, without a network; what is lacking is told at the end.
test: $(READY)
	$(BIN)/pytest -n auto --dist worksteal -m "not long"

# What has no place in those five minutes: most of it needs the package registries.
test-rest: $(READY)
	$(BIN)/pytest -n auto --dist worksteal -m long

test-all: $(READY)
	$(BIN)/pytest -n auto --dist worksteal

# The same tests with the newest releases that pyproject.toml allows, in an environment of its own.
test-newest: $(READY)
	$(PYTHON) -m venv --clear .venv-newest
	$(BIN)/uv pip install --quiet --upgrade --python $(NEWEST)/python --editable . --group dev
	$(NEWEST)/pytest -n auto --dist worksteal -m "not long"

# Locks the environment anew, with the newest releases.
relock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-emit-index-url --custom-compile-command "make relock" \
	  --group dev pyproject.toml --output-file $(LOCKED)

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

# Cold builds of ml by this checkout beside those by an earlier one, within 5 %; needs the artifacts
# of ml in the store. REVISION=HEAD~10 for another one than the last commit but one.
bench-against: $(READY)
	$(BIN)/python tests/bench/against.py $(REVISION)

# A team's images by docker build and by basestore; takes half an hour, root, docker.io and
# docker-registry. TEAM='--only svc-documents svc-api --json' for a trial.
bench-team: $(READY)
	PYTHONPATH=tests:tests/bench $(BIN)/python -m bench.team \
	  $(if $(TEAM),$(TEAM),--page docs/benchmarks-team.md)

# Mutated inputs into every reader of bytes that others wrote; what breaks one lies in .fuzz.
# FUZZ='--seconds 60 --target zip' for less.
fuzz: $(READY)
	$(BIN)/python tests/fuzz/run.py $(if $(FUZZ),$(FUZZ),--seconds 600)

# Kills, full disks and read errors at every call that changes a file, then a storm; needs strace and
# half an hour. FAULTS='--points 10 --storm 20' for less.
faults: $(READY)
	PYTHONPATH=tests $(BIN)/python -m faults $(if $(FAULTS),$(FAULTS),--page docs/faults.md)

# Some 500 changes of locks, records, stores, registries and engines, each found by the check that it
# is listed with; needs docker-registry and Debian's archive. MUTATIONS='--only origin/' for less.
mutations: $(READY)
	PYTHONPATH=tests $(BIN)/python -m mutations $(if $(MUTATIONS),$(MUTATIONS),--page docs/mutations.md)

# Locks past weeks from the package registries, once; what is locked stays in .replay.
replay: $(READY)
	PYTHONPATH=tests $(BIN)/python -m bench.replay $(REPLAY)

clean:
	rm -rf .venv .venv-newest .demo .replay .fuzz

$(READY): pyproject.toml $(LOCKED)
	$(PYTHON) -m venv .venv
	awk '/^[^ ]/ { wanted = /^uv==/ } wanted' $(LOCKED) >.venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCKED)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
	  --no-deps --no-build-isolation --editable .
	touch $@
