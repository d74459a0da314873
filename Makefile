# `make` alone lists the targets. Everything is installed into .venv, which this file makes from PYTHON.
PYTHON ?= python3
WORKERS ?= auto

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CPU_TORCH := https://download.pytorch.org/whl/cpu
# On Linux without a GPU of Nvidia's, torch is its build for CPUs: pip itself would take that for CUDA, gigabytes larger.
# TORCH=cuda or TORCH=cpu decide it.
TORCH ?= $(shell if [ "$$(uname -s)" != Linux ] || command -v nvidia-smi >/dev/null 2>&1; then echo default; else echo cpu; fi)
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-browser lint docs bench clean
.DELETE_ON_ERROR:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.base ## Enlarge the packaged photo and say where the picture lies
	$(BIN)/limner demo

test: $(VENV)/.dev ## Run the tests (some minutes)
	$(PYTEST)

test-all: $(VENV)/.dev ## Run the slow tests too
	$(PYTEST) -m ''

test-browser: $(VENV)/.dev ## Try the studio, and pages of single models, in Chromium
	$(BIN)/python -m pytest -m browser tests/studio/browser
	$(BIN)/python -m pytest -m browser tests/verbs/test_site_in_browser.py

lint: $(VENV)/.dev ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.docs ## Build the site into site/ and follow its links
	$(BIN)/python docs/generate.py
	$(BIN)/zensical build --clean --strict
	$(BIN)/python docs/site_search.py
	$(BIN)/python docs/site_links.py
	@echo 'The site is in site/index.html'

bench: $(VENV)/.dev ## Time every backend and training on this machine (about 30 minutes)
	$(BIN)/python -m benchmarks.runtime.runtime
	$(BIN)/python -m benchmarks.runtime.cold_start
	$(BIN)/python -m benchmarks.runtime.many_files
	$(BIN)/python -m benchmarks.runtime.winograd
	$(BIN)/python -m benchmarks.training.steps

clean: ## Remove what the tools made, but for .venv
	rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks .coverage
	find src tests recipes benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@command -v "$(PYTHON)" >/dev/null || { echo "make: no $(PYTHON) here: install Python 3.11 or later, or name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Limner needs Python 3.11 or later, $(PYTHON) is $$("$(PYTHON)" -V 2>&1): name another: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments: install that part first (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.torch: $(VENV)/.created constraints.txt
	@if [ "$(TORCH)" = cpu ]; then echo "Installing torch for CPUs (TORCH=cuda takes the other one)"; $(PIP) torch --no-deps --retries 1 --timeout 30 --index-url $(CPU_TORCH) || echo "make: $(CPU_TORCH) cannot be reached, so pip takes torch where it finds it" >&2; fi
	@touch $@

# Each stamp stands for one set of installed packages. The package itself is installed in place, so a change of its
# code needs no new install; a change of pyproject.toml or constraints.txt does.
$(VENV)/.base: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "Installing Limner into $(VENV) (once; some minutes)"
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "Installing Limner and its development tools into $(VENV) (once; some minutes)"
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/.base $@

$(VENV)/.docs: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "Installing Limner and its documentation tools into $(VENV) (once; some minutes)"
	$(PIP) --editable '.[docs]'
	@touch $(VENV)/.base $@
