# What a person and CI type; `make` alone lists it.
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
T ?= tests
N ?= 1
SEED ?= 1
SEEDS ?= 1
MINUTES ?= 3
WITHOUT ?=
# Most tests on Kafka wait more than they work.
JOBS ?= 3
CALLBACKS ?= 2000
SESSIONS ?= 1000000
LIMIT ?=
QUIET ?=
ONLY ?=
STRICT ?=

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*##"} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use

.PHONY: run
run: install ## Start everything: Kafka, simulated providers, ingress, worker (ARGS=--once)
	@exec $(BIN)/python -m worker dev $(ARGS)

.PHONY: install
install: $(VENV)/.installed ## Make the virtual environment, and no more

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (once) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

.PHONY: kafka
kafka: install ## Start Kafka by itself in the background, N=3 for three brokers
	@$(BIN)/python -m worker.devkit.broker start --nodes $(N) --dir build/kafka

.PHONY: kafka-stop
kafka-stop: install ## Stop it
	@$(BIN)/python -m worker.devkit.broker stop --dir build/kafka

##@ Develop

.PHONY: test
test: check ## The whole suite, on a real Kafka (T=tests/… for a part)
	@$(BIN)/python -m pytest $(T) --ignore=tests/unit --ignore=tests/contracts \
	  --ignore=tests/properties --ignore=tests/browser \
	  $(if $(filter tests,$(T)),--ignore=tests/bench) -n $(JOBS) --dist loadfile
	@# By itself: it measures.
	@$(if $(filter tests,$(T)),$(BIN)/python -m pytest --quiet tests/bench)

.PHONY: check
check: lint ## Lint, types, import contract, and the tests that need no broker
	@$(BIN)/python -m pytest --quiet -n 2 tests/unit tests/contracts tests/properties

.PHONY: lint
lint: install ## Everything that reads the code and runs none of it
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/interrogate --quiet tests
	@$(BIN)/python tests/lint/size.py
	@$(BIN)/python tests/lint/deploy.py

.PHONY: docs
docs: install ## Build the documentation site into build/docs; a warning is an error
	@$(BIN)/zensical build --strict --config-file zensical.toml

.PHONY: format
format: install ## Write what the linters would have: the only target that changes code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

.PHONY: nightly
nightly: faults soak isolation slow restore bench search ## Everything that is too long for every change, and chaos
	@$(BIN)/python -m tests.chaos --seed $(SEED) --seeds 10 --minutes 3 --quiet

.PHONY: search
search: install ## The property tests with new examples, a few rounds of them
	@for round in 1 2 3 4 5; do \
	  $(BIN)/python -m pytest --quiet -n 2 --hypothesis-profile=search tests/properties || exit 1; \
	done

.PHONY: soak
soak: install ## 20,000 callbacks, 2 ingresses, 3 workers, a kill: every session once
	@$(BIN)/python -m pytest tests/soak --override-ini timeout=1800 --soak-full -s

.PHONY: faults
faults: install ## The tests of faults again, at the default times and full length
	@$(BIN)/python -m pytest tests/faults --full-length

.PHONY: slow
slow: install ## What 10,000 slow connections cost the callbacks beside them, and in memory
	@$(BIN)/python -m tests.scale slow --callbacks $(CALLBACKS)

.PHONY: isolation
isolation: install ## What three ill providers cost a fourth: p50 and p99, alone and beside them
	@$(BIN)/python -m tests.scale isolation --callbacks $(CALLBACKS)

.PHONY: leaked-url
leaked-url: install ## Invent SESSIONS= sessions through a leaked URL: what others, memory, restart, purge cost
	@$(BIN)/python -m tests.scale leaked-url --sessions $(SESSIONS) \
	  $(if $(LIMIT),--limit $(LIMIT))

.PHONY: restore
restore: install ## Write SESSIONS= sessions with history, restore them: speed, memory
	@$(BIN)/python -m tests.scale restore --sessions $(SESSIONS)

.PHONY: bench
bench: install ## Against the floor of the parts, ONLY=ingress|worker|latency|ledger|start|verify|peer
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(STRICT),--strict $(STRICT))

.PHONY: chaos
chaos: install ## Hurt processes, brokers, network; check every promise (SEED= SEEDS= MINUTES= QUIET=1)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --seeds $(SEEDS) --minutes $(MINUTES) \
	  $(if $(QUIET),--quiet) $(if $(WITHOUT),--without $(WITHOUT))

.PHONY: test-browser
test-browser: $(VENV)/.browser ## Walk the embedded page in a real headless Chromium
	@$(BIN)/python -m pytest tests/browser

$(VENV)/.browser: requirements-browser.txt $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements-browser.txt
	@touch $@

.PHONY: lock
lock: install ## Pin the dependencies anew
	@$(BIN)/uv pip compile --quiet pyproject.toml --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-header -o requirements.txt
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-header -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --group browser --constraint requirements-dev.txt \
	  --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header \
	  -o requirements-browser.txt
	@$(BIN)/uv pip compile --quiet tests/bench/peers/requirements.in --generate-hashes \
	  --universal --python-version 3.11 --no-emit-index-url --no-header \
	  -o tests/bench/peers/requirements.txt

.PHONY: clean
clean: ## Remove what was made, the virtual environment too
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
