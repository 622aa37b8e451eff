# Two commands set everything up on a machine that has Python 3.11 or newer and make:
#   make demo      the main job against a simulated house (DURATION=60 ends it by itself)
#   make test      the tests
PYTHON ?= python3
VENV ?= .venv-$(notdir $(PYTHON))
DURATION ?=
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types layers fuzz bench lock clean

demo: $(READY)
	$(BIN)/gridzero demo $(if $(DURATION),--duration $(DURATION))

test: $(READY)
	$(BIN)/python -m pytest

check: lint types layers test

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

fuzz: $(READY)
	GRIDZERO_FUZZ_FRAMES=1000000 $(BIN)/python -m pytest -m fuzz

bench: $(READY)
	$(BIN)/gridzero bench core

# Every package with its hash; the second step installs this checkout itself, without fetching.
$(READY): requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Renews the locks for all supported Pythons; needs uv on the path.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements/base.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra dev --extra parquet pyproject.toml -o requirements/dev.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
