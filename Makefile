# Everything starts here. A fresh machine needs Python 3.11 or later and make; "make setup" is implied by the others.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Name another one with: make PYTHON=/path/to/python …
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-warn-script-location

.PHONY: help setup up demo test check audit bench format clean

help: ## What can be made.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/installed ## The virtual environment, from the hash-pinned lock; skipped when it is up to date.

$(VENV)/installed: requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tessera needs Python 3.11 or later. Install it, or say where it is: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV) with $$($(PYTHON) --version) …"; $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python's venv is missing (on Debian and Ubuntu: the package python3-venv)."; exit 1; }; }
	@echo "Installing packages from requirements-dev.lock (once; about 250 MB) …"
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock || \
		{ echo "The packages could not be installed. Check the network, then run the same command again."; exit 1; }
	@$(PIP_INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $@

up: setup ## The whole stack in the foreground, with URLs and a token; Ctrl-C stops it.
	@$(BIN)/tessera up

demo: setup ## Plays real receipts through the stack and shows what happened.
	@$(BIN)/tessera demo

test: setup .venv-audit/installed ## Lint, types, contracts and all tests, on the real broker and database.
	@$(BIN)/python .ci/checks.py all

check: setup .venv-audit/installed ## The fast checks alone: lint, types, imports, tests without servers.
	@$(BIN)/python .ci/checks.py fast

.venv-audit/installed: requirements-audit.lock
	@test -n "$(PYTHON)" || { echo "Tessera needs Python 3.11 or later: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

audit: .venv-audit/installed ## Asks a service of advisories about every locked package; fails where it cannot be reached.
	@for lock in requirements.lock requirements-dev.lock; do \
		.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$lock; done

bench: setup ## The benchmarks; results are appended to docs/benchmarks.md.
	@$(BIN)/tessera bench pipelines
	@$(BIN)/tessera bench registry
	@$(BIN)/tessera bench imports
	@$(BIN)/tessera bench engine
	@$(BIN)/tessera bench previews
	@$(BIN)/tessera bench checkouts
	@$(BIN)/tessera bench backtest
	@$(BIN)/tessera bench holds
	@$(BIN)/tessera bench till-traffic
	@$(BIN)/tessera bench expiry
	@$(BIN)/tessera bench inactivity
	@$(BIN)/tessera bench verify

format: setup ## Formats the code, and cures what ruff can cure.
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format .

clean: ## Removes what the tools made; the data of the local stack (.tessera/) stay.
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build .venv-audit
