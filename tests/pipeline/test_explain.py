"""What `kam explain` says beyond the figures: whose they are, why a tier is held, where nobody reads on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from io import StringIO
from typing import Any

import duckdb
import pytest
from rich.console import Console

from dagster_project.lib.explained import explain
from dagster_project.lib.shown_story import story
from dagster_project.lib.words import Words
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    REPOSITORY,
    Refreshed,
    kam,
    published,
    refreshed,
)

# tighter lines restate the month, so that accounts move by the policy
GROUP = "classification_level: group\nschemes: {revenue: {cut_points: {A: 0.40, B: 0.75}}}\n"


@pytest.fixture(scope="module")
def grouped(golden: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company whose groups are classified: Birch belongs to Alder."""
    company = golden.copy(tmp_path_factory.mktemp("grouped"))
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=GROUP))
    return company


def told_of(company: Refreshed, name: str) -> dict[str, Any]:
    return explain(company.live, name, warehouse=company.out / "warehouse/warehouse.duckdb")


def shown(told: dict[str, Any], language: str = "en") -> str:
    console = Console(width=200, record=True, file=StringIO())
    story(console, told, Words(language))
    return console.export_text()


def line_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if f" {label} " in line)


def test_in_group_mode_each_figure_says_whose_it_is(grouped: Refreshed) -> None:
    told = told_of(grouped, "Birch")
    account, group = told["account"], told["group"]
    assert (group["account_name"], group["account_count"]) == ("Alder", 2)
    assert group["revenue"] == account["group_revenue"] > account["revenue"]
    assert account["tier_reason"].startswith(
        f"A: revenue of its group {group['revenue']:.2f} EUR, rank 1;"
    )
    text = shown(told)
    assert "It is classified with its group Alder (2 accounts)" in text
    assert f"{account['revenue']:,.2f}" in line_of(text, "revenue (its own)")
    assert f"{group['revenue']:,.2f}" in line_of(text, "revenue of the group")
    assert "A (defend)" in line_of(text, "final tier (of its group)")
    french = shown(told, "fr")
    assert "Il est classé avec son groupe Alder (2 comptes) :" in french
    assert "A : chiffre d’affaires de son groupe" in french


def test_an_account_by_itself_says_nothing_of_groups(grouped: Refreshed, golden: Refreshed) -> None:
    for company, name in ((grouped, "Gorse"), (golden, "Birch")):
        told = told_of(company, name)
        assert told["group"] is None
        assert "of its group" not in shown(told) and "(its own)" not in shown(told)


def test_a_month_published_again_is_not_last_month(grouped: Refreshed) -> None:
    (key, before), *_ = [
        (row["account_key"], row["from_tier"])
        for row in grouped.rows("select * from tier_moves where move_kind = 'restated'")
        if row["as_of"] == date.fromisoformat(GOLDEN_AS_OF)
    ]
    told = told_of(grouped, key)
    text = shown(told)
    assert f"{before}, moved because of policy" in line_of(text, "before this publication")
    assert told["history"][1]["final_tier"] in line_of(text, "last month")
    assert "the month was published again" in text


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
