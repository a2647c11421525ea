# Everything from a bare checkout: needs Python >= 3.11 with pip, a C compiler and make.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BENCH ?= .bench
WORKERS ?= 3
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The project itself, without its compiled twins: those are made in place when their sources change.
PIP_PROJECT := KRAKENWIRE_PURE=1 $(PIP_INSTALL) --no-build-isolation -e
TWINS := setup.py $(wildcard src/krakenwire/_native/*.pyx src/krakenwire/_native/*.pxd src/krakenwire/_native/*.h)

.DEFAULT_GOAL := help
.PHONY: help venv native demo test lint types layers check nightly bench bench-peers bench-report bench-instructions docs-backtests docs test-peers wheel test-wheel check-packages clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.base:
	@test -n "$(PYTHON)" || { echo "krakenwire needs Python 3.11 or newer; set PYTHON=/path/to/it" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP_INSTALL) setuptools Cython
	@# What tape and bot stand on has wheels for the usual machines; where there is none, all else works without.
	$(PIP_PROJECT) '.[all]' || { echo "left out: tape and bot, whose libraries cannot be installed here" >&2; \
		$(PIP_PROJECT) '.[venue,watch,cli,speed]'; }
	@touch $@

$(VENV)/.run: $(VENV)/.installed $(TWINS)
	@KRAKENWIRE_PURE= $(BIN)/python setup.py --quiet build_ext --inplace
	@# Without a compiler not done: the next make tries again, as there may be one then.
	@if $(BIN)/python -c 'import sys; from krakenwire import _native; sys.exit(not _native.BUILT)'; then touch $@; fi

$(VENV)/.extras: $(VENV)/.installed
	$(PIP_PROJECT) '.[dev]'
	@touch $@

$(VENV)/.dev: $(VENV)/.extras $(VENV)/.run
	@touch $@

venv: $(VENV)/.dev ## make .venv with everything a developer needs

native: $(VENV)/.run ## compile the twins where they are out of date

demo: $(VENV)/.run ## see a living market: local Kraken, client, price alert
	$(BIN)/krakenwire demo $(ARGS)

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

nightly: $(VENV)/.dev ## run the tests with the long ones: more than an hour on two cores
	$(BIN)/python -m pytest -q -n $(WORKERS) --nightly -o faulthandler_timeout=10800 $(ARGS)

lint: $(VENV)/.dev ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy --strict
	$(BIN)/mypy

layers: $(VENV)/.dev ## imports point one way
	$(BIN)/lint-imports

check: lint types layers test ## all of the above

# An environment of its own: the other clients pin what they bring. One that cannot be installed is left out.
BENCH_PIP := $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check

$(BENCH)/.installed: $(VENV)/.base pyproject.toml constraints.txt bench/peers.txt
	$(BIN)/python -m venv $(BENCH)
	$(BENCH_PIP) -c constraints.txt setuptools Cython
	KRAKENWIRE_PURE=1 $(BENCH_PIP) -c constraints.txt --no-build-isolation -e '.[venue,cli,speed,tape]'
	@while read -r peer; do $(BENCH_PIP) "$$peer" || echo "left out: $$peer" >&2; done < bench/peers.txt
	@touch $@

bench: $(BENCH)/.installed $(VENV)/.run ## measure everything, beside yardsticks and other clients
	@$(BENCH)/bin/krakenwire bench $(ARGS)

bench-peers: $(BENCH)/.installed $(VENV)/.run ## measure beside other clients only
	$(BENCH)/bin/krakenwire bench --only peers --only e2e --only matching --only backtest $(ARGS)

bench-report: $(BENCH)/.installed $(VENV)/.run ## measure everything and put the result into docs/performance.md
	mkdir -p build
	$(BENCH)/bin/krakenwire bench --json $(ARGS) > build/bench.json
	$(BENCH)/bin/python -m bench.report build/bench.json

bench-instructions: $(VENV)/.run ## count the instructions of the one pass, against the committed figure
	$(BIN)/python -m bench.instructions $(ARGS)

docs-backtests: $(VENV)/.dev ## run the examples on real trades and put the result into docs/backtests.md
	$(BIN)/python -m bench.backtests $(ARGS)

REFERENCE := krakenwire krakenwire.aio krakenwire.threaded krakenwire.client krakenwire.errors krakenwire.limits \
	krakenwire.model krakenwire.protocol krakenwire.book krakenwire.session krakenwire.watch krakenwire.testing

docs: $(VENV)/.dev ## the reference as pages, from the docstrings: build/reference
	$(BIN)/pdoc --docformat google --output-directory build/reference $(REFERENCE)

test-peers: $(VENV)/.dev ## other people's clients against the local Kraken, in their own environment
	tests/peers/run.sh $(VENV) .peers

wheel: $(VENV)/.dev ## wheel and source distribution, in dist
	@mkdir -p build && rm -f dist/krakenwire-*
	KRAKENWIRE_PURE=0 PIP_CONSTRAINT=constraints.txt $(BIN)/python -m build --outdir dist >build/wheel.log 2>&1 \
		|| { tail -n 30 build/wheel.log >&2; exit 1; }
	@ls dist/krakenwire-*

test-wheel: wheel ## the wheel, installed in a fresh environment, passes the tests
	tests/packaging/run.sh $(VENV) dist suite -n $(WORKERS) --dist worksteal $(ARGS)

check-packages: wheel ## wheel and sdist install and work, with a C compiler and without
	tests/packaging/run.sh $(VENV) dist install

clean: ## remove what make made
	rm -rf $(VENV) .peers $(BENCH) build dist src/krakenwire/_native/*.so .mypy_cache .ruff_cache .pytest_cache
