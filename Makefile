# Two commands set everything up on a machine that has Python 3.11 or newer and make:
#   make demo      the main job against a simulated house (DURATION=60 ends it by itself)
#   make test      the tests
PYTHON ?= python3
VENV ?= .venv-$(notdir $(PYTHON))
DURATION ?=
DATA ?=
JOBS ?= 2
CONTROL_TRACES := steps,random,hob,hob-sun,ramps,washing,evening,midday,stress
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types layers fuzz bench bench-quick bench-control lock clean

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

bench-quick: $(READY)
	$(BIN)/gridzero bench control --quick

# Every table of docs/benchmarks.md about the control law, to stdout. DATA: a folder with measured
# loads (load/, pv/); without it the built-in ones are taken. Twelve minutes with DATA, three without.
bench-control: $(READY)
	@$(BIN)/gridzero bench control --goals --markdown --jobs $(JOBS) $(if $(DATA),--data $(DATA))
	@$(BIN)/gridzero bench control --markdown --jobs $(JOBS) --plants house,discharge --seeds 1,2 --traces $(CONTROL_TRACES)
	@$(BIN)/gridzero bench control --markdown --jobs $(JOBS) --meters 1s,late,10s,lossy,shuffled,spiky --traces steps,evening
	@$(BIN)/gridzero bench control --markdown --jobs $(JOBS) --plants half-slew,double-slew,dead-1.0,dead-2.5,gain-low,gain-high,two-inverters --traces steps,evening
	@$(BIN)/gridzero bench control --markdown --jobs $(JOBS) --ablate --meters 0.5s,spiky --traces $(CONTROL_TRACES)

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
