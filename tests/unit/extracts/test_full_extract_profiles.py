"""Full extracts as a profile tells them: landed from files, and what of them reaches the raw schema."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.lib.rejections import frequent_reasons
from dagster_project.lib.warehouse import raw_zone
from dagster_project.settings import Settings

LAYOUT = """
  {name}:
    files: ["{files}"]
    columns: {{doc: {{labels: [DOC], required: true}}, customer: [CUST], amount: [AMT]}}
    deliveries: full
    extract: '(\\d{{8}})'
"""
MAPPING = """
    - from: {name}
      joins: {{header: {{table: headers, "on": "header.doc = this.doc", required: true}}}}
      columns:
        invoice_id: doc
        line_id: {{const: "1"}}
        customer_id: customer
        invoice_date: header.day
        document_type: {{const: invoice}}
        net_amount: amount
        currency: {{const: EUR}}
"""
LAYOUTS = {"invoices": "INV_*", "credits": "CRE_*", "years": "*FEC*"}
PROFILE = (
    """
title: {en: "Ledger", fr: "Grand livre"}
describes: {en: "Documents and their headers.", fr: "Les pièces et leurs en-têtes."}
layouts:
  headers:
    files: ["HDR_*"]
    columns: {doc: [DOC], day: [DAY]}
    key: [doc]
    deliveries: full
    extract: '(\\d{8})'
"""
    + "".join(LAYOUT.format(name=name, files=files) for name, files in LAYOUTS.items())
    + "    scope: '^(\\d{4})FEC'\n"
    + "entities:\n  invoice_lines:"
    + "".join(MAPPING.format(name=name) for name in LAYOUTS)
)
HEADERS = "DOC,DAY\n"
DOCUMENTS = "DOC,CUST,AMT\n"


@pytest.fixture
def company(tmp_path: Path) -> Settings:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "ledger.yml").write_text(PROFILE, encoding="utf-8")
    return Settings(
        landing=tmp_path / "landing",
        out=tmp_path / "out",
        profiles={"erp": "ledger"},
        profile_folder=profiles,
        threads=1,
    )


def write(company: Settings, files: dict[str, str]) -> LandingReport:
    folder = company.landing / "erp"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    report = land_everything(company, scratch=company.out / "scratch")
    assert not [error for error in report.errors if "no extract of" not in error]
    return report


def lines(company: Settings, report: LandingReport) -> tuple[list[str], dict[str, bool]]:
    """Documents in the raw view, and which files of invoice lines are replaced."""
    deliveries = raw_zone.ordered_deliveries((file.file, file.entry) for file in report.files)
    identifiers = company.out / "identifiers.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as one) to '{identifiers}' (format parquet)")
        raw_zone.create_raw_schema(
            connection, raw=company.raw, deliveries=deliveries, identifiers=identifiers, live=None
        )
        found = connection.execute("select invoice_id from raw.invoice_lines order by all")
        documents = [str(row[0]) for row in found.fetchall()]
    own = [d for d in deliveries if d.entry.entity == "invoice_lines"]
    return documents, {Path(d.file).name: d.is_replaced for d in own}


def test_parts_lie_in_turns_and_layouts_do_not_replace_each_other(company: Settings) -> None:
    report = write(
        company,
        {
            "HDR_20250101.csv": f"{HEADERS}D1,2025-01-05\nD2,2025-01-06\nC1,2025-01-07\n",
            "INV_1_20250101.csv": f"{DOCUMENTS}D1,K1,10\n",
            "INV_1_20250201.csv": f"{DOCUMENTS}D2,K1,20\n",
            "INV_2_20250101.csv": f"{DOCUMENTS}D1,K2,30\n",
            "INV_2_20250201.csv": f"{DOCUMENTS}D2,K2,40\n",
            "CRE_20250101.csv": f"{DOCUMENTS}C1,K1,-5\n",
        },
    )
    assert lines(company, report) == (
        ["C1", "D2", "D2"],
        {
            "CRE_20250101.csv": False,
            "INV_1_20250101.csv": True,
            "INV_1_20250201.csv": False,
            "INV_2_20250101.csv": True,
            "INV_2_20250201.csv": False,
        },
    )


def test_lines_are_joined_with_the_headers_of_the_latest_extract_alone(company: Settings) -> None:
    files = {
        "HDR_20250101.csv": f"{HEADERS}D1,2025-01-05\nD2,2025-01-06\n",
        "INV_20250201.csv": f"{DOCUMENTS}D1,K1,10\nD2,K1,20\n",
    }
    assert lines(company, write(company, files))[0] == ["D1", "D2"]
    # D1 was deleted in the ERP: its header is in no extract any more
    report = write(company, {"HDR_20250201.csv": f"{HEADERS}D2,2025-01-06\n"})
    assert lines(company, report)[0] == ["D2"]
    (entry,) = [file.entry for file in report.files if file.entry.entity == "invoice_lines"]
    assert entry.rejected_reasons == {"no_header": 1}


def test_a_scope_replaces_its_own_year_and_known_bytes_count_under_todays_name(
    company: Settings,
) -> None:
    first = f"{DOCUMENTS}D1,K1,10\n"
    report = write(
        company,
        {
            "HDR_20250101.csv": f"{HEADERS}D1,2025-01-05\nD2,2025-01-06\nD3,2024-01-06\n",
            "2024FEC20250101.csv": f"{DOCUMENTS}D3,K1,30\n",
            "2025FEC20250101.csv": first,
            "2025FEC20250201.csv": f"{DOCUMENTS}D2,K1,20\n",
        },
    )
    assert lines(company, report)[0] == ["D2", "D3"]
    report = write(company, {"2025FEC20250301.csv": first})
    assert lines(company, report) == (
        ["D1", "D3"],
        {
            "2024FEC20250101.csv": False,
            "2025FEC20250101.csv": True,
            "2025FEC20250201.csv": True,
            "2025FEC20250301.csv": False,
        },
    )


def test_what_was_rejected_of_a_replaced_extract_is_asked_no_more(company: Settings) -> None:
    files = {
        "HDR_20250101.csv": f"{HEADERS}D1,2025-01-05\n",
        "INV_20250101.csv": f"{DOCUMENTS}D1,K1,ten\n",
    }
    report = write(company, files)
    assert [reason.rule for reason in frequent_reasons(report, company.raw)] == ["not_an_amount"]
    assert ("erp/invoice_lines", 1, 1) in report.extracts()
    report = write(company, {"INV_20250201.csv": f"{DOCUMENTS}D1,K1,10\n"})
    assert frequent_reasons(report, company.raw) == []
    assert ("erp/invoice_lines", 1, 0) in report.extracts()
