# `make` lists what there is. Works with GNU make 3.81 (macOS) and later.

PYTHON ?= python3
# More of pytest's options: make test ARGS="-k cancel -x"
ARGS ?=
# Histories of make soak and make histories, the seed of the first, or a script that failed before: make soak SCRIPT=.soak/seed-7.json
N ?= 200
SEED ?= 1
SCRIPT ?=
# make fuzz takes another seed each time, and tells it: make fuzz SEED=7 asks for the same again.
FUZZ_SEED ?= $(if $(filter command environment,$(origin SEED)),$(SEED))
export FUZZ_SEED
# make soak HOSTILE=1 has hostile messages among the steps.
HOSTILE ?=
# make soak BULK=3 has the silos take so many calls at once, and not as many as the shipped catalog says.
BULK ?=
# Test processes; each starts a Temporal server of its own. On two processors three take a quarter less time, and large orders
# may then wait for longer than they are given.
WORKERS ?= 2
UV_VERSION = 0.13.9

# Whatever the machine says, Python keeps what it has compiled: else each of the many processes that demo and tests start
# would compile everything again, for seconds.
unexport PYTHONDONTWRITEBYTECODE

VENV = .venv
BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-input
LOCKED = --require-hashes --only-binary :all:
INSTALL_PROJECT = $(PIP_INSTALL) --no-deps --no-index --no-build-isolation --editable .

.DEFAULT_GOAL = help
.PHONY: help setup demo test coverage screenshots fuzz histories soak outages next-orders check format up bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed-dev ## make .venv with the locked dependencies and the project in it
	@:

demo: $(VENV)/.installed ## run the whole pipe on this machine and show it at work
	$(BIN)/orderpipe demo

test: setup ## run every test (ARGS="-k name" to choose)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not fuzz" $(ARGS)

# What is measured, and the floor, stand in pyproject.toml. Fewer random orders than in `make test`: to be counted costs
# each line as much again, and a line is covered by the first that comes by. The register's tables of messages and of demand
# are tried by the tests of those who use them.
coverage: setup ## run the tests of the core, the register and the mappings, and hold their coverage to its floor
	ORDERPIPE_TEST_ORDERS=20 ORDERPIPE_TEST_HISTORIES=200 ORDERPIPE_TEST_PREVIEWS=10 $(BIN)/python -m pytest \
		-n $(WORKERS) --dist worksteal tests/orders tests/register tests/api/tmf tests/api/messages tests/api/care/test_demand.py \
		--deselect tests/orders/fulfilment/test_scale.py --cov $(ARGS)

screenshots: setup ## take pictures of all pages of the console, in both themes and widths, into .screenshots
	$(BIN)/python -m tests.api.console.screenshots .screenshots

fuzz: setup ## send anything to the API and to orders in flight (SEED=7 for what was sent before)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m fuzz tests/api $(ARGS)

# 200,000 random histories of the loop and whole orders take some hours: make histories N=200000
histories: setup ## random histories of the core, without an engine (N=200000)
	ORDERPIPE_TEST_HISTORIES=$(N) ORDERPIPE_TEST_ORDERS=$$(( ($(N) + 19) / 20 )) $(BIN)/python -m pytest \
		-n $(WORKERS) --dist worksteal --timeout 36000 tests/orders/reconcile/test_reconcile_histories.py \
		tests/orders/fulfilment/test_orders_at_random.py $(ARGS)

next-orders: setup ## a thousand times: order the next thing right when the last is told as completed (N=200)
	ORDERPIPE_TEST_NEXT_ORDERS=$(if $(filter command environment,$(origin N)),$(N),1000) \
		$(BIN)/python -m pytest -q --timeout 7200 tests/api/service/test_next_order.py

# A thousand orders meet an outage of five minutes, and another thousand are mended by one job while worker, API and server
# are killed.
outages: setup ## many orders meet an outage, and many are mended by one job (N=1000)
	ORDERPIPE_TEST_OUTAGE_ORDERS=$(if $(filter command environment,$(origin N)),$(N),1000) ORDERPIPE_TEST_OUTAGE_S=300 \
		$(BIN)/python -m pytest -q -s tests/e2e/test_outage.py tests/e2e/test_bulk_work.py $(ARGS)

soak: setup ## random histories on the real engine (N=1000 SEED=7 HOSTILE=1 BULK=3, or SCRIPT=file of one that failed)
	$(BIN)/python -m tests.soak --histories $(N) --seed $(SEED) $(if $(HOSTILE),--hostile) \
		$(if $(BULK),--bulk $(BULK)) $(if $(SCRIPT),--script "$(SCRIPT)")

check: setup ## formatting, lint, types, import rule
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: setup ## format the code and mend what ruff can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

up: $(VENV)/.installed ## run everything on this machine until Ctrl-C, with Temporal's Web UI
	$(BIN)/orderpipe up

bench: setup ## measure
	$(BIN)/python -m bench $(ARGS)

# Resolves anew, keeping what the locks already pin. To move on: make lock ARGS=--upgrade
# or make lock ARGS="--upgrade-package temporalio".
lock: | .lock-venv/.uv-$(UV_VERSION) ## write both lock files from pyproject.toml
	$(LOCK) --extra build --output-file requirements.lock pyproject.toml
	$(LOCK) --extra build --extra dev --constraints requirements.lock --output-file requirements-dev.lock pyproject.toml

# --no-config and --no-emit-*: nothing of the machine that it ran on gets into a lock.
LOCK = .lock-venv/bin/uv --quiet --no-config pip compile --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-annotate --no-emit-index-url --no-emit-find-links $(ARGS)

clean: ## remove the venv and the tools' caches
	rm -rf $(VENV) .lock-venv .coverage .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A run needs less than half of what the tests and checks need: the demo does not wait for the rest.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what it needs in $(VENV): about a minute ..."
	@$(PIP_INSTALL) $(LOCKED) -r requirements.lock
	@echo "Installing orderpipe itself ..."
	@$(INSTALL_PROJECT)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what it, its tests and its checks need in $(VENV): about a minute ..."
	@$(PIP_INSTALL) $(LOCKED) -r requirements-dev.lock
	@echo "Installing orderpipe itself ..."
	@$(INSTALL_PROJECT)
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "orderpipe needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Name another: make setup PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No venv could be made. On Debian: apt-get install python3-venv" >&2; exit 1; }

.lock-venv/.uv-$(UV_VERSION): | $(BIN)/python
	$(BIN)/python -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
