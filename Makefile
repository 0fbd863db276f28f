# One command for each job; .ci/run calls the same ones. CONTRIBUTING.md explains them.
# Another environment: make check PYTHON=/path/to/python

PYTHON = .venv/bin/python
PROGRAMS = $(dir $(PYTHON))

.PHONY: help setup etcds check test test-all test-engines docs bench mutants package
.SILENT: help

help: ## list the commands
	sed -n 's/^\([a-z-]*\):.*## /\1  /p' Makefile

setup: ## a new .venv with everything that the checks and the tests need
	python3 -m venv .venv
	.venv/bin/pip install --quiet -e '.[lint]'

etcds: ## real etcd of every supported version, from the Go modules in tests/support/; the tests that need it find it
	for module in tests/support/etcd-*/; do \
	  echo "$$module"; \
	  (cd "$$module" && go build -trimpath -ldflags="-s -w" -o bin/ tool && mv bin/server bin/etcd) || exit; \
	done

check: ## formatting, lint, types and the contracts between the rooms
	$(PROGRAMS)ruff check .
	$(PROGRAMS)ruff format --check .
	$(PROGRAMS)mypy
	# It looks for the package where the first python on the path does.
	PATH="$(abspath $(PROGRAMS)):$$PATH" pyright --verifytypes etcdsize --ignoreexternal
	$(PROGRAMS)lint-imports --no-cache

test: ## the tests that need Python alone, in about six minutes on two cores
	$(PYTHON) -m pytest

test-all: ## every test but those on Spark and Dask; what compares times runs after them
	$(PYTHON) -m pytest -m "not bench and not engines"
	$(PYTHON) -m pytest -m bench -n2

test-engines: ## the tests on Spark and Dask, in an environment of their own; they need Java 17
	test -d .venv-engines || python3 -m venv .venv-engines
	.venv-engines/bin/pip install --quiet -e '.[test-engines]'
	.venv-engines/bin/python -m pytest -m engines -n0 tests/engines etcdsize/frames

docs: ## write the pages that come from the code
	$(PYTHON) docs/generate.py

bench: ## run every benchmark; docs/performance.md is written with --docs
	$(PYTHON) -m benchmarks.all

mutants: ## change the core a little, many times, and list what the tests do not notice; it takes an hour
	$(PYTHON) -m tests.mutants

package: ## the sdist and the wheel, into dist/
	$(PYTHON) -m build --no-isolation
