# `make demo` and `make test` set everything up the first time; after that they only run.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
READY := .venv/.ready
READY_SPARK := .venv/.ready-spark
BIN := .venv/bin
OUT ?= data/out

DASHBOARD := dagster_project/lib/dashboard
READY_DASHBOARD := .venv-dashboard/.ready

.PHONY: demo test test-refreshes test-browser test-targets test-fifty test-kept test-spark lint ui bench backtest faults fuzz \
	dashboard dashboard-photo dashboard-lock setup setup-spark clean

setup: $(READY)

setup-spark: $(READY_SPARK)

$(UV):
	@echo "setting up uv $(UV_VERSION) in .uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): pyproject.toml uv.lock | $(UV)
	@echo "setting up the project in .venv from uv.lock (byte-compiled)"
	@UV_COMPILE_BYTECODE=1 $(UV) sync --quiet --frozen --extra ui --extra metrics --extra notices --python $(PYTHON)
	@touch $(READY)

$(READY_SPARK): $(READY)
	@echo "adding Spark to .venv (half a gigabyte)"
	@UV_COMPILE_BYTECODE=1 $(UV) sync --quiet --frozen --all-extras --python $(PYTHON)
	@touch $(READY_SPARK)

demo: $(READY)
	@echo "refreshing the demo company in $(OUT)"
	@$(BIN)/kam demo --out $(OUT)

lint: $(READY)
	@echo "checking style and types"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt/models dbt/tests

test: lint
	@echo "running the tests (two at a time)"
	@$(BIN)/pytest --numprocesses 2 --dist worksteal

# refreshes of what was changed: gate, full extracts, policies, groups, audiences, what if, notices, forgetting, readers
test-refreshes: $(READY)
	@echo "refreshing changed companies (some minutes)"
	@$(BIN)/pytest tests/refreshes --numprocesses 2

# needs Debian's chromium (CHROMIUM names another one)
test-browser: $(READY)
	@echo "opening the report in a headless browser (a minute)"
	@$(UV) sync --quiet --frozen --extra ui --group browser --inexact --python $(PYTHON)
	@$(BIN)/pytest tests/browser

# one change after the other to the golden company, each against a full build: forty refreshes
test-kept: $(READY)
	@echo "comparing what is kept between runs with full builds, and moves with their causes (some minutes)"
	@$(BIN)/pytest tests/kept --numprocesses 2

# needs a Java runtime 17; the cluster's test and those of the servers run beside each other
test-spark: $(READY_SPARK)
	@echo "comparing Spark (a cluster of two workers, a Thrift server, Spark Connect) with DuckDB"
	@$(BIN)/pytest tests/spark --numprocesses 2 --dist loadfile

# needs PostgreSQL's programs (Debian's package postgresql); S3 is played by moto, on 127.0.0.1
test-targets: $(READY)
	@$(UV) sync --quiet --frozen --extra postgres --extra object-store --group targets --inexact --python $(PYTHON)
	@echo "sending releases to a PostgreSQL server and an object store, with readers beside (some minutes)"
	@$(BIN)/pytest tests/targets --numprocesses 2 --dist loadfile

# the same readers during fifty whole refreshes
test-fifty: $(READY)
	@$(UV) sync --quiet --frozen --extra postgres --extra object-store --group targets --inexact --python $(PYTHON)
	@echo "refreshing a small company fifty times, with readers of all marts beside (a quarter of an hour and more)"
	@REFRESHES=50 $(BIN)/pytest tests/targets/test_readers_of_refreshes.py --durations=1

ui: $(READY)
	@echo "the web UI shows the demo company's graph on http://127.0.0.1:3000"
	@$(BIN)/kam demo --out $(OUT)
	@KAM_LANDING=$(OUT)/demo_landing KAM_OUT=$(OUT) DAGSTER_HOME=$(abspath $(OUT))/dagster \
		DAGSTER_DISABLE_TELEMETRY=1 $(BIN)/dagster dev -m dagster_project.definitions -h 127.0.0.1 -p 3000

# Superset and its 150 packages (a gigabyte) in a folder of their own
$(READY_DASHBOARD): $(DASHBOARD)/superset_requirements.txt | $(UV)
	@echo "setting up Superset in .venv-dashboard"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-dashboard
	@$(UV) pip sync --quiet --python .venv-dashboard/bin/python $<
	@touch $(READY_DASHBOARD)

# on http://127.0.0.1:8088; the password is KAM_DASHBOARD_PASSWORD, or is made and shown
dashboard: $(READY) $(READY_DASHBOARD)
	@[ -e "$(OUT)/published/current.json" ] || $(BIN)/kam demo --out $(OUT) > /dev/null
	@$(BIN)/python -m dagster_project.dashboard serve --out $(OUT)

# needs Chromium
dashboard-photo: $(READY) $(READY_DASHBOARD)
	@[ -e "$(OUT)/published/current.json" ] || $(BIN)/kam demo --out $(OUT) > /dev/null
	@$(BIN)/python -m dagster_project.dashboard photo --out $(OUT)

dashboard-lock: $(UV)
	@$(UV) pip compile --quiet --universal --no-header --python-version 3.11 \
		$(DASHBOARD)/superset_requirements.in --output-file $(DASHBOARD)/superset_requirements.txt

faults: $(READY)
	@echo "killing refreshes at random moments (some minutes)"
	@$(BIN)/pytest tests/faults

fuzz: $(READY)
	@echo "damaging the samples of every profile in ten thousand ways (some forty minutes)"
	@MUTANTS=10000 $(BIN)/pytest tests/unit/extracts/test_mutants.py --numprocesses 2

# BENCH_ONLY=help,demo,1m,...: some stages; BENCH_ARGS=--again: measured before or not
bench: $(READY)
	@$(UV) sync --quiet --frozen --all-extras --group bench --inexact --python $(PYTHON)
	@$(BIN)/python -m tests.benchmarks.bench --only=$(BENCH_ONLY) $(BENCH_ARGS)

# potential a window ago against the revenue since, of the demo company or of OUT
backtest: $(READY)
	@[ -e "$(OUT)/published/current.json" ] || $(BIN)/kam demo --out $(OUT) > /dev/null
	@$(BIN)/kam backtest --out $(OUT)

clean:
	rm -rf .venv .venv-dashboard .uv dbt/target data/out data/landing
