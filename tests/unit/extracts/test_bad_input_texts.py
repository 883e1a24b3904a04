"""The table "What bad input gets" of the specification: what the user reads of each row, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder

LINES = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,is_cancelled"
FAILS = {
    "crm/accounts.csv": (
        b"nom,actif\nAlder,oui\n",
        "the header is in no known language: none of its 2 names is a column that the profile knows",
        "The first line must hold the column names, account_id, account_name among them.",
    ),
    "crm/users.csv": (b"", "the file is empty (0 bytes)", "Export it again, with its header line."),
    "crm/contacts.csv": (
        b"\x00\x01\x02\xff" * 50,
        "the header cannot be read as text in UTF-8 (nul_byte)",
        "Save the file as CSV in UTF-8, with the column names in its first line.",
    ),
    "crm/opportunities.csv": (
        b"PK\x03\x04" + b"\0" * 90,
        "the file is a zip archive or an Excel workbook in place of text",
        "Save it as CSV in UTF-8, or name it by what it is (.xlsx, .zip, .parquet, .gz).",
    ),
    "crm/activities.csv": (
        None,
        "a directory (or a device) in place of a file",
        "Move the files that it holds one folder up, or remove it.",
    ),
    "crm/surveys.csv": (
        "../../outside.csv",
        "a link that leaves the landing folder",
        "Put the file itself into the landing folder; links may only point inside it.",
    ),
}


def landed(landing: Path, folder: Path) -> LandingReport:
    return land_everything(
        Settings(landing=landing, out=folder / "out"), scratch=folder / "scratch"
    )


def test_an_extract_that_fails_is_named_with_what_is_wrong_and_what_to_do(
    folder: LandingFolder, tmp_path: Path
) -> None:
    wanted = []
    for name, (content, problem, remedy) in FAILS.items():
        path = folder.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
        wanted.append(f"{name}: {problem}\n{remedy}")
    (tmp_path / "outside.csv").write_text("survey_id\n", encoding="utf-8")
    folder.write("erp/customers.csv", "customer_id,customer_name\nC1,Alder\n")
    folder.write("erp/invoice_lines.csv", LINES.replace("net_amount", "montant") + "\n")
    wanted.append(
        "erp/invoice_lines.csv, column net_amount: the required column is missing; nothing of this file is "
        "loaded\nAdd the column net_amount to the export and deliver the file again."
    )
    report = landed(folder.landing, tmp_path)
    assert sorted(report.errors) == sorted(wanted)
    # the rest is read all the same
    assert [file.file for file in report.files] == ["erp/customers.csv"]


def test_a_required_extract_that_is_not_there_is_named(
    folder: LandingFolder, tmp_path: Path
) -> None:
    folder.write("erp/customers.csv", "customer_id,customer_name\nC1,Alder\n")
    folder.write("crm/accounts.csv", "account_id,account_name\n1,Alder\n")
    assert landed(folder.landing, tmp_path).errors == [
        f"{folder.landing}: no extract of invoice_lines\nPut one as <system>/invoice_lines.csv; accounts, "
        "customers and invoice_lines must be there."
    ]


def test_a_value_that_does_not_parse_is_found_by_file_line_column_value_and_rule(
    folder: LandingFolder,
) -> None:
    rows = [
        ("I1,1,C1,2025-01-15,invoice,1O.5,EUR,", "net_amount", "1O.5", "not_an_amount"),
        ("I2,1,C1,15/01/2025,invoice,10,EUR,", "invoice_date", "15/01/2025", "not_a_date"),
        ("I3,1,C1,2025-01-15,invoice,10,EUR,maybe", "is_cancelled", "maybe", "not_a_boolean"),
        ("I4,1,C1,2025-01-15,invoice,10,Euro,", "currency", "Euro", "not_a_currency"),
        ("I5,1,C1,2025-01-15,gift,10,EUR,", "document_type", "gift", "unknown_document_type"),
        ("I6,1,,2025-01-15,invoice,10,EUR,", "customer_id", None, "missing_value"),
    ]
    text = "\n".join([LINES, *(row[0] for row in rows), "I7,1,C1,2025-01-15,invoice,10,EUR,no"])
    found = folder.land("erp/invoice_lines_7.csv", text + "\n")
    told = duckdb.execute(
        "select source_file, line_number, column_name, raw_value, rule "
        f"from '{found.raw}/rejected/{found.entry.rejected}' order by line_number"
    ).fetchall()
    assert told == [
        ("erp/invoice_lines_7.csv", number, column, value, rule)
        for number, (_, column, value, rule) in enumerate(rows, start=2)
    ]
    assert found.rows("invoice_id") == [("I7",)]


@pytest.mark.parametrize("name", ["../outside/accounts.csv", "crm/../../outside/accounts.csv"])
def test_no_path_leads_out_of_the_landing_folder(
    folder: LandingFolder, tmp_path: Path, name: str
) -> None:
    """A file beside the landing folder is not reached, whatever names it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "accounts.csv").write_text("account_id,account_name\n9,Stranger\n", encoding="utf-8")
    folder.write("crm/users.csv", "user_id\n1\n")
    (folder.landing / "crm" / "accounts.csv").symlink_to(folder.landing / name)
    report = landed(folder.landing, tmp_path)
    assert [file.file for file in report.files] == ["crm/users.csv"]
    assert any("leaves the landing folder" in text for text in report.errors)
