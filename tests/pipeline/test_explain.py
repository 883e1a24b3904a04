"""What `kam explain` says beyond the figures: whose they are, why a tier is held, where nobody reads on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import duckdb

from tests.pipeline.pipeline_runs import (
    REPOSITORY,
    Refreshed,
    kam,
)
from tests.pipeline.told import shown, told_of


def test_a_demotion_tells_how_long_patience_held(demo: tuple[Refreshed, Any]) -> None:
    company = demo[0]
    (row, *_) = company.rows(
        "select * from tier_moves where move_kind = 'monthly' and direction = 'demoted' "
        "and move_cause <> 'override' and as_of > date '2026-01-01' order by account_key"
    )
    told = told_of(company, row["account_key"])
    (move,) = [m for m in told["moves"] if m["as_of"] == row["as_of"]]
    raw = company.rows(
        "select raw_tier from account_tier_history where as_of <= "
        f"date '{row['as_of']}' and account_key = '{row['account_key']}' order by as_of desc"
    )
    below = [tier["raw_tier"] for tier in raw].index(row["from_tier"])
    assert move["months_below"] == below >= 3
    assert f"{below} months below the line; patience is over" in " ".join(shown(told).split())
    assert "The extracts have invoices from" not in shown(told)


def test_a_new_customer_is_said_to_be_held_as_one(demo: tuple[Refreshed, Any]) -> None:
    held = demo[0].rows(
        "select tier_reason, first_invoice_date from account_tiers where is_new_customer "
        "and tier_reason like 'Held at%'"
    )
    longer = [row for row in held if "a new customer keeps its best tier" in row["tier_reason"]]
    assert longer
    for row in longer:
        assert f"first invoice ({row['first_invoice_date']})." in row["tier_reason"]
    assert not any(f"needs {n} months" in row["tier_reason"] for row in held for n in (4, 5, 6))


def test_where_the_data_begin_is_said(golden: Refreshed) -> None:
    told = told_of(golden, "Gorse")
    with duckdb.connect(str(golden.out / "published/marts.duckdb"), read_only=True) as connection:
        (first,) = connection.execute("select min(month) from account_monthly").fetchone() or ()
    assert told["data_since"] == first
    said = f"The extracts have invoices from {first:%Y-%m} on" in shown(told)
    oldest = told["history"][-1]["month"]
    months = (oldest.year - first.year) * 12 + oldest.month - first.month
    assert said == (months < 11)


def test_nobody_reading_on_is_no_interruption(golden: Refreshed) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = "from dagster_project.cli import app; app()"
    arguments = [sys.executable, "-c", command, "explain", "Gorse", "--out", str(golden.out)]
    run = subprocess.run(
        arguments, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, check=False
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, "")


def test_confidence_is_written_as_the_language_does(golden: Refreshed) -> None:
    run = kam("explain", "Gorse", "--out", golden.out, "--lang", "fr")
    assert "1,000" in run.stdout and "1.000" not in run.stdout
    assert "Temps : " in run.stdout
    told = json.loads(kam("explain", "Gorse", "--out", golden.out, "--json").stdout)
    assert told["group"] is None
