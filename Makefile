# Each target makes the virtual environment when it is missing or stale.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
WORKERS ?= 4

.PHONY: nodes-demo demo serve test check lint acceptance conformance soak bench bench-figures clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

demo: $(STAMP)
	$(BIN)/pulsebox demo $(ARGS)

serve: $(STAMP)
	$(BIN)/pulsebox serve $(ARGS)

test: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -W error
	$(MAKE) --no-print-directory acceptance

acceptance: $(STAMP)
	$(BIN)/pytest -m acceptance --timeout 900 -W error

# Writes docs/conformance.md from the rules and the tests, then holds the service to them.
conformance: $(STAMP)
	$(BIN)/python -m tests.conformance.statement
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/conformance tests/architecture/test_conformance.py

soak: $(STAMP)
	$(BIN)/pytest -m soak --timeout 7200

# Three machines (network namespaces: as root) behind HAProxy; one is killed, one cut off. docs/operations.md has more.
nodes-demo: $(STAMP)
	$(BIN)/python -W ignore -m tests.acceptance.three_nodes

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

# Measures the figures of docs/performance.md and makes that page; ARGS="--only latency" does one row.
bench-figures: $(STAMP)
	$(BIN)/python -m benchmarks figures $(ARGS)

clean:
	rm -rf $(VENV) var/demo dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
