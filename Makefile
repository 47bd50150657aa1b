# Two commands do everything: `make demo` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3.11
HOME_DIR ?= var
BIN := .venv/bin
TILLHOUSE := $(BIN)/tillhouse
# Telemetry of the tools we use is off; pip needs nobody's configuration to install by hash.
export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The simulated banner of the demo: about 0.6 M till lines beside the 1.47 M real ones.
DEMO_STORES ?= 12
DEMO_DAYS ?= 365
DEMO_CUSTOMERS ?= 4000
DEMO_SEED ?= 7

.PHONY: demo refresh ui test test-long test-real lint format bench bench-forecast lock clean
.DEFAULT_GOAL := demo

demo: .venv/.runtime
	$(TILLHOUSE) --home $(HOME_DIR) demo --stores $(DEMO_STORES) --days $(DEMO_DAYS) \
		--customers $(DEMO_CUSTOMERS) --seed $(DEMO_SEED)

refresh: .venv/.runtime
	$(TILLHOUSE) --home $(HOME_DIR) refresh

ui: .venv/.runtime
	$(TILLHOUSE) --home $(HOME_DIR) ui

test: .venv/.dev
	$(BIN)/python -m pytest tests --ignore=tests/real -m "not long" -n 2 --no-loadscope-reorder --durations=15

# What takes minutes by itself: many orders, many damages, a day of arrivals, a hundred persons
# erased and looked for everywhere, canaries in every feed.
test-long: .venv/.dev
	$(BIN)/python -m pytest tests --ignore=tests/real -m long -n 2 --no-loadscope-reorder --durations=15

test-real: .venv/.dev
	$(BIN)/python -m pytest tests/real -rs -n 2 --no-loadscope-reorder --durations=5

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev .venv-bench/.peers
	$(BIN)/python -m benchmarks

# Every line of the forecasts' bar, with the libraries that others use in the same run.
bench-forecast: .venv/.dev .venv-bench/.peers
	$(BIN)/python -m benchmarks forecast posterior replenishment

# `pip` and `venv` only; --require-hashes makes the installed set the locked one.
.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/pip requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# What we are compared with wants an older pandas, and so an environment of its own.
.venv-bench/.peers: requirements-bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --require-hashes -r requirements-bench.lock
	touch $@

lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-strip-extras --python-version 3.11 --custom-compile-command "make lock" \
		--extra forecast pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-strip-extras --python-version 3.11 --custom-compile-command "make lock" \
		--extra dev --extra bi --extra postgres --extra forecast --constraint requirements.lock \
		pyproject.toml --output-file requirements-dev.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-strip-extras --python-version 3.11 --custom-compile-command "make lock" \
		benchmarks/forecast/requirements.in --output-file requirements-bench.lock

# The environment, build products and test caches; never a home with data in it.
clean:
	rm -rf .venv .venv-bench build *.egg-info .pytest_cache .ruff_cache .hypothesis dbt_project/target \
		dbt_project/logs logs
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
