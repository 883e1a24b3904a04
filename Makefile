# `make demo` and `make test` set everything up the first time; after that they only run.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
READY := .venv/.ready
READY_SPARK := .venv/.ready-spark
BIN := .venv/bin
OUT ?= data/out

.PHONY: demo test test-kept test-spark test-targets lint ui bench backtest faults fuzz setup clean

setup: $(READY)

$(UV):
	@echo "setting up uv $(UV_VERSION) in .uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): pyproject.toml uv.lock | $(UV)
	@echo "setting up the project in .venv from uv.lock (byte-compiled)"
	@UV_COMPILE_BYTECODE=1 $(UV) sync --quiet --frozen --extra ui --python $(PYTHON)
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
	@$(BIN)/pytest --numprocesses 2

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

ui: $(READY)
	@echo "the web UI shows the demo company's graph on http://127.0.0.1:3000"
	@$(BIN)/kam demo --out $(OUT)
	@KAM_LANDING=$(OUT)/demo_landing KAM_OUT=$(OUT) DAGSTER_HOME=$(abspath $(OUT))/dagster \
		DAGSTER_DISABLE_TELEMETRY=1 $(BIN)/dagster dev -m dagster_project.definitions -h 127.0.0.1 -p 3000

faults: $(READY)
	@echo "killing refreshes at random moments (some minutes)"
	@$(BIN)/pytest tests/faults

fuzz: $(READY)
	@echo "damaging the samples of every profile in ten thousand ways (some twenty minutes)"
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
	rm -rf .venv .uv dbt/target data/out data/landing
