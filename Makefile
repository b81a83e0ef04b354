# Everything a person types here: `make help` lists it.

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin

# The locks are complete and hashed: nothing to resolve, and byte code is written when a module is first used.
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-input --no-deps --no-compile
LOCKED      := $(PIP_INSTALL) --require-hashes --progress-bar off
UV_COMPILE  := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
               --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet

# Where nothing may be written beside the modules, every start would compile a thousand of them again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs screenshots notebooks lock upgrade install install-dev clean

help: ## Say what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: install ## Install, simulate a shop, train, and serve on localhost with a key and a curl to try (ARGS="--port 9000")
	@$(BIN)/returnwise demo $(ARGS)

test: install-dev ## Run every test (ARGS="-k ledger")
	$(BIN)/python -m pytest -q -rs --numprocesses auto --dist worksteal $(ARGS)

lint: install-dev ## Check style, types, import rules, locked packages and generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pip check
	$(BIN)/python -m pipelines.docs --check

format: install-dev ## Format the code and repair what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-dev ## Write the generated pages anew
	$(BIN)/python -m pipelines.docs

screenshots: install-dev ## Photograph the console's pages on a small demo, with the machine's Chromium (ARGS="queue case")
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

notebooks: install-dev ## Run the notebooks from top to bottom and draw the pictures of their page anew (ARGS="03")
	@$(BIN)/python -m notebooks.run --pictures $(ARGS)

lock: install-dev ## Write both locks anew from pyproject.toml, keeping the versions that still fit
	$(UV_COMPILE) $(UPGRADE) --extra build --extra dev --output-file requirements-dev.lock
	$(UV_COMPILE) --extra build --constraints requirements-dev.lock --output-file requirements.lock

upgrade: ## Write both locks anew with the newest versions that fit
	@$(MAKE) lock UPGRADE=--upgrade

install: $(VENV)/.installed ## Install what the service needs into .venv

install-dev: $(VENV)/.installed-dev ## Install also what tests, checks and notebooks need

clean: ## Remove .venv and what the tools left (never var/, where the data are)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A stamp is younger than what it was made from, or it is made again.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "make: $(PYTHON) -m venv failed. Returnwise needs Python 3.11 with venv (Debian: apt-get install python3.11-venv)," \
	       "or say which one to use: make PYTHON=/path/to/python3.11" >&2; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked packages into $(VENV) ..."
	@$(LOCKED) -r requirements.lock
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked packages and tools into $(VENV) ..."
	@$(LOCKED) -r requirements-dev.lock
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@ $(VENV)/.installed
