"""Full extracts and the ERP's own totals in whole refreshes: what goes out, and what stops at the gate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.pipeline.full_extracts import full_extracts_by_name
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    Refreshed,
    published,
    refreshed,
    snapshot,
)

LINES = "erp/invoice_lines.csv"


@pytest.fixture(autouse=True)
def by_name() -> Iterator[None]:
    with full_extracts_by_name():
        yield


def test_a_full_extract_replaces_and_what_it_lacks_is_gone(
    golden: Refreshed, tmp_path: Path
) -> None:
    company = golden.copy(tmp_path)
    header, *rows = (company.landing / LINES).read_text(encoding="utf-8").splitlines()
    # an earlier full extract with a line that nobody can read: it is replaced, and no reason to stop
    first = [header, *rows, rows[0].replace("3000", "three thousand")]
    (company.landing / "erp/invoice_lines_full_1.csv").write_text("\n".join(first))
    # Hazel's December invoice is gone, and so is the share that it lifted
    latest = [header, *(row for row in rows if not row.startswith("I802,"))]
    (company.landing / "erp/invoice_lines_full_2.csv").write_text("\n".join(latest))
    (company.landing / "erp/invoice_lines_later.csv").write_text(
        f"{header}\nI900,1,C1,2025-06-03,invoice,,,777,EUR,400,EUR,,false\n"
    )
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF))
    counted = {
        i.file: (i.rows_read, i.rows_loaded, i.rows_superseded, i.rows_rejected)
        for i in company.live.manifest.inputs
        if i.entity == "invoice_lines"
    }
    assert counted == {
        LINES: (23, 0, 23, 0),
        "erp/invoice_lines_full_1.csv": (24, 0, 23, 1),
        "erp/invoice_lines_full_2.csv": (22, 22, 0, 0),
        "erp/invoice_lines_later.csv": (1, 1, 0, 0),
    }
    before, now = golden.accounts(), company.accounts()
    changed = {key: now[key]["revenue"] - before[key]["revenue"] for key in now}
    assert {key: amount for key, amount in changed.items() if amount} == {
        "crm:accounts:8": Decimal(-100),
        "crm:accounts:1": Decimal(777),
    }
    assert company.rows("select * from rejected_rows") == []


@pytest.mark.parametrize("extract", ["crm/accounts", "erp/products"])
def test_an_emptied_full_extract_stops_at_the_gate(
    golden: Refreshed, tmp_path: Path, extract: str
) -> None:
    company = golden.copy(tmp_path)
    text = (company.landing / f"{extract}.csv").read_text(encoding="utf-8")
    (company.landing / f"{extract}_full_1.csv").write_text(text, encoding="utf-8")
    (company.landing / f"{extract}_full_2.csv").write_text(text.splitlines()[0], encoding="utf-8")
    before = snapshot(company.out / "published")
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "gate_failed", (outcome.status, outcome.error)
    failed = {check.check_name: check for check in outcome.failed_checks}
    told = failed["assert_full_extracts_do_not_shrink"]
    rows = len(text.splitlines()) - 1
    assert f"{extract}: the full extract 2 holds 0 rows, 1 before it {rows}" in told.observed
    assert "max_row_count_drop" in told.remedy
    assert snapshot(company.out / "published") == before
    # without the extract before it, the live release tells
    (company.landing / f"{extract}_full_1.csv").unlink()
    (company.landing / f"{extract}.csv").unlink()
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "gate_failed", (outcome.status, outcome.error)
    assert any("near_live" in check.check_name for check in outcome.failed_checks)
    assert snapshot(company.out / "published") == before


def test_the_golden_totals_agree_and_a_missing_line_stops_at_the_gate(
    golden: Refreshed, tmp_path: Path
) -> None:
    reconciled = (
        "select strftime(month, '%Y-%m') as month, currency, control_amount, landed_amount, "
        "left_out_amount, status from revenue_reconciliation order by all"
    )
    assert [tuple(row.values()) for row in golden.rows(reconciled)] == [
        ("2025-05", "EUR", Decimal(900), Decimal(900), Decimal(0), "agrees"),
        ("2025-05", "GBP", Decimal(0), Decimal(0), Decimal(0), "agrees"),
    ]
    company = golden.copy(tmp_path)
    lines = (company.landing / LINES).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("I302,")]
    assert len(kept) == len(lines) - 1
    (company.landing / LINES).write_text("".join(kept), encoding="utf-8")
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "gate_failed", (outcome.status, outcome.error)
    (told,) = outcome.failed_checks
    assert told.check_name == "assert_control_totals_are_met"
    for word in ("erp 2025-05", "lines 1000.0000 EUR", "total 900.0000", "difference 100.0000"):
        assert word in told.observed, told.observed
    assert "control_total_tolerance" in told.remedy
