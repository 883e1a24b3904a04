"""A table that is filled span by span (`meta.spans`) is the one that is built at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.warehouse.dbt_project import build
from tests.pipeline.pipeline_runs import Refreshed

TABLE = "intermediate.int_customer_currency_months"
MONTHS = "intermediate.int_invoice_months_fingerprinted"


def asked(warehouse: Path, *statements: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)
        return connection.fetchall()


@pytest.mark.parametrize(
    ("most_lines", "full"), [(1, True), (1, False), (7, True), (10**9, True), (10**9, False)]
)
def test_spans_come_to_the_whole(
    golden: Refreshed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_lines: int,
    full: bool,
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(golden.out / "warehouse" / "warehouse.duckdb", warehouse)
    everything = f"select * exclude (input_fingerprint) from {TABLE} order by all"
    before = asked(warehouse, everything)
    months = asked(warehouse, f"select distinct month_index from {TABLE} order by all")
    assert len(months) > 2
    # every month but the first is another one than was kept, and what was kept of them is wrong
    asked(
        warehouse,
        f"update {TABLE} set revenue = -1 where month_index > {months[0][0]}",
        f"update {MONTHS} set input_fingerprint = 1 where month_index > {months[0][0]}",
    )
    monkeypatch.setenv("KAM_SPAN_LINES", str(most_lines))
    run = tmp_path / "run"
    build(
        ["--select", "int_customer_currency_months", "--indirect-selection", "empty"],
        warehouse=warehouse,
        run_folder=run,
        memory_limit="1GB",
        threads=1,
        full=full,
    )
    assert asked(warehouse, everything) == before
    (written,) = (run / "dbt").rglob("run/**/int_customer_currency_months.sql")
    if full:
        spans = written.read_text(encoding="utf-8").count("set variable span_begins =")
        assert {1: spans == len(months), 7: 1 < spans < len(months), 10**9: spans == 1}[most_lines]
