# `make demo`, `make test` and the rest make their own environment in .venv on first use.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python
READY := $(VENV)/.ready
PACKAGES := -m deathless -p deathless.workflows -p deathless.actors -p deathless.runtime -p deathless.tools
STARTER := -p starter_game -m test_watch
EXAMPLES := -m village -m arcade_village -m plain_loop -m asyncio_server -m asyncio_client -m durable.bridge -m durable.effects

.PHONY: help demo test lint check bench soak crash wheel format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

$(READY): pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Deathless needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## a village that survives kill -9 (ARGS="--plain --seconds 5" runs without a terminal)
	@$(PY) examples/village.py $(ARGS)

test: $(READY) ## every test
	$(PY) -m pytest $(ARGS)

lint: $(READY) ## ruff, mypy and pyright
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy $(PACKAGES) $(EXAMPLES) $(STARTER)
	$(PY) -m pyright

check: lint test ## what CI runs

format: $(READY) ## format and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: $(READY) ## figures beside the floor of this machine, written to bench.json
	$(PY) bench/run.py $(ARGS)

crash: $(READY) ## the long crash test: 50 rounds of kill -9
	$(PY) -m pytest tests/crash --rounds 50 $(ARGS)

soak: $(READY) ## the long fuzz of the coroutine compiler, and long games of a Runtime against its model
	$(PY) -m pytest tests/property --programs 5000 --games 5000 $(ARGS)

wheel: $(READY) ## build the wheel and the sdist into dist/
	$(PY) -m build

clean: ## remove what the build made
	rm -rf $(VENV) .dev dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
