# Needs make and python3 >= 3.11 with venv. PYTHON=python3.12 make test chooses another interpreter.
.DEFAULT_GOAL := help
.PHONY: \
	help demo test test-oldest lint format lock snapshots nix-check nix-snapshots conformance boot-test \
	bench serve-venv test-venv oldest-venv

python := .venv/bin/python
checked := pgmcp tests $(wildcard bench)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: serve-venv ## a private PostgreSQL with sample data, and the gateway on it
	@exec $(python) -m pgmcp demo $(ARGS)

test: test-venv ## every test, against a real cluster; ARGS="-k name" chooses
	@$(python) -m pytest $(ARGS)

test-oldest: oldest-venv ## the tests on the oldest versions that pyproject.toml admits
	@.venv-oldest/bin/python -m pytest $(ARGS)

lint: test-venv ## style, format and types
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy $(checked)

format: test-venv ## format the Python files
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix-only .

snapshots: test-venv ## write the generated files and snapshots anew
	@$(python) -m tests.snapshots

nix-check: test-venv ## the NixOS module: its snapshots, and with NIXPKGS_LIB set what it evaluates to
	@$(python) -m tests.nixos $(ARGS)

nix-snapshots: test-venv ## write the module's snapshots and docs/options.md anew (needs NIXPKGS_LIB)
	@$(python) -m tests.nixos write

conformance: test-venv ## the official MCP conformance suite (needs Node 22)
	@$(python) -m tests.conformance $(ARGS)

boot-test: test-venv ## the NixOS module's units under a real systemd (needs root; ARGS="late")
	@$(python) -B -m tests.boot $(ARGS)

bench: test-venv ## the gateway beside raw asyncpg
	@$(python) -m bench $(ARGS)

lock: ## resolve requirements/*.txt anew
	@tools/lock.sh

serve-venv:
	@tools/venv.sh serve

test-venv:
	@tools/venv.sh test

oldest-venv:
	@tools/venv.sh oldest
