# One word, one meaning; each target sets up what it needs, in a fresh clone too. `make help` lists them.
#
# Needed beforehand: Python 3.11 or newer with venv, Node.js 20 or newer with npm, make. Everything else is installed into
# .venv, node_modules and .build of this folder, in the versions that constraints.txt and package-lock.json pin.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
STAMPS := .build/stamps
READY := $(STAMPS)/python $(STAMPS)/node $(STAMPS)/solc
PIP := .venv/bin/python -m pip --disable-pip-version-check

# Tools of this clone come first; py-solc-x and Ape look for the compiler in the clone, not in the home directory.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/.build/solcx

# Arguments for single runs: make test PYTEST="tests/unit -k merkle", make demo FILE=video.mp4
PYTEST ?=
FORGE ?=
FILE ?=

.PHONY: help setup setup-ipfs demo simulate churn test test-python test-contracts test-ape check slither fmt contracts gas bench docs lock clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- set-up ----------------------------------------------------------------------------------------------------------

setup: $(READY) ## Install everything the other targets need
	@echo "Ready. Next: make demo, or: source .venv/bin/activate && walrus devnet up"

setup-ipfs: $(STAMPS)/ipfs ## Install the IPFS daemon that one test uses

# constraints.txt is the whole resolved set, so pip needs no resolver; bytecode is made when a module is first used.
$(STAMPS)/python: constraints.txt pyproject.toml $(wildcard setup.py walrus_chain/codec/*.[ch])
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one: make setup PYTHON=python3.11" >&2; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install --quiet --no-deps --no-compile --requirement constraints.txt
	$(PIP) install --quiet --no-deps --editable .
	$(PIP) check
	touch $@

$(STAMPS)/node: package.json package-lock.json .npmrc
	@mkdir -p $(STAMPS)
	@command -v npm > /dev/null || { echo "npm is needed: install Node.js 20 or newer" >&2; exit 1; }
	npm ci --loglevel=error
	touch $@

$(STAMPS)/solc: scripts/setup_solc.py scripts/bin/solc $(STAMPS)/python $(STAMPS)/node
	python scripts/setup_solc.py
	touch $@

$(STAMPS)/ipfs: tests/integration/ipfs/package.json tests/integration/ipfs/package-lock.json
	@mkdir -p $(STAMPS)
	@command -v npm > /dev/null || { echo "npm is needed: install Node.js 20 or newer" >&2; exit 1; }
	cd tests/integration/ipfs && npm ci --loglevel=error
	touch $@

$(STAMPS)/slither: scripts/slither-constraints.txt
	@mkdir -p $(STAMPS)
	test -x .build/slither/bin/python || $(PYTHON) -m venv .build/slither
	.build/slither/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --requirement $<
	touch $@

lock: $(STAMPS)/python ## Resolve all dependencies again and pin them
	$(PIP) install --quiet uv
	{ echo '# Every version that `make setup` installs; regenerate with `make lock`.'; \
	  uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
	    --no-annotate --no-header --no-emit-index-url pyproject.toml; } > constraints.new
	mv constraints.new constraints.txt
	npm update --loglevel=error

# -- seeing it work --------------------------------------------------------------------------------------------------

demo: $(READY) ## Show the whole story on a local network; FILE=... stores your own file
	python -m scripts.demo $(if $(FILE),"$(FILE)")

simulate: $(READY) ## Let honest and cheating nodes live through hundreds of epochs, and print who earns what
	python -m scripts.simulate_network

churn: $(READY) ## Ten epochs under load, with agents that die, join and leave; about six minutes
	python -m scripts.churn

# -- tests -----------------------------------------------------------------------------------------------------------

test: test-contracts test-python test-ape ## Run all tests

test-contracts: $(READY)
	forge test $(FORGE)

test-python: $(READY) $(STAMPS)/ipfs
	pytest $(PYTEST)

test-ape: $(READY)
	APE_DATA_FOLDER=$(CURDIR)/.build/ape ape test tests/ape

check: $(READY) ## Say what is not tidy: lint, formats, types, artifacts
	ruff check .
	ruff format --check .
	mypy
	forge fmt --check
# It ends well whatever it finds, and builds without bytecode: so its words are read, in a folder of its own.
	FOUNDRY_OUT=.build/lint/out FOUNDRY_CACHE_PATH=.build/lint/cache \
	  forge lint $(filter-out contracts/mocks/,$(wildcard contracts/*/)) 2>&1 | tee .build/lint.log
	! grep -E '^(warning|error)|^Error' .build/lint.log
	python scripts/export_artifacts.py --check

slither: $(READY) $(STAMPS)/slither ## Analyse the contracts; every finding must be answered in docs/security.md
	FOUNDRY_OUT=.build/slither/out FOUNDRY_CACHE_PATH=.build/slither/cache forge build contracts --build-info
	python scripts/static_analysis.py .build/slither/bin/slither

fmt: $(READY) ## Format everything
	ruff check --fix-only --quiet .
	ruff format .
	forge fmt

# -- things generated and measured -----------------------------------------------------------------------------------

contracts: $(READY) ## Compile the contracts and refresh the artifacts in walrus_chain
	python scripts/export_artifacts.py

gas: $(READY) ## Measure gas, show the difference to the committed table, write the new one
	rm -rf .build/forge/snapshots
# Isolated, each call is a transaction: its base cost and calldata count.
	forge test --isolate --match-path 'tests/gas/*.t.sol' $(FORGE)
	python scripts/gas_report.py

bench: $(READY) ## Run all benchmarks side by side; one command each in bench/
	python -m bench

docs: $(READY) ## Check the documentation: links, commands, generated parts
	pytest tests/docs

clean: ## Remove what was built
	rm -rf .build/forge .build/lint .build/lint.log .build/ape .build/mypy .build/pytest .build/__local__.json build dist *.egg-info .ruff_cache .hypothesis contracts/.cache
	find walrus_chain storage_agent tests scripts bench -name __pycache__ -prune -exec rm -rf {} + 2> /dev/null || true

distclean: clean ## Remove everything that is not in the repository, but keep wallets and networks
	rm -rf .venv node_modules tests/integration/ipfs/node_modules .build
