# Flowledger. `make help` lists what there is; `make run` is all that is needed to start.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --python-version 3.11
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SILENT:

.PHONY: help
help: ## this list
	awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: install ## set up, then web, worker, clock and database on http://127.0.0.1:8000 (PORT)
	exec $(PY) -m config.run --with-parent

.PHONY: install
install: $(VENV)
	$(call pinned,requirements.txt)

.PHONY: install-dev
install-dev: $(VENV)
	$(call pinned,requirements-dev.txt)

# Installs a pinned list unless the one installed last is the same: the second start takes no time.
define pinned
cmp -s $(1) $(VENV)/$(1) || { \
	echo "Installing $(1); the first time takes a minute or two."; \
	$(PIP) install --quiet --require-hashes -r $(1) && cp $(1) $(VENV)/$(1); \
} || { \
	echo "flowledger: $(1) could not be installed: see the lines above, check that the network and the" \
		"package index can be reached, then run make again." >&2; \
	exit 1; \
}
endef

# Made again where it is incomplete, for instance when the first try lacked ensurepip.
.PHONY: $(VENV)
$(VENV):
	$(PY) -c 'import pip' 2>/dev/null || { \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
			echo "flowledger: Python 3.11 or newer is needed: install it, or name it by" \
				"make run PYTHON=/path/to/python3.11." >&2; exit 1; }; \
		$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
			echo "flowledger: Python's venv module is incomplete: run apt-get install python3-venv," \
				"then make again." >&2; exit 1; }; \
		$(PYTHON) -m venv --clear $(VENV); \
	}

.PHONY: test
test: install-dev ## the whole test suite
	$(PY) -m pytest -n 2

.PHONY: lint
lint: install-dev ## style, types, layers, missing migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	$(BIN)/python -c 'import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())'
	DATABASE_URL= $(PY) manage.py makemigrations --check --dry-run

.PHONY: format
format: install-dev ## writes the style that lint asks for
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

.PHONY: lock
lock: install-dev ## pins requirements.in and requirements-dev.in, with hashes
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements.in requirements-dev.in -o requirements-dev.txt

.PHONY: bench
bench: install-dev ## the benchmarks, as tables
	$(PY) -m bench

.PHONY: faults
faults: install-dev ## processes killed at random while data arrives; nothing may be lost or counted twice
	FAULTS=full $(PY) -m pytest tests/faults

.PHONY: fuzz
fuzz: install-dev ## 100,000 damaged bodies; none may be answered by a 5xx
	FUZZ=100000 $(PY) -m pytest tests/ingest/test_fuzz.py
	FUZZ=100000 $(PY) -m pytest tests/test_openapi.py
