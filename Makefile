PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check bench docs stories lock migration

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/installed ## install Cadenza and its page assets into .venv

.venv/installed: requirements/runtime.txt package-lock.json
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the dependencies, about a minute."
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@echo "Installing the page assets."
	@$(BIN)/python -m cadenza.web.assets
	@touch $@

setup-dev: .venv/installed-dev ## install what the checks and tests need as well

.venv/installed-dev: .venv/installed requirements/dev.txt tests/servers/unipile/package-lock.json
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(BIN)/python -m tests.servers.unipile_client
	touch $@

run: setup ## start everything with a local world to send into
	@exec $(BIN)/cadenza up --sandbox

check: setup-dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## every check and every test
	$(BIN)/python -m pytest -n 2 --dist worksteal

bench: setup-dev ## every benchmark, one JSON line each
	$(BIN)/python -m cadenza.app bench all --json

docs: setup-dev ## write the generated pages of docs/
	$(BIN)/python -m tests.documents

stories: setup-dev ## acceptance criteria without a test
	$(BIN)/python -m tests.stories

lock: ## lock the dependencies anew
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal requirements/runtime.in -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt
