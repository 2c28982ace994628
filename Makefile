# Trading System. `make` lists what can be done.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run stop status test check bench prove shell clean

PYTHON ?= python3
ARGS ?=
TESTS ?=
NAMES ?=
CAP ?=
EXTRAS ?=
SETUP = $(PYTHON) trading_system/deploy/setup_environment.py
VENV_PYTHON = .venv/bin/python

help:  ## list the commands
	@echo "Trading System"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'
	@echo
	@echo "  make run ARGS=\"--venue binance --symbol BTC/USDT --timeframe 1m --mode paper --port 8000 --data-dir DIR\""
	@echo "  make run ARGS=--help lists all options; make run PYTHON=python3.12 uses another Python."

setup:  ## create or refresh .venv for running
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Python 3.11 or newer is needed: install it, or name it (make run PYTHON=python3.12)." >&2; exit 1; }
	@$(SETUP) run

setup-dev:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Python 3.11 or newer is needed: install it, or name it (make test PYTHON=python3.12)." >&2; exit 1; }
	@$(SETUP) dev

run: setup  ## start everything; Ctrl-C stops it
	@exec $(VENV_PYTHON) manage.py up $(ARGS)

stop: setup  ## stop what `make run` started
	@$(VENV_PYTHON) manage.py stop_system

status: setup  ## show processes, market clock and queues
	@$(VENV_PYTHON) manage.py status

test: setup-dev  ## run all tests on throw-away servers, on all cores (TESTS="tests/unit -k name" runs some)
	@$(VENV_PYTHON) trading_system/deploy/chromium.py
	@$(VENV_PYTHON) -m pytest -n auto $(TESTS)

check: setup-dev  ## lint, types, import contracts, migrations, deploy check
	@$(VENV_PYTHON) trading_system/deploy/check.py

bench: setup-dev  ## run the benchmarks and print their numbers (NAMES="bus candles" runs some)
	@$(VENV_PYTHON) -m tests.benchmarks $(NAMES)

prove: setup-dev  ## run the long proofs (CAP=name runs those of one capability)
	@$(VENV_PYTHON) -m tests.prove $(if $(CAP),--cap "$(CAP)")

shell: setup  ## a Python shell with Django, beside the running system
	@$(VENV_PYTHON) manage.py shell

clean:  ## remove all data and the environment; asks first
	@if [ -x $(VENV_PYTHON) ]; then $(VENV_PYTHON) manage.py remove_data; \
	elif [ -d var ]; then printf "This removes all data in var. Type yes: "; read -r answer; [ "$$answer" = yes ] && rm -rf var; fi
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
