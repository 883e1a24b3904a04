"""Other columns than last time: kept and said once, missing and named, of another type and rejected."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.lib.release.manifest import InputFile
from dagster_project.lib.schema_drift import last_delivered, schema_changes
from dagster_project.settings import Settings

LINES = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency"
INPUT_FIELDS = (
    *("sha256", "system", "entity", "profile"),
    *("rows_read", "rows_loaded", "rows_rejected"),
)
GOOD = "I{n},1,C1,2025-01-15,invoice,{n},EUR"


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@pytest.fixture
def company(tmp_path: Path) -> Settings:
    settings = Settings(landing=tmp_path / "landing", out=tmp_path / "out", threads=1)
    for name, text in (
        ("crm/accounts.csv", "account_id,account_name\n1,Alder\n"),
        ("erp/customers.csv", "customer_id,customer_name\nC1,Alder\n"),
    ):
        write(settings, name, text)
    return settings


def write(company: Settings, name: str, text: str) -> None:
    path = company.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def landed(company: Settings) -> LandingReport:
    return land_everything(company, scratch=company.out / "scratch")


def lines(columns: str, *rows: str) -> str:
    return "\n".join([columns, *rows]) + "\n"


def as_published(report: LandingReport) -> list[InputFile]:
    """The inputs of a manifest, had the report been published."""
    return [
        InputFile(
            file=file.file,
            rows_superseded=0,
            **{name: getattr(file.entry, name) for name in INPUT_FIELDS},
        )
        for file in report.files
    ]


def test_a_new_column_is_kept_and_said_once(
    company: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for part in (1, 2):
        row = GOOD.format(n=part) + ",North"
        write(company, f"erp/invoice_lines_{part}.csv", lines(f"{LINES},region", row))
    report = landed(company)
    text = "erp/invoice_lines_1.csv: new columns, kept in the raw zone and not used: region"
    assert report.errors == []
    assert report.schema_changes == [text]
    assert [record.getMessage() for record in caplog.records] == [text]
    entry = report.files[-1].entry
    assert entry.extra_columns == ("region",)
    # what was published was said
    known = last_delivered(as_published(report), company.raw)
    files = [(file.file, file.entry) for file in report.files]
    assert len(known) == len(files)
    assert schema_changes(files, published=known) == []


def test_a_renamed_optional_column_is_absent_since_the_last_delivery(company: Settings) -> None:
    write(company, "erp/invoice_lines_1.csv", lines(f"{LINES},quantity", GOOD.format(n=1) + ",3"))
    write(company, "erp/invoice_lines_2.csv", lines(f"{LINES},qty", GOOD.format(n=2) + ",3"))
    assert landed(company).schema_changes == [
        "erp/invoice_lines_2.csv: new columns, kept in the raw zone and not used: qty",
        "erp/invoice_lines_2.csv: columns absent since the last delivery: quantity; were they renamed to the new "
        "ones?",
    ]


def test_a_file_that_replaced_its_former_self_is_compared_with_what_was_published(
    company: Settings,
) -> None:
    write(company, "erp/invoice_lines.csv", lines(f"{LINES},quantity", GOOD.format(n=1) + ",3"))
    before = landed(company)
    write(company, "erp/invoice_lines.csv", lines(LINES, GOOD.format(n=1)))
    now = landed(company)
    assert schema_changes(
        [(file.file, file.entry) for file in now.files],
        published=last_delivered(as_published(before), company.raw),
    ) == ["erp/invoice_lines.csv: columns absent since the last delivery: quantity"]


def test_a_renamed_required_column_fails_the_file_by_name(company: Settings) -> None:
    write(
        company,
        "erp/invoice_lines.csv",
        lines(LINES.replace("net_amount", "amount_net"), GOOD.format(n=1)),
    )
    (error,) = landed(company).errors
    assert error.startswith("erp/invoice_lines.csv")
    assert "net_amount" in error
    assert "the required column is missing; nothing of this file is loaded" in error


def test_a_column_of_another_type_rejects_its_rows_with_the_reason(company: Settings) -> None:
    rows = [GOOD.format(n=n).replace("2025-01-15", "15.01.2025") for n in (1, 2)]
    write(company, "erp/invoice_lines.csv", lines(LINES, *rows, GOOD.format(n=3)))
    report = landed(company)
    entry = report.files[-1].entry
    assert (entry.rows_loaded, entry.rejected_reasons) == (1, {"not_a_date": 2})
    # and the share is over what the gate tolerates
    assert ("erp/invoice_lines", 3, 2) in report.extracts()


def test_a_landing_tells_new_files_from_those_it_knows(
    company: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="dagster_project.lib.landing")

    def said(name: str, text: str) -> list[str]:
        write(company, name, text)
        caplog.clear()
        landed(company)
        return caplog.messages

    first = "erp/invoice_lines_1.csv"
    assert f"landed {first}: 1 rows read, 0 rejected" in said(first, lines(LINES, GOOD.format(n=1)))
    second = "erp/invoice_lines_2.csv"
    assert said(second, lines(LINES, GOOD.format(n=2))) == [
        f"landed {second}: 1 rows read, 0 rejected",
        "landed before, and not read again: 3 files",
    ]
