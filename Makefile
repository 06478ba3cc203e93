# Python 3.11 to 3.13; `make PYTHON=python3.12 setup` picks another than python3.
PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
export UV_COMPILE_BYTECODE := 1
export DAGSTER_HOME := $(CURDIR)/data/dagster

.DEFAULT_GOAL := help
.PHONY: help setup run dev test lint format lock bench clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Install everything, exactly as locked, into .venv

.venv/.ready: deploy/requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "tokenfall needs Python 3.11 to 3.13; this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r deploy/requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q pipeline
	$(BIN)/tokenfall prepare
	touch $@

run: setup ## One whole day: capture, read, build, audit, publish
	$(BIN)/tokenfall run

dev: setup ## The Dagster UI on 127.0.0.1:3000, with the daemon that runs the schedule
	mkdir -p $(DAGSTER_HOME) && cp dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

test: setup ## Run the tests
	$(BIN)/pytest -n 2 --dist loadfile

lint: setup ## Check style, types and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project

format: setup ## Bring Python and SQL into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt_project

lock: setup ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-annotate -o deploy/requirements.lock

bench: setup ## Measure a day and the reading of pages, each beside an alternative
	$(BIN)/python -m benchmarks.day
	$(BIN)/python -m benchmarks.parse

clean: ## Remove the environment and build products; data/ stays
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis dbt_project/target dbt_project/logs
