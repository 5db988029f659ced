# The commands of Tenantry. Each sets up what it needs; none needs another first.
.POSIX:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-storm lint format messages bench docs lock clean

PY = .venv/bin/python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from requirements.lock
	@tools/setup

demo: setup ## Set everything up, serve two organisations, a worker and an inbox (PORT=8000)
	@exec $(PY) manage.py demo

test: setup ## Run all tests (T="tests/unit -k name" for some); pictures of the journeys are in tests/browser/screenshots
	@browser=$$(tools/chromium) && pooler=$$(tools/pgbouncer) && CHROMIUM="$$browser" PGBOUNCER="$$pooler" TMPDIR=$$(tools/scratch) PYTHONDONTWRITEBYTECODE= exec $(PY) -m pytest -n 3 --dist loadgroup $(T)

test-storm: setup ## Run the tests with the big numbers, part by part (P="toggles" for one; goes on where it was)
	@browser=$$(tools/chromium) && pooler=$$(tools/pgbouncer) && CHROMIUM="$$browser" PGBOUNCER="$$pooler" exec $(PY) tools/storm $(P)

lint: setup ## Check style, types, layers, and what Django checks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command(["--no-logo"]))'
	@$(PY) manage.py check --fail-level WARNING

format: setup ## Put the code into its form
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

messages: setup ## Bring the translations up to date with the code: what is new waits in locale/ for its words
	@$(PY) tools/messages

bench: setup ## Measure the shipped paths beside their peers (TENANTS=5000 for the rows about many tenants alone, at that number)
	@exec $(PY) -m bench $${TENANTS:+--parts tenants --crowd 10 $$TENANTS}

docs: setup ## Make the reference pages and the screenshots, and from all of docs/ a site under .data/site
	@$(PY) manage.py reference --to docs/reference
	@browser=$$(tools/chromium) && CHROMIUM="$$browser" $(PY) -m tests.browser.pictures docs/screenshots
	@tools/docs-site

lock: setup ## Pin requirements.in anew into requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(PY) -m uv pip compile requirements.in --generate-hashes --universal --python-version 3.12 \
		--no-emit-index-url --no-header --upgrade --quiet -o requirements.lock

clean: ## Stop the embedded servers; remove their data, .venv and what the tools made
	@if [ -x $(PY) ]; then $(PY) manage.py postgres delete; fi
	@rm -rf "$$(tools/scratch)/pytest-of-$$(id -un)"
	@rm -rf .venv .data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/browser/screenshots
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
